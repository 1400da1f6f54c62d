"""Drawing drivers: each is one user, in whole weeks, never twice at once, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.year.drivers import WEEKS_LEAST, RecordedSessions, YearDays, draw_drivers
from tests.fleet.year.years import STEP_MINUTES, plain_days, recorded


@given(
    users=st.integers(1, 5),
    weeks=st.integers(WEEKS_LEAST + 2, 12),
    days=st.integers(14, 60),
    weekday=st.integers(0, 6),
    seed=st.integers(0, 1000),
)
def test_every_stay_is_one_of_its_user_on_the_same_weekday_at_the_same_time(
    users: int, weeks: int, days: int, weekday: int, seed: int
) -> None:
    sessions, year = recorded(users, weeks, seed), plain_days(days, weekday)
    drawn = draw_drivers(sessions, 12, year, seed)
    stays = drawn.stays
    assert len(stays.driver)
    assert (stays.to_step > stays.from_step).all()
    assert stays.from_step.min() >= 0
    assert stays.to_step.max() <= year.step_count
    same = stays.driver[1:] == stays.driver[:-1]
    assert (stays.from_step[1:] > stays.to_step[:-1])[same].all()
    first = -(-sessions.minute // STEP_MINUTES)
    known = {
        (user, day % 7, step, energy)
        for user, day, step, energy in zip(
            sessions.user.tolist(),
            sessions.day.tolist(),
            first.tolist(),
            sessions.energy_kwh.tolist(),
            strict=True,
        )
    }
    user = drawn.user_of_driver[stays.driver].tolist()
    of_week = year.weekday[stays.day].tolist()
    step = (stays.from_step - year.first_step[stays.day]).tolist()
    assert set(zip(user, of_week, step, stays.energy_kwh.tolist(), strict=True)) <= known


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    sessions, year = recorded(5, 10, 1), plain_days(60)
    first, again, other = (draw_drivers(sessions, 20, year, seed) for seed in (4, 4, 5))
    for one, two in zip(first.stays, again.stays, strict=True):
        assert np.array_equal(one, two)
    assert not np.array_equal(first.stays.energy_kwh, other.stays.energy_kwh)


def test_weeks_without_sessions_are_drawn_as_well() -> None:
    every_other_week = np.arange(0, 41, 2)
    count = len(every_other_week)
    sessions = RecordedSessions(
        np.zeros(count, np.int64),
        every_other_week * 7 + 2,
        np.full(count, 18 * 60),
        np.full(count, 600),
        np.full(count, 10.0),
    )
    drawn = draw_drivers(sessions, 400, plain_days(70), 1)
    # 39 whole weeks between the first and the last one, 19 of them with a session; 10 weeks are drawn.
    per_week = len(drawn.stays.driver) / 400 / 10
    assert abs(per_week - 19 / 39) < 0.03


def test_users_of_few_weeks_are_not_drawn_and_none_at_all_is_told() -> None:
    long, short = recorded(1, 12, 1), recorded(1, WEEKS_LEAST, 2)
    both = RecordedSessions(
        np.concatenate((long.user, short.user + 1)),
        *(np.concatenate(pair) for pair in zip(long[1:], short[1:], strict=True)),
    )
    drawn = draw_drivers(both, 50, plain_days(28), 1)
    assert drawn.users == 1
    assert set(drawn.user_of_driver.tolist()) == {0}
    with pytest.raises(InputError, match="whole weeks"):
        draw_drivers(short, 5, plain_days(28), 1)


@pytest.mark.parametrize("hours", [23, 25])
def test_a_stay_of_the_next_day_begins_by_the_local_clock_where_it_changes(hours: int) -> None:
    lengths = np.full(28, 96)
    lengths[6] = hours * 4
    days = YearDays(np.concatenate(([0], np.cumsum(lengths))), np.arange(28) % 7, STEP_MINUTES)
    sessions = recorded(1, 12, 1)
    stays = draw_drivers(sessions, 5, days, 1).stays
    begins = stays.from_step - days.first_step[stays.day]
    assert (begins >= 16 * 4).all()
    assert (begins <= 20 * 4).all()
