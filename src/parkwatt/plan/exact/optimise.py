"""From a problem to its optimal flows: the fewest and simplest solves that are certain.

1. *Hard relaxation.* Wishes as bounds at the best each battery could do alone, no binaries: one linear program. Its optimum is
   chosen among equals by a second solve (`ties`). If the flows keep all rules, this is the optimum: most problems end here.
2. *Hard with binaries*, where the relaxation broke a rule (minimum power, burning energy, phases) or could not be
   trusted (export dearer than import).
3. *Soft*, where the connection cannot carry all wishes together: limits first, then floors, then departures, then
   money, each solved within what the ones before reached. Again first without binaries, then with.

A mixed-integer solution ends with a linear solve at its fixed binaries: clean values, duals, and the tie-break.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.domain.problem import Problem
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.costs import cost_of
from parkwatt.plan.exact.flows import Flows, meets_rules, read_flows
from parkwatt.plan.exact.formulation import Formulation, formulate
from parkwatt.plan.exact.modes import (
    BoolArray,
    steps_where_burning_may_pay,
    steps_where_export_is_dearer,
)
from parkwatt.plan.exact.solver import Solution
from parkwatt.plan.exact.stages import Stages, linear_stages, whole_stages
from parkwatt.plan.exact.storage import StorageStay
from parkwatt.plan.exact.ties import break_ties

# Netted flows may cost this share more than what was proven before binaries are added: the share within which the contract
# calls two costs equal.
_COST_SLACK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Optimal flows with the prices that they imply.

    ``node_price_per_kwh``: [T] what one more kWh of load would cost in each step. ``stored_value_per_kwh``: for each stay
    [n], what one more kWh in the battery at the end of each step is worth. Both None where no linear solve closed
    the search. ``cost_bound``: no plan that meets the wishes as well costs less, but for the solver's gap.
    ``excess_kwh``: kWh over the limits that could not be avoided.
    """

    flows: Flows
    cost_bound: float
    excess_kwh: float
    node_price_per_kwh: FloatArray | None
    stored_value_per_kwh: list[FloatArray] | None


def optimise(
    problem: Problem, items: list[StorageStay], *, ties: bool, time_limit_s: float
) -> Optimum:
    """The optimal flows of the problem, whose stays are ``items``.

    ``ties``: choose among equal optima. ``time_limit_s``: for each mixed-integer solve; when it is reached the
    best plan found counts.
    Raises SolverError where the solver fails on a problem that has a plan.
    """
    for soft in (False, True):
        found = _Search(problem, items, soft=soft, ties=ties, time_limit_s=time_limit_s).run()
        if found is not None:
            return found
    raise SolverError("soft wishes", "infeasible")


@dataclass(slots=True)
class _Search:
    """One form, hard or soft, from the relaxation to as many binaries as it takes."""

    problem: Problem
    items: list[StorageStay]
    soft: bool
    ties: bool
    time_limit_s: float

    def run(self) -> Optimum | None:
        """The optimum in this form; None where the hard form has no feasible point."""
        relaxed = formulate(self.problem, self.items, soft=self.soft, exclusive=None)
        if not steps_where_export_is_dearer(self.problem, relaxed.connection).any():
            stages = linear_stages(relaxed)
            if stages is None:
                return None
            kept = next(filter(self._keeps_rules, self._closed(relaxed, stages)), None)
            if kept is not None:
                return kept
        found = self._mixed(steps_where_burning_may_pay(self.problem))
        if found is None or self._keeps_rules(found):
            return found
        return self._mixed(np.ones(self.problem.step_count, dtype=bool))

    def _mixed(self, exclusive: BoolArray) -> Optimum | None:
        """The mixed-integer optimum, tie-broken where the result still keeps all rules."""
        form = formulate(self.problem, self.items, soft=self.soft, exclusive=exclusive)
        whole = whole_stages(form, time_limit_s=self.time_limit_s)
        if whole is None:
            return None
        fixed = form.with_integers(whole.values)
        stages = linear_stages(fixed)
        as_found = self._optimum(form, whole, whole)
        candidates = iter(()) if stages is None else self._closed(fixed, stages)
        return next(filter(self._keeps_rules, candidates), as_found)

    def _closed(self, form: Formulation, stages: Stages) -> Iterator[Optimum]:
        """A linear optimum after the tie-break, then as it was before."""
        solution = stages.solution
        if self.ties:
            chosen = break_ties(stages.solver, form.program, solution, form.tie_objective())
            if chosen is not None:
                yield self._optimum(form, chosen, solution)
        yield self._optimum(form, solution, solution)

    def _optimum(self, form: Formulation, candidate: Solution, bound: Solution) -> Optimum:
        """``candidate`` as flows; ``bound`` is the solve that proved the cost and holds the duals, if any."""
        node_price = stored_value = None
        if len(bound.row_dual) and form.money_scale:
            node_price = bound.row_dual[form.connection.balance] / (
                form.money_scale * form.duration_h
            )
            stored_value = [
                -bound.row_dual[columns.recursion] / form.money_scale for columns in form.stays
            ]
        return Optimum(
            flows=read_flows(self.problem, form, candidate.values),
            cost_bound=bound.objective / form.money_scale,
            excess_kwh=form.excess_kwh(candidate.values),
            node_price_per_kwh=node_price,
            stored_value_per_kwh=stored_value,
        )

    def _keeps_rules(self, candidate: Optimum) -> bool:
        """Whether the netted flows keep every rule and cost no more than was proven."""
        flows = candidate.flows
        cost = cost_of(self.problem, self.items, flows).total
        slack = _COST_SLACK * (1.0 + abs(candidate.cost_bound))
        return cost <= candidate.cost_bound + slack and meets_rules(
            self.problem, self.items, flows, candidate.excess_kwh
        )
