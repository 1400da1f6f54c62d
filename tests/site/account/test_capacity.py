"""The capacity from charge sessions: right within its error, and not told where there is too little."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.site.account.capacity import SocRise, estimated_capacity, soc_rises
from parkwatt.site.account.curve import register_curve
from parkwatt.site.account.readings import Readings
from parkwatt.site.account.soc import SocReadings
from tests.site.account.made import MONDAY_UNIX_S, US

TRUE_KWH = 57.0
EFFICIENCY = 0.9


def sessions(seed: int, count: int, *, given_kwh: float = 0.0) -> list[SocRise]:
    """Charge sessions of a battery of 57 kWh whose car tells whole per cents; a reading a minute."""
    chance = random.Random(seed)  # noqa: S311 - a home, no secret
    told, imported, exported = SocReadings(), Readings(), Readings()
    spans, metered_kwh, out_kwh = [], 1000.0, 5.0
    for day in range(count):
        start = MONDAY_UNIX_S + day * 86_400
        energy_kwh = chance.uniform(0.1, 0.5) * TRUE_KWH
        minutes = int((chance.uniform(0.65, 0.9) * TRUE_KWH - energy_kwh) / EFFICIENCY / (8 / 60))
        for minute in range(minutes):
            at = (start + minute * 60) * US
            told.add(at, round(energy_kwh / TRUE_KWH, 2))
            imported.add(at, metered_kwh, False)
            exported.add(at, out_kwh, False)
            metered_kwh += 8 / 60
            energy_kwh += 8 / 60 * EFFICIENCY
            if minute == minutes // 2:
                out_kwh += given_kwh
        spans.append((start, start + minutes * 60))
    return soc_rises(told, spans, register_curve(imported, 50.0), register_curve(exported, 50.0))


@given(seed=st.integers(0, 100_000), count=st.integers(4, 40))
@settings(max_examples=25, deadline=None)
def test_the_truth_lies_within_the_error(seed: int, count: int) -> None:
    found = estimated_capacity(sessions(seed, count), EFFICIENCY)
    if found.charges < 1.0:
        assert found.capacity_kwh is None
        return
    assert found.capacity_kwh is not None
    assert found.error_kwh is not None
    assert found.rise_count == count
    assert abs(found.capacity_kwh - TRUE_KWH) <= found.error_kwh
    assert 0.02 * found.capacity_kwh <= found.error_kwh <= 0.05 * found.capacity_kwh


def test_more_sessions_make_it_surer() -> None:
    few, many = (estimated_capacity(sessions(1, count), EFFICIENCY) for count in (4, 40))
    assert few.error_kwh is not None
    assert many.error_kwh is not None
    assert many.error_kwh < few.error_kwh


def test_too_little_is_not_known_yet() -> None:
    found = estimated_capacity(sessions(1, 3), EFFICIENCY)
    assert (found.capacity_kwh, found.error_kwh, found.rise_count) == (None, None, 3)
    assert estimated_capacity([], EFFICIENCY).capacity_kwh is None
    short = [SocRise(0, 3600, 0.2, 0.35, 0.15 * TRUE_KWH / EFFICIENCY)] * 6
    assert estimated_capacity(short, EFFICIENCY).capacity_kwh is None


def test_what_was_given_in_between_ends_a_rise() -> None:
    whole, halves = sessions(1, 6), sessions(1, 6, given_kwh=1.0)
    assert len(whole) == 6
    assert len(halves) > 6
    assert sum(one.metered_kwh for one in halves) < sum(one.metered_kwh for one in whole)


def test_balancing_at_the_top_is_no_rise() -> None:
    told, imported = SocReadings(), Readings()
    for minute in range(180):
        soc = min(0.5 + minute * 0.005, 1.0)
        told.add((MONDAY_UNIX_S + minute * 60) * US, round(soc, 2))
        imported.add((MONDAY_UNIX_S + minute * 60) * US, minute * 0.3, False)
    spans = [(MONDAY_UNIX_S, MONDAY_UNIX_S + 180 * 60)]
    (rise,) = soc_rises(told, spans, register_curve(imported, 50.0), None)
    assert rise.soc_to == 1.0
    assert rise.metered_kwh == pytest.approx(30.0, abs=0.6)


def test_a_false_state_of_charge_does_not_count() -> None:
    good = sessions(3, 8)
    false = SocRise(0, 3600, 0.1, 0.9, 2.0)
    assert estimated_capacity([*good, false], EFFICIENCY) == estimated_capacity(good, EFFICIENCY)
