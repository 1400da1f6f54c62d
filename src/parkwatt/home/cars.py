"""A car's battery as the home's backup looks at it, from how the site's control sees the car."""

from __future__ import annotations

from parkwatt.home.observation import HomeCar
from parkwatt.site.live.cars import CarView, power_limits_kw


def home_car(view: CarView) -> HomeCar:
    """What can carry the house in an outage, and when it will not be here."""
    settings, storage = view.settings, view.settings.storage
    departure = view.departure
    trip = next(
        (
            trip
            for trip in view.state.trips
            if departure is not None and trip.departs_unix_s == departure.departs_unix_s
        ),
        None,
    )
    return HomeCar(
        car_id=view.car_id,
        here=view.seen.plugged_in,
        energy_kwh=None if view.estimate is None else view.estimate.energy_kwh,
        capacity_kwh=settings.capacity_kwh,
        floor_kwh=view.wishes.floor_soc * settings.capacity_kwh,
        discharge_kw_max=power_limits_kw(settings, view.seen)[1],
        discharge_efficiency=storage.discharge_efficiency,
        leaves_unix_s=None if trip is None else trip.departs_unix_s,
        returns_unix_s=None if trip is None else trip.returns_unix_s,
        trip_kwh=0.0
        if trip is None
        else (trip.distance_km or 0.0) * settings.consumption_kwh_per_km,
    )
