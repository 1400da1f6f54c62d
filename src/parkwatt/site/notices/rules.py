"""What one person wants to be told, and when not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

Kind = Literal[
    "at_risk",
    "not_plugged_in",
    "ready",
    "charger",
    "outage",
    "hours_left",
    "medical",
    "generator",
    "journal",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``start_s`` to ``end_s``, seconds of the local day; over midnight where the end comes first."""

    start_s: int
    end_s: int

    def hold(self, now_unix_s: int, zone: ZoneInfo) -> bool:
        """Whether it is quiet now, by the clock on the wall."""
        at = datetime.fromtimestamp(now_unix_s, tz=zone)
        second = at.hour * 3600 + at.minute * 60 + at.second
        if self.start_s <= self.end_s:
            return self.start_s <= second < self.end_s
        return second >= self.start_s or second < self.end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``kinds``: what this person is told; ``car_ids``: of which cars, None: of all. ``quiet``: when nothing is told but what
    is urgent, and that only where ``urgent_passes``. ``per_hour_max``: messages; urgent ones may be twice as many.
    ``hours_left``: bounds below which the hours left in an outage are told. ``plug_in_h``: how long before a departure a car
    that is not plugged in is told.
    """

    time_zone: ZoneInfo
    kinds: frozenset[Kind] = frozenset(KINDS)
    car_ids: frozenset[str] | None = None
    quiet: QuietHours | None = None
    urgent_passes: bool = False
    per_hour_max: int = 6
    hours_left: tuple[float, ...] = (6.0, 3.0, 1.0)
    plug_in_h: float = 10.0

    def is_quiet(self, now_unix_s: int) -> bool:
        """Whether it is this person's quiet time."""
        return self.quiet is not None and self.quiet.hold(now_unix_s, self.time_zone)
