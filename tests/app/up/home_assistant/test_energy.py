"""Counters only grow, and one kind never takes the place of the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.up.home_assistant.energy import EnergyCounters
from parkwatt.domain.site.event import IntervalClosed
from parkwatt.domain.site.reading import SiteReading

KWH = st.none() | st.floats(0.0, 50.0)


def test_a_register_is_shown_as_it_is() -> None:
    counters = EnergyCounters()
    reading = SiteReading(import_kwh=5230.0)
    assert counters.import_kwh(SiteReading()) is None
    assert counters.import_kwh(reading) == 5230.0
    counters.take(IntervalClosed(0, 900, import_kwh=1.0, export_kwh=0.5), reading)
    assert counters.import_kwh(reading) == 5230.0
    assert counters.export_kwh(reading) == 0.5


def test_without_a_register_quarters_are_added_up_and_a_late_register_changes_nothing() -> None:
    counters = EnergyCounters()
    for _ in range(3):
        counters.take(IntervalClosed(0, 900, import_kwh=1.0, load_kwh=0.5), SiteReading())
    assert counters.import_kwh(SiteReading(import_kwh=5230.0)) == 3.0
    assert counters.load_kwh == 1.5


@given(st.lists(st.tuples(KWH, KWH, KWH, KWH), max_size=30))
def test_counters_only_grow(quarters: list[tuple[float | None, ...]]) -> None:
    counters, before = EnergyCounters(), (0.0, 0.0, 0.0, 0.0)
    for taken, given_, load, solar in quarters:
        closed = IntervalClosed(
            0, 900, import_kwh=taken, export_kwh=given_, load_kwh=load, solar_kwh=solar
        )
        counters.take(closed, SiteReading())
        now = (
            counters.import_kwh(SiteReading()) or 0.0,
            counters.export_kwh(SiteReading()) or 0.0,
            counters.load_kwh,
            counters.solar_kwh,
        )
        assert all(new >= old for new, old in zip(now, before, strict=True))
        before = now
