"""What circuits used by the hour: power and registers, gaps, hours in which they were shed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.event import CircuitHour
from parkwatt.home.circuit_hours import CircuitHours

US = 1_000_000
BEGIN_S = 1_700_000_000 - 1_700_000_000 % 3600
NONE: frozenset[str] = frozenset()


def _run(
    powers_kw: list[float | None],
    step_s: int = 30,
    *,
    by_register: bool = False,
    shed: frozenset[str] = NONE,
) -> list[CircuitHour]:
    hours, found, register_kwh = CircuitHours(), [], 100.0
    for index, power_kw in enumerate(powers_kw):
        now_unix_us = (BEGIN_S + index * step_s) * US
        told_kwh = register_kwh if by_register else None
        reading = CircuitReading("fridge", now_unix_us, True, power_kw, told_kwh)
        found += hours.add([reading], shed, now_unix_us)
        register_kwh += (power_kw or 0.0) * step_s / 3600
    return found


@given(st.lists(st.floats(0, 5), min_size=125, max_size=250), st.booleans())
def test_an_hour_holds_the_energy_that_flowed(powers_kw: list[float], by_register: bool) -> None:
    hours = _run(list(powers_kw), by_register=by_register)
    assert hours[0].start_unix_s == BEGIN_S
    assert hours[0].energy_kwh == pytest.approx(sum(powers_kw[:120]) * 30 / 3600, abs=0.05)
    assert hours[0].coverage > 0.98


def test_what_was_not_measured_is_left_out_and_said() -> None:
    hours = _run([1.0] * 60 + [None] * 60 + [1.0] * 5)
    assert hours[0].energy_kwh == pytest.approx(0.5, abs=0.02)
    assert hours[0].coverage == pytest.approx(0.5, abs=0.02)


def test_a_meter_that_stands_still_tells_nothing() -> None:
    hours, old, found = CircuitHours(), CircuitReading("fridge", BEGIN_S * US, True, 1.0, 7.0), []
    for step in range(0, 3700, 30):
        found += hours.add([old], NONE, (BEGIN_S + step) * US)
    assert all(hour.coverage < 0.1 for hour in found)


def test_an_hour_in_which_it_was_shed_teaches_nothing() -> None:
    assert _run([1.0] * 125, shed=frozenset({"fridge"}))[0].could_run is False
    assert _run([1.0] * 125)[0].could_run


def test_a_night_without_the_program_is_not_told() -> None:
    hours = CircuitHours()
    hours.add([CircuitReading("a", BEGIN_S * US, True, 1.0)], NONE, BEGIN_S * US)
    later = (BEGIN_S + 40_000) * US
    assert hours.add([CircuitReading("a", later, True, 1.0)], NONE, later) == []


def _ran(powers_kw: Sequence[float | None], shed: frozenset[str] = NONE) -> dict[str, float]:
    """What ran in the last hour, after readings every half minute from the beginning of an hour on."""
    hours, now_unix_us = CircuitHours(), 0
    for index, power_kw in enumerate(powers_kw):
        now_unix_us = (BEGIN_S + index * 30) * US
        hours.add([CircuitReading("fridge", now_unix_us, True, power_kw)], shed, now_unix_us)
    return hours.running_kw(now_unix_us)


@given(st.integers(70, 500), st.floats(0, 5))
def test_what_runs_is_the_mean_of_the_last_hour(count: int, power_kw: float) -> None:
    assert _ran([power_kw] * count) == {"fridge": pytest.approx(power_kw)}


def test_the_hour_before_counts_for_what_the_hour_that_runs_has_left_to_go() -> None:
    """An hour at 1 kW, then a quarter of an hour at 3 kW."""
    assert _ran([1.0] * 120 + [3.0] * 31)["fridge"] == pytest.approx(0.75 + 0.75, rel=0.02)


def test_what_could_not_run_or_is_not_measured_is_not_told_to_run() -> None:
    assert _ran([1.0] * 50) == {}, "less than half an hour is known"
    assert _ran([1.0] * 200, shed=frozenset({"fridge"})) == {}
    assert _ran([1.0] * 120 + [None] * 100) == {}


def test_a_circuit_whose_readings_ended_is_not_told_to_run() -> None:
    hours = CircuitHours()
    for index in range(120):
        now_unix_us = (BEGIN_S + index * 30) * US
        hours.add([CircuitReading("fridge", now_unix_us, True, 1.0)], NONE, now_unix_us)
    assert hours.running_kw((BEGIN_S + 3600) * US) == {"fridge": pytest.approx(1.0)}
    assert hours.running_kw((BEGIN_S + 4000) * US) == {}
