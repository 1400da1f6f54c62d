"""Each promise that the guard holds, with a test that tries to break it, and its rules one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.command import FrequencyCurve, ReleasePower, SetPower
from parkwatt.domain.home.event import GridCondition
from parkwatt.site.guard import Circuit, Guard, GuardSettings, Proposal, ReadyBy, Verdict
from tests.site.guard.world import US, PhysicalCar, World, proposal

STEP_S = 20
SHORT_KWH = 0.15
POWERS = st.one_of(
    st.none(), st.sampled_from([0.0, -10.0, 11.0, math.nan, -math.inf]), st.floats(-20, 20)
)


def _one(world: World, power_kw: float | None, **more: Any) -> Verdict:
    (verdict,) = world.judge([replace(proposal(world.cars[0], power_kw), **more)])
    return verdict


def _rules(verdict: Verdict) -> list[str]:
    return [change.rule for change in verdict.changes]


def _pass(world: World, duration_s: int) -> None:
    part_s = 5 if duration_s % 5 == 0 and all(car.lag_s == 0 for car in world.cars) else 1
    for _ in range(duration_s // part_s):
        for car in world.cars:
            car.flow(world.time_s, part_s)
        world.time_s += part_s


# Promise 1: ready.


@given(
    missing_kwh=st.floats(-5, 25),
    spare_share=st.floats(0.06, 1),
    import_limit_kw=st.sampled_from([None, 8.0]),
    wanted=st.lists(POWERS, min_size=1, max_size=6),
    base_kw=st.floats(-5, 3),
)
def test_ready_against_a_controller_that_wants_anything_else(
    missing_kwh: float,
    spare_share: float,
    import_limit_kw: float | None,
    wanted: list[float | None],
    base_kw: float,
) -> None:
    car = PhysicalCar(name="CP-1", energy_kwh=30.0, default_kw=0.0, charge_kw_min=1.4)
    world = World(cars=[car], base_kw=base_kw, import_limit_kw=import_limit_kw)
    rate_kw = 11.0 if import_limit_kw is None else min(11.0, import_limit_kw - base_kw)
    takes_s = max(missing_kwh, 0.0) / (rate_kw * car.charge_efficiency) * 3600.0
    left_s = round(takes_s * (1.0 + spare_share)) + 180
    asked_kwh = car.energy_kwh + missing_kwh
    car.ready = ReadyBy(world.now_unix_us + left_s * US, asked_kwh)
    for step in range(left_s // STEP_S):
        _one(world, wanted[step % len(wanted)])
        _pass(world, STEP_S)
    assert car.energy_kwh >= asked_kwh - SHORT_KWH


@given(
    missing_kwh=st.tuples(st.floats(0.5, 4), st.floats(0.5, 4)),
    apart_s=st.integers(0, 1500),
    wanted=st.tuples(POWERS, POWERS),
)
def test_two_that_share_a_circuit_are_both_ready(
    missing_kwh: tuple[float, float], apart_s: int, wanted: tuple[float | None, float | None]
) -> None:
    cars = [
        PhysicalCar(name=f"CP-{index}", circuit="garage", default_kw=0.0, energy_kwh=20.0)
        for index in range(2)
    ]
    circuit = Circuit(name="garage", import_limit_kw=11.0)
    world = World(cars=cars, circuits=(circuit,))
    takes_s = [missing / (11.0 * 0.9) * 3600.0 for missing in missing_kwh]
    first_s = max(takes_s[0] * 1.06 + 300, sum(takes_s) * 1.06 + 300 - apart_s)
    for car, missing, left_s in zip(cars, missing_kwh, (first_s, first_s + apart_s), strict=True):
        at_unix_us = world.now_unix_us + round(left_s * US)
        car.ready = ReadyBy(at_unix_us, car.energy_kwh + missing)
    while any(car.ready is not None for car in cars):
        world.judge([proposal(car, kw) for car, kw in zip(cars, wanted, strict=True)])
        _pass(world, STEP_S)
        for car in cars:
            if car.ready is not None and car.ready.at_unix_us <= world.now_unix_us + STEP_S * US:
                assert car.energy_kwh >= car.ready.energy_kwh - SHORT_KWH
                car.ready, car.plugged = None, False


def test_charging_for_a_departure_begins_once_and_ends_when_it_is_reached() -> None:
    car = PhysicalCar(name="CP-1", energy_kwh=30.0, default_kw=0.0)
    world = World(cars=[car])
    car.ready = ReadyBy(world.now_unix_us + 2 * 3600 * US, 40.0)
    powers = []
    for _ in range(2 * 3600 // STEP_S):
        powers.append(_one(world, 0.0).power_kw)
        _pass(world, STEP_S)
    turns = sum(now != before for before, now in zip([0.0, *powers], powers, strict=False))
    assert turns == 2
    assert set(powers) == {0.0, 11.0}
    assert car.energy_kwh == pytest.approx(40.0, abs=0.1)


def test_what_was_added_for_a_departure_is_told() -> None:
    car = PhysicalCar(name="CP-1", energy_kwh=20.0)
    world = World(cars=[car])
    car.ready = ReadyBy(world.now_unix_us + 3600 * US, 40.0)
    verdict = _one(world, -3.0)
    assert verdict.power_kw == 11.0
    assert verdict.changes[-1].rule == "ready"
    assert "20.0 kWh are missing to the 40.0 kWh asked for in 1 h 00 min" in (
        verdict.changes[-1].message
    )


def test_nothing_is_discharged_that_could_not_be_charged_again_in_time() -> None:
    car = PhysicalCar(name="CP-1", energy_kwh=40.0)
    world = World(cars=[car], base_kw=15.0)
    # 9.9 kWh take an hour; 5 % of that and 2 minutes are kept: 300 s. With 340 s and a lease of 30 s there are 10 s left, and
    # 2.83 kW for 30 s take out what it takes 9.5 s · 1.05 to charge.
    for spare_s, given_kw in ((500.0, -10.0), (340.0, -2.83), (290.0, 11.0)):
        at_unix_us = world.now_unix_us + round((3600.0 + spare_s) * US)
        car.ready = ReadyBy(at_unix_us, 49.9)
        assert _one(world, -10.0, by_driver=True).power_kw == pytest.approx(given_kw, abs=0.01)
    car.ready = ReadyBy(world.now_unix_us + 60 * US, 40.0)
    verdict = _one(world, -10.0, by_driver=True)
    assert verdict.power_kw == 0.0
    assert _rules(verdict) == ["ready"]


def test_a_car_without_slack_is_not_discharged_where_it_cannot_be_charged() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    world = World(cars=[car], base_kw=9.0, import_limit_kw=8.0)
    assert _one(world, -3.0).power_kw == -3.0
    _pass(world, 2)
    car.ready = ReadyBy(world.now_unix_us + 600 * US, 50.0)
    assert _one(world, -3.0).power_kw == 0.0


def test_a_car_that_is_switched_off_is_not_charged_for_a_departure() -> None:
    car = PhysicalCar(name="CP-1", may_charge=False)
    world = World(cars=[car])
    car.ready = ReadyBy(world.now_unix_us + 600 * US, 60.0)
    assert _one(world, 11.0).power_kw == 0.0


# Promise 2: floor and consent.


@given(
    energy_kwh=st.floats(11.9, 12.6),
    error_kwh=st.floats(0, 0.3),
    bias_share=st.floats(-1, 1),
    falls_s=st.integers(0, 200),
    step_s=st.integers(1, 5),
    lag_s=st.sampled_from([0.0, 3.0]),
)
def test_floor_with_a_link_that_falls_at_the_worst_moment(
    energy_kwh: float,
    error_kwh: float,
    bias_share: float,
    falls_s: int,
    step_s: int,
    lag_s: float,
) -> None:
    car = PhysicalCar(
        name="CP-1",
        energy_kwh=energy_kwh,
        error_kwh=error_kwh,
        bias_kwh=error_kwh * bias_share,
        default_kw=0.0,
        lag_s=lag_s,
    )
    world = World(cars=[car], base_kw=15.0)
    while world.time_s < falls_s + 300:
        car.linked = world.time_s < falls_s
        verdict = _one(world, -20.0)
        assert car.linked or verdict.approved is None
        _pass(world, step_s)
    assert car.energy_kwh >= min(energy_kwh, car.floor_kwh) - 1e-6


@given(
    power_kw=POWERS,
    by_driver=st.booleans(),
    consents=st.booleans(),
    told=st.booleans(),
    interconnection=st.sampled_from(["no_export", "export", "backup_only"]),
    meter=st.booleans(),
)
def test_nothing_discharges_a_car_without_consent_or_knowledge(
    power_kw: float | None,
    by_driver: bool,
    consents: bool,
    told: bool,
    interconnection: Any,
    meter: bool,
) -> None:
    car = PhysicalCar(name="CP-1", may_discharge=consents, told=told, may_export=True)
    world = World(cars=[car], base_kw=30.0, interconnection=interconnection, meter_is_fresh=meter)
    verdict = _one(world, power_kw, by_driver=by_driver)
    assert verdict.power_kw is not None
    if not (consents and told and meter) or interconnection == "backup_only":
        assert verdict.power_kw >= 0
        if power_kw is not None and -20 <= power_kw <= -0.1:
            assert verdict.changes


def test_without_consent_the_reason_is_in_words() -> None:
    car = PhysicalCar(name="CP-1", may_discharge=False)
    verdict = _one(World(cars=[car]), -1.0)
    assert verdict.changes[0].rule == "consent"
    assert verdict.changes[0].message == (
        "cut from −1.0 kW to 0.00 kW: its driver has not consented to discharging"
    )


# Promise 4: limits.


@given(jump_kw=st.floats(0, 9), step_s=st.integers(1, 5), switchings=st.integers(0, 1))
def test_a_load_that_jumps_is_answered_in_the_next_step_whatever_calm_says(
    jump_kw: float, step_s: int, switchings: int
) -> None:
    car = PhysicalCar(name="CP-1", charge_kw_min=4.2)
    settings = GuardSettings(switchings_per_day_max=switchings, ramp_kw_per_s=0.1)
    world = World(cars=[car], base_kw=0.5, import_limit_kw=9.0, settings=settings)
    for _ in range(10):
        _one(world, 8.5, by_driver=True)
        _pass(world, step_s)
    world.base_kw += jump_kw
    verdict = _one(world, 8.5)
    assert verdict.power_kw is not None
    assert verdict.power_kw <= max(9.0 - world.base_kw, 0.0) + 1e-6


def test_nothing_is_fed_in_where_nothing_may_be() -> None:
    world = World(cars=[PhysicalCar(name="CP-1")], base_kw=1.2)
    verdict = _one(world, -3.0)
    assert verdict.power_kw == -1.2
    assert verdict.changes[0].message == (
        "cut from −3.0 kW to −1.2 kW: the house uses 1.2 kW and nothing may be fed in"
    )
    world.base_kw = -2.0
    assert _one(world, -3.0).power_kw == 0.0


def test_a_car_that_may_not_feed_in_covers_the_house_beside_one_that_may() -> None:
    home, grid = PhysicalCar(name="CP-1"), PhysicalCar(name="CP-2", may_export=True)
    world = World(cars=[home, grid], base_kw=2.0, interconnection="export", export_limit_kw=5.0)
    verdicts = world.judge([proposal(grid, -9.0), proposal(home, -9.0)])
    assert [verdict.power_kw for verdict in verdicts] == pytest.approx([-7.0, 0.0])
    home, grid = PhysicalCar(name="CP-1"), PhysicalCar(name="CP-2", may_export=True)
    world = World(cars=[home, grid], base_kw=2.0, interconnection="export", export_limit_kw=5.0)
    verdicts = world.judge([proposal(home, -9.0), proposal(grid, -9.0)])
    assert [verdict.power_kw for verdict in verdicts] == pytest.approx([-2.0, -5.0])


@pytest.mark.parametrize(
    ("highest_kw", "allowed_kw", "words"),
    [(4.0, 6.0, "it was up to 4.0 kW lately"), (0.0, 5.0, "half of the connection's 10.0 kW")],
)
def test_without_a_fresh_meter_the_highest_load_counts_or_half_of_the_limit(
    highest_kw: float, allowed_kw: float, words: str
) -> None:
    car = PhysicalCar(name="CP-1")
    world = World(
        cars=[car], import_limit_kw=10.0, meter_is_fresh=False, base_kw_highest=highest_kw
    )
    verdict = _one(world, 11.0, by_driver=True)
    assert verdict.power_kw == allowed_kw
    assert words in verdict.changes[0].message


def test_the_fuse_of_each_phase_counts() -> None:
    car = PhysicalCar(name="CP-1", phases=(0,))
    world = World(cars=[car], base_kw=4.6, fuse_a=25.0)
    # Half of 4.6 kW flows on the first phase: 10 A, and 15 A are left.
    verdict = _one(world, 11.0, by_driver=True)
    assert verdict.power_kw == pytest.approx(15.0 * 0.23)
    assert "phase 1 allows 25 A and 10.0 A flow without the cars" in verdict.changes[0].message
    world.meter_is_fresh = False
    verdict = _one(world, 11.0, by_driver=True)
    assert verdict.power_kw == pytest.approx(12.5 * 0.23)


def test_a_charger_without_a_link_counts_with_its_set_point_then_with_its_default() -> None:
    lost = PhysicalCar(name="CP-1", default_kw=11.0)
    here = PhysicalCar(name="CP-2", default_kw=0.0)
    world = World(cars=[lost, here], base_kw=0.0, import_limit_kw=15.0)
    for _ in range(4):
        world.judge([proposal(lost, 4.0), proposal(here, 4.0)])
        _pass(world, 5)
    lost.linked = False
    powers = {}
    while world.time_s < 200:
        verdicts = world.judge([proposal(lost, 4.0), proposal(here, 11.0)])
        assert verdicts[0].approved is None
        assert verdicts[0].changes[0].rule == "link"
        powers[world.time_s] = verdicts[1].power_kw
        _pass(world, 5)
    assert powers[50.0] == 11.0
    assert powers[180.0] == 4.0


def test_a_charger_that_nobody_proposes_for_counts() -> None:
    other = PhysicalCar(name="CP-1", default_kw=7.0)
    here = PhysicalCar(name="CP-2")
    world = World(cars=[other, here], base_kw=0.0, import_limit_kw=10.0)
    (verdict,) = world.judge([proposal(here, 11.0, by_driver=True)])
    assert verdict.power_kw == pytest.approx(3.0)


def test_a_rise_waits_until_the_room_is_free() -> None:
    first = PhysicalCar(name="CP-1", default_kw=0.0, lag_s=3.0)
    second = PhysicalCar(name="CP-2", default_kw=0.0)
    world = World(cars=[first, second], base_kw=0.0, import_limit_kw=10.0)
    for _ in range(5):
        world.judge([proposal(first, 10.0), proposal(second, 0.0)])
        _pass(world, 2)
    world.judge([proposal(first, 2.0), proposal(second, 8.0, by_driver=True)])
    highest_kw = 0.0
    for _ in range(10):
        for _ in range(2):
            highest_kw = max(highest_kw, sum(car.power_kw(world.time_s) for car in world.cars))
            _pass(world, 1)
        world.judge([proposal(first, 2.0), proposal(second, 8.0, by_driver=True)])
    assert highest_kw <= 10.0 + 1e-6
    assert second.power_kw(world.time_s) == 8.0


def test_what_a_charger_does_against_its_set_point_is_taken_from_the_others() -> None:
    deaf, good = PhysicalCar(name="CP-1", default_kw=0.0), PhysicalCar(name="CP-2", default_kw=0.0)
    world = World(cars=[deaf, good], base_kw=0.0, import_limit_kw=14.0)
    for _ in range(15):
        world.judge([proposal(deaf, 2.0), proposal(good, 11.0)])
        _pass(world, 2)
    facts = world.facts()
    stuck = replace(facts, cars=(replace(facts.cars[0], measured_kw=8.0), facts.cars[1]))
    verdicts = Guard(world.settings, world.state).judge(
        [proposal(deaf, 2.0), proposal(good, 11.0)], stuck, world.now_unix_us
    )
    assert [verdict.power_kw for verdict in verdicts] == pytest.approx([2.0, 6.0])


def test_who_leaves_first_goes_first() -> None:
    early, late = PhysicalCar(name="CP-1", default_kw=0.0), PhysicalCar(name="CP-2", default_kw=0.0)
    world = World(cars=[late, early], base_kw=0.0, import_limit_kw=11.0)
    early.ready = ReadyBy(world.now_unix_us + 3600 * US, 39.0)
    late.ready = ReadyBy(world.now_unix_us + 9 * 3600 * US, 39.0)
    verdicts = world.judge([proposal(late, 11.0), proposal(early, 11.0)])
    assert [verdict.power_kw for verdict in verdicts] == [0.0, 10.0]


# Calm, least powers, leases.


def test_beyond_the_budget_of_a_day_only_what_must_be_switches() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    settings = GuardSettings(switchings_per_day_max=8, on_s_min=0.0, off_s_min=0.0)
    world = World(cars=[car], settings=settings)
    powers = []
    for turn in range(10):
        powers.append(_one(world, 0.0 if turn % 2 else 5.0).power_kw)
        _pass(world, 5)
    # A start leaves a switching to stop again.
    assert powers == [5.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    verdict = _one(world, 5.0)
    assert _rules(verdict) == ["switching"]
    assert (
        "its budget of 8 switchings in 24 hours is used up, the next start is in 16.6 h"
        in verdict.changes[0].message
    )
    assert _one(world, 5.0, by_driver=True).power_kw == 5.0


def test_what_was_used_of_the_budget_comes_back_through_the_day() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    settings = GuardSettings(switchings_per_day_max=8, on_s_min=0.0, off_s_min=0.0)
    world = World(cars=[car], settings=settings)
    for turn in range(4):
        _one(world, 0.0 if turn % 2 else 5.0)
        _pass(world, 5)
    world.clock_off_s += 16 * 3600
    _pass(world, 5)
    assert _one(world, 5.0).power_kw == 0.0
    world.clock_off_s += 3600
    _pass(world, 5)
    assert _one(world, 5.0).power_kw == 5.0


def test_it_neither_stops_nor_starts_within_a_minute() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0, charge_kw_min=1.4)
    world = World(cars=[car])
    assert _one(world, 5.0).power_kw == 5.0
    _pass(world, 30)
    assert _one(world, 0.0).power_kw == 1.4
    _pass(world, 30)
    assert _one(world, 0.0).power_kw == 0.0
    _pass(world, 30)
    assert _one(world, 5.0).power_kw == 0.0
    _pass(world, 30)
    assert _one(world, 5.0).power_kw == 5.0


def test_a_power_rises_by_the_ramp_and_falls_at_once() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    world = World(cars=[car], base_kw=9.0)
    powers = []
    for wanted_kw in (0.0, -9.0, -9.0, -9.0, -2.0, -9.0):
        powers.append(_one(world, wanted_kw).power_kw)
        _pass(world, 2)
    assert powers == [0.0, -4.0, -8.0, -9.0, -2.0, -6.0]


@pytest.mark.parametrize(
    ("wanted_kw", "base_kw", "given_kw"),
    [(0.5, 0.0, 0.0), (0.9, 0.0, 1.4), (0.9, 9.0, 0.0), (-0.3, 5.0, -0.5), (-0.4, 0.4, 0.0)],
)
def test_below_the_least_power_it_is_the_least_or_nothing(
    wanted_kw: float, base_kw: float, given_kw: float
) -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0, charge_kw_min=1.4, discharge_kw_min=0.5)
    world = World(cars=[car], base_kw=base_kw, import_limit_kw=10.0)
    assert _one(world, wanted_kw).power_kw == given_kw


def test_leases_are_short_where_a_battery_is_emptied() -> None:
    world = World(cars=[PhysicalCar(name="CP-1")], base_kw=5.0)
    assert _one(world, -1.0, by_driver=True).lease_s == 30
    assert _one(world, 0.0, by_driver=True).lease_s == 120
    assert _one(world, 5.0, by_driver=True).lease_s == 120


def test_a_release_counts_with_what_the_charger_then_does() -> None:
    car = PhysicalCar(name="CP-1", default_kw=7.0)
    world = World(cars=[car], base_kw=0.0, import_limit_kw=10.0)
    verdict = _one(world, None)
    assert verdict.approved is not None
    assert isinstance(verdict.approved.command, ReleasePower)
    assert (verdict.power_kw, verdict.lease_s) == (7.0, 0)
    world.base_kw = 5.0
    verdict = _one(world, None)
    assert verdict.approved is not None
    assert isinstance(verdict.approved.command, SetPower)
    assert verdict.power_kw == 5.0


@pytest.mark.parametrize("power_kw", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_rests_the_car(power_kw: float) -> None:
    world = World(cars=[PhysicalCar(name="CP-1")])
    verdict = _one(world, power_kw)
    assert verdict.power_kw == 0.0
    assert _rules(verdict) == ["number"]


def test_a_frequency_curve_that_reaches_beyond_a_limit_is_left_out() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    world = World(cars=[car], base_kw=3.0)
    curve = FrequencyCurve((49.8, 50.2), (-2.0, 2.0))
    for wanted_kw, kept in ((0.0, True), (-2.0, False)):
        verdict = _one(world, wanted_kw, frequency_curve=curve, by_driver=True)
        assert verdict.approved is not None
        assert isinstance(verdict.approved.command, SetPower)
        assert (verdict.approved.command.frequency_curve == curve) is kept
        assert verdict.lease_s == 30
        assert ("curve" in _rules(verdict)) is not kept


def test_only_a_meter_that_moves_is_telemetry() -> None:
    car = PhysicalCar(name="CP-1", default_kw=0.0)
    world = World(cars=[car], base_kw=3.0)
    assert not _one(world, -2.0).following
    _pass(world, 2)
    assert _one(world, -2.1).following
    _pass(world, 2)
    assert not _one(world, -3.5).following
    _pass(world, 2)
    world.base_kw = 2.9
    assert _one(world, -3.5).following


def test_nothing_is_sent_to_nobody() -> None:
    car = PhysicalCar(name="CP-1", plugged=False)
    world = World(cars=[car])
    verdict = _one(world, 5.0)
    assert (verdict.power_kw, verdict.approved) == (None, None)
    with pytest.raises(ValueError, match="sends nothing"):
        Guard.decided(verdict)
    (verdict,) = world.judge([Proposal("CP-9", 1, 5.0, "because")])
    assert verdict.approved is None
    assert "nothing is known" in verdict.changes[0].message


# The grid gone, or not known.


@pytest.mark.parametrize("wanted_kw", [11.0, -10.0, None, 0.0])
def test_without_the_grid_no_car_is_charged_nor_gives_by_set_point(wanted_kw: float | None) -> None:
    world = World(cars=[PhysicalCar(name="CP-1")], grid="absent", island_kw=20.0, base_kw=3.0)
    if wanted_kw == 0:
        world.cars[0].ready = ReadyBy(world.now_unix_us + 60 * US, 60.0)
    verdict = _one(world, wanted_kw)
    assert isinstance(_command(verdict), SetPower), "its own default would charge from the island"
    assert verdict.power_kw == 0
    if wanted_kw != 0:
        assert _rules(verdict)[-1] == "grid"
        assert "grid is gone" in verdict.changes[-1].message


def test_the_car_that_carries_the_house_is_released_and_that_is_said_once() -> None:
    world = World(cars=[PhysicalCar(name="CP-1", forms_island=True)], base_kw=3.0)
    _one(world, -3.0)
    world.grid = "absent"
    first, second = _one(world, -3.0), _one(world, -3.0)
    assert isinstance(_command(first), ReleasePower)
    assert first.lease_s == 0
    assert not first.following
    assert second.following
    world.grid = "unknown"  # it was gone when that was known last
    world.grid_before = "absent"
    assert isinstance(_command(_one(world, 11.0)), ReleasePower)


def test_a_car_charges_from_an_island_as_far_as_its_source_can_spare_where_that_was_asked() -> None:
    asked = PhysicalCar(name="CP-1", island_charge=True)
    other = PhysicalCar(name="CP-2")
    world = World(cars=[asked, other], grid="absent", island_kw=3.0)
    for _ in range(4):
        verdicts = world.judge([proposal(asked, 11.0), proposal(other, 11.0)])
        world.time_s += 2
    assert [verdict.power_kw for verdict in verdicts] == [3.0, 0.0]
    assert "can spare 3.0 kW" in verdicts[0].changes[-1].message


def test_where_nobody_knows_of_the_grid_nothing_is_discharged_and_charging_goes_on_as_before() -> (
    None
):
    world = World(cars=[PhysicalCar(name="CP-1", default_kw=0.0)], grid="unknown", base_kw=3.0)
    verdict = _one(world, -3.0)
    assert verdict.power_kw == 0
    assert _rules(verdict) == ["grid"]
    assert (_one(world, 8.0, by_driver=True).power_kw or 0.0) == 8.0
    world.grid_before = "absent"
    assert _one(world, 8.0, by_driver=True).power_kw == 0


@pytest.mark.parametrize("grid", ["present", "absent", "unknown"])
def test_a_connection_for_backup_only_never_discharges_by_set_point(grid: GridCondition) -> None:
    car = PhysicalCar(name="CP-1", may_export=True)
    world = World(cars=[car], grid=grid, interconnection="backup_only", base_kw=5.0)
    assert _one(world, -5.0, by_driver=True).power_kw == 0


def test_after_the_grid_came_back_cars_take_up_their_power_little_by_little() -> None:
    cars = [PhysicalCar(name=f"CP-{index}", default_kw=0.0) for index in (1, 2)]
    world = World(cars=cars, return_kw=2.0)
    for return_kw in (2.0, 6.0, 12.0):
        world.return_kw = return_kw
        for _ in range(12):
            verdicts = world.judge([proposal(car, 11.0) for car in cars])
            world.time_s += 1
        powers = [verdict.power_kw or 0.0 for verdict in verdicts]
        assert sum(powers) == pytest.approx(return_kw)


def _command(verdict: Verdict) -> SetPower | ReleasePower:
    assert verdict.approved is not None
    return verdict.approved.command
