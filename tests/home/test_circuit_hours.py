"""What circuits used by the hour: power and registers, gaps, hours in which they were shed."""

from __future__ import annotations

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
