"""The fold of circuits' hours."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.event import CircuitHour
from parkwatt.home.learning.history import HOURS_KEPT, CircuitHistory

HOUR_S = 3600
START_UNIX_S = 1_704_067_200


def hour(number: int, energy_kwh: float, **rest: object) -> CircuitHour:
    return msgspec.convert(
        {
            "kind": "circuit.hour",
            "circuit_id": "a",
            "start_unix_s": START_UNIX_S + number * HOUR_S,
            "energy_kwh": energy_kwh,
            **rest,
        },
        CircuitHour,
    )


def energies(history: CircuitHistory, hours: int) -> list[float]:
    first, table = history.table(["a"], START_UNIX_S + hours * HOUR_S)
    assert first == START_UNIX_S // HOUR_S
    return [round(float(value), 4) for value in table[:, 0]]


def test_an_hour_that_was_not_told_is_unknown() -> None:
    found = energies(CircuitHistory.of([hour(0, 0.5), hour(2, 0.0)]), 4)
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert found[2] == 0.0
    assert len(found) == 3 or np.isnan(found[3])


def test_an_hour_measured_in_part_is_scaled_up_and_one_hardly_measured_unknown() -> None:
    found = energies(CircuitHistory.of([hour(0, 0.3, coverage=0.6), hour(1, 0.3, coverage=0.4)]), 2)
    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_an_hour_in_which_it_was_shed_teaches_nothing() -> None:
    found = energies(CircuitHistory.of([hour(0, 0.4), hour(1, 0.0, could_run=False)]), 2)
    assert found[0] == 0.4
    assert np.isnan(found[1])


def test_what_is_after_now_is_not_told() -> None:
    history = CircuitHistory.of([hour(0, 0.4), hour(1, 0.5), hour(2, 0.6)])
    assert energies(history, 2) == [0.4, 0.5]


@given(st.permutations(range(12)))
def test_the_order_of_events_does_not_matter(order: list[int]) -> None:
    history = CircuitHistory.of(hour(number, number / 8) for number in order)
    assert energies(history, 12) == [round(number / 8, 4) for number in range(12)]


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 5)), min_size=1))
def test_a_snapshot_gives_the_history_back(told: list[tuple[int, float]]) -> None:
    history = CircuitHistory.of(hour(*one) for one in told)
    again = msgspec.json.decode(msgspec.json.encode(history), type=CircuitHistory)
    now = START_UNIX_S + 50 * HOUR_S
    assert again.table(["a"], now)[0] == history.table(["a"], now)[0]
    np.testing.assert_array_equal(again.table(["a"], now)[1], history.table(["a"], now)[1])
    again.add(hour(41, 1.0))
    assert energies_of_hour(again, 41) == 1.0


def energies_of_hour(history: CircuitHistory, number: int) -> float:
    first, table = history.table(["a"], START_UNIX_S + (number + 1) * HOUR_S)
    return float(table[START_UNIX_S // HOUR_S + number - first, 0])


def test_it_forgets_what_is_older_than_it_keeps_and_outlives_a_long_silence() -> None:
    history = CircuitHistory.of(hour(number, 0.1) for number in range(HOURS_KEPT + 2000))
    assert len(history.rows["a"].energies) // 4 < HOURS_KEPT + 1000
    assert (
        history.table(["a"], START_UNIX_S + (HOURS_KEPT + 2000) * HOUR_S)[1].shape[0] == HOURS_KEPT
    )
    history.add(hour(10 * HOURS_KEPT, 0.2))
    assert round(energies_of_hour(history, 10 * HOURS_KEPT), 4) == 0.2
    history.add(hour(3, 0.3))  # far too old: dropped
    assert round(energies_of_hour(history, 10 * HOURS_KEPT), 4) == 0.2
