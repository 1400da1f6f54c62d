"""What one replan is given: the steps of the plan, the departure as far as it is known, the reserve, the end value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.problem import Stay
from parkwatt.domain.series import TimeGrid
from parkwatt.domain.tariff import DemandCharge
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.solar import SolarForecaster
from parkwatt.site.study.horizon import Departure, Horizon
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from tests.site.made import ZONE, plain_inputs, random_inputs

_STAY = PlugIn(2, 43, energy_kwh_used=5.0, energy_kwh_asked=40.0)


def quarter_hours(step_count: int, stay: PlugIn, **fields: object) -> StudyInputs:
    """The plain site in steps of 15 minutes."""
    inputs = plain_inputs(step_count, (stay,))
    grid = TimeGrid(inputs.grid.start_unix_s, 900, step_count)
    nothing = np.zeros(step_count)
    return replace(
        inputs,
        grid=grid,
        load_forecaster=LoadForecaster(grid, nothing, ZONE.key),
        solar_forecaster=SolarForecaster(grid, nothing, ZONE.key),
        **fields,  # type: ignore[arg-type]
    )


def horizon_of(inputs: StudyInputs, *, may_export: bool = True) -> Horizon:
    """The horizon of a strategy that may give back."""
    return Horizon(inputs, inputs.car, batteries_may_export=may_export)


def only_stay(horizon: Horizon, step: int, plug_in: PlugIn, departure: Departure) -> Stay:
    """The one stay of the problem at ``step``."""
    problem = horizon.problem(step, 20.0, plug_in, departure, 0.0)
    (vehicle,) = problem.vehicles
    (stay,) = vehicle.stays
    return stay


def test_near_steps_keep_the_grid_and_then_the_plan_goes_by_the_hour() -> None:
    """From 00:30 two hours in quarters, the half hour up to the full hour, seven hours, three quarters to 10:45."""
    horizon = horizon_of(quarter_hours(96, _STAY))
    departure = horizon.departure(2, _STAY)
    assert departure == Departure(43, 43, within=True)
    problem = horizon.problem(2, 20.0, _STAY, departure, 0.0)
    assert problem.duration_h.tolist() == [0.25] * 8 + [0.5] + [1.0] * 7 + [0.75]
    stay = only_stay(horizon, 2, _STAY, departure)
    assert (stay.from_step, stay.to_step, stay.energy_kwh_at_departure) == (0, 17, 40.0)
    assert stay.ready_from_step is None


def test_prices_over_an_hour_are_the_means_of_its_quarters() -> None:
    price = 0.1 + 0.01 * np.arange(96)
    horizon = horizon_of(quarter_hours(96, _STAY, import_price_per_kwh=price))
    problem = horizon.problem(2, 20.0, _STAY, horizon.departure(2, _STAY), 0.0)
    paid = problem.site.import_price_per_kwh
    np.testing.assert_allclose(paid[:8], price[2:10])
    np.testing.assert_allclose(paid[8:10], [price[10:12].mean(), price[12:16].mean()])
    assert paid[-1] == pytest.approx(price[40:43].mean())


def test_a_departure_beyond_the_horizon_asks_for_nothing_yet() -> None:
    horizon = horizon_of(quarter_hours(96, _STAY, horizon_h=5.0))
    departure = horizon.departure(2, _STAY)
    assert departure == Departure(22, 22, within=False)
    stay = only_stay(horizon, 2, _STAY, departure)
    assert stay.energy_kwh_at_departure is None
    assert stay.energy_value_per_kwh == pytest.approx(0.3)
    assert stay.end_value_drops == ()
    assert horizon.departure(23, _STAY) == Departure(43, 43, within=True)


def test_a_plan_ends_with_the_span() -> None:
    stay = replace(_STAY, departure_step=96, energy_kwh_asked=None)
    horizon = horizon_of(quarter_hours(96, stay))
    departure = horizon.departure(90, stay)
    assert departure == Departure(96, 96, within=True)
    assert len(horizon.problem(90, 20.0, stay, departure, 0.0).duration_h) == 6


def test_the_site_is_told_and_the_charger_s_least_power_left_to_the_control_step() -> None:
    inputs = quarter_hours(
        96,
        _STAY,
        import_limit_kw=9.0,
        export_limit_kw=4.0,
        demand_charge=DemandCharge(5.0, 1.0),
    )
    car = replace(inputs.car, charge_kw_min=1.4, discharge_kw_min=1.0)
    horizon = horizon_of(replace(inputs, car=car), may_export=False)
    problem = horizon.problem(2, 20.0, _STAY, horizon.departure(2, _STAY), 6.5)
    site, (vehicle,) = problem.site, problem.vehicles
    assert (site.import_limit_kw, site.export_limit_kw) == (9.0, 4.0)
    assert (site.demand_charge_per_kw, site.peak_so_far_kw) == (5.0, 6.5)
    assert not site.batteries_may_export
    assert (vehicle.charge_kw_min, vehicle.discharge_kw_min) == (0.0, 0.0)
    assert vehicle.stays[0].energy_kwh_at_arrival == 20.0
    assert problem.start.timestamp() == inputs.grid.start_unix_s + 2 * 900


sites = st.builds(random_inputs, st.integers(0, 10_000), days=st.just(6))
few = settings(max_examples=30)


@few
@given(
    inputs=sites, share=st.floats(0, 0.95), within=st.floats(0, 0.99), early=st.floats(0.01, 0.5)
)
def test_a_learned_departure_is_ready_before_it_is_late(
    inputs: StudyInputs, share: float, within: float, early: float
) -> None:
    """And does not know when the car leaves."""
    inputs = replace(inputs, early_probability=early)
    plug_in = inputs.plug_ins[int(share * len(inputs.plug_ins))]
    step = plug_in.arrival_step + int(within * (plug_in.departure_step - plug_in.arrival_step))
    horizon = horizon_of(inputs)
    departure = horizon.departure(step, plug_in)
    end = min(step + round(inputs.horizon_h / inputs.grid.step_h), inputs.grid.step_count)
    assert step < departure.ready_step <= departure.leave_step <= end
    assert departure.within == (departure.ready_step < end)
    later = replace(plug_in, departure_step=inputs.grid.step_count)
    assert horizon.departure(step, later) == departure
    stay = only_stay(horizon, step, plug_in, departure)
    if stay.ready_from_step is not None:
        assert plug_in.energy_kwh_asked is not None
        assert 0 < stay.ready_from_step < stay.to_step


@few
@given(inputs=sites, share=st.floats(0, 0.99), early=st.floats(0.01, 0.5))
def test_the_reserve_covers_all_but_the_chosen_share_of_trips(
    inputs: StudyInputs, share: float, early: float
) -> None:
    step = int(share * inputs.grid.step_count)
    assert horizon_of(inputs).storage(step) == inputs.car  # declared: the floor is the car's own
    learned = replace(inputs, early_probability=early)
    reserve_kwh = horizon_of(learned).storage(step).energy_kwh_min
    now_s = inputs.grid.start_unix_s + step * inputs.grid.step_s
    assert inputs.presence is not None
    trip_kwh = inputs.presence.energy_needed_quantile(now_s, now_s, 1.0 - early)
    wanted_kwh = min(trip_kwh + inputs.energy_kwh_on_road_min, inputs.car.energy_kwh_max)
    assert reserve_kwh == pytest.approx(max(wanted_kwh, inputs.car.energy_kwh_min))
    bolder = replace(inputs, early_probability=0.5)
    assert horizon_of(bolder).storage(step).energy_kwh_min <= reserve_kwh + 1e-9
