"""What the guard remembers of each connection point: the fold of what it decided, so that a restart goes on where it
was.

Times are those of this machine's clock, which may be stepped. A time that lies ahead tells only that the clock was
put back: then nothing is taken for certain, and the greater of two possible powers counts.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from parkwatt.domain.site.event import SetpointDecided

_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
# Beyond any `settle_s` and `obeys_s`: how long set-points that were replaced are kept.
_RECENT_US: Final = 60 * _US
_RECENT_MAX: Final = 64
# A smaller power is none.
NOTHING_KW: Final = 0.02
# Powers that differ by less are the same: sums come out a little less than what they were made of.
SAME_KW: Final = 1e-6
READY_RULE: Final = "ready"


def direction(power_kw: float) -> int:
    """1 charges, −1 discharges, 0 rests."""
    if power_kw >= NOTHING_KW:
        return 1
    return -1 if power_kw <= -NOTHING_KW else 0


def point_key(charger_id: str, evse_id: int) -> str:
    """A connection point as the key of a dictionary."""
    return f"{charger_id}/{evse_id}"


class PointState(msgspec.Struct, omit_defaults=True):
    """One connection point. ``power_kw``: told last; after a release what the charger does of its own.

    ``recent``: set-points that were replaced lately, each with the time it was. ``switchings``: as they count when it
    last switched, at ``switched_unix_us``: each counts 1 at first and fades by a factor e in a day.
    ``must_charge``: the guard charged for a departure. ``rules``: by which it changed what was proposed.
    """

    power_kw: float = 0.0
    decided_unix_us: int = 0
    lease_end_unix_us: int = 0
    switched_unix_us: int | None = None
    switchings: float = 0.0
    must_charge: bool = False
    rules: tuple[str, ...] = ()
    recent: list[tuple[int, float]] = msgspec.field(default_factory=list)

    def lease_runs(self, now_unix_us: int) -> bool:
        """Whether the last set-point still holds."""
        return now_unix_us < self.lease_end_unix_us

    @property
    def is_released(self) -> bool:
        """Whether what was decided last has no lease: the charger does what it does of its own."""
        return self.lease_end_unix_us <= self.decided_unix_us

    def does(self, now_unix_us: int) -> int:
        """What it was told to do, as a `direction`, while that holds; a release holds until the next set-point."""
        holds = self.is_released or self.lease_runs(now_unix_us)
        return direction(self.power_kw) if holds else 0

    def range_kw(self, now_unix_us: int, within_s: float) -> tuple[float, float]:
        """The least and the greatest power that it was told within that time."""
        lowest = highest = self.power_kw
        since_unix_us = now_unix_us - within_s * _US
        for until_unix_us, power_kw in self.recent:
            if until_unix_us >= since_unix_us:
                lowest, highest = min(lowest, power_kw), max(highest, power_kw)
        return lowest, highest

    def switchings_lately(self, now_unix_us: int) -> float:
        """The switchings, each the less the longer ago: at most L of them at any time are at most 2 L in any 24 hours.

        (Their sum changes by what is added less ∫ sum/τ dt; with τ a day that is at most L + L.)
        """
        if self.switched_unix_us is None:
            return 0.0
        passed_us = now_unix_us - self.switched_unix_us
        if passed_us < -_DAY_US:  # a clock that was far ahead for a moment blocks nothing
            return 0.0
        return self.switchings * math.exp(-max(passed_us, 0) / _DAY_US)

    def apply(self, event: SetpointDecided, now_unix_us: int) -> None:
        """Take in what was decided."""
        if direction(event.power_kw) != direction(self.power_kw):
            self.switchings = self.switchings_lately(now_unix_us) + 1.0
            self.switched_unix_us = now_unix_us
        if self.recent or event.power_kw != self.power_kw:
            since_unix_us = now_unix_us - _RECENT_US
            kept = [(min(at, now_unix_us), kw) for at, kw in self.recent if at >= since_unix_us]
            if event.power_kw != self.power_kw:
                kept.append((now_unix_us, self.power_kw))
            self.recent = kept[-_RECENT_MAX:]
        self.power_kw = event.power_kw
        self.decided_unix_us = now_unix_us
        self.lease_end_unix_us = now_unix_us + event.lease_s * _US
        self.must_charge = any(c.rule == READY_RULE and c.to_kw > 0 for c in event.changes)
        self.rules = tuple(change.rule for change in event.changes)


class GuardState(msgspec.Struct, omit_defaults=True):
    """All connection points by `point_key`."""

    points: dict[str, PointState] = msgspec.field(default_factory=dict)

    def point(self, charger_id: str, evse_id: int) -> PointState | None:
        """What is remembered of one; None where nothing was decided for it yet."""
        return self.points.get(point_key(charger_id, evse_id))

    def apply(self, event: SetpointDecided, now_unix_us: int) -> None:
        """Take in what was decided and sent at ``now_unix_us``."""
        key = point_key(event.charger_id, event.evse_id)
        point = self.points.get(key)
        if point is None:
            point = self.points[key] = PointState()
        point.apply(event, now_unix_us)
