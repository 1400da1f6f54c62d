"""Stays as they were told: when a car came and left, what was asked, and whether that and its floor were kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from parkwatt.domain.site.event import StayBegan, StayEnded
from parkwatt.domain.site.wish import Departure

PromiseName = Literal["kept", "broken", "not_possible", "left_early", "not_known", "nothing_asked"]
# A driver who leaves this long before the time that was asked leaves early.
_EARLY_S: Final = 60
# Cars tell whole per cents: that much below the floor is not below it.
_FLOOR_SHARE: Final = 0.01


class StayFacts(msgspec.Struct, omit_defaults=True):
    """One stay. ``began`` None: only its end was told. ``floor_kwh``: the lowest floor that held while it was discharged;
    ``below_floor_kwh``: the farthest below the floor of the time that discharging took it; None: it was not discharged
    while its energy was known. ``first_kwh``: the energy that was told first, at ``first_unix_s``. ``risks``: what the driver
    was told would not be possible.
    """

    stay_id: str
    car_id: str
    since_unix_s: int
    began: StayBegan | None = None
    ended: StayEnded | None = None
    replaced_unix_s: int | None = None
    floor_kwh: float | None = None
    below_floor_kwh: float | None = None
    lowest_kwh: float | None = None
    first_kwh: float | None = None
    first_unix_s: int = 0
    risks: list[str] = msgspec.field(default_factory=list)

    @property
    def end_unix_s(self) -> int | None:
        """When it ended; None where it goes on. One of which no end was told ended when the next began."""
        if self.ended is not None:
            return max(self.ended.at_unix_s, self.since_unix_s)
        return self.replaced_unix_s

    def discharged(self, energy_kwh: float, floor_kwh: float) -> None:
        """Note that the car was discharged to this energy, while this was its floor."""
        below_kwh = max(floor_kwh - energy_kwh, 0.0)
        self.below_floor_kwh = max(self.below_floor_kwh or 0.0, below_kwh)
        self.floor_kwh = floor_kwh if self.floor_kwh is None else min(self.floor_kwh, floor_kwh)
        known = self.lowest_kwh
        self.lowest_kwh = energy_kwh if known is None else min(known, energy_kwh)


@dataclass(frozen=True, slots=True)
class Promise:
    """What became of a departure. ``name``: *not_possible*: the car held all that charging at full power since it was asked
    would have brought; *not_known*: nobody told its charge. ``reason``: in words.
    """

    name: PromiseName
    reason: str
    departure: Departure | None = None
    energy_kwh_asked: float | None = None
    energy_kwh_possible: float | None = None

    @property
    def was_asked(self) -> bool:
        """Whether there was anything to keep."""
        return self.name != "nothing_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StayAccount:
    """One stay. ``until_unix_s``: its end, or up to when it is accounted. ``driven_kwh``: what the trip before took from the
    battery, None where not known. ``promise`` None while it lasts. ``floor_broken`` None: not discharged, or nobody told its
    charge. ``stored_worth``: see docs/concepts/accounts.md.
    """

    stay_id: str
    car_id: str
    since_unix_s: int
    until_unix_s: int
    ended: bool
    energy_kwh_begin: float | None
    energy_kwh_end: float | None
    energy_kwh_lowest: float | None
    floor_kwh: float | None
    floor_broken: bool | None
    promise: Promise | None
    risks: tuple[str, ...]
    driven_kwh: float | None
    stored_worth: float


def promise_of(ended: StayEnded) -> Promise:
    """What became of what was asked for a departure."""
    asked_kwh = ended.energy_kwh_asked
    name: PromiseName
    if ended.departure is None or asked_kwh is None:
        name = "nothing_asked"
    elif ended.kept is not None:
        name = "kept" if ended.kept else "broken"
    elif ended.energy_kwh is None:
        name = "not_known"
    elif ended.departure.departs_unix_s - ended.at_unix_s > _EARLY_S and not _had_all(ended):
        name = "left_early"
    else:
        name = "not_possible"
    return Promise(name, ended.reason, ended.departure, asked_kwh, ended.energy_kwh_possible)


def _had_all(ended: StayEnded) -> bool:
    """Whether the car held what was possible."""
    if ended.energy_kwh is None or ended.energy_kwh_possible is None:
        return False
    tolerance_kwh = _FLOOR_SHARE * max(ended.energy_kwh_asked or 0.0, 1.0)
    return ended.energy_kwh >= ended.energy_kwh_possible - tolerance_kwh


def floor_broken(stay: StayFacts, capacity_kwh: float) -> bool | None:
    """Whether discharging took the battery below its floor; None where that is not known."""
    if stay.below_floor_kwh is None:
        return None
    return stay.below_floor_kwh > _FLOOR_SHARE * capacity_kwh


def lowest_kwh(stay: StayFacts) -> float | None:
    """The lowest energy while it was discharged, by all that was told."""
    told = None if stay.ended is None else stay.ended.energy_kwh_lowest
    known = [value for value in (told, stay.lowest_kwh) if value is not None]
    return min(known, default=None)
