"""How wrong each baseline is where it can be known: on days without a call, when the meter shows the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from parkwatt.fleet.proof.baseline import RULES, Readings, Window


@dataclass(frozen=True, slots=True)
class Bias:
    """Baseline less what was drawn, mean kW over a window, of ``count`` windows; ``missing`` had no baseline.

    A mean above 0 pays for energy that nobody gave.
    """

    baseline: str
    count: int
    missing: int
    mean_kw: float | None
    p10_kw: float | None
    p50_kw: float | None
    p90_kw: float | None


def placebo_bias(
    meters: Iterable[Readings], windows: Sequence[Window], names: Sequence[str] = tuple(RULES)
) -> list[Bias]:
    """The bias of each baseline over all meters and windows, which must lie on days without a call.

    A window that the meter does not know is left aside. ``names``: keys of `RULES`.
    """
    errors: dict[str, list[float]] = {name: [] for name in names}
    missing = dict.fromkeys(names, 0)
    for readings in meters:
        for span in windows:
            duration_s = span.end_unix_s - span.start_unix_s
            truth = readings.energies_kwh(span.start_unix_s, duration_s // readings.step_s)
            if truth is None:
                continue
            for name in names:
                told = RULES[name](readings, span).net_kwh
                if told is None:
                    missing[name] += 1
                else:
                    errors[name].append(float((told - truth).sum()) * 3600 / duration_s)
    return [_bias(name, errors[name], missing[name]) for name in names]


def _bias(name: str, errors_kw: list[float], missing: int) -> Bias:
    if not errors_kw:
        return Bias(name, 0, missing, None, None, None, None)
    low, middle, high = np.percentile(errors_kw, [10, 50, 90])
    mean = float(np.mean(errors_kw))
    return Bias(name, len(errors_kw), missing, mean, float(low), float(middle), float(high))
