"""An independent optimum: the contract written down once more as one plain MILP.

Nothing here is clever and nothing is shared with the planner: every step has a binary for the
direction of the grid, and two for each battery; wishes are solved one after another (limits, floor,
departure, then money), each held at its optimum in the next solve. Slow, obvious, and solved
through scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from parkwatt.domain.plan import Plan
from parkwatt.domain.problem import Problem, Storage
from parkwatt.domain.record import FloatArray
from tests.plan.made_plan import plan_of

GAP = 1e-6
STAGE_SLACK = 1e-6  # the solver's own tolerance, so that the next stage has room

Terms = dict[int, float]


@dataclass
class Model:
    """A MILP as lists: variables with bounds, rows with bounds."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[Terms, float, float]] = field(default_factory=list)

    def real(self, low: float = 0.0, high: float = math.inf) -> int:
        """A new continuous variable."""
        self.low.append(low)
        self.high.append(high)
        self.whole.append(0)
        return len(self.low) - 1

    def binary(self) -> int:
        """A new variable that is 0 or 1."""
        index = self.real(0.0, 1.0)
        self.whole[index] = 1
        return index

    def row(self, terms: Terms, low: float = -math.inf, high: float = math.inf) -> None:
        """low ≤ Σ terms ≤ high."""
        self.rows.append((terms, low, high))

    def solve(self, objective: Terms, fixed: FloatArray | None = None) -> FloatArray:
        """The values that minimise the objective; binaries are held where ``fixed`` has them."""
        count = len(self.low)
        cost = np.zeros(count)
        for index, weight in objective.items():
            cost[index] += weight
        low, high, whole = np.array(self.low), np.array(self.high), np.array(self.whole)
        if fixed is not None:
            held = whole == 1
            low[held] = high[held] = np.round(fixed[held])
            whole = np.zeros(count)
        for presolve in (True, False):  # on rare problems the solver fails with it
            result = milp(
                cost,
                integrality=whole,
                bounds=Bounds(low, high),
                constraints=self._matrix(count),
                options={"mip_rel_gap": GAP, "presolve": presolve},
            )
            if result.success:
                return np.asarray(result.x)
        raise AssertionError(result.message)

    def solve_cleanly(self, objective: Terms) -> FloatArray:
        """Solve, then once more as an LP with the binaries held at whole numbers."""
        return self.solve(objective, fixed=self.solve(objective))

    def _matrix(self, count: int) -> LinearConstraint:
        places = [(row, index) for row, (terms, _, _) in enumerate(self.rows) for index in terms]
        weights = [weight for terms, _, _ in self.rows for weight in terms.values()]
        rows, columns = zip(*places, strict=True)
        matrix = csr_array((weights, (rows, columns)), shape=(len(self.rows), count))
        return LinearConstraint(
            matrix, [low for _, low, _ in self.rows], [h for *_, h in self.rows]
        )


@dataclass
class Span:
    """The variables of one battery over steps [first, end)."""

    storage: Storage
    first: int
    end: int
    start_kwh: float
    value_per_kwh: float
    charge: list[int]
    discharge: list[int]
    energy: list[int]
    deficit: list[int]
    held: list[int]
    missing: list[int]


@dataclass
class Oracle:
    """What the MILP found."""

    plan: Plan
    limit_violation_kwh: float
    floor_deficit_kwh_h: float
    shortfall_kwh: float


def solve(problem: Problem) -> Oracle:
    """The optimum of the contract, as a plan without reasons."""
    model = Model()
    step_h = problem.duration_h
    spans = list(_spans(model, problem))
    site = _Site(model, problem, spans)
    stages: list[Terms] = [
        {v: step_h[t] for t, v in [*enumerate(site.over_import), *enumerate(site.over_export)]},
        {v: step_h[s.first + i] for s in spans for i, v in enumerate(s.deficit)},
        {v: 1.0 / len(s.missing) for s in spans for v in s.missing},
    ]
    found: list[float] = []
    for stage in stages:
        if not stage:
            found.append(0.0)
            continue
        values = model.solve_cleanly(stage)
        least = max(0.0, sum(weight * values[v] for v, weight in stage.items()))
        found.append(least)
        model.row(stage, high=least + STAGE_SLACK * (1.0 + least))
    values = model.solve_cleanly(_money(problem, spans, site))
    powers_kw = [values[span.charge] - values[span.discharge] for span in spans]
    return Oracle(plan_of(problem, values[site.solar], powers_kw), *found)


def _spans(model: Model, problem: Problem) -> Iterator[Span]:
    step_count = problem.step_count
    for battery in problem.batteries:
        yield _span(
            model,
            problem,
            battery,
            0,
            step_count,
            battery.energy_kwh_at_start,
            battery.energy_value_per_kwh,
        )
    for vehicle in problem.vehicles:
        for stay in vehicle.stays:
            span = _span(
                model,
                problem,
                vehicle,
                stay.from_step,
                stay.to_step,
                stay.energy_kwh_at_arrival,
                stay.energy_value_per_kwh,
            )
            if stay.energy_kwh_at_departure is not None:
                ready = stay.to_step if stay.ready_from_step is None else stay.ready_from_step
                for instant in range(ready, stay.to_step + 1):
                    missing = model.real()
                    energy = span.energy[instant - stay.from_step]
                    wanted = stay.energy_kwh_at_departure
                    model.row({missing: 1.0, energy: 1.0}, low=wanted)
                    span.missing.append(missing)
            yield span


def _span(
    model: Model,
    problem: Problem,
    storage: Storage,
    first: int,
    end: int,
    start_kwh: float,
    value_per_kwh: float,
) -> Span:
    count = end - first
    low = min(storage.energy_kwh_min, start_kwh)
    high = max(storage.energy_kwh_max, start_kwh)
    energy = [model.real(start_kwh, start_kwh)] + [model.real(low, high) for _ in range(count)]
    charge = [model.real() for _ in range(count)]
    discharge = [model.real() for _ in range(count)]
    span = Span(
        storage, first, end, start_kwh, value_per_kwh, charge, discharge, energy, [], [], []
    )
    charging = [model.binary() for _ in range(count)]
    discharging = [model.binary() for _ in range(count)]
    for i in range(count):
        model.row({charging[i]: 1.0, discharging[i]: 1.0}, high=1.0)
        model.row({charge[i]: 1.0, charging[i]: -storage.charge_kw_max}, high=0.0)
        model.row({charge[i]: 1.0, charging[i]: -storage.charge_kw_min}, low=0.0)
        model.row({discharge[i]: 1.0, discharging[i]: -storage.discharge_kw_max}, high=0.0)
        model.row({discharge[i]: 1.0, discharging[i]: -storage.discharge_kw_min}, low=0.0)
        step_h = problem.duration_h[first + i]
        gained = {
            energy[i + 1]: 1.0,
            energy[i]: -1.0,
            charge[i]: -step_h * storage.charge_efficiency,
            discharge[i]: step_h / storage.discharge_efficiency,
        }
        model.row(gained, low=0.0, high=0.0)
    if start_kwh < storage.energy_kwh_min:
        _below(model, span, discharging)
    if start_kwh > storage.energy_kwh_max:
        _above(model, span, charging)
    if storage.holding_price_per_kwh_h:
        for instant in energy[1:]:
            held = model.real()
            model.row({held: 1.0, instant: -1.0}, low=-storage.holding_from_kwh)
            span.held.append(held)
    return span


def _below(model: Model, span: Span, discharging: list[int]) -> None:
    """Starts below the floor: no discharge before it is reached, and from then on it is kept."""
    floor_kwh = span.storage.energy_kwh_min
    missing_kwh = floor_kwh - span.start_kwh
    for i in range(len(discharging)):
        reached = model.binary()
        model.row({discharging[i]: 1.0, reached: -1.0}, high=0.0)
        for instant in (span.energy[i], span.energy[i + 1]):
            # energy ≥ floor − missing·(1 − reached)
            model.row({instant: 1.0, reached: -missing_kwh}, low=floor_kwh - missing_kwh)
    for instant in span.energy[1:]:
        deficit = model.real()
        model.row({deficit: 1.0, instant: 1.0}, low=floor_kwh)
        span.deficit.append(deficit)


def _above(model: Model, span: Span, charging: list[int]) -> None:
    """Starts above the maximum: no charge before it is within, and from then on it stays within."""
    top_kwh = span.storage.energy_kwh_max
    excess_kwh = span.start_kwh - top_kwh
    for i in range(len(charging)):
        within = model.binary()
        model.row({charging[i]: 1.0, within: -1.0}, high=0.0)
        for instant in (span.energy[i], span.energy[i + 1]):
            # energy ≤ top + excess·(1 − within)
            model.row({instant: 1.0, within: excess_kwh}, high=top_kwh + excess_kwh)


class _Site:
    """The variables of the grid connection."""

    def __init__(self, model: Model, problem: Problem, spans: list[Span]) -> None:
        site, steps = problem.site, range(problem.step_count)
        storages = [*problem.batteries, *problem.vehicles]
        import_kw_max = float(site.load_kw.max()) + sum(s.charge_kw_max for s in storages)
        export_kw_max = float(site.solar_kw.max()) + sum(s.discharge_kw_max for s in storages)
        self.imported = [model.real() for _ in steps]
        surplus_kw = np.maximum(site.solar_kw - site.load_kw, 0.0).tolist()
        self.exported = [
            model.real(high=math.inf if site.batteries_may_export else kw) for kw in surplus_kw
        ]
        self.solar = [
            model.real(0.0 if site.solar_curtailable else kw, kw) for kw in site.solar_kw.tolist()
        ]
        self.over_import: list[int] = []
        self.over_export: list[int] = []
        self.peak = model.real()
        for t in steps:
            importing = model.binary()
            model.row({self.imported[t]: 1.0, importing: -import_kw_max}, high=0.0)
            model.row({self.exported[t]: 1.0, importing: export_kw_max}, high=export_kw_max)
            model.row({self.peak: 1.0, self.imported[t]: -1.0}, low=-site.peak_so_far_kw)
            balance = {self.imported[t]: 1.0, self.exported[t]: -1.0, self.solar[t]: 1.0}
            for span in spans:
                if span.first <= t < span.end:
                    balance[span.charge[t - span.first]] = -1.0
                    balance[span.discharge[t - span.first]] = 1.0
            model.row(balance, low=float(site.load_kw[t]), high=float(site.load_kw[t]))
            if site.import_limit_kw is not None:
                self.over_import.append(model.real())
                over = {self.imported[t]: 1.0, self.over_import[t]: -1.0}
                model.row(over, high=site.import_limit_kw)
            if site.export_limit_kw is not None:
                self.over_export.append(model.real())
                over = {self.exported[t]: 1.0, self.over_export[t]: -1.0}
                model.row(over, high=site.export_limit_kw)


def _money(problem: Problem, spans: list[Span], site: _Site) -> Terms:
    prices, step_h = problem.site, problem.duration_h
    cost: Terms = {site.peak: prices.demand_charge_per_kw}
    for t in range(problem.step_count):
        cost[site.imported[t]] = step_h[t] * prices.import_price_per_kwh[t]
        cost[site.exported[t]] = -step_h[t] * prices.export_price_per_kwh[t]
    for span in spans:
        storage = span.storage
        for i, discharge in enumerate(span.discharge):
            hours = step_h[span.first + i]
            cost[discharge] = storage.wear_price_per_kwh * hours / storage.discharge_efficiency
        for i, held in enumerate(span.held):
            cost[held] = storage.holding_price_per_kwh_h * step_h[span.first + i]
        cost[span.energy[-1]] = cost.get(span.energy[-1], 0.0) - span.value_per_kwh
    return cost
