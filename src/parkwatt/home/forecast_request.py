"""What is known of a home, as a forecast of how long it lasts is asked with."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Final

from parkwatt.home.announced import OutageLength, reach_unix_s
from parkwatt.home.forecasting import ForecastRequest, HomeForecast
from parkwatt.home.generator import STARTS_SHARE, STOPS_SHARE
from parkwatt.home.island_source import asked_for_driving, driving_kwh, least_kwh
from parkwatt.home.observation import HomeObservation
from parkwatt.home.runtime import Absence, Generator, IslandBattery, Mobility
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import HomeState

_LEARN_S: Final = 3600
_US: Final = 1_000_000
# As much fuel as anybody asks for.
_ENOUGH_KWH: Final = 1e5


def forecast_request(
    settings: HomeSettings,
    state: HomeState,
    observation: HomeObservation,
    *,
    known: HomeForecast | None,
    length: OutageLength,
    running_kw: Mapping[str, float],
    now_unix_s: int,
) -> ForecastRequest:
    """All of it. ``known``: the last forecast, whose learned use counts for an hour. ``length``: of an outage in a storm.

    ``running_kw``: by circuit, its mean power over the last hour, where known.
    """
    learns = known is None or not 0 <= now_unix_s - known.learned_unix_s < _LEARN_S
    reach = reach_unix_s(state.announced, length, settings.announced, now_unix_s)
    batteries = _batteries(settings, observation)
    since_unix_us = state.out_since_unix_us
    return ForecastRequest(
        at_unix_s=now_unix_s,
        circuits=settings.circuits,
        time_zone=settings.time_zone.key,
        # It grows on while the forecast is reckoned.
        history=copy.deepcopy(state.history) if learns else None,
        use=None if known is None else known.use,
        batteries=batteries,
        solar=observation.solar_ahead,
        standby_kw=settings.standby_kw,
        restart_kwh=settings.restart_kwh,
        mobility=_mobility(settings, state, observation, now_unix_s),
        generator=_generator(settings, batteries),
        off=frozenset(
            one.circuit_id
            for one in observation.circuits.values()
            if one.on is False and settings.circuit(one.circuit_id) is not None
        )
        | state.shedding.off(),
        running_kw=running_kw,
        since_unix_s=None if since_unix_us is None else since_unix_us // _US,
        end_unix_s=_told_end_unix_s(state, now_unix_s),
        until_unix_s=reach if reach > now_unix_s else None,
    )


def _batteries(settings: HomeSettings, observation: HomeObservation) -> tuple[IslandBattery, ...]:
    """The stationary battery and the source's car, as far as their energy is known."""
    found = []
    one, soc = settings.battery, observation.battery_soc
    if one is not None and soc is not None:
        found.append(
            IslandBattery(
                battery_id=one.battery_id,
                energy_kwh=soc * one.capacity_kwh,
                floor_kwh=one.floor_kwh,
                capacity_kwh=one.capacity_kwh,
                discharge_efficiency=one.discharge_efficiency,
                discharge_kw_max=one.discharge_kw_max,
                charge_kw_max=one.discharge_kw_max,
            )
        )
    car = observation.car(settings.source_car_id)
    if car is not None and car.here and car.energy_kwh is not None:
        absences: tuple[Absence, ...] = ()
        if car.leaves_unix_s is not None:
            absences = (
                Absence(
                    leaves_unix_s=car.leaves_unix_s,
                    returns_unix_s=car.returns_unix_s,
                    trip_kwh=car.trip_kwh,
                ),
            )
        found.append(
            IslandBattery(
                battery_id=car.car_id,
                energy_kwh=max(car.energy_kwh, 0.0),
                floor_kwh=least_kwh(settings, car),
                capacity_kwh=car.capacity_kwh,
                discharge_efficiency=car.discharge_efficiency,
                discharge_kw_max=settings.continuous_kw,
                absences=absences,
            )
        )
    return tuple(found)


def _mobility(
    settings: HomeSettings, state: HomeState, observation: HomeObservation, now_unix_s: int
) -> Mobility | None:
    """What the source's driver asked for, as it is kept from the source."""
    car = observation.car(settings.source_car_id)
    if car is None or not car.here or car.energy_kwh is None:
        return None
    asked = asked_for_driving(state, car.car_id, now_unix_s)
    if asked is None or asked.ready_unix_s is None:
        return None
    return Mobility(
        battery_id=car.car_id,
        energy_kwh=driving_kwh(settings, asked, car),
        ready_unix_s=asked.ready_unix_s,
    )


def _generator(settings: HomeSettings, batteries: tuple[IslandBattery, ...]) -> Generator | None:
    one = settings.generator
    if one is None:
        return None
    whole_kwh = sum(battery.capacity_kwh for battery in batteries)
    return Generator(
        power_kw_max=one.power_kw_max,
        fuel_kwh=_ENOUGH_KWH if one.fuel_kwh is None else one.fuel_kwh,
        starts_below_kwh=STARTS_SHARE * whole_kwh,
        stops_above_kwh=STOPS_SHARE * whole_kwh,
        warm_up_s=one.warm_up_s,
    )


def _told_end_unix_s(state: HomeState, now_unix_s: int) -> int | None:
    """The end of the planned outage that runs, where one was announced."""
    ends = [
        one.end_unix_s
        for one in state.announced.announcements
        if one.outage == "planned" and one.start_unix_s <= now_unix_s < one.end_unix_s
    ]
    return max(ends, default=None)
