"""What is held for announced outages: enough for nine of ten courses, no more than there is, told in words."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.home.announced import (
    AnnouncedSettings,
    Demand,
    Holder,
    OutageLength,
    prepare,
    reach_unix_s,
)
from parkwatt.home.announced.need import lasts_s, outage_needs
from tests.home.announced.test_announcements import H, announced, state_of

BATTERY = Holder(battery_id="battery", floor_kwh=1.0, capacity_kwh=13.5, discharge_efficiency=0.9)
CAR = Holder(battery_id="car", floor_kwh=15.0, capacity_kwh=77.0, discharge_efficiency=0.9)
PLAIN = AnnouncedSettings(standby_kw=0.0, restart_kwh=0.0, lead_s=0, overrun_s=0)
LENGTH = OutageLength(12.0 * H, "12 h as set")


def steady(load_kw: float, hours: int = 100, solar_kw: float | None = None) -> Demand:
    shape = (10, hours)
    solar = None if solar_kw is None else np.full(shape, solar_kw)
    return Demand(0, H, np.full(shape, load_kw), solar)


def test_a_planned_outage() -> None:
    state = state_of(announced("psps", 20, 28))
    settings = AnnouncedSettings(standby_kw=0.1, restart_kwh=0.5, lead_s=H, overrun_s=2 * H)
    assert reach_unix_s(state, LENGTH, settings, 0) == 30 * H
    held = prepare(state, steady(0.9), (BATTERY, CAR), LENGTH, settings, 0)
    assert held is not None
    assert held.need_kwh == pytest.approx(11.5), "11 h of 1 kW, and the restart"
    assert held.reserve_kwh == held.need_kwh
    assert held.lasts_hours == 8.0
    assert [one.battery_id for one in held.holdings] == ["battery", "car"]
    assert held.holdings[0].energy_kwh == 13.5
    assert held.holdings[1].energy_kwh == pytest.approx(15.0 + (11.5 - 11.25) / 0.9)
    assert {(one.ready_unix_s, one.until_unix_s) for one in held.holdings} == {(19 * H, 30 * H)}
    assert held.reason == (
        "a planned outage from Thu 20:00 to Fri 04:00 (from psps): "
        "11.5 kWh are held back, enough in 90% of courses"
    )


def test_more_than_the_batteries_give() -> None:
    state = state_of(announced("psps", 10, 52))
    zone = ZoneInfo("America/Los_Angeles")
    held = prepare(state, steady(1.0), (BATTERY,), LENGTH, PLAIN, 0, zone)
    assert held is not None
    assert held.need_kwh == pytest.approx(42.0)
    assert held.reserve_kwh == pytest.approx(11.25)
    assert held.lasts_hours == pytest.approx(11.25)
    assert held.holdings[0].energy_kwh == 13.5
    assert held.reason == (
        "a planned outage from Thu 02:00 to Fri 20:00 (from psps): 42.0 kWh are needed and the "
        "batteries give 11.2 kWh; the house would last at least 11 h in 90% of courses"
    )


def test_a_storm_is_prepared_for_at_its_worst_moment() -> None:
    load_kw = np.full((10, 60), 0.5)
    load_kw[:, 25:30] = 1.5  # the evening
    state = state_of(announced("gale", 10, 20, "storm"))
    held = prepare(state, Demand(0, H, load_kw), (BATTERY,), LENGTH, PLAIN, 0)
    assert held is not None
    assert held.need_kwh == pytest.approx(7 * 0.5 + 5 * 1.5), "12 h that hold the whole evening"
    assert "an outage taken to last 12 h as set" in held.reason


def test_unknown_use_fills_the_batteries() -> None:
    held = prepare(state_of(announced("a", 10, 12)), None, (BATTERY, CAR), LENGTH, PLAIN, 0)
    assert held is not None
    assert held.need_kwh is None
    assert [one.energy_kwh for one in held.holdings] == [13.5, pytest.approx(77.0)]
    assert held.reason.endswith("is not known yet, so the batteries are filled")


def test_what_is_far_off_improbable_or_over_asks_for_nothing() -> None:
    demand = steady(1.0)
    for event in (
        announced("a", 49, 60),
        announced("a", 10, 12, probability=0.1),
        announced("a", 10, 12, withdrawn=True),
    ):
        assert prepare(state_of(event), demand, (BATTERY,), LENGTH, PLAIN, 0) is None
    state = state_of(announced("a", 10, 12))
    assert prepare(state, demand, (BATTERY,), LENGTH, PLAIN, 12 * H) is None
    assert reach_unix_s(state, LENGTH, PLAIN, 12 * H) == 12 * H


def test_while_it_lasts_less_is_left_to_need() -> None:
    state = state_of(announced("a", 10, 20))
    held = prepare(state, steady(1.0), (BATTERY,), LENGTH, PLAIN, 15 * H)
    assert held is not None
    assert held.need_kwh == pytest.approx(5.0)
    assert held.holdings[0].ready_unix_s == 15 * H


def test_of_two_spells_the_larger_counts_and_the_earlier_sets_the_time() -> None:
    state = state_of(announced("short", 10, 11), announced("long", 30, 38))
    held = prepare(state, steady(1.0), (BATTERY,), LENGTH, PLAIN, 0)
    assert held is not None
    assert held.spell.origins == ("from long",)
    assert held.need_kwh == pytest.approx(8.0)
    assert held.holdings[0].ready_unix_s == 10 * H
    assert held.holdings[0].until_unix_s == 38 * H


def test_sun_helps_by_what_comes_back_from_the_battery() -> None:
    load_kw, solar_kw = np.ones((1, 24)), np.zeros((1, 24))
    solar_kw[0, 4:8] = 3.0
    state = state_of(announced("a", 0, 24))
    held = prepare(state, Demand(0, H, load_kw, solar_kw), (CAR,), LENGTH, PLAIN, 0)
    assert held is not None
    assert held.need_kwh == pytest.approx(4 + (16 - 4 * 2 * 0.8))


def test_a_demand_must_cover_the_outage() -> None:
    state = state_of(announced("a", 10, 20))
    with pytest.raises(ValueError, match="does not cover"):
        prepare(state, steady(1.0, 19), (BATTERY,), LENGTH, PLAIN, 0)


@pytest.mark.parametrize(
    "load", [np.ones(3), np.zeros((0, 3)), np.full((1, 3), np.nan), -np.ones((1, 3))]
)
def test_a_demand_is_whole(load: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"demand|powers"):
        Demand(0, H, load)


TAKEN = st.lists(
    st.lists(st.floats(-3.0, 3.0), min_size=12, max_size=12), min_size=1, max_size=4
).map(np.array)


@given(TAKEN)
def test_the_need_is_just_enough(taken_kwh: np.ndarray) -> None:
    """With it the house lasts, with a little less it does not: found by walking through the outage."""
    needs = outage_needs(taken_kwh, 1, 12)
    for course, start_kwh, peak_kwh in zip(taken_kwh, needs.start_kwh, needs.peak_kwh, strict=True):
        one = course[None, :]
        most_kwh = peak_kwh + 1e-9
        assert lasts_s(one, H, start_kwh + 1e-9, most_kwh)[0] == 12 * H
        if start_kwh > 1e-3:
            assert lasts_s(one, H, start_kwh - 1e-4, 1e9)[0] < 12 * H
        if peak_kwh > start_kwh + 1e-3:
            short_kwh = peak_kwh - 1e-4
            assert lasts_s(one, H, short_kwh, short_kwh)[0] < 12 * H, "no start suffices"


@given(TAKEN, st.integers(1, 12))
def test_the_worst_start_is_the_worst_of_all(taken_kwh: np.ndarray, step_count: int) -> None:
    start_count = 12 - step_count + 1
    needs = outage_needs(taken_kwh, start_count, step_count)
    singly = [
        outage_needs(taken_kwh[:, first : first + step_count], 1, step_count)
        for first in range(start_count)
    ]
    assert np.allclose(needs.start_kwh, np.max([one.start_kwh for one in singly], axis=0))
    assert np.allclose(needs.peak_kwh, np.max([one.peak_kwh for one in singly], axis=0))


@given(st.integers(0, 30), st.integers(1, 40), st.integers(0, 1000), st.floats(0.0, 3.0))
def test_what_is_held_lasts_in_nine_of_ten_courses(
    start_h: int, hours: int, seed: int, solar_kw: float
) -> None:
    random = np.random.default_rng(seed)
    load_kw = random.gamma(2.0, 0.4, (50, 80))
    day = np.clip(np.sin((np.arange(80) - 6) / 24 * 2 * np.pi), 0.0, None)
    demand = Demand(0, H, load_kw, day * solar_kw * random.uniform(0.2, 1.0, (50, 1)))
    state = state_of(announced("a", start_h, start_h + hours))
    held = prepare(state, demand, (CAR,), LENGTH, PLAIN, 0)
    assert held is not None
    assert held.holdings == () or CAR.floor_kwh < held.holdings[0].energy_kwh <= CAR.capacity_kwh
    taken_kwh = demand.taken_kwh(0.0, PLAIN.round_trip_efficiency)
    outage = taken_kwh[:, start_h : start_h + hours]
    full_kwh = (CAR.capacity_kwh - CAR.floor_kwh) * CAR.discharge_efficiency
    lasting = lasts_s(outage, H, held.reserve_kwh + 1e-9, full_kwh) >= hours * H - 1e-6
    assert held.lasts_hours is not None
    if "held back" in held.reason:
        assert lasting.mean() >= 0.9
        assert held.lasts_hours >= hours - 1e-6
    else:
        assert held.reserve_kwh == pytest.approx(full_kwh)
