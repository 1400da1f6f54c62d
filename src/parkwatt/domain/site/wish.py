"""What a driver wishes of a car, and the trips that are known of it.

A wish is kept: the floor is never discharged below, the target is there when it is asked for (if that was possible
when it was
asked), and what a mode forbids is not done.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Mode = Literal["now", "smart", "home", "grid", "off"]
DAYS_A_WEEK: Final = 7


class Wishes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What holds for one car until it is changed.

    ``mode``: *now* charges at once up to the target (never discharges); *smart* charges when it is cheapest or the sun
    shines; *home* also runs the house from the car and never feeds in; *grid* also feeds in; *off* neither charges nor
    discharges. ``floor_soc``: fractions from 0 to 1; below it the car is charged at once and never discharged.
    ``target_soc``: what is asked at each departure. ``highest_soc``: the car is not charged further, but for a
    departure
    that asks for more. ``ready_by_s``: seconds after local midnight for Monday to Sunday, None: nothing asked on that
    day.
    ``consents``: the driver allows discharging; without it no mode discharges.
    """

    mode: Mode = "smart"
    floor_soc: float = 0.2
    target_soc: float = 0.8
    highest_soc: float = 1.0
    ready_by_s: tuple[int | None, ...] = (None,) * DAYS_A_WEEK
    consents: bool = False


class Departure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One departure that is known: when, and what the car must hold then.

    ``energy_kwh``: the trip's own need beyond the floor, in place of ``target_soc`` where both are None the wish's
    target
    counts. ``source``: ready_by, asked, trip, car, habit or an outage that was announced; ``title``: of a trip, for words.
    """

    departs_unix_s: int
    source: Literal["ready_by", "asked", "trip", "car", "outage"]
    target_soc: float | None = None
    title: str = ""


class Trip(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trip from a calendar. ``target_soc`` or ``distance_km`` where its text names one, else the wish's target is asked."""

    departs_unix_s: int
    returns_unix_s: int
    title: str = ""
    target_soc: float | None = None
    distance_km: float | None = None
