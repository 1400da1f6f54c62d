"""Chance from a seed: the same month goes wrong in the same way."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.sim.home.mishaps import KINDS, Mishap, draw_mishaps

MONTH_S = 30 * 86_400.0


def drawn_for(seed: int, often: float) -> list[Mishap]:
    """A month's mishaps."""
    return draw_mishaps(Random(seed), MONTH_S, often=often)  # noqa: S311 repeatable


@given(seed=st.integers(0, 10_000), often=st.floats(0.1, 20.0))
def test_mishaps_are_in_order_and_of_one_kind_one_after_the_other(seed: int, often: float) -> None:
    drawn, again = (drawn_for(seed, often) for _ in range(2))
    assert drawn == again
    assert all(0.0 <= one.start_s < MONTH_S and 0.0 <= one.size <= 1.0 for one in drawn)
    assert all(before.start_s <= after.start_s for before, after in pairwise(drawn))
    for kind in KINDS:
        same = [one for one in drawn if one.kind == kind]
        assert all(one.start_s + one.duration_s <= after.start_s for one, after in pairwise(same))


def test_a_usual_month_has_a_few_of_each_kind() -> None:
    counts = dict.fromkeys(KINDS, 0)
    for seed in range(100):
        for one in drawn_for(seed, 1.0):
            counts[one.kind] += 1
    assert all(count > 50 for count in counts.values()), counts
