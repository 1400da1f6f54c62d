"""Controls of distributed energy resources (OCPP 2.1, block R) that the virtual charger really follows.

EnterService is held and told, and moves no power: there is no grid here that fails. Three kinds have an effect:
LimitMaxDischarge caps discharging to a share of the rated power; FreqWatt caps it to the share (PctMaxW) that its curve gives
at the grid frequency; FreqDroop moves the power by
(deviation / nominal frequency) / droop of the rated power, towards charging above and towards discharging below the
nominal frequency (IEEE 1547-2018, 6.5.2.7; EN 50549-1, 4.6.1). Other kinds are answered with NotSupported.

A control with a start time takes the place of a default of its kind while it runs. Of two that overlap, the one with
the lower priority number supersedes the other, the newer one where they are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parkwatt.io.sim.car import interpolate
from parkwatt.io.sim.profiles import SECOND_US, parse_time

NOMINAL_HZ = 50.0
BODIES = {
    "LimitMaxDischarge": "limitMaxDischarge",
    "FreqWatt": "curve",
    "FreqDroop": "freqDroop",
    "EnterService": "enterService",
}
ALL_BODIES = (
    *(
        "curve",
        "enterService",
        "fixedPFAbsorb",
        "fixedPFInject",
        "fixedVar",
        "freqDroop",
        "gradient",
    ),
    "limitMaxDischarge",
)


@dataclass(slots=True)
class DerControl:
    """One control as it was set; ``body`` holds its fields of the wire."""

    id: str
    kind: str
    is_default: bool
    body: dict[str, Any]
    start_us: int | None
    end_us: int | None
    is_superseded: bool = False
    was_active: bool = False

    def is_active(self, at_us: int) -> bool:
        """Whether it counts at a moment."""
        if self.is_superseded:
            return False
        started = self.start_us is None or at_us >= self.start_us
        return started and (self.end_us is None or at_us < self.end_us)


class DerControls:
    """The controls of one EVSE."""

    def __init__(self, discharge_kw_max: float) -> None:
        self.discharge_kw_max = discharge_kw_max
        self._controls: dict[str, DerControl] = {}

    def all(self) -> list[DerControl]:
        """Every control."""
        return list(self._controls.values())

    def set(self, request: dict[str, Any]) -> tuple[str, list[str]]:
        """Take a SetDERControl request: its status, and the ids that it supersedes."""
        kind = request["controlType"]
        if kind not in BODIES:
            return "NotSupported", []
        given = [name for name in ALL_BODIES if name in request]
        if given != [BODIES[kind]]:
            return "Rejected", []  # exactly the one body that fits (R04.FR.16)
        body = request[BODIES[kind]]
        is_default = request["isDefault"]
        if kind == "EnterService" and not is_default:
            return "Rejected", []  # as a default alone (R04.FR.14)
        if is_default == ("startTime" in body or "duration" in body):
            return "Rejected", []  # a default has no time, all others have one (R04.FR.12)
        if kind == "FreqWatt" and body["yUnit"] != "PctMaxW":
            return "NotSupported", []
        control = DerControl(request["controlId"], kind, is_default, body, None, None)
        if not is_default:
            control.start_us = parse_time(body["startTime"])
            control.end_us = control.start_us + round(body.get("duration", 0) * SECOND_US)
        self._controls.pop(control.id, None)
        superseded = self._supersede(control)
        self._controls[control.id] = control
        return "Accepted", superseded

    def clear(self, *, is_default: bool, kind: str | None, control_id: str | None) -> bool:
        """Remove by id, or by kind among defaults or others; whether there was one."""
        found = self.find(is_default=is_default, kind=kind, control_id=control_id)
        for control in found:
            del self._controls[control.id]
            for other in self._controls.values():
                if other.kind == control.kind and other.is_default == control.is_default:
                    other.is_superseded = False
        return bool(found)

    def forget(self) -> None:
        """Lose all."""
        self._controls.clear()

    def find(
        self, *, is_default: bool | None, kind: str | None, control_id: str | None
    ) -> list[DerControl]:
        """The controls that fit all criteria that are given."""
        if control_id is not None:
            return [c for c in self._controls.values() if c.id == control_id]
        return [
            c
            for c in self._controls.values()
            if (is_default is None or c.is_default == is_default)
            and (kind is None or c.kind == kind)
        ]

    def changed(self, at_us: int) -> list[DerControl]:
        """The scheduled controls that started or stopped since the last call."""
        changed = []
        for control in self._controls.values():
            is_active = control.is_active(at_us)
            if not control.is_default and is_active != control.was_active:
                changed.append(control)
            control.was_active = is_active
        return changed

    def next_change_us(self, at_us: int) -> int | None:
        """When a scheduled control next starts or stops."""
        moments = [m for c in self._controls.values() for m in (c.start_us, c.end_us)]
        return min((m for m in moments if m is not None and m > at_us), default=None)

    def adjusted_kw(
        self, wish_kw: float, frequency_hz: float, at_us: int, *, can_discharge: bool
    ) -> float:
        """The power that the controls make of a wish."""
        if not self._controls:
            return wish_kw
        rated_kw = self.discharge_kw_max
        droop = self._body("FreqDroop", at_us)
        if droop is not None:
            high_hz = max(frequency_hz - droop["overFreq"], 0.0)
            low_hz = max(droop["underFreq"] - frequency_hz, 0.0)
            wish_kw += rated_kw * high_hz / NOMINAL_HZ / droop["overDroop"] if high_hz else 0.0
            wish_kw -= rated_kw * low_hz / NOMINAL_HZ / droop["underDroop"] if low_hz else 0.0
        floor_kw = -rated_kw if can_discharge else 0.0
        limit = self._body("LimitMaxDischarge", at_us)
        if limit is not None and "pctMaxDischargePower" in limit:
            floor_kw = max(floor_kw, -rated_kw * limit["pctMaxDischargePower"] / 100.0)
        curve = self._body("FreqWatt", at_us)
        if curve is not None:
            points = sorted((float(p["x"]), float(p["y"])) for p in curve["curveData"])
            floor_kw = max(
                floor_kw, -rated_kw * max(interpolate(points, frequency_hz), 0.0) / 100.0
            )
        return max(wish_kw, floor_kw)

    def _body(self, kind: str, at_us: int) -> dict[str, Any] | None:
        active = [c for c in self._controls.values() if c.kind == kind and c.is_active(at_us)]
        scheduled = [c for c in active if not c.is_default]
        chosen = scheduled or active
        return min(chosen, key=lambda c: c.body["priority"]).body if chosen else None

    def _supersede(self, control: DerControl) -> list[str]:
        superseded = []
        for other in self._controls.values():
            if other.kind != control.kind or other.is_default != control.is_default:
                continue
            if other.is_superseded or not _overlap(other, control):
                continue
            if control.body["priority"] <= other.body["priority"]:
                other.is_superseded = True
                superseded.append(other.id)
            else:
                control.is_superseded = True
        return superseded


def _overlap(one: DerControl, other: DerControl) -> bool:
    if one.start_us is None or other.start_us is None or one.end_us is None or other.end_us is None:
        return True
    return one.start_us < other.end_us and other.start_us < one.end_us
