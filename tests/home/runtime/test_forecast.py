"""How long it lasts: sums that can be done by hand, and laws that hold for every home."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.forecast.local_time import HOUR_S
from parkwatt.home.learning import CircuitHistory, LearnedUse
from parkwatt.home.runtime import Absence, Generator, Mobility, RuntimeRequest, forecast_runtime
from tests.home.runtime.made_request import (
    CIRCUITS,
    NOW_UNIX_S,
    battery,
    constant_use,
    request,
    sun,
)

COUNT = 40
LAWS = settings(max_examples=15, deadline=None)
CIRCUIT_IDS = [one.circuit_id for one in CIRCUITS]


def constant(*power_kw: float, **changed: object) -> RuntimeRequest:
    return request(use=constant_use(power_kw), **changed)


def hours(asked: RuntimeRequest) -> float:
    return forecast_runtime(asked, COUNT).hours_p50


def test_energy_by_power() -> None:
    runtime = forecast_runtime(constant(2.0), COUNT)
    assert runtime.usable_kwh == pytest.approx(40.0)
    assert (runtime.hours_p10, runtime.hours_p90) == pytest.approx((20.0, 20.0), abs=0.01)
    assert runtime.words[0] == "40.0 kWh usable: 20 h."


def test_efficiency_standby_and_the_energy_to_start_again_shorten() -> None:
    lossy = (battery(discharge_efficiency=0.9),)
    asked = constant(1.9, batteries=lossy, standby_kw=0.1, restart_kwh=1.0)
    assert hours(asked) == pytest.approx((40 * 0.9 - 1.0) / 2.0, abs=0.01)


def test_each_circuit_gains_what_it_uses() -> None:
    runtime = forecast_runtime(constant(1.0, 0.5, 0.5), COUNT)
    assert runtime.hours_p50 == pytest.approx(20.0, abs=0.01)
    gains = {one.circuit_id: one.hours_p50 for one in runtime.gains}
    assert gains == pytest.approx(
        {"must": 20.0, "nice": 40 / 1.5 - 20, "luxury": 40 / 1.5 - 20}, abs=0.01
    )
    tiers = [runtime.by_tier[tier].p50_h for tier in ("must_have", "nice_to_have", "not_needed")]
    assert tiers == pytest.approx([40.0, 40 / 1.5, 20.0], abs=0.01)
    assert "Switch off the must: +20.0 h." in runtime.words


def test_a_circuit_that_is_off_neither_uses_nor_gains() -> None:
    runtime = forecast_runtime(constant(1.0, 0.5, 0.5, off=frozenset({"luxury"})), COUNT)
    assert runtime.hours_p50 == pytest.approx(40 / 1.5, abs=0.01)
    assert "luxury" not in {one.circuit_id for one in runtime.gains}


def test_what_lasts_beyond_the_horizon_lasts_at_least_that_long() -> None:
    runtime = forecast_runtime(constant(0.1), COUNT)
    assert runtime.hours.at_least
    assert runtime.hours_p50 == pytest.approx(168.0)
    assert runtime.words[0] == "40.0 kWh usable: at least 168 h."


def test_sun_that_covers_it_lasts_for_ever_only_where_it_can_be_stored() -> None:
    """15.3 kWh of sun a day in the weakest course, 12 kWh of load: at night it has to come from the battery."""
    solar_kw = sun(8.0)
    stores = battery(charge_kw_max=5.0, charge_efficiency=1.0)
    assert forecast_runtime(
        constant(0.5, solar_kw=solar_kw, batteries=(stores,)), COUNT
    ).hours.at_least
    idle = forecast_runtime(constant(0.5, solar_kw=solar_kw), COUNT)
    assert 80.0 < idle.hours_p50 < 168.0


def test_what_a_driver_needs_is_kept_and_its_price_told() -> None:
    asked = Mobility(battery_id="car", energy_kwh=22.0, ready_unix_s=NOW_UNIX_S + 8 * HOUR_S)
    runtime = forecast_runtime(constant(2.0, mobility=asked), COUNT)
    assert runtime.hours_p50 == pytest.approx(14.0, abs=0.01)
    assert runtime.mobility_costs_hours == pytest.approx(6.0, abs=0.01)
    assert runtime.by_tier["must_have"].p50_h == pytest.approx(14.0, abs=0.01)
    assert "What is kept for driving costs 6.0 h." in runtime.words


def test_must_have_outranks_a_wish_that_is_not_firm() -> None:
    asked = Mobility(
        battery_id="car", energy_kwh=22.0, ready_unix_s=NOW_UNIX_S + 8 * HOUR_S, firm=False
    )
    runtime = forecast_runtime(constant(1.0, 1.0, mobility=asked), COUNT)
    assert runtime.by_tier["must_have"].p50_h == pytest.approx(40.0, abs=0.01)
    assert runtime.by_tier["nice_to_have"].p50_h == pytest.approx(14.0, abs=0.01)


def test_a_car_that_leaves_and_comes_back_charged_carries_on() -> None:
    """5 h at 2 kW, 6 h away and dark, then 40 kWh above the floor again."""
    away = Absence(
        leaves_unix_s=NOW_UNIX_S + 5 * HOUR_S,
        returns_unix_s=NOW_UNIX_S + 11 * HOUR_S,
        trip_kwh=8.0,
        returns_kwh=50.0,
    )
    runtime = forecast_runtime(constant(2.0, batteries=(battery(absences=(away,)),)), COUNT)
    assert runtime.hours_p50 == pytest.approx(5.0 + 20.0, abs=0.01)
    assert runtime.away_h == pytest.approx(6.0)
    assert "Dark for 6.0 h meanwhile: its source is away." in runtime.words


def test_a_car_that_never_comes_back_is_the_end() -> None:
    away = Absence(leaves_unix_s=NOW_UNIX_S + 5 * HOUR_S)
    assert hours(constant(2.0, batteries=(battery(absences=(away,)),))) == pytest.approx(5.0)


def test_a_battery_that_stays_carries_the_home_meanwhile_and_is_emptied_last() -> None:
    away = Absence(
        leaves_unix_s=NOW_UNIX_S + 5 * HOUR_S, returns_unix_s=NOW_UNIX_S + 8 * HOUR_S, trip_kwh=20.0
    )
    stays = battery(battery_id="house", energy_kwh=6.0, floor_kwh=0.0, capacity_kwh=10.0)
    both = (battery(absences=(away,)), stays)
    runtime = forecast_runtime(constant(2.0, batteries=both), COUNT)
    # 10 kWh from the car, 6 from the house while it is away, the car's last 10 after.
    assert runtime.hours_p50 == pytest.approx(13.0, abs=0.01)
    assert runtime.away_h == 0.0


def test_a_generator_adds_its_fuel_less_what_its_start_takes() -> None:
    has = Generator(power_kw_max=3.0, fuel_kwh=30.0, starts_below_kwh=5.0, stops_above_kwh=20.0)
    assert hours(constant(2.0, generator=has)) == pytest.approx(35.0, abs=0.05)
    cold = replace(has, starts_below_kwh=0.01, warm_up_s=HOUR_S)
    assert hours(constant(2.0, generator=cold)) < 22.0


def test_a_power_that_the_inverter_lacks_is_shed_not_taken_for_the_end() -> None:
    weak = (battery(discharge_kw_max=1.0),)
    assert hours(constant(2.0, batteries=weak)) == pytest.approx(40.0, abs=0.01)


def test_unknown_circuits_are_named() -> None:
    new = LearnedUse.of(CircuitHistory(), CIRCUITS, "Europe/London", NOW_UNIX_S)
    runtime = forecast_runtime(request(use=new), COUNT)
    assert runtime.unknown == tuple(CIRCUIT_IDS)
    assert runtime.words[-1].startswith("Not known yet, so the band is wide: fridge")
    assert runtime.hours_p90 > 3 * runtime.hours_p10


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"at least one.*mobility.battery_id.*standby_kw.*solar_kw"
    ):
        request(
            batteries=(),
            mobility=Mobility(battery_id="bus", energy_kwh=1.0, ready_unix_s=NOW_UNIX_S),
            standby_kw=-1.0,
            solar_kw=np.array([[np.nan]]),
        )
    with pytest.raises(ValueError, match=r"floor_kwh must be within.*discharge_efficiency"):
        request(batteries=(battery(floor_kwh=90.0, discharge_efficiency=0.0),))
    back_too_early = Absence(leaves_unix_s=NOW_UNIX_S, returns_unix_s=NOW_UNIX_S)
    with pytest.raises(ValueError, match="returns_unix_s must be after"):
        request(batteries=(battery(absences=(back_too_early,)),))
    with pytest.raises(ValueError, match="count must be at least 1"):
        forecast_runtime(request(), 0)


homes = st.fixed_dictionaries(
    {
        "energy_kwh": st.floats(10.0, 80.0),
        "solar_kw_max": st.sampled_from([0.0, 2.0, 6.0]),
        "standby_kw": st.floats(0.0, 0.3),
        "restart_kwh": st.floats(0.0, 2.0),
        "off": st.sets(st.sampled_from(CIRCUIT_IDS)),
        "charge_kw_max": st.sampled_from([0.0, 3.0]),
        "leaves_h": st.integers(1, 40),
        "away_h": st.integers(1, 20),
        "trip_kwh": st.floats(0.0, 20.0),
        "house_kwh": st.floats(0.0, 12.0),
    }
)


def made(home: dict[str, object]) -> RuntimeRequest:
    values: dict[str, float] = home  # type: ignore[assignment]
    leaves = NOW_UNIX_S + int(values["leaves_h"]) * HOUR_S
    away = Absence(
        leaves_unix_s=leaves,
        returns_unix_s=leaves + int(values["away_h"]) * HOUR_S,
        trip_kwh=values["trip_kwh"],
    )
    car = battery(
        energy_kwh=values["energy_kwh"],
        discharge_efficiency=0.93,
        charge_kw_max=values["charge_kw_max"],
        absences=(away,),
    )
    house = battery(
        battery_id="house",
        energy_kwh=values["house_kwh"],
        floor_kwh=1.0,
        capacity_kwh=13.5,
        discharge_efficiency=0.95,
        charge_kw_max=3.0,
    )
    peak_kw = values["solar_kw_max"]
    return request(
        batteries=(car, house),
        solar_kw=sun(peak_kw) if peak_kw else None,
        standby_kw=values["standby_kw"],
        restart_kwh=values["restart_kwh"],
        off=frozenset(home["off"]),  # type: ignore[call-overload]
    )


def quantiles(asked: RuntimeRequest) -> np.typing.NDArray[np.float64]:
    found = forecast_runtime(asked, COUNT).hours
    return np.array([found.p10_h, found.p50_h, found.p90_h])


@LAWS
@given(homes)
def test_quantiles_are_ordered_and_tiers_and_gains_have_the_right_sign(
    home: dict[str, object],
) -> None:
    runtime = forecast_runtime(made(home), COUNT)
    for found in (runtime.hours, *runtime.by_tier.values()):
        assert 0.0 <= found.p10_h <= found.p50_h <= found.p90_h <= 168.0 + 1e-9
    tiers = [one.p50_h for one in runtime.by_tier.values()]
    assert tiers[0] >= tiers[1] - 1e-6 >= tiers[2] - 2e-6
    assert all(one.hours_p50 >= -1e-6 for one in runtime.gains)
    assert runtime.mobility_costs_hours is None or runtime.mobility_costs_hours >= -1e-6


@LAWS
@given(homes, st.floats(0.0, 20.0))
def test_more_energy_in_the_battery_that_stays_never_shortens(
    home: dict[str, object], more_kwh: float
) -> None:
    asked = made(home)
    house = replace(
        asked.batteries[1], energy_kwh=asked.batteries[1].energy_kwh + more_kwh, capacity_kwh=40.0
    )
    less = replace(asked.batteries[1], capacity_kwh=40.0)
    before = quantiles(replace(asked, batteries=(asked.batteries[0], less)))
    after = quantiles(replace(asked, batteries=(asked.batteries[0], house)))
    assert (after >= before - 1e-6).all()


@LAWS
@given(homes, st.sampled_from(CIRCUIT_IDS))
def test_a_circuit_switched_off_never_shortens(home: dict[str, object], circuit_id: str) -> None:
    asked = made(home)
    after = quantiles(replace(asked, off=asked.off | {circuit_id}))
    assert (after >= quantiles(asked) - 1e-6).all()


@LAWS
@given(homes, st.floats(1.0, 3.0))
def test_more_sun_never_shortens(home: dict[str, object], factor: float) -> None:
    asked = made({**home, "solar_kw_max": 2.0})
    assert asked.solar_kw is not None
    after = quantiles(replace(asked, solar_kw=factor * asked.solar_kw))
    assert (after >= quantiles(asked) - 1e-6).all()


@LAWS
@given(st.floats(0.2, 4.0), st.floats(0.3, 3.0))
def test_twice_the_energy_at_twice_the_power_lasts_as_long(power_kw: float, factor: float) -> None:
    strong = battery(energy_kwh=10.0 + 20.0 * factor, discharge_kw_max=100.0)
    plain = battery(energy_kwh=30.0, discharge_kw_max=100.0)
    scaled = hours(constant(round(power_kw, 2) * factor, batteries=(strong,)))
    assert scaled == pytest.approx(
        hours(constant(round(power_kw, 2), batteries=(plain,))), rel=2e-3
    )


def test_a_forecast_is_the_same_for_the_same_seed() -> None:
    assert forecast_runtime(request(), COUNT, 3) == forecast_runtime(request(), COUNT, 3)


def test_what_is_off_would_cost_what_it_uses_and_a_whole_tier_gains_together() -> None:
    runtime = forecast_runtime(constant(1.0, 0.5, 0.5, off=frozenset({"luxury"})), COUNT)
    assert [one.circuit_id for one in runtime.costs] == ["luxury"]
    assert runtime.costs[0].hours_p50 == pytest.approx(40 / 1.5 - 20, abs=0.01)
    gains = {tier: one.hours_p50 for tier, one in runtime.tier_gains.items()}
    assert gains == pytest.approx(
        {"must_have": 80 - 40 / 1.5, "nice_to_have": 40 - 40 / 1.5}, abs=0.01
    )
