"""How well a pool answered: PJM's performance score, and the tests of Continental Europe's reserve.

Signals and responses are shares of the reserve, -1 … 1, of the same sign.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import InputError, InputFault

FloatArray = NDArray[np.float64]
SAMPLE_S: Final = 10
# PJM Manual 12, 4.5.6: parts of five minutes, of an hour; the answer may come up to five minutes late.
PART: Final = 30
PARTS: Final = 12
HOUR_SAMPLES: Final = PART * (PARTS + 1)
# Below these a signal is called constant, and so is a response (as the DOE's GMLC code, which the manual does not say).
_STILL_SIGNAL: Final = 0.01
_STILL_RESPONSE: Final = 1e-5


class PerformanceScore(NamedTuple):
    """PJM's three parts, and their mean."""

    score: float
    delay: float
    correlation: float
    precision: float


def pjm_score(signal: FloatArray, response: FloatArray) -> PerformanceScore:
    """The score of an hour: both [390] samples 10 s apart, 65 minutes, of which the last five only take in a late answer.

    For each of twelve parts of five minutes: *correlation* is the best coefficient over responses 0, 10, … 300 s later, *delay*
    (300 s − that delay) / 300 s, *precision* 1 − mean |response − signal| / mean |signal|, at least 0. Of a part whose signal
    stands still, correlation is 1 − the difference of both slopes per sample and delay 1. A part without any signal has no
    scale to be precise by: what is off there is held against the reserve.

    Source: PJM Manual 12, as the US Department of Energy's GMLC code has it (battery_interface, reg_service.perf_score), which
    divides by 0 in that last case. Raises InputError where a shape or a value is wrong.
    """
    signal, response = np.asarray(signal, float), np.asarray(response, float)
    faults = [
        InputFault(name, f"must be {HOUR_SAMPLES} finite numbers", one.shape)
        for name, one in (("signal", signal), ("response", response))
        if one.shape != (HOUR_SAMPLES,) or not np.isfinite(one).all()
    ]
    if faults:
        raise InputError(faults)
    parts = np.array([_part(signal, response, PART * index) for index in range(PARTS)])
    delay, correlation, precision = (float(one) for one in parts.mean(axis=0))
    return PerformanceScore((delay + correlation + precision) / 3.0, delay, correlation, precision)


def _part(signal: FloatArray, response: FloatArray, at: int) -> tuple[float, float, float]:
    """Delay, correlation and precision of the part that begins with sample ``at``."""
    asked, given = signal[at : at + PART], response[at : at + PART]
    off = np.abs(given - asked)
    size = float(np.abs(asked).mean())
    precision = max(0.0, 1.0 - float((off / size).sum()) / PART if size > 0.0 else 1.0 - off.mean())
    if float(np.std(asked)) < _STILL_SIGNAL:
        axis = np.arange(float(PART))
        slopes = (float(np.polyfit(axis, one, 1)[0]) for one in (asked, given))
        return 1.0, max(0.0, 1.0 - abs(next(slopes) - next(slopes))), precision
    found = np.array(
        [_likeness(asked, response[at + late : at + late + PART]) for late in range(PART + 1)]
    )
    late = PART if found.sum() == 0.0 else int(np.argmax(found))
    return abs(SAMPLE_S * late - 300.0) / 300.0, float(found[late]), precision


def _likeness(asked: FloatArray, given: FloatArray) -> float:
    """Pearson's coefficient; 0 for a response that stands still."""
    if float(np.std(given)) < _STILL_RESPONSE:
        return 0.0
    return float(np.corrcoef(asked, given)[0, 1])


def pjm_scores(signal: FloatArray, response: FloatArray) -> list[PerformanceScore]:
    """The score of each hour of a record, samples 10 s apart [T]; hours follow each other, and the rest is left out.

    The five minutes after the last hour are needed, too.
    """
    step = PART * PARTS
    hours = max(0, (min(len(signal), len(response)) - PART) // step)
    return [
        pjm_score(signal[at : at + HOUR_SAMPLES], response[at : at + HOUR_SAMPLES])
        for at in range(0, hours * step, step)
    ]


class StepTest(NamedTuple):
    """An answer to a step of the frequency. ``half_s``, ``full_s``: when half and all of it was there for the first time, None:
    never; ``least``, ``most``: share of what was asked, from ``full_activation_s`` on, and ``most`` at any time. ``passed``:
    half in half the time, all in time, never below 1 (less ``tolerance``) after it, never above the most.
    """

    half_s: float | None
    full_s: float | None
    least: float
    most: float
    passed: bool


def step_test(
    response: FloatArray,
    *,
    full_activation_s: float,
    most: float,
    step_s: float = 1.0,
    tolerance: float = 0.005,
) -> StepTest:
    """Judge an answer [T] as shares of what was asked, from the moment of the step on.

    Source: Regulation (EU) 2017/1485, article 154 (full activation within 30 s, at least half within 15 s); ``most``: 1.2 as
    the programme says. ``tolerance``: what meters may be off (Parkwatt's choice). Raises InputError where the record is
    shorter than the full activation.
    """
    times_s = (np.arange(len(response)) + 1.0) * step_s
    late = times_s >= full_activation_s
    if not late.any():
        raise InputError(
            [InputFault("response", "must last longer than the activation", len(response))]
        )
    half, full = (_first(times_s, response >= share - tolerance) for share in (0.5, 1.0))
    least, peak = float(response[late].min()), float(response.max())
    passed = (
        half is not None
        and half <= full_activation_s / 2.0
        and full is not None
        and full <= full_activation_s
        and least >= 1.0 - tolerance
        and peak <= most + tolerance
    )
    return StepTest(half, full, least, peak, passed)


def _first(times_s: NDArray[np.floating[Any]], is_there: NDArray[np.bool_]) -> float | None:
    return float(times_s[int(np.argmax(is_there))]) if is_there.any() else None


class EnergyTest(NamedTuple):
    """Full activation without end in sight: ``held_s`` until less than all (less ``tolerance``) was given, at most as long as
    the test; ``least``: the least share after the activation.
    """

    held_s: float
    least: float
    passed: bool


def energy_test(
    response: FloatArray,
    *,
    reserve_minutes: float,
    full_activation_s: float,
    step_s: float = 1.0,
    tolerance: float = 0.005,
) -> EnergyTest:
    """Whether the full reserve [T] (shares of what was asked) was held for ``reserve_minutes`` after its activation."""
    begin = round(full_activation_s / step_s)
    end = begin + round(reserve_minutes * 60.0 / step_s)
    held = np.asarray(response[begin:end], float)
    short = np.flatnonzero(held < 1.0 - tolerance)
    held_s = float(short[0] if short.size else len(held)) * step_s
    least = float(held.min()) if held.size else 0.0
    return EnergyTest(held_s, least, held_s >= reserve_minutes * 60.0)


class Delivery(NamedTuple):
    """How a record was answered: ``within_share`` of the seconds in which the answer lay between what the last
    ``full_activation_s`` asked for at the least and at the most, within ``tolerance`` of the reserve; ``mean_off``: mean
    |answer − asked|, as a share of the reserve.
    """

    within_share: float
    mean_off: float


def delivery(
    signal: FloatArray,
    response: FloatArray,
    *,
    full_activation_s: int = 30,
    tolerance: float = 0.05,
) -> Delivery:
    """Judge a whole record [T], a sample a second.

    An answer has ``full_activation_s`` to come, so at each second anything is right that lies within what was asked for in that
    time. That is the idea behind the transmission operators' tolerance bands; their own tolerances differ, 5 % is Parkwatt's.
    """
    window = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([np.full(full_activation_s, signal[0]), signal]), full_activation_s + 1
    )
    low, high = window.min(axis=1) - tolerance, window.max(axis=1) + tolerance
    within = (response >= low) & (response <= high)
    return Delivery(float(within.mean()), float(np.abs(response - signal).mean()))
