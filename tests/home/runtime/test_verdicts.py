"""What may stay on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.home.circuit import Circuit
from parkwatt.forecast.local_time import HOUR_S
from parkwatt.home.learning import CircuitHistory, LearnedUse
from parkwatt.home.runtime import (
    PLANNED,
    UNPLANNED,
    Mobility,
    RuntimeRequest,
    energy_verdicts,
    expected_end,
)
from tests.home.learning.made_home import ZONE
from tests.home.runtime.made_request import (
    CIRCUITS,
    NOW_UNIX_S,
    battery,
    constant_use,
    request,
    sun,
)

COUNT = 40


def constant(*power_kw: float, **changed: object) -> RuntimeRequest:
    return request(use=constant_use(power_kw), **changed)


def allowed(asked: RuntimeRequest, hours: int) -> set[str]:
    verdicts = energy_verdicts(asked, NOW_UNIX_S + hours * HOUR_S, count=COUNT)
    assert all(one.asks != one.allowed for one in verdicts.values())
    return {name for name, one in verdicts.items() if one.allowed}


def test_all_may_stay_on_where_there_is_enough() -> None:
    assert allowed(constant(1.0, 0.5, 0.5), 19) == {"must", "nice", "luxury"}


def test_what_is_not_needed_goes_before_what_is_nice_to_have() -> None:
    assert allowed(constant(1.0, 0.5, 0.5), 25) == {"must", "nice"}


def test_what_is_nice_to_have_may_stay_for_now_as_long_as_the_rest_suffices() -> None:
    """40 kWh: 1 kW for 38 h leaves 2 kWh, which is two hours of the nice 0.5 kW and more."""
    asked = constant(1.0, 0.5, 0.5)
    assert allowed(asked, 38) == {"must", "nice"}
    assert allowed(constant(1.0, 0.5, 0.5, off=frozenset({"nice"})), 39) == {"must"}
    assert allowed(asked, 40) == {"must"}


def test_nothing_shortens_what_must_stay_where_it_is_too_little_anyway() -> None:
    verdicts = energy_verdicts(constant(1.0, 0.5, 0.5), NOW_UNIX_S + 60 * HOUR_S, count=COUNT)
    assert [one.allowed for one in verdicts.values()] == [True, False, False]
    assert verdicts["must"].reason == "must stay: lasts 40 of 60 h"
    assert verdicts["nice"].asks
    assert verdicts["nice"].costs_hours == pytest.approx(40 - 40 / 1.5, abs=0.01)
    assert "13 h of the 60 h" in verdicts["nice"].reason


def test_sun_that_would_be_lost_may_be_used() -> None:
    """By day the sun carries all; at night nothing is on but what must be, and that lasts either way."""
    noon = NOW_UNIX_S + 12 * HOUR_S
    strong = sun(20.0)[:, 48:]
    asked = constant(
        0.5, 0.5, at_unix_s=noon, solar_kw=strong, batteries=(battery(energy_kwh=11.0),)
    )
    verdicts = energy_verdicts(asked, noon + 48 * HOUR_S, count=COUNT)
    assert verdicts["nice"].allowed


def test_what_a_driver_needs_is_not_given_to_what_is_nice_to_have() -> None:
    wish = Mobility(battery_id="car", energy_kwh=30.0, ready_unix_s=NOW_UNIX_S + 9 * HOUR_S)
    assert allowed(constant(1.0, 0.5, 0.5), 19) == {"must", "nice", "luxury"}
    assert allowed(constant(1.0, 0.5, 0.5, mobility=wish), 20) == {"must"}


def test_medical_circuits_and_those_without_a_switch_always_stay() -> None:
    circuits = (
        Circuit("oxygen", "oxygen", "not_needed", 0.5, 0.5, medical=True),
        Circuit("wired", "wired", "nice_to_have", 0.5, 0.5, switchable=False),
    )
    use = LearnedUse.of(CircuitHistory(), circuits, ZONE, NOW_UNIX_S)
    verdicts = energy_verdicts(request(use=use), NOW_UNIX_S + 200 * HOUR_S, count=COUNT)
    assert all(one.allowed for one in verdicts.values())


@settings(max_examples=10, deadline=None)
@given(st.floats(12.0, 80.0), st.integers(4, 100))
def test_a_shorter_outage_allows_as_much_to_the_end(energy_kwh: float, hours: int) -> None:
    asked = request(batteries=(battery(energy_kwh=energy_kwh),))
    to_the_end = [
        {
            name
            for name, one in energy_verdicts(asked, NOW_UNIX_S + h * HOUR_S, count=COUNT).items()
            if "to the end" in one.reason and one.allowed
        }
        for h in (hours, 2 * hours)
    ]
    assert len(to_the_end[0]) >= len(to_the_end[1])
    must = {one.circuit_id for one in CIRCUITS if one.tier == "must_have"}
    assert must <= allowed(asked, hours)


def test_lengths_of_outages_that_have_gone_on() -> None:
    """At their start three of four unplanned ones are over within 4.2 h, and of planned ones within 63.6 h."""
    assert UNPLANNED.total_h(0.0, 0.75) == pytest.approx(4.2, rel=0.08)
    assert PLANNED.total_h(0.0, 0.5) == pytest.approx(43.6, rel=0.05)
    ahead = [UNPLANNED.total_h(hours, 0.75) - hours for hours in (1, 4, 12, 40, 100)]
    assert ahead == sorted(ahead)  # the longer it went on, the longer it will


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 300.0), st.floats(0.05, 0.95), st.sampled_from([PLANNED, UNPLANNED]))
def test_an_outage_that_goes_on_ends_later_than_now(
    elapsed_h: float, share: float, lengths: object
) -> None:
    total_h = lengths.total_h(elapsed_h, share)  # type: ignore[attr-defined]
    assert total_h > elapsed_h


def test_an_unknown_end_is_reckoned_from_how_long_it_has_gone_on() -> None:
    begun = expected_end(NOW_UNIX_S, None)
    assert begun - NOW_UNIX_S == 24 * HOUR_S, "a day at least, though most are over in four hours"
    gone_on = expected_end(NOW_UNIX_S, NOW_UNIX_S - 12 * HOUR_S)
    assert gone_on - NOW_UNIX_S > begun - NOW_UNIX_S
    shut_off = expected_end(NOW_UNIX_S, None, PLANNED)
    assert 95 < (shut_off - NOW_UNIX_S) / HOUR_S < 121
    home = constant(1.0, 0.5, 0.5)
    unknown = energy_verdicts(home, None, count=COUNT)
    known = energy_verdicts(home, begun, count=COUNT)
    assert [one.allowed for one in unknown.values()] == [one.allowed for one in known.values()]
