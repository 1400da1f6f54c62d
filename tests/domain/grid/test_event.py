"""Of events that overlap, the highest priority holds, then the newest; each kind for itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.grid.event import EventInterval, GridEvent, Kind, Signal, in_force

HOUR = 3_600_000_000


def event(
    name: str, priority: int | None, changed: int, kind: Kind, value: float, end: int = HOUR
) -> GridEvent:
    interval = EventInterval(0, end, (Signal(kind, kind, (value,)),))
    return GridEvent(name, "p", "flex", name, priority, changed, (interval,))


def test_priority_then_the_newest() -> None:
    events = [
        event("a", None, 9, "power_kw", 1.0),
        event("b", 5, 1, "power_kw", 2.0),
        event("c", 5, 2, "power_kw", 3.0),
        event("d", 0, 0, "import_price_per_kwh", 4.0),
    ]
    for order in (events, events[::-1]):
        held = in_force(order, 5)
        assert held["power_kw"].value == 3.0
        assert held["import_price_per_kwh"].value == 4.0
    assert in_force(events, HOUR) == {}
    # What is over leaves its place to what still holds.
    longer = [*events, event("e", None, 0, "power_kw", 7.0, 2 * HOUR)]
    assert in_force(longer, HOUR)["power_kw"].value == 7.0


@given(
    values=st.lists(st.floats(-10, 10), min_size=1, max_size=12),
    at=st.integers(0, HOUR - 1),
)
def test_each_moment_of_an_interval_has_the_value_of_its_part(values: list[float], at: int) -> None:
    interval = EventInterval(0, HOUR, (Signal("power_kw", "x", tuple(values)),))
    held = in_force([GridEvent("a", "p", "flex", "", 0, 0, (interval,))], at)["power_kw"]
    assert held.value == values[at * len(values) // HOUR]
    assert held.begin_unix_us <= at < held.end_unix_us
