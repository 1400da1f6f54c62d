"""When reports on an event are due, and over what."""

from __future__ import annotations

from parkwatt.domain.grid.event import FOREVER_US, EventInterval, GridEvent
from parkwatt.domain.grid.report import ReportWanted, due

HOUR = 3_600_000_000


def event(count: int = 4, end: int | None = None) -> GridEvent:
    spans = [(n * HOUR, (n + 1) * HOUR if end is None else end) for n in range(count)]
    return GridEvent("e", "p", "flex", "", None, 0, tuple(EventInterval(*one, ()) for one in spans))


def spans(wanted: ReportWanted, now: int, of: GridEvent | None = None) -> list[tuple[int, ...]]:
    found = due(of or event(), wanted, now, 900.0)
    return [tuple(begin // HOUR for begin, _ in one.spans_unix_us) for one in found]


def test_by_default_one_report_of_all_at_the_end() -> None:
    wanted = ReportWanted("USAGE", "energy_kwh")
    assert spans(wanted, 4 * HOUR - 1) == []
    assert spans(wanted, 4 * HOUR) == [(0, 1, 2, 3)]


def test_after_each_interval_as_often_as_asked() -> None:
    wanted = ReportWanted("USAGE", "energy_kwh", at_interval=1, count=1, times=-1)
    assert spans(wanted, HOUR) == [(0,)]
    assert spans(wanted, 4 * HOUR) == [(0,), (1,), (2,), (3,)]
    assert spans(ReportWanted("USAGE", "energy_kwh", 1, 1, times=2), 4 * HOUR) == [(0,), (1,)]
    every_other = ReportWanted("USAGE", "energy_kwh", at_interval=2, count=2, every=2, times=-1)
    assert spans(every_other, 4 * HOUR) == [(0, 1), (2, 3)]


def test_ahead() -> None:
    wanted = ReportWanted("UP", "up_kw", at_interval=0, count=2, historical=False)
    assert spans(wanted, 0) == [(0, 1)]


def test_an_event_without_an_end_is_reported_in_parts() -> None:
    wanted = ReportWanted("USAGE", "energy_kwh", times=-1)
    endless = event(1, FOREVER_US)
    assert due(endless, wanted, 899_000_000, 900.0) == []
    (first,) = due(endless, wanted, 900_000_000, 900.0)
    assert first.spans_unix_us == ((0, 900_000_000),)
    (third,) = due(endless, wanted, 2_800_000_000, 900.0)
    assert (third.number, third.spans_unix_us[0][0]) == (2, 1_800_000_000)


def test_an_event_without_intervals_has_no_reports() -> None:
    assert due(event(0), ReportWanted("USAGE", "energy_kwh"), HOUR, 900.0) == []
