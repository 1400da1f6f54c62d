"""The live planner is the study's: at a step of a study, told what is known there, it poses the same problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.problem import Problem, Stay
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid
from parkwatt.domain.tariff import DayAheadPublication, Price, SeriesPrice, Tariff
from parkwatt.plan.exact import look_ahead, plan
from parkwatt.site.live.planning import make_plan, pose
from parkwatt.site.live.request import CarNow, Habits, KnownStay, PlanRequest
from parkwatt.site.study.horizon import Horizon
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from tests.site.made import ZONE, random_inputs


def as_request(
    inputs: StudyInputs, step: int, plug_in: PlugIn, energy_kwh: float, *, may_export: bool
) -> PlanRequest:
    """What a live site would be told at ``step`` of the study."""
    grid = inputs.grid
    ended = [stay for stay in inputs.plug_ins if stay.departure_step <= step]
    edges = grid.edges_unix_s()

    def price(values: FloatArray) -> Price:
        publication = DayAheadPublication(13 * 3600, ZONE)
        series = IntervalSeries(edges[:-1], edges[1:], values)
        return Price((SeriesPrice(series, publication=publication),))

    learned = inputs.early_probability is not None
    car = CarNow(
        "car",
        inputs.car,
        energy_kwh,
        inputs.time_unix_s(plug_in.arrival_step),
        None if learned else inputs.time_unix_s(plug_in.departure_step),
        plug_in.energy_kwh_asked,
        may_export,
        plug_in.energy_kwh_used,
    )
    known = {}
    if inputs.trips_known:
        known["car"] = tuple(
            KnownStay(
                inputs.time_unix_s(stay.arrival_step),
                inputs.time_unix_s(stay.departure_step),
                stay.energy_kwh_used,
                stay.energy_kwh_asked,
            )
            for stay in inputs.plug_ins
        )
    return PlanRequest(
        now_unix_s=inputs.time_unix_s(step),
        site_name="study",
        tariff=Tariff(
            "EUR",
            ZONE,
            price(inputs.import_price_per_kwh),
            price(inputs.export_price_per_kwh),
            inputs.demand_charge,
        ),
        history=TimeGrid(grid.start_unix_s, grid.step_s, step),
        load_kw=inputs.load_kw[:step],
        solar_kw=inputs.solar_kw[:step],
        cars=(car,),
        habits={
            "car": Habits(
                np.array([inputs.time_unix_s(stay.arrival_step) for stay in ended], dtype=np.int64),
                np.array(
                    [inputs.time_unix_s(stay.departure_step) for stay in ended], dtype=np.int64
                ),
                np.array([stay.energy_kwh_used for stay in ended]),
            )
        },
        known_stays=known,
        load_prior_kw=0.0,
        solar_curtailable=inputs.solar_curtailable,
        import_limit_kw=inputs.import_limit_kw,
        export_limit_kw=inputs.export_limit_kw,
        peak_so_far_kw=2.5,
        energy_kwh_on_road_min=inputs.energy_kwh_on_road_min,
        early_probability=0.02 if inputs.early_probability is None else inputs.early_probability,
        horizon_h=inputs.horizon_h,
    )


def assert_same_problem(live: Problem, study: Problem) -> None:
    """Both within rounding."""
    assert live.start == study.start
    np.testing.assert_array_equal(live.duration_h, study.duration_h)
    for name in ("import_price_per_kwh", "export_price_per_kwh", "load_kw", "solar_kw"):
        found, expected = getattr(live.site, name), getattr(study.site, name)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=name)
    for name in (
        *("solar_curtailable", "import_limit_kw", "export_limit_kw"),
        *("demand_charge_per_kw", "peak_so_far_kw", "batteries_may_export"),
    ):
        assert getattr(live.site, name) == getattr(study.site, name), name
    (car,), (other,) = live.vehicles, study.vehicles
    assert replace(car, stays=()) == replace(other, stays=())
    (stay,), (expected_stay,) = car.stays, other.stays
    assert _without_value(stay) == _without_value(expected_stay)
    assert stay.energy_value_per_kwh == pytest.approx(expected_stay.energy_value_per_kwh, abs=1e-6)
    energies = np.linspace(0.0, car.energy_kwh_max, 50)
    np.testing.assert_allclose(
        _end_value(stay.energy_value_per_kwh, stay.end_value_drops, energies),
        _end_value(expected_stay.energy_value_per_kwh, expected_stay.end_value_drops, energies),
        atol=1e-4,
    )


def _without_value(stay: Stay) -> Stay:
    return replace(stay, energy_value_per_kwh=0.0, end_value_drops=())


def _end_value(
    value_per_kwh: float, drops: tuple[tuple[float, float], ...], energies_kwh: FloatArray
) -> FloatArray:
    worth = value_per_kwh * energies_kwh
    for beyond_kwh, drop in drops:
        worth = worth - drop * np.maximum(energies_kwh - beyond_kwh, 0.0)
    return np.asarray(worth)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0, 0.999),
    within=st.floats(0, 0.99),
    known=st.sampled_from(["declared", "calendar", "learned"]),
    may_export=st.booleans(),
)
def test_the_problem_and_its_optimum_are_the_study_s(
    seed: int, share: float, within: float, known: str, may_export: bool
) -> None:
    inputs = random_inputs(seed, days=14, quarter_hours=True)
    inputs = replace(
        inputs,
        near_steps=8,
        trips_known=known == "calendar",
        early_probability=0.1 if known == "learned" else None,
        horizon_h=24.0,
    )
    # What follows lies within the span for another week, as in a site's real future.
    stays = [stay for stay in inputs.plug_ins if stay.departure_step <= 7 * 96]
    plug_in = stays[int(share * len(stays))]
    step = plug_in.arrival_step + int(within * (plug_in.departure_step - plug_in.arrival_step))
    energy_kwh = 0.5 * inputs.car.energy_kwh_max
    horizon = Horizon(inputs, inputs.car, batteries_may_export=may_export)
    study = horizon.problem(step, energy_kwh, plug_in, horizon.departure(step, plug_in), 2.5)
    if inputs.demand_charge is None:
        study = replace(study, site=replace(study.site, peak_so_far_kw=0.0))
    request = as_request(inputs, step, plug_in, energy_kwh, may_export=may_export)
    live = pose(request).problem
    assert_same_problem(live, study)
    assert make_plan(request).plan.cost == pytest.approx(plan(study).cost, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_the_powers_are_the_study_s(seed: int) -> None:
    inputs = replace(random_inputs(seed, days=14, quarter_hours=True), near_steps=8, horizon_h=24.0)
    plug_in = inputs.plug_ins[2]
    step, energy_kwh = plug_in.arrival_step, 0.5 * inputs.car.energy_kwh_max
    horizon = Horizon(inputs, inputs.car, batteries_may_export=True)
    departure = horizon.departure(step, plug_in)
    outlook = look_ahead(horizon.problem(step, energy_kwh, plug_in, departure, 2.5))
    found = make_plan(as_request(inputs, step, plug_in, energy_kwh, may_export=True)).plan
    np.testing.assert_allclose(found.cars[0].power_kw, outlook.power_kw, atol=1e-3)
    np.testing.assert_allclose(found.grid_kw, outlook.grid_kw, atol=1e-3)
