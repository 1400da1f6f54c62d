"""Plug-in sessions from a table to stays on the study's grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.study.settings import SessionSettings
from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid, utc
from parkwatt.io.tables import ColumnKind, read_table
from parkwatt.site.study.inputs import PlugIn

_FAULTS_MAX = 5
# No car holds more; a column in Wh is found out by it.
_ENERGY_KWH_MAX = 2000.0


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """N sessions in order of time, not overlapping.

    ``energy_kwh_used``: [N] taken from the battery by the trip before each, NaN = unknown; ``energy_kwh_asked``: [N]
    at departure, NaN = the car's usual; ``dropped_count``: rows without a departure.
    """

    arrival_unix_s: TimeArray
    departure_unix_s: TimeArray
    energy_kwh_used: FloatArray
    energy_kwh_asked: FloatArray
    dropped_count: int

    @property
    def first_unix_s(self) -> int:
        """The first arrival."""
        return int(self.arrival_unix_s[0])

    @property
    def last_unix_s(self) -> int:
        """The last departure."""
        return int(self.departure_unix_s[-1])

    def plug_ins(self, grid: TimeGrid, asked_kwh: float, notes: list[str]) -> list[PlugIn]:
        """The stays within the grid: whole steps inside each session. What was left out or filled in is told in ``notes``."""
        used = self.energy_kwh_used
        unknown = np.isnan(used)
        if unknown.any():
            mean = float(used[~unknown].mean())
            used = np.where(unknown, mean, used)
            notes.append(
                f"Trips of unknown energy, counted with the mean of {mean:.1f} kWh: {int(unknown.sum())}."
            )
        if self.dropped_count:
            notes.append(f"Sessions without a departure, left out: {self.dropped_count}.")
        asked = np.where(np.isnan(self.energy_kwh_asked), asked_kwh, self.energy_kwh_asked)
        first = np.maximum(-((grid.start_unix_s - self.arrival_unix_s) // grid.step_s), 0)
        end = (self.departure_unix_s - grid.start_unix_s) // grid.step_s
        plug_ins: list[PlugIn] = []
        short = 0
        carried_kwh = 0.0
        free_step = 0
        for index in range(len(first)):
            if end[index] <= 0 or first[index] >= grid.step_count:
                continue
            arrival, departure = (
                max(int(first[index]), free_step),
                min(int(end[index]), grid.step_count),
            )
            # A trip that began before the span is not the span's; one before a stay too short to count is the next one's.
            began = self.arrival_unix_s[index] >= grid.start_unix_s
            carried_kwh += float(used[index]) if began else 0.0
            if departure <= arrival:
                short += 1
                continue
            leaves = self.departure_unix_s[index] < grid.end_unix_s
            plug_ins.append(
                PlugIn(arrival, departure, carried_kwh, float(asked[index]) if leaves else None)
            )
            carried_kwh, free_step = 0.0, departure
        if short:
            notes.append(
                f"Sessions shorter than a step, left out (their trips count for the next): {short}."
            )
        return plug_ins


def load_sessions(
    settings: SessionSettings, folder: Path, charge_efficiency: float, faults: Faults
) -> Sessions | None:
    """The sessions of the table that ``settings`` describes; None after a fault."""
    energy_column = settings.energy_used_column or settings.energy_charged_column
    if energy_column is None:
        return None
    columns: dict[str, ColumnKind] = {
        settings.arrival_column: "time",
        settings.departure_column: "optional_time",
        energy_column: "number",
    }
    if settings.energy_asked_column is not None:
        columns[settings.energy_asked_column] = "number"
    table = read_table(
        folder / settings.file,
        columns,
        faults,
        field="sessions.file",
        where=dict(settings.where),
        time_zone=settings.time_zone,
        time_format=settings.time_format,
    )
    if table is None:
        return None
    arrival = table[settings.arrival_column] + settings.shift_s
    departure = table[settings.departure_column] + settings.shift_s
    ended = np.isfinite(departure)
    if not ended.any():
        faults.add("sessions.file", "must hold at least one session with a departure")
        return None
    energy = table[energy_column]
    if settings.energy_charged_column is not None:
        energy = energy * charge_efficiency
    asked = np.full(len(arrival), np.nan)
    if settings.energy_asked_column is not None:
        asked = table[settings.energy_asked_column]
    order = np.flatnonzero(ended)
    order = order[np.argsort(arrival[order], kind="stable")]
    sessions = Sessions(
        arrival[order].astype(np.int64),
        departure[order].astype(np.int64),
        energy[order],
        asked[order],
        int((~ended).sum()),
    )
    return sessions if _sound(settings, sessions, faults) else None


def _sound(settings: SessionSettings, sessions: Sessions, faults: Faults) -> bool:
    """Whether each session ends after it begins, none overlap and energies are in their range."""
    arrival, departure = sessions.arrival_unix_s, sessions.departure_unix_s
    overlaps = np.concatenate(([False], arrival[1:] < departure[:-1]))
    used_column = settings.energy_used_column or settings.energy_charged_column or ""
    rules = (
        (departure <= arrival, settings.departure_column, "must be after the arrival"),
        (
            overlaps,
            settings.arrival_column,
            "must not be before the departure of the session before",
        ),
        *_out_of_range(sessions.energy_kwh_used, used_column),
        *_out_of_range(sessions.energy_kwh_asked, settings.energy_asked_column or ""),
    )
    sound = True
    for broken, column, rule in rules:
        field, at = f"sessions.file, {column}", np.flatnonzero(broken)
        for index in at[:_FAULTS_MAX].tolist():
            when = f"{utc(int(arrival[index])):%Y-%m-%d %H:%M}"
            faults.add(field, f"{rule}; the session that arrives at {when} UTC breaks this")
        if len(at) > _FAULTS_MAX:
            faults.add(field, f"{rule}; {len(at) - _FAULTS_MAX} more sessions break this")
        sound = sound and not len(at)
    if np.isnan(sessions.energy_kwh_used).all():
        faults.add(f"sessions.file, {used_column}", "must be known for at least one session")
        return False
    return sound


def _out_of_range(
    energy_kwh: FloatArray, column: str
) -> tuple[tuple[NDArray[np.bool_], str, str], ...]:
    return (
        (energy_kwh < 0, column, "must be at least 0 kWh"),
        (energy_kwh > _ENERGY_KWH_MAX, column, f"must be at most {_ENERGY_KWH_MAX:g} kWh"),
    )
