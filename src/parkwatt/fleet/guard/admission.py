"""The one gate that each target for the whole pool passes: refused, limited, or let through at a pace the grid can bear.

Power that swings is what endangers a grid, so what is limited is not only how far a target may go, but how fast, how much in
all, and how often it turns round. A target is taken as a *deviation* from what the cars would do otherwise:

- beyond what is enrolled by more than a fifth it is refused as a mistake; by less it is cut;
- it moves by at most ``ramp_kw_per_s``;
- moves away from the plan are paid from a budget of ``travel_kw`` that refills with ``travel_kw_per_s``. Back to the plan is
  free. A wave that goes on for ever therefore moves no more than that in the mean, whatever its shape and period;
- after it crossed the plan it stays there for ``reversal_s`` before it may go to the other side.

Response services (frequency) answer within seconds and in both directions: they are bounded by the reserve that was sold, and
by budgets of their own.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from parkwatt.domain.errors import InputError, InputFault

# Beyond what is enrolled by more than this share, a target is a mistake and not an approximation.
_MISTAKE: Final = 1.2
_SAME_KW: Final = 1e-6
# A longer pause does not make the next move a larger one.
_STEP_S_MAX: Final = 10.0


class Limits(NamedTuple):
    """What a pool may be asked for. ``up_kw_max``, ``down_kw_max`` ≥ 0: how far above and below its plan (above: it draws
    more).

    ``ramp_kw_per_s``, ``travel_kw``, ``travel_kw_per_s``, ``reversal_s``: see the module.
    """

    up_kw_max: float
    down_kw_max: float
    ramp_kw_per_s: float
    travel_kw: float
    travel_kw_per_s: float
    reversal_s: float

    def raise_if_wrong(self) -> None:
        """Raises InputError where a limit is below 0 or no number."""
        faults = [
            InputFault(name, "must be a number of at least 0", value)
            for name, value in self._asdict().items()
            if not value >= 0.0
        ]
        if faults:
            raise InputError(faults)


class Admission(NamedTuple):
    """What the gate remembers: the deviation that was let through last, when, what is left of the budget, the side it is or was
    on (1: more is drawn, -1: less, 0: neither yet), and when it came back from it. ``stopped``: nothing passes.
    """

    deviation_kw: float = 0.0
    at_s: float = -math.inf
    budget_kw: float = math.inf
    side: int = 0
    left_side_s: float = -math.inf
    stopped: bool = False


class Admitted(NamedTuple):
    """``deviation_kw``: what the pool is to leave its plan by. ``rules``: what changed it (`refused`, `stopped`, `bounds`,
    `ramp`, `travel`, `reversal`); ``reason``: the same in words with numbers, empty where nothing did.
    """

    deviation_kw: float
    rules: tuple[str, ...]
    reason: str


def admit(
    state: Admission, wanted_kw: float, limits: Limits, now_s: float
) -> tuple[Admission, Admitted]:
    """Let a deviation of ``wanted_kw`` from the plan pass as far as it may; called every step, 0 leads back to the plan.

    What is refused leads back to the plan, too. ``now_s``: on a clock that does not go back. The first step moves by one
    second's ramp, one after a pause by no more than ten seconds'.
    """
    passed_s = max(now_s - state.at_s, 0.0) if math.isfinite(state.at_s) else 1.0
    budget_kw = min(state.budget_kw + limits.travel_kw_per_s * passed_s, limits.travel_kw)
    changes: list[tuple[str, str]] = []
    aim_kw = _within(state, wanted_kw, limits, changes)
    aim_kw = _on_its_side(state, aim_kw, limits, now_s, changes)
    here_kw = state.deviation_kw
    step_kw = limits.ramp_kw_per_s * min(passed_s, _STEP_S_MAX)
    if abs(aim_kw - here_kw) > step_kw + _SAME_KW:
        changes.append(("ramp", f"moves by at most {limits.ramp_kw_per_s:.4g} kW a second"))
        aim_kw = here_kw + math.copysign(step_kw, aim_kw - here_kw)
    away_kw = abs(aim_kw) - abs(here_kw)
    if away_kw > budget_kw + _SAME_KW:
        left = f"{budget_kw:.4g} kW of {limits.travel_kw:.4g} kW are left"
        changes.append(("travel", f"has swung too much: {left}"))
        aim_kw = math.copysign(abs(here_kw) + budget_kw, aim_kw)
    moved = _moved(state, aim_kw, now_s)
    budget_kw -= max(abs(aim_kw) - abs(here_kw), 0.0)
    rules = tuple(rule for rule, _ in changes)
    reason = "; ".join(sentence for _, sentence in changes)
    return moved._replace(budget_kw=max(budget_kw, 0.0)), Admitted(aim_kw, rules, reason)


def stop(state: Admission) -> Admission:
    """Nothing passes from now on: the pool goes back to its plan. One person may do it."""
    return state._replace(stopped=True)


def resume(state: Admission) -> Admission:
    """End a stop. That takes two (`parkwatt.fleet.guard.approvals`)."""
    return state._replace(stopped=False)


def _within(
    state: Admission, wanted_kw: float, limits: Limits, changes: list[tuple[str, str]]
) -> float:
    if state.stopped:
        if wanted_kw != 0.0:
            changes.append(("stopped", "the pool is stopped by hand"))
        return 0.0
    if not math.isfinite(wanted_kw):
        changes.append(("refused", "what is asked for is no number"))
        return 0.0
    most_kw = limits.up_kw_max if wanted_kw > 0.0 else limits.down_kw_max
    asked = f"{wanted_kw:.6g} kW asked for, {most_kw:.6g} kW enrolled"
    if abs(wanted_kw) > _MISTAKE * most_kw + _SAME_KW:
        changes.append(("refused", f"taken for a mistake: {asked}"))
        return 0.0
    if abs(wanted_kw) > most_kw + _SAME_KW:
        changes.append(("bounds", f"cut: {asked}"))
        return math.copysign(most_kw, wanted_kw)
    return wanted_kw


def _on_its_side(
    state: Admission, aim_kw: float, limits: Limits, now_s: float, changes: list[tuple[str, str]]
) -> float:
    """The aim, or the plan where it is on the other side of that and not long enough was spent there."""
    if aim_kw == 0.0 or state.side == 0 or _side(aim_kw) == state.side:
        return aim_kw
    waits_s = limits.reversal_s - (now_s - state.left_side_s)
    if state.deviation_kw == 0.0 and waits_s <= 0.0:
        return aim_kw
    changes.append(("reversal", f"turns round only after {limits.reversal_s:.4g} s at the plan"))
    return 0.0


def _moved(state: Admission, deviation_kw: float, now_s: float) -> Admission:
    left_s, side = state.left_side_s, state.side
    if deviation_kw != 0.0:
        side, left_s = _side(deviation_kw), -math.inf
    elif state.deviation_kw != 0.0:
        left_s = now_s
    return state._replace(deviation_kw=deviation_kw, at_s=now_s, side=side, left_side_s=left_s)


def _side(deviation_kw: float) -> int:
    return 1 if deviation_kw > 0.0 else -1
