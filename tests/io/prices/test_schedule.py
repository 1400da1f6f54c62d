"""When a source is asked."""

from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.calendar import DAY_S
from parkwatt.domain.tariff import DayAheadPublication
from parkwatt.io.prices.schedule import BACK_OFF_S_MAX, GRACE_S, RECHECK_AFTER_S, SPREAD_S, Schedule
from tests.io.prices.answers import BERLIN, at

NOON = at(2026, 1, 15, 12)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
times = st.integers(at(2024, 1, 1), at(2028, 1, 1))
publications = st.builds(
    DayAheadPublication, st.integers(0, DAY_S - 1), st.sampled_from(ZONES).map(ZoneInfo)
)


def schedule(seed: int = 1) -> Schedule:
    """One that expects prices at 13:00."""
    return Schedule(DayAheadPublication(13 * 3600, BERLIN), Random(seed))  # noqa: S311 - spreads questions


def test_tomorrow_is_wanted_a_little_after_its_publication() -> None:
    one = schedule()
    assert one.wanted_until_unix_s(at(2026, 1, 15, 12, 59)) == at(2026, 1, 16)
    assert one.wanted_until_unix_s(at(2026, 1, 15, 13) + int(SPREAD_S)) == at(2026, 1, 17)


def test_every_site_has_its_own_second() -> None:
    published = at(2026, 1, 15, 13)
    waits = {published + schedule(seed).rest_s(published) for seed in range(20)}
    assert len(waits) > 15
    assert schedule(3).rest_s(NOON) == schedule(3).rest_s(NOON), "of a seed always the same"


def test_late_is_told_after_a_while() -> None:
    one = schedule()
    assert not one.is_overdue(at(2026, 1, 15, 14))
    assert one.is_overdue(at(2026, 1, 15, 13) + int(SPREAD_S + GRACE_S))


def test_one_second_look() -> None:
    one = schedule()
    one.fetched(NOON)
    assert not one.takes_recheck(NOON + int(RECHECK_AFTER_S) - 1)
    later = NOON + int(RECHECK_AFTER_S + SPREAD_S) + 1
    assert one.takes_recheck(later)
    assert not one.takes_recheck(later + DAY_S)


@given(publications, times, st.integers(0, 99), st.floats(0.0, 1.0))
def test_the_rest_ends_at_the_next_publication(
    publication: DayAheadPublication, now: int, seed: int, share: float
) -> None:
    one = Schedule(publication, Random(seed))  # noqa: S311 - spreads questions
    wanted, rest_s = one.wanted_until_unix_s(now), one.rest_s(now)
    assert 1.0 <= rest_s <= 25 * 3600
    assert one.wanted_until_unix_s(now + int((rest_s - 1) * share)) == wanted
    assert one.wanted_until_unix_s(now + int(rest_s)) > wanted


@given(st.integers(1, 5000), st.one_of(st.none(), st.floats(0.0, 86_400.0)))
def test_back_off_is_bounded_and_no_shorter_than_asked(
    failures: int, retry_after_s: float | None
) -> None:
    wait_s = schedule().back_off_s(failures, retry_after_s)
    assert 40.0 <= wait_s <= max(BACK_OFF_S_MAX, retry_after_s or 0.0)
    assert wait_s >= (retry_after_s or 0.0)
