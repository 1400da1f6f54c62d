"""Following the meter without flicker: gaps are bridged, starts have to last, and what the plan changes is not held up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.guard.facts import Proposal
from parkwatt.site.live.calm import Calm

_US = 1_000_000
_BEGIN_US = 1_700_000_000 * _US


def _wanted(power_kw: float, *, following: bool = True) -> Proposal:
    return Proposal("CP-1", 1, power_kw, "because", following=following)


def _after(calm: Calm, power_kw: float, held_kw: float, at_s: float, share: float = 0.0) -> float:
    at_us = _BEGIN_US + round(at_s * _US)
    told = calm.smooth("CP-1/1", _wanted(power_kw), held_kw, share, at_us).power_kw
    assert told is not None
    return told


def test_what_the_plan_changes_passes_at_once() -> None:
    proposal = _wanted(-3.0, following=False)
    assert Calm().smooth("CP-1/1", proposal, 0.0, 1.0, _BEGIN_US) == proposal


def test_a_gap_of_the_surplus_is_bridged_for_a_quarter_of_an_hour() -> None:
    calm = Calm()
    assert _after(calm, 0.0, 2.0, 0.0) == 0.1
    assert _after(calm, 0.0, 0.1, 890.0) == 0.1
    assert _after(calm, 1.5, 0.1, 895.0) == 1.5
    assert _after(calm, 0.0, 1.5, 900.0) == 0.1
    assert _after(calm, 0.0, 0.1, 1810.0) == 0.0


def _first_start_s(power_kw: float, share: float, step_s: int = 5) -> int | None:
    """When a charger that rests starts, seconds after a steady demand began; None: not within two hours."""
    calm = Calm()
    for at_s in range(0, 7200, step_s):
        if _after(calm, power_kw, 0.0, at_s, share):
            return at_s
    return None


def test_a_start_has_to_be_worth_it_and_the_more_the_more_switchings_were_used() -> None:
    assert _first_start_s(-3.0, 0.0) == 15, "it lasts a little at least"
    assert _first_start_s(-0.1, 0.0) == 180, "a small demand waits for 5 Wh"
    assert _first_start_s(-2.0, 0.5) == 125
    assert _first_start_s(-2.0, 1.0) == 460
    assert _first_start_s(1.0, 1.0) == 920
    assert _first_start_s(-0.1, 1.0) is None


def test_seconds_without_a_step_do_not_count_as_energy_forgone() -> None:
    calm = Calm()
    assert _after(calm, -0.3, 0.0, 0.0) == 0.0
    assert _after(calm, -0.3, 0.0, 3600.0) == 0.0


def test_discharging_ends_at_once_when_the_sun_takes_over() -> None:
    assert _after(Calm(), 1.0, -2.0, 0.0) == 0.0
    assert _after(Calm(), 0.0, -2.0, 0.0) == 0.0


@given(
    st.lists(
        st.tuples(st.floats(-5.0, 5.0), st.floats(0.0, 300.0), st.booleans()),
        min_size=1,
        max_size=60,
    ),
    st.floats(0.0, 1.0),
)
def test_it_never_asks_for_more_than_was_wanted_nor_discharges_of_its_own(
    steps: list[tuple[float, float, bool]], share: float
) -> None:
    calm, held_kw, at_us = Calm(), 0.0, _BEGIN_US
    for power_kw, passed_s, following in steps:
        at_us += round(passed_s * _US)
        proposal = replace(_wanted(power_kw), following=following)
        told = calm.smooth("CP-1/1", proposal, held_kw, share, at_us).power_kw
        assert told is not None
        assert told in (power_kw, 0.0, 0.1)
        assert not (told == 0.1 != power_kw and held_kw <= 0.05)
        held_kw = told
