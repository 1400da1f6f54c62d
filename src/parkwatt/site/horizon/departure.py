"""When the car leaves, as far as that is known, and what is kept in it until then.

Where departures are learned, a reserve is there at once; what is asked is ready by the time by which three quarters of them
have happened, and the car is planned for until nine tenths have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from parkwatt.domain.problem import Storage
from parkwatt.site.horizon.knowledge import CarAhead, SiteAhead

_READY_PROBABILITY: Final = 0.75
_LATE_PROBABILITY: Final = 0.9


@dataclass(frozen=True, slots=True)
class DepartureAhead:
    """Ready by ``ready_unix_s``, planned for until ``leave_unix_s``.

    ``within`` is False where the car leaves beyond the horizon: then nothing is asked yet.
    """

    ready_unix_s: int
    leave_unix_s: int
    within: bool


def departure_ahead(
    site: SiteAhead, car: CarAhead, now_unix_s: int, since_unix_s: int, departs_unix_s: int | None
) -> DepartureAhead:
    """What is known at ``now`` of when the car leaves that has been there since ``since_unix_s``.

    ``departs_unix_s``: as declared; it counts unless departures are learned. Nothing declared and nothing learned: it stays.
    """
    end = site.horizon_end_unix_s(now_unix_s)
    presence = car.presence
    if presence is None or car.early_probability is None:
        if departs_unix_s is None:
            return DepartureAhead(end, end, within=False)
        leave = min(departs_unix_s, end)
        return DepartureAhead(leave, leave, within=departs_unix_s <= end)
    waiting = presence.departure(now_unix_s, since_unix_s)
    ready = site.floor_unix_s(waiting.quantile_unix_s(_READY_PROBABILITY))
    late = site.floor_unix_s(waiting.quantile_unix_s(_LATE_PROBABILITY))
    ready = min(max(ready, now_unix_s + site.grid.step_s), end)
    leave = min(max(late, ready + site.hour_s), end)
    return DepartureAhead(ready, leave, within=ready < end)


def storage_with_reserve(car: CarAhead, now_unix_s: int) -> Storage:
    """The car at ``now``. Where departures are learned its floor covers the next trip.

    All trips but a share of ``early_probability``, as past trips tell.
    """
    presence, early, storage = car.presence, car.early_probability, car.storage
    if presence is None or early is None:
        return storage
    trip_kwh = presence.energy_needed_quantile(now_unix_s, now_unix_s, 1.0 - early)
    reserve_kwh = min(trip_kwh + car.energy_kwh_on_road_min, storage.energy_kwh_max)
    return replace(storage, energy_kwh_min=max(storage.energy_kwh_min, reserve_kwh))
