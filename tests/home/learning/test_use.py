"""What is learned of a home, and the courses drawn from it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.home.circuit import Circuit
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock
from parkwatt.home.learning import CircuitHistory, LearnedUse
from parkwatt.home.learning.typical import TYPICAL_HOME_KW
from tests.home.learning.made_home import (
    CIRCUITS,
    START_UNIX_S,
    ZONE,
    history,
    hourly_kw,
    learned,
)

DAYS = 60
NOW_UNIX_S = START_UNIX_S + DAYS * DAY_S


@pytest.fixture(scope="module")
def use() -> LearnedUse:
    return learned(DAYS)


def test_the_same_seed_gives_the_same_courses(use: LearnedUse) -> None:
    first = use.scenarios(NOW_UNIX_S, 900, 96, 20, seed=3)
    np.testing.assert_array_equal(first, use.scenarios(NOW_UNIX_S, 900, 96, 20, seed=3))
    assert not np.array_equal(first, use.scenarios(NOW_UNIX_S, 900, 96, 20, seed=4))
    assert first.shape == (20, 4, 96)


@settings(max_examples=20, deadline=None)
@given(
    start_s=st.integers(0, 3 * DAY_S),
    step_s=st.sampled_from([900, 1800, 3600]),
    count=st.integers(1, 30),
    seed=st.integers(0, 9),
)
def test_courses_are_known_and_not_negative(
    use: LearnedUse, start_s: int, step_s: int, count: int, seed: int
) -> None:
    courses = use.scenarios(NOW_UNIX_S + start_s, step_s, 50, count, seed)
    assert courses.shape == (count, 4, 50)
    assert np.isfinite(courses).all()
    assert (courses >= 0).all()


def test_circuits_run_when_they_did_run(use: LearnedUse) -> None:
    courses = use.scenarios(NOW_UNIX_S, HOUR_S, 14 * 24, 100, seed=0)
    starts = NOW_UNIX_S + HOUR_S * np.arange(14 * 24)
    hour = LocalClock.of(ZONE).local_s(starts) % DAY_S // HOUR_S
    oven = courses[:, 2]
    assert oven[:, hour == 17].mean() > 0.3
    assert oven[:, (hour < 16) | (hour > 19)].max() < 1e-9


def test_circuits_that_go_together_stay_together(use: LearnedUse) -> None:
    """Heating and oven follow the same days; were they drawn one by one, they would not."""
    courses = use.scenarios(NOW_UNIX_S, HOUR_S, 24, 300, seed=0)
    heating, oven = courses[:, 1].sum(axis=1), courses[:, 2].sum(axis=1)
    cooked = oven > 0.1
    assert np.corrcoef(heating[cooked], oven[cooked])[0, 1] > 0.5


def test_a_course_of_days_spreads_wider_than_days_by_themselves_would(use: LearnedUse) -> None:
    courses = use.scenarios(NOW_UNIX_S, HOUR_S, 4 * 24, 300, seed=0)[:, 1]
    daily = courses.reshape(300, 4, 24).sum(axis=2)
    independent = np.sqrt(daily.var(axis=0).sum())
    assert daily.sum(axis=1).std() > 1.2 * independent


def test_what_runs_now_goes_on_for_a_while_only(use: LearnedUse) -> None:
    noon = NOW_UNIX_S + 12 * HOUR_S
    usual = use.scenarios(noon, 900, 96, 100, seed=0).mean(axis=0)[1]
    much = use.scenarios(noon, 900, 96, 100, seed=0, running_kw={"heating": 2.4}).mean(axis=0)[1]
    assert much[0] > usual[0] + 0.3
    assert abs(much[-20:].mean() - usual[-20:].mean()) < 0.5 * (much[0] - usual[0])


def test_a_home_that_was_never_measured_has_a_wide_band_around_the_typical() -> None:
    use = LearnedUse.of(CircuitHistory(), CIRCUITS, ZONE, NOW_UNIX_S)
    total = use.scenarios(NOW_UNIX_S, HOUR_S, 24, 2000, seed=0).sum(axis=1).mean(axis=1)
    low, middle, high = np.quantile(total, (0.1, 0.5, 0.9))
    assert 0.5 * TYPICAL_HOME_KW < middle < 2 * TYPICAL_HOME_KW
    assert high / low > 4
    assert not any(use.knows(one.circuit_id) for one in CIRCUITS)
    assert all("not known yet (0 of 7 days" in sentence for sentence in use.words())


def test_the_band_narrows_as_days_go_by() -> None:
    def width(days: int) -> float:
        now = START_UNIX_S + days * DAY_S
        totals = [
            learned(days, home).scenarios(now, HOUR_S, 48, 200, seed=0).sum(axis=(1, 2))
            for home in range(5)
        ]
        low, high = np.quantile(totals, (0.1, 0.9), axis=1)
        return float(np.log(high / low).mean())

    assert width(0) > width(3) > 1.2 * width(90)


def test_a_new_circuit_is_not_known_while_the_others_are() -> None:
    power_kw = hourly_kw(DAYS, seed=1)
    power_kw[: -3 * 24, 3] = np.nan
    use = LearnedUse.of(history(power_kw), CIRCUITS, ZONE, NOW_UNIX_S)
    assert use.knows("heating")
    assert not use.knows("dryer")
    assert "Dryer: not known yet (3 of 7 days measured)" in use.words()[3]
    assert np.isfinite(use.scenarios(NOW_UNIX_S, HOUR_S, 24, 50, seed=0)).all()


def test_gaps_are_not_taken_for_nothing() -> None:
    """A third of all hours is missing, in whole days and in single hours; the mean stays."""
    power_kw = hourly_kw(DAYS, seed=1)
    whole = LearnedUse.of(history(power_kw), CIRCUITS, ZONE, NOW_UNIX_S)
    random = np.random.default_rng(0)
    days_missing = np.repeat(random.random(DAYS) < 0.25, 24)
    hours_missing = random.random(power_kw.shape) < 0.1
    power_kw[days_missing[:, np.newaxis] | hours_missing] = np.nan
    gappy = LearnedUse.of(history(power_kw), CIRCUITS, ZONE, NOW_UNIX_S)
    means = [
        one.scenarios(NOW_UNIX_S, HOUR_S, 7 * 24, 300, seed=0).sum(axis=1).mean()
        for one in (whole, gappy)
    ]
    assert means[1] == pytest.approx(means[0], rel=0.2)


def test_a_holiday_is_lived_like_a_sunday() -> None:
    """2024-03-01 is a Friday: the dryer, which runs at weekends, runs where it is a holiday."""
    told = history(hourly_kw(DAYS, seed=1))

    def dried_kwh(holidays: list[date]) -> float:
        use = LearnedUse.of(told, CIRCUITS, ZONE, NOW_UNIX_S, holidays)
        return float(use.scenarios(NOW_UNIX_S, HOUR_S, 24, 300, seed=0)[:, 3].sum(axis=1).mean())

    assert dried_kwh([date(2024, 3, 1)]) > 3 * max(dried_kwh([]), 0.01)


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_days_of_23_and_25_hours_keep_habits_on_the_wall_clock(day: str, hours: int) -> None:
    midnight = int((date.fromisoformat(day) - date(1970, 1, 1)).days) * DAY_S
    clock = LocalClock.of(ZONE)
    start = clock.unix_s(midnight)
    end = clock.unix_s(midnight + DAY_S)
    assert (end - start) // HOUR_S == hours
    days = (start - START_UNIX_S) // DAY_S + 1
    use = LearnedUse.of(
        history(hourly_kw(days, seed=2)[: (start - START_UNIX_S) // HOUR_S]), CIRCUITS, ZONE, start
    )
    courses = use.scenarios(start, HOUR_S, hours + 24, 50, seed=0)
    hour = clock.local_s(start + HOUR_S * np.arange(hours + 24)) % DAY_S // HOUR_S
    cooking = courses[:, 2].mean(axis=0) > 0.05
    assert set(hour[cooking].tolist()) == {17, 18}
    assert cooking.sum() == 4


def test_it_says_what_it_learned() -> None:
    fridge, heating, oven, dryer = learned(DAYS).words()
    assert fridge == "Fridge: 1.2 kWh a day, day and night."
    assert "kWh a day" in heating
    assert "mostly from 17 to 18 h" in oven or "mostly from 17 to 19 h" in oven
    assert "more at weekends" in dryer


def test_it_says_how_seasons_differ() -> None:
    assert "from November to March" in learned(330).words()[1]


def test_an_unknown_time_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time_zone must be an IANA"):
        LearnedUse.of(CircuitHistory(), CIRCUITS, "Mars/Olympus", NOW_UNIX_S)


def test_a_home_without_circuits_uses_nothing() -> None:
    none: tuple[Circuit, ...] = ()
    use = LearnedUse.of(CircuitHistory(), none, ZONE, NOW_UNIX_S)
    assert use.scenarios(NOW_UNIX_S, HOUR_S, 24, 5, seed=0).shape == (5, 0, 24)
