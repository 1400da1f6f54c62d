"""Ageing of a battery over years: capacity and what took it, from a history of charge and
temperature.

The history (a year, or a week) is cut into spans of about a day (`spans`), its stress is taken once
(`stress`), and the cell's equations are integrated over as many repetitions as the years asked for
take (`integrate`). Results agree
with BLAST-Lite 1.1.1 (`simulate_battery_life`, `is_constant_input=False`) to a few hundredths of a
percent of capacity; `docs/modelling/wear.md` has the figures.
"""

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.plan.wear.cells import Cell
from parkwatt.plan.wear.integrate import integrate
from parkwatt.plan.wear.spans import FloatArray, cut
from parkwatt.plan.wear.stress import StressHistory

DAYS_PER_YEAR = 365.0
TEMPERATURE_C_MIN, TEMPERATURE_C_MAX = -60.0, 100.0


@dataclass(frozen=True)
class AgeingResult:
    """Capacity over time, and the losses that make it up.

    All arrays have one value at the start and one after each span of about a day. Losses and
    capacity
    are fractions of the capacity when new: `capacity_fraction = 1 - calendar_loss - cycle_loss`.
    `notes` says where the history leaves the range of the experiments behind the cell's equations.
    """

    time_days: FloatArray
    capacity_fraction: FloatArray
    calendar_loss: FloatArray
    cycle_loss: FloatArray
    notes: tuple[str, ...]

    @property
    def years(self) -> float:
        """Simulated time in years of 365 days."""
        return float(self.time_days[-1]) / DAYS_PER_YEAR

    @property
    def loss_percent_per_year(self) -> float:
        """Mean loss of capacity over the simulated time, in percent of the new capacity a year."""
        return 100.0 * (1.0 - float(self.capacity_fraction[-1])) / self.years


def simulate_ageing(
    cell: Cell,
    time_s: FloatArray,
    soc: FloatArray,
    temperature_c: FloatArray,
    years: float,
) -> AgeingResult:
    """Age a cell for some years by repeating a history.

    Args:
        cell: one of `CELLS`.
        time_s: time of each sample in seconds, strictly increasing; two samples at least. Steps may
            differ. From one repetition to the next no time passes.
        soc: charge at each sample, a fraction (0..1) of the present capacity of a new battery.
        temperature_c: temperature of the cell at each sample.
        years: how long, in years of 365 days, > 0. Ends with the first span that passes it.

    Raises:
        InputError: a history of wrong shape, with NaN, with time not increasing or charge outside
        0..1.

    Source: BLAST-Lite 1.1.1, and the papers named in `cell.source`.
    """
    time_s, soc, temperature_c = checked_history(time_s, soc, temperature_c)
    if not (np.isfinite(years) and years > 0):
        raise InputError([InputFault("years", "must be finite and > 0", years)])
    spans = cut(time_s, soc)
    history = StressHistory(spans, time_s, soc, temperature_c, cell.equations)
    time_days = _span_ends(history.duration_days, years * DAYS_PER_YEAR)
    losses = integrate(cell.equations, history, len(time_days) - 1)
    calendar_loss, cycle_loss = losses[0], losses[1:].sum(axis=0)
    return AgeingResult(
        time_days=time_days,
        capacity_fraction=1.0 - calendar_loss - cycle_loss,
        calendar_loss=calendar_loss,
        cycle_loss=cycle_loss,
        notes=_notes(cell, soc, temperature_c),
    )


def checked_history(
    time_s: FloatArray, soc: FloatArray, temperature_c: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The history as float arrays of one length.

    Raises:
        InputError: names every fault.
    """
    series = {"time_s": time_s, "soc": soc, "temperature_c": temperature_c}
    faults: list[InputFault] = []
    arrays: dict[str, FloatArray] = {}
    for name, values in series.items():
        try:
            arrays[name] = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            faults.append(InputFault(name, "must be an array of numbers", values))
    for name, array in arrays.items():
        if array.ndim != 1 or len(array) < 2:
            faults.append(InputFault(name, "must be one row of at least 2 samples", array.shape))
        elif not np.isfinite(array).all():
            at = int(np.argmin(np.isfinite(array)))
            faults.append(InputFault(f"{name}[{at}]", "must be finite", float(array[at])))
    if faults:
        raise InputError(faults)
    faults += _faults_of_finite(arrays)
    if faults:
        raise InputError(faults)
    return arrays["time_s"], arrays["soc"], arrays["temperature_c"]


def _faults_of_finite(arrays: dict[str, FloatArray]) -> list[InputFault]:
    time_s, soc, temperature_c = arrays["time_s"], arrays["soc"], arrays["temperature_c"]
    faults = [
        InputFault(name, f"must have as many samples as time_s ({len(time_s)})", len(array))
        for name, array in arrays.items()
        if len(array) != len(time_s)
    ]
    late = np.flatnonzero(np.diff(time_s) <= 0)
    if len(late):
        at = int(late[0]) + 1
        faults.append(InputFault(f"time_s[{at}]", "must be later than before", float(time_s[at])))
    outside = np.flatnonzero((soc < 0) | (soc > 1))
    if len(outside):
        at = int(outside[0])
        faults.append(InputFault(f"soc[{at}]", "must be a fraction from 0 to 1", float(soc[at])))
    extreme = np.flatnonzero(
        (temperature_c < TEMPERATURE_C_MIN) | (temperature_c > TEMPERATURE_C_MAX)
    )
    if len(extreme):
        at = int(extreme[0])
        rule = f"must be within {TEMPERATURE_C_MIN:g} and {TEMPERATURE_C_MAX:g} C"
        faults.append(InputFault(f"temperature_c[{at}]", rule, float(temperature_c[at])))
    return faults


def _span_ends(duration_days: FloatArray, days: float) -> FloatArray:
    """Times of the span ends from 0, the history repeated, up to the first one past `days`."""
    if duration_days.sum() <= 0:
        raise InputError([InputFault("time_s", "must cover more than one step", 0.0)])
    repetitions = int(days / duration_days.sum()) + 2
    ends = np.concatenate(([0.0], np.cumsum(np.tile(duration_days, repetitions))))
    return ends[: int(np.searchsorted(ends, days, "right")) + 1]


def _notes(cell: Cell, soc: FloatArray, temperature_c: FloatArray) -> tuple[str, ...]:
    notes = []
    cold, hot = float(temperature_c.min()), float(temperature_c.max())
    if cold < cell.temperature_c_min or hot > cell.temperature_c_max:
        notes.append(
            f"{cell.name}: cycling was tested at {cell.temperature_c_min:g} to "
            f"{cell.temperature_c_max:g} C; the history has {cold:.1f} to {hot:.1f} C."
        )
    depth = float(soc.max() - soc.min())
    if depth > 0 and not cell.depth_min <= depth <= cell.depth_max:
        notes.append(
            f"{cell.name}: cycles of depth {cell.depth_min:g} to {cell.depth_max:g} were tested; "
            f"the history reaches {depth:.2f}."
        )
    return tuple(notes)
