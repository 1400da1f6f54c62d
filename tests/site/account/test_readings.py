"""A register's values: a set that keeps what matters, whatever the order in which it comes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.account.readings import QUARTER_US, IntervalEnergies, Readings

MINUTE_US = 60_000_000


def kept(values: list[tuple[int, float, bool]]) -> list[tuple[int, float]]:
    """What is kept of these values."""
    readings = Readings()
    for at_unix_us, value_kwh, pinned in values:
        readings.add(at_unix_us, value_kwh, pinned)
    return list(zip(readings.at_unix_us, readings.value_kwh, strict=True))


def test_of_a_quarter_the_first_and_last_value_are_kept_and_where_a_transaction_ends() -> None:
    values = [(minute * MINUTE_US, float(minute), minute == 7) for minute in range(31)]
    assert [at // MINUTE_US for at, _ in kept(values)] == [0, 7, 14, 15, 29, 30]


def test_a_register_that_stands_still_keeps_its_ends() -> None:
    values = [(minute * MINUTE_US, max(minute - 100.0, 0.0), False) for minute in range(111)]
    assert [at // MINUTE_US for at, _ in kept(values)][:2] == [0, 100]


def test_what_goes_back_is_kept() -> None:
    values = [(0, 5.0, False), (1, 6.0, False), (2, 0.0, False), (3, 1.0, False)]
    assert [value for _, value in kept(values)] == [5.0, 6.0, 0.0, 1.0]


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 900), st.sampled_from([0.0, 0.0, 0.1, 0.5]), st.booleans()),
        min_size=1,
        max_size=60,
    ),
    seed=st.integers(0, 1000),
)
def test_the_order_of_arrival_changes_nothing_at_the_edges_of_quarters(
    steps: list[tuple[int, float, bool]], seed: int
) -> None:
    at_unix_us, value_kwh, values = 0, 10.0, []
    for passed_s, moved_kwh, pinned in steps:
        at_unix_us += passed_s * 1_000_000
        value_kwh += moved_kwh
        values.append((at_unix_us, value_kwh, pinned and passed_s > 450))
    shuffled = values * 2
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, no secret
    first, second = dict(kept(values)), dict(kept(shuffled))
    for quarter in range(at_unix_us // QUARTER_US + 2):
        edge = quarter * QUARTER_US
        assert _between(first, edge) == _between(second, edge)


def _between(points: dict[int, float], at_unix_us: int) -> float:
    """The value on the straight line at a time."""
    before = max((at for at in points if at <= at_unix_us), default=None)
    after = min((at for at in points if at >= at_unix_us), default=None)
    if before is None or after is None:
        nearest = min(points, key=lambda at: abs(at - at_unix_us))
        return points[nearest]
    if before == after or points[before] == points[after]:
        return points[before]
    share = (at_unix_us - before) / (after - before)
    return points[before] + share * (points[after] - points[before])


def test_an_interval_counts_once_for_its_time() -> None:
    energies = IntervalEnergies()
    for at, kwh in ((20, 0.2), (10, 0.1), (20, 0.2), (10, 0.3)):
        energies.add(at, kwh)
    assert (energies.at_unix_us, energies.energy_kwh) == ([10, 20], [0.3, 0.2])
