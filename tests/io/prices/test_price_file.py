"""Prices from a file: told as far as they are published, and anew when the file changes."""

from pathlib import Path

from parkwatt.domain.tariff import DayAheadPublication
from parkwatt.io.prices.settings import FeedSettings, file_feed
from parkwatt.io.series_source import SeriesSource
from tests.io.prices.answers import BERLIN, at, text
from tests.io.prices.market import FEED, Site

MORNING = at(2026, 1, 15, 9)
DAY_AHEAD = DayAheadPublication(13 * 3600, BERLIN)


def settings(publication: DayAheadPublication | None = DAY_AHEAD) -> FeedSettings:
    """The feed from prices.csv."""
    source = SeriesSource(
        field="tariff.import.day_ahead",
        file="prices.csv",
        time_column="time",
        value_column="price",
        factor=0.001,
        time_zone=BERLIN,
    )
    return file_feed(FEED, source, "EUR", publication)


def write(folder: Path, from_unix_s: int, until_unix_s: int, price: float = 80.0) -> None:
    """Hours of the same price."""
    stamps = range(from_unix_s, until_unix_s, 3600)
    lines = [f"{text(stamp)},{price}" for stamp in stamps]
    (folder / "prices.csv").write_text("\n".join(["time,price", *lines]), encoding="utf-8")


def spoil(folder: Path) -> None:
    """A file that makes no sense."""
    (folder / "prices.csv").write_text("time,price\nnever,5\nx,y", encoding="utf-8")


def test_only_what_is_published_is_told(tmp_path: Path) -> None:
    write(tmp_path, at(2025, 1, 1), at(2027, 1, 1))
    site = Site(MORNING)
    site.listen(0.5, settings(), tmp_path)
    assert site.book.known_until_unix_s(FEED, MORNING) == at(2026, 1, 16)
    assert site.book.series(FEED).start_unix_s[0] >= at(2025, 12, 25)
    site.begin = at(2026, 1, 15, 12, 30)
    site.listen(1, settings(), tmp_path)
    assert site.book.known_until_unix_s(FEED, MORNING) == at(2026, 1, 17)
    assert site.reasons() == ["ok", "ok"]


def test_a_whole_series_is_told_for_a_week(tmp_path: Path) -> None:
    write(tmp_path, at(2025, 1, 1), at(2027, 1, 1))
    site = Site(MORNING)
    site.listen(30, settings(None), tmp_path)
    until = site.book.known_until_unix_s(FEED, site.now())
    assert until is not None
    assert 7 * 86_400 <= until - site.now() <= 8 * 86_400
    assert len(site.prices) == 2


def test_a_change_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, at(2026, 1, 14), at(2026, 1, 17))
    site = Site(MORNING)
    site.later = [(1.0, lambda: write(tmp_path, at(2026, 1, 14), at(2026, 1, 17), 120.0))]
    site.listen(2, settings(), tmp_path)
    assert [event.price_per_kwh[0] for _, event in site.prices] == [0.08, 0.12]
    assert site.prices[1][0] - MORNING <= 3600 + 300


def test_troubles_are_told_and_end(tmp_path: Path) -> None:
    site = Site(MORNING)
    site.later = [
        (1.0, lambda: spoil(tmp_path)),
        (2.0, lambda: write(tmp_path, at(2026, 1, 14), at(2026, 1, 15, 20))),
        (3.0, lambda: write(tmp_path, at(2026, 1, 1), at(2026, 1, 10))),
        (4.0, lambda: write(tmp_path, at(2026, 1, 14), at(2026, 1, 18))),
    ]
    site.listen(5.5, settings(), tmp_path)
    reasons = site.reasons()
    assert "no such file" in reasons[0]
    assert "more faults" in reasons[1]
    assert reasons[2] == "prices.csv has prices until 2026-01-15 19:00 UTC only"
    assert "prices.csv has prices until" in reasons[3]
    assert reasons[4:] == ["ok"]
    assert site.book.known_until_unix_s(FEED, MORNING) == at(2026, 1, 17)
