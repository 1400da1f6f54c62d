"""What is kept on disk counts for one state of all sources of the kernels."""

from __future__ import annotations

from typing import Any

from parkwatt.plan.batch import compiled, linear
from parkwatt.plan.coordinate import moves


def stamp(kernel: Any) -> tuple[str, ...]:
    """What Numba compares with what it kept: the field is its own, so this breaks where it moves."""
    found: tuple[str, ...] = kernel._cache._cache_file._source_stamp
    return found


def test_a_kernel_is_kept_for_all_sources_it_is_made_of() -> None:
    batch = compiled._digest("parkwatt.plan.batch")
    assert len(batch) == 64
    assert stamp(linear.plan_linear) == (batch,)
    assert stamp(moves.reply) == (batch, compiled._digest("parkwatt.plan.coordinate"))
