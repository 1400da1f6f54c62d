"""The feed over days on a clock that jumps: it asks when it should, tells what changes, and comes back by itself."""

import itertools
from pathlib import Path

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.domain.site.event import PricesReceived
from parkwatt.domain.tariff import PriceBook
from tests.io.prices.answers import Row, at
from tests.io.prices.market import FEED, Site, local, midnight
from tests.io.prices.sources import feed_of, write_token
from tests.io.web_server import Reply

MORNING = at(2026, 1, 15, 9)
NOON = at(2026, 1, 15, 12)


def known(until: int, since: int | None = None) -> PriceBook:
    """A book that knows prices from two days before on."""
    start = midnight(until, -2) if since is None else since
    prices = tuple(0.1 for _ in range(start, until, 3600))
    return PriceBook().with_prices(PricesReceived(FEED, "a test", start, 3600, prices), start)


def test_a_first_day() -> None:
    site = Site(MORNING)
    site.listen(24)
    times = [local(time) for time in site.asked]
    assert times[0] == "15 09:00", "at once: nothing is known"
    assert [time[:5] for time in times[1:]] == ["15 13", "15 19"], "tomorrow, and a second look"
    assert site.reasons() == ["ok"]
    assert site.book.known_until_unix_s(FEED, site.now()) == at(2026, 1, 17)
    series = site.book.series(FEED)
    assert series.start_unix_s[0] == at(2025, 12, 25), "three weeks back, for the guess of prices"


def test_what_is_known_is_not_asked_for() -> None:
    site = Site(MORNING, known(at(2026, 1, 16)))
    site.listen(3.9)
    assert site.asked == []
    assert site.reasons() == ["ok"]


def test_a_restart_after_the_publication() -> None:
    site = Site(at(2026, 1, 15, 20), known(at(2026, 1, 17)))
    site.listen(16)
    assert site.asked == []
    site = Site(at(2026, 1, 15, 20), known(at(2026, 1, 16)))
    site.listen(1)
    assert [local(time) for time in site.asked] == ["15 20:00"]


def test_a_month_of_days() -> None:
    site = Site(at(2026, 3, 15, 9))
    site.listen(24 * 30)
    assert len(site.asked) <= 1 + 2 * 30
    assert site.reasons() == ["ok"]
    assert site.book.known_until_unix_s(FEED, at(2026, 3, 15)) == at(2026, 4, 15)


def test_sites_do_not_ask_in_the_same_second() -> None:
    site = Site(NOON, known(at(2026, 1, 16)))
    site.listen(2)
    assert at(2026, 1, 15, 13) < site.asked[0] <= at(2026, 1, 15, 13, 5)


def test_a_late_publication_is_told_when_it_is_really_late() -> None:
    site = Site(NOON, known(at(2026, 1, 16)), published_s=17 * 3600)
    site.listen(8)
    assert site.reasons() == [
        "ok",
        "energy-charts lacks prices; known until 2026-01-15 23:00 UTC",
        "ok",
    ]
    late, again = site.states[1][0], site.states[2][0]
    assert at(2026, 1, 15, 14, 30) <= late <= at(2026, 1, 15, 15, 15)
    assert at(2026, 1, 15, 17) <= again <= at(2026, 1, 15, 17, 30)
    tries = [time for time in site.asked if time < at(2026, 1, 15, 17)]
    gaps = [after - before for before, after in itertools.pairwise(tries)]
    assert max(gaps) <= 1800
    assert gaps[0] < 120 < gaps[4], "ever more rarely"
    assert len(tries) < 20


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=503), "a fault of its own"),
        (Reply(b"<html>"), "a web page"),
        (Reply(b"", 401), "refuses access"),
        (Reply(manner="silent"), "does not answer"),
        (Reply(b"{", manner="dripping"), "takes too long"),
        (Reply(manner="garbage"), "cannot be reached"),
    ],
)
def test_a_source_in_trouble_is_told_once_and_comes_back(reply: Reply, words: str) -> None:
    site = Site(NOON, known(at(2026, 1, 16)))
    over = at(2026, 1, 15, 22)
    site.trouble = lambda now, _: reply if now < over else None
    site.listen(12)
    reasons = site.reasons()
    assert [reasons[0], reasons[-1], len(reasons)] == ["ok", "ok", 3]
    assert words in reasons[1]
    assert "known until 2026-01-15 23:00 UTC" in reasons[1]
    assert site.states[-1][0] <= over + 1800 + 120
    assert site.book.known_until_unix_s(FEED, site.now()) == at(2026, 1, 17)


def test_nothing_at_all_is_known() -> None:
    site = Site(MORNING)
    site.trouble = lambda _now, _asked: Reply(status=404)
    site.listen(1)
    assert site.reasons() == [
        "energy-charts has no prices for DE-LU in these days; none is known for now"
    ]


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    site = Site(MORNING)
    replies = [Reply(status=429, headers={"Retry-After": "7200"})]
    site.trouble = lambda _now, _asked: replies.pop() if replies else None
    site.listen(3)
    assert [local(time) for time in site.asked] == ["15 09:00", "15 11:00"]


def test_a_hole_is_asked_for_until_it_is_filled() -> None:
    """A day is there but for an hour; the hour comes in the evening."""
    hole = at(2026, 1, 16, 8)
    site = Site(NOON, known(at(2026, 1, 16)))

    def told(row: Row) -> Row | None:
        return None if row[0] == hole and site.now() < at(2026, 1, 15, 21) else row

    site.told = told
    site.listen(12)
    assert "known until 2026-01-16 07:00 UTC" in site.reasons()[1]
    assert site.reasons()[-1] == "ok"
    assert site.book.known_until_unix_s(FEED, site.now()) == at(2026, 1, 17)
    assert len(site.prices) == 2, "the same answer is not told again"
    assert "missing: 1 h" in site.prices[0][1].notes[0]


def test_corrections_are_found_by_the_second_look() -> None:
    site = Site(NOON, known(at(2026, 1, 16)))

    def told(row: Row) -> Row:
        return (row[0], row[1], 500.0) if site.now() >= at(2026, 1, 15, 16) else row

    site.told = told
    site.listen(10)
    assert len(site.prices) == 2
    assert set(site.book.series(FEED).values[-24:].tolist()) == {0.5}


def test_a_second_look_that_fails_is_nothing_to_tell() -> None:
    site = Site(NOON, known(at(2026, 1, 16)))
    site.trouble = lambda now, _: Reply(status=500) if now > at(2026, 1, 15, 16) else None
    site.listen(12)
    assert site.reasons() == ["ok"]


@pytest.mark.parametrize("by_s", [-3 * DAY_S, -3600, 3600, 2 * DAY_S])
def test_a_clock_that_is_set_wrong_and_right_again(by_s: int) -> None:
    site = Site(NOON, known(at(2026, 1, 16)))
    site.later = [(1.5, lambda: site.clock.step(by_s)), (9.0, lambda: site.clock.step(-by_s))]
    site.listen(30)
    assert site.reasons()[-1] == "ok"
    assert site.book.known_until_unix_s(FEED, site.now()) == at(2026, 1, 18)
    assert len(site.asked) < 40, "no storm of questions"


def test_days_of_23_and_25_hours_in_a_row() -> None:
    for begin, end in [((2026, 3, 28, 9), (2026, 3, 31)), ((2026, 10, 24, 9), (2026, 10, 27))]:
        site = Site(at(*begin))
        site.listen(48)
        assert site.reasons() == ["ok"]
        assert site.book.known_until_unix_s(FEED, at(*begin)) == at(*end)


ENTSOE_TOML = 'source = "entsoe"\nzone = "DE-LU"\ntoken_file = "token"\nurl = "http://127.0.0.1:9"'


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "cannot be read"),
        ("", "must hold one token"),
        ("two words", "must hold one token"),
        ("é", "must hold"),
    ],
)
def test_a_token_that_is_none(tmp_path: Path, token: str | None, words: str) -> None:
    if token is not None:
        write_token(tmp_path, token)
    site = Site(MORNING)
    site.listen(0.5, feed_of(ENTSOE_TOML), tmp_path)
    assert len(site.states) == 1
    assert words in site.reasons()[0]


def test_a_new_token_needs_no_restart(tmp_path: Path) -> None:
    site = Site(MORNING)
    site.listen(0.2, feed_of(ENTSOE_TOML), tmp_path)
    assert "cannot be read" in site.reasons()[0]
    write_token(tmp_path)
    site.listen(0.2, feed_of(ENTSOE_TOML), tmp_path)
    assert "cannot be reached" in site.reasons()[-1]
