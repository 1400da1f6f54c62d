"""Cuts a battery's history into spans of about a day, at the turning points of its charge.

A rate law needs a depth and a mean temperature, so a history is cut into spans over which both mean
something. The cut follows the reference (`BLAST-Lite 1.1.1`, `simulate_battery_life`), so that
results can be compared number by number:

* Rain-flow counting (ASTM E1049-85, from the `rainflow` library) finds where charge cycles end.
* Walking over these ends, a span closes as soon as more than one full cycle has passed since the
  last cut; where more than a day lies between, it closes at the first sample past each day.
* The last sample always closes a span. A span holds the samples after the last cut up to and
  including its own closing sample, so the step from one span to the next belongs to neither (one
  step in a hundred at 15 minutes). The reference does the same; simulated time counts what lies
  inside spans only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import rainflow
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# One value a sample; single precision, which no type checker can follow through arithmetic.
SampleArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]

SPAN_S_MAX = 86400.0
SPAN_FULL_CYCLES_MAX = 1.0


@dataclass(frozen=True)
class Spans:
    """Where each span starts and ends.

    `first` and `last` are sample indices, both inclusive; together the spans cover every sample
    once.
    """

    first: IntArray
    last: IntArray


def turning_points(soc: FloatArray) -> IntArray:
    """Sample indices (ascending) at which rain-flow cycles end.

    Args:
        soc: charge as a fraction of capacity, at least two samples.
    """
    reversals = _reversals(soc)
    if len(reversals) == 2:  # never turns: one half cycle over the whole history
        return reversals[1:]
    ends = [end for *_, end in rainflow.extract_cycles(soc[reversals].tolist())]
    return reversals[np.unique(np.array(ends, dtype=np.int64))]


def cut(time_s: FloatArray, soc: FloatArray) -> Spans:
    """Cut a history into spans of at most about a day and at most about one full cycle.

    Args:
        time_s: time of each sample in seconds, increasing, at least two samples.
        soc: charge at each sample as a fraction of capacity.
    """
    full_cycles = np.cumsum(np.abs(np.ediff1d(soc, to_begin=0.0))) / 2
    ends = turning_points(soc)
    cuts: list[int] = []
    last_time_s, last_full_cycles = float(time_s[0]), float(full_cycles[0])
    rows = zip(ends.tolist(), time_s[ends].tolist(), full_cycles[ends].tolist(), strict=True)
    for end, end_time_s, end_full_cycles in rows:
        if end_time_s - last_time_s > SPAN_S_MAX:
            while end_time_s - last_time_s > SPAN_S_MAX:
                day_end = int(time_s.searchsorted(last_time_s + SPAN_S_MAX, "right"))
                if day_end >= end:
                    break
                cuts.append(day_end)
                last_time_s = float(time_s[day_end])
                last_full_cycles = float(full_cycles[day_end])
        elif end_full_cycles - last_full_cycles > SPAN_FULL_CYCLES_MAX:
            cuts.append(end)
            last_time_s, last_full_cycles = end_time_s, end_full_cycles
    final = len(time_s) - 1
    if not cuts or cuts[-1] != final:
        cuts.append(final)
    closing = np.array(cuts, dtype=np.int64)
    return Spans(first=np.concatenate(([0], closing[:-1] + 1)), last=closing)


def _reversals(soc: FloatArray) -> IntArray:
    """Indices where the charge changes direction, with the first and the last sample.

    On a plateau it is the plateau's last sample, as rain-flow counting has it.
    """
    step = np.diff(soc)
    moving = np.flatnonzero(step)
    rising = step[moving] > 0
    turns = moving[1:][rising[1:] != rising[:-1]]
    return np.concatenate(([0], turns, [len(soc) - 1]))
