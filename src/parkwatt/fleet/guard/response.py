"""The gate of frequency response: a band of its own beside `parkwatt.fleet.guard.admission`, as wide as the reserve that was
sold.

A response follows a meter, not an order. So what is judged is the meter: a frequency that a grid does not have, or that
changes as none does, is not believed; without one that is fresh the answer fades. What passes is bounded by the reserve, by a
pace, and by a budget of travel away from the base that is several times what real frequencies take, so that a forged wave of
any shape and period moves no more than that in the mean.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from parkwatt.fleet.frequency.curve import Curve

# Generators leave a grid at ±2.5 Hz (Regulation (EU) 2016/631, article 13: 47.5 to 51.5 Hz): beyond ±5 Hz a meter is wrong.
_BELIEVED_HZ: Final = 5.0
# Beyond what generators have to ride through (2 Hz/s, ENTSO-E's guidance on rate of change of frequency) a meter jumped.
_HZ_PER_S: Final = 2.5
_FRESH_S: Final = 5.0
_FADES_S: Final = 10.0
# Two full swings in 30 s are let through; then, of what a record of one bad half-day asks for in an hour (17.9 reserves, Great
# Britain's of 2022-04-01 on Continental Europe's curve), almost four times.
_TRAVEL: Final = 4.0
_TRAVEL_PER_S: Final = 60.0 / 3600.0
_FULL_IN_S: Final = 5.0
_SAME: Final = 1e-9


class ResponseGate(NamedTuple):
    """What the gate remembers: the share that was let through last, and when; the frequency that was believed last, and when it
    was measured; what is left of the budget, as shares.
    """

    share: float = 0.0
    at_s: float = -math.inf
    frequency_hz: float = math.nan
    read_s: float = -math.inf
    budget: float = _TRAVEL


class Response(NamedTuple):
    """``power_kw``: by how much the pool is to leave its base. ``rules``: what changed it (`stopped`, `stale`, `disbelieved`,
    `ramp`, `travel`); ``reason``: the same in words.
    """

    power_kw: float
    rules: tuple[str, ...]
    reason: str


def respond(
    gate: ResponseGate,
    frequency_hz: float | None,
    read_s: float,
    reserve_kw: float,
    curve: Curve,
    now_s: float,
    *,
    stopped: bool = False,
) -> tuple[ResponseGate, Response]:
    """Answer a frequency that was measured at ``read_s`` (None: there is none) with at most ``reserve_kw``; called every step.

    Never more than what ``curve`` says at a frequency that was believed. ``stopped``: somebody stopped the pool.
    """
    passed_s = min(max(now_s - gate.at_s, 0.0), _FADES_S) if math.isfinite(gate.at_s) else 1.0
    budget = min(gate.budget + _TRAVEL_PER_S * passed_s, _TRAVEL)
    changes: list[tuple[str, str]] = []
    gate = _believed(gate, frequency_hz, read_s, curve, changes)
    aim = _aim(gate, curve, now_s, changes)
    if stopped:
        changes.append(("stopped", "the pool is stopped by hand"))
        aim = 0.0
    pace = passed_s / _FULL_IN_S
    if abs(aim - gate.share) > pace + _SAME:
        changes.append(("ramp", f"takes {_FULL_IN_S:g} s for all of the reserve"))
        aim = gate.share + math.copysign(pace, aim - gate.share)
    crosses = aim * gate.share < 0.0
    away = abs(aim) if crosses else max(abs(aim) - abs(gate.share), 0.0)
    if away > budget + _SAME:
        changes.append(("travel", "the frequency swung more than any real one: less is answered"))
        aim = math.copysign((0.0 if crosses else abs(gate.share)) + budget, aim)
        away = budget
    gate = gate._replace(share=aim, at_s=now_s, budget=max(budget - away, 0.0))
    rules = tuple(rule for rule, _ in changes)
    return gate, Response(aim * reserve_kw, rules, "; ".join(text for _, text in changes))


def _believed(
    gate: ResponseGate,
    frequency_hz: float | None,
    read_s: float,
    curve: Curve,
    changes: list[tuple[str, str]],
) -> ResponseGate:
    """With a reading that a grid could have, else as before."""
    if frequency_hz is None or read_s <= gate.read_s:
        return gate
    if not abs(frequency_hz - curve.nominal_hz) <= _BELIEVED_HZ:  # also no number
        changes.append(("disbelieved", f"{frequency_hz:.6g} Hz is no frequency of this grid"))
        return gate
    passed_s = read_s - gate.read_s
    # After a pause anything may be true.
    jumped = passed_s <= _FRESH_S and abs(frequency_hz - gate.frequency_hz) > _HZ_PER_S * passed_s
    if jumped:
        changes.append(
            (
                "disbelieved",
                f"from {gate.frequency_hz:.6g} to {frequency_hz:.6g} Hz in {passed_s:.2g} s",
            )
        )
        return gate
    return gate._replace(frequency_hz=frequency_hz, read_s=read_s)


def _aim(gate: ResponseGate, curve: Curve, now_s: float, changes: list[tuple[str, str]]) -> float:
    age_s = now_s - gate.read_s
    if not math.isfinite(age_s):
        return 0.0
    share = curve.share_of(gate.frequency_hz)
    if age_s > _FRESH_S:
        changes.append(("stale", f"the frequency is {age_s:.0f} s old: the answer fades"))
        share *= max(1.0 - (age_s - _FRESH_S) / _FADES_S, 0.0)
    return share
