"""The bound: what V2G could at best have been worth, had every price, load, sunny hour and trip been known from the start.

One linear program over the whole span. It decides by how much each plugged-in step changes the battery's energy. The stays
are linked by the trips: energy at arrival = energy at the departure before − what the trip used + what had to be bought on
the road. What a step costs is a piecewise linear function of that change, taken from the accounts' own rule
(`parkwatt.site.study.step_costs`). Where it is not convex (import cheaper than export, or paid for), the program
starts with its lower convex envelope. Steps in which the solution then pays less than the accounts would say, or discharges
below the floor, and trips that buy more on the road than they must, get binaries, and the program is solved again until
nothing that matters is left. This ends after a few rounds at the latest: the accounts of the last solution may then lie above
the optimum, by what it still pays too little.

Energy asked at departures comes first: each gets what charging at full power ever since the start would bring, if it asks
for as much. All else is relaxed (a power below the charger's least is allowed, and a floor may be reached as slowly as after
the emptiest arrival), so no strategy that brings the drivers as much costs less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder, IndexArray
from parkwatt.plan.exact.solver import Solver
from parkwatt.site.study.account import stored_price_per_kwh
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.months import month_starts
from parkwatt.site.study.replay import Departed, ReplayState
from parkwatt.site.study.step_costs import StepCosts, power_bounds, step_costs

_LINEAR_LIMIT_S = 600.0
_ROUNDS_MAX, _ROUND_LIMIT_S = 4, 10.0
# How far the cost may lie from the optimum, relative: once more what the solver itself leaves open.
_GAP = 1e-5
_TOLERANCE_KWH = 1e-5


def with_foresight(inputs: StudyInputs) -> ReplayState:
    """The optimal replay of the whole span; raises SolverError where the solver fails."""
    return _Foresight(inputs).solve()


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """What is possible: [S] the least and most energy after each step, [stays] the most that a trip must buy on the road."""

    least_kwh: FloatArray
    most_kwh: FloatArray
    bought_most_kwh: FloatArray


@dataclass(slots=True, eq=False)
class _Whole:
    """Where binaries are needed: steps for their cost, steps for the floor, trips for what they buy."""

    cost: NDArray[np.bool_]
    floor: NDArray[np.bool_]
    bought: NDArray[np.bool_]

    def add(self, other: _Whole) -> bool:
        """Take in the places of ``other``; False where all are here already."""
        pairs = ((self.cost, other.cost), (self.floor, other.floor), (self.bought, other.bought))
        new = any(bool((theirs & ~mine).any()) for mine, theirs in pairs)
        self.cost |= other.cost
        self.floor |= other.floor
        self.bought |= other.bought
        return new

    def any(self) -> bool:
        """Whether there is any such place."""
        return bool(self.cost.any() or self.floor.any() or self.bought.any())


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """One solution: its cost, [S] change of energy and energy after each step, [stays] bought on the road."""

    cost: float
    change_kwh: FloatArray
    energy_kwh: FloatArray
    bought_kwh: FloatArray


class _Foresight:
    """Builds and solves the program."""

    def __init__(self, inputs: StudyInputs) -> None:
        self._inputs = inputs
        stays = inputs.plug_ins
        lengths = np.array([p.departure_step - p.arrival_step for p in stays], dtype=np.int32)
        # For each stay the number of plugged-in steps up to its end, and up to its start.
        self._ends: IndexArray = np.cumsum(lengths, dtype=np.int32)
        self._firsts: IndexArray = self._ends - lengths
        self._steps: NDArray[np.int64] = np.concatenate(
            [np.zeros(0, np.int64), *(np.arange(p.arrival_step, p.departure_step) for p in stays)]
        )
        self._used_kwh = np.array([p.energy_kwh_used for p in stays])
        self._step_h = inputs.grid.step_h

    def solve(self) -> ReplayState:
        """The replay that perfect foresight would have made."""
        inputs = self._inputs
        state = ReplayState.at_start(inputs)
        if not len(self._steps):
            return state
        lowest_kw, highest_kw = power_bounds(inputs, self._steps)
        costs = step_costs(inputs, self._steps, lowest_kw, highest_kw)
        reach = self._reach(highest_kw)
        count, stays = len(self._steps), len(self._ends)
        whole = _Whole(*(np.zeros(size, dtype=np.bool_) for size in (count, count, stays)))
        found = self._solve_once(costs, reach, whole)
        if found is None:
            raise SolverError("foresight", "infeasible")
        for _ in range(_ROUNDS_MAX):
            if not whole.add(self._impossible(costs, whole, found)):
                break
            again = self._solve_once(costs, reach, whole)
            if again is None:
                break
            found = again
        return self._read(state, found)

    def _reach(self, highest_kw: FloatArray) -> _Reach:
        inputs, car = self._inputs, self._inputs.car
        gained = highest_kw * self._step_h * car.charge_efficiency
        reserve = inputs.energy_kwh_on_road_min
        least = most = inputs.energy_kwh_at_start
        least_kwh, most_kwh, bought_most = [], [], []
        for plug_in, first, end in zip(inputs.plug_ins, self._firsts, self._ends, strict=True):
            # Else a dear winter would be bridged on the road, and home sold from it.
            bought_most.append(max(plug_in.energy_kwh_used + reserve - least, 0.0))
            least = max(least - plug_in.energy_kwh_used, reserve)
            most = max(most - plug_in.energy_kwh_used, reserve)
            full, rising = max(car.energy_kwh_max, most), np.cumsum(gained[first:end])
            highest = np.minimum(most + rising, full)
            asked = plug_in.energy_kwh_asked
            floor = car.energy_kwh_min if asked is None else min(asked, car.energy_kwh_min)
            lowest = np.minimum(least + rising, floor)
            most = float(highest[-1])
            least = lowest[-1] = max(float(lowest[-1]), min(asked or 0.0, most))
            least_kwh.append(lowest)
            most_kwh.append(highest)
        return _Reach(np.concatenate(least_kwh), np.concatenate(most_kwh), np.array(bought_most))

    def _solve_once(self, costs: StepCosts, reach: _Reach, whole: _Whole) -> _Found | None:
        builder, count = Builder(), len(self._steps)
        step_of, segment_of = np.nonzero(costs.width_kwh)
        at_step = step_of.astype(np.int32)
        slope = np.where(whole.cost[:, None], costs.slope, costs.relaxed)[step_of, segment_of]
        width = costs.width_kwh[step_of, segment_of]
        filled = builder.columns(len(at_step), upper=width, cost=slope)
        left_value = np.zeros(count)
        left_value[-1] = -stored_price_per_kwh(self._inputs)
        energy = builder.columns(
            count, lower=reach.least_kwh, upper=reach.most_kwh, cost=left_value
        )
        bought = builder.columns(
            len(self._ends),
            upper=reach.bought_most_kwh,
            cost=self._inputs.public_price_per_kwh,
        )
        self._add_holding(builder, energy)
        self._add_recursion(builder, costs, filled, at_step, energy, bought)
        import_kw = costs.kw_per_kwh[step_of, segment_of]
        self._add_peaks(builder, costs, filled, at_step, import_kw)
        _add_order(builder, filled, at_step, width, whole.cost)
        self._add_floor(builder, costs, reach, whole.floor, filled, at_step, energy)
        self._add_need(builder, reach, whole.bought, energy, bought)
        limit_s = _ROUND_LIMIT_S if whole.any() else _LINEAR_LIMIT_S
        solver = Solver(builder.build(), whole=whole.any(), time_limit_s=limit_s)
        solution = solver.solve("foresight", duals=False, feasible=True)
        if solution is None:
            return None
        change = costs.start_kwh + np.bincount(at_step, solution.values[filled], count)
        values = solution.values
        return _Found(solution.objective, change, values[energy], values[bought])

    def _add_holding(self, builder: Builder, energy: slice) -> None:
        car, count = self._inputs.car, len(self._steps)
        if car.holding_price_per_kwh_h <= 0:
            return
        held = builder.columns(count, cost=car.holding_price_per_kwh_h * self._step_h)
        above = builder.rows(count, upper=car.holding_from_kwh)
        builder.entries(above, energy, 1.0)
        builder.entries(above, held, -1.0)

    def _add_recursion(
        self,
        builder: Builder,
        costs: StepCosts,
        filled: slice,
        at_step: IndexArray,
        energy: slice,
        bought: slice,
    ) -> None:
        """e − e before − Σ segments = the lowest change; at an arrival also − used + bought on the road."""
        constant = costs.start_kwh.copy()
        constant[self._firsts] -= self._used_kwh
        constant[0] += self._inputs.energy_kwh_at_start
        rows = builder.rows(len(constant), lower=constant, upper=constant)
        builder.entries(rows, energy, 1.0)
        builder.entries(
            slice(rows.start + 1, rows.stop), slice(energy.start, energy.stop - 1), -1.0
        )
        builder.entries(rows.start + at_step, filled, -1.0)
        builder.entries(rows.start + self._firsts, bought, -1.0)
        # At arrival itself at least the reserve is left: e before − used + bought ≥ reserve.
        least = self._inputs.energy_kwh_on_road_min + self._used_kwh
        least[0] -= self._inputs.energy_kwh_at_start
        self._arrivals(builder, energy, bought, builder.rows(len(least), lower=least))

    def _arrivals(self, builder: Builder, energy: slice, bought: slice, rows: slice) -> None:
        """Put e before + bought into ``rows``, one a stay; the first has no e before."""
        builder.entries(rows, bought, 1.0)
        before = (energy.start + self._firsts[1:] - 1).astype(np.int32)
        builder.entries(slice(rows.start + 1, rows.stop), before, 1.0)

    def _add_peaks(
        self,
        builder: Builder,
        costs: StepCosts,
        filled: slice,
        at_step: IndexArray,
        kw_per_kwh: FloatArray,
    ) -> None:
        """Each month's peak is at least the import of each of its steps: base + power at the lowest change + Σ segments."""
        inputs, charge = self._inputs, self._inputs.demand_charge
        if charge is None:
            return
        base_kw = inputs.load_kw - inputs.solar_kw
        idle_import = np.maximum(base_kw, 0.0)
        idle_import[self._steps] = 0.0
        starts = month_starts(inputs.grid, inputs.time_zone)
        least = np.maximum(np.maximum.reduceat(idle_import, starts), charge.minimum_kw)
        peaks = builder.columns(len(starts), lower=least, cost=charge.price_per_kw_month)
        month = np.searchsorted(starts, self._steps, side="right") - 1
        under = builder.rows(len(self._steps), upper=-base_kw[self._steps] - costs.start_kw)
        builder.entries(under.start + at_step, filled, kw_per_kwh)
        builder.entries(under, (peaks.start + month).astype(np.int32), -1.0)

    def _add_floor(
        self,
        builder: Builder,
        costs: StepCosts,
        reach: _Reach,
        whole: NDArray[np.bool_],
        filled: slice,
        at_step: IndexArray,
        energy: slice,
    ) -> None:
        """A binary a step: it may discharge only where the energy after it is no lower than the floor."""
        steps = np.flatnonzero(whole).astype(np.int32)
        if not len(steps):
            return
        may = builder.columns(len(steps), upper=1.0, integer=True)
        least = reach.least_kwh[steps]
        above = builder.rows(len(steps), lower=least)
        builder.entries(above, energy.start + steps, 1.0)
        builder.entries(above, may, least - self._inputs.car.energy_kwh_min)
        discharge = builder.rows(len(steps), lower=-costs.start_kwh[steps])
        builder.entries(discharge, may, -costs.start_kwh[steps])
        columns = np.flatnonzero(whole[at_step])
        row = np.searchsorted(steps, at_step[columns])
        builder.entries(_shifted(discharge, row), _shifted(filled, columns), 1.0)

    def _add_need(
        self,
        builder: Builder,
        reach: _Reach,
        whole: NDArray[np.bool_],
        energy: slice,
        bought: slice,
    ) -> None:
        """A binary a trip: it may buy on the road only if it arrives with no more than the reserve."""
        if not whole.any():
            return
        trips = np.flatnonzero(whole)
        buys = builder.columns(len(trips), upper=1.0, integer=True)
        allowed = builder.rows(len(trips), upper=0.0)
        builder.entries(allowed, _shifted(bought, trips), 1.0)
        builder.entries(allowed, buys, -reach.bought_most_kwh[trips])
        room = max(self._inputs.car.energy_kwh_max, self._inputs.energy_kwh_at_start)
        most = self._inputs.energy_kwh_on_road_min + self._used_kwh + np.where(whole, room, np.inf)
        most[0] -= self._inputs.energy_kwh_at_start
        arrival = builder.rows(len(most), upper=most)
        self._arrivals(builder, energy, bought, arrival)
        builder.entries(_shifted(arrival, trips), buys, room)

    def _impossible(self, costs: StepCosts, whole: _Whole, found: _Found) -> _Whole:
        """Where the solution is better than what any car could do."""
        understated = np.where(whole.cost, 0.0, costs.understated(found.change_kwh))
        matters = float(understated.sum()) > _GAP * abs(found.cost)
        inputs = self._inputs
        below = found.energy_kwh < inputs.car.energy_kwh_min - _TOLERANCE_KWH
        before = np.concatenate(
            ([inputs.energy_kwh_at_start], found.energy_kwh[self._ends[:-1] - 1])
        )
        arrival = before - self._used_kwh + found.bought_kwh
        return _Whole(
            cost=(understated > _GAP * understated.max()) & matters,
            floor=below & (found.change_kwh < -_TOLERANCE_KWH),
            bought=(found.bought_kwh > _TOLERANCE_KWH)
            & (arrival > inputs.energy_kwh_on_road_min + _TOLERANCE_KWH),
        )

    def _read(self, state: ReplayState, found: _Found) -> ReplayState:
        car, change = self._inputs.car, found.change_kwh / self._step_h
        state.power_kw[self._steps] = np.where(
            change > 0, change / car.charge_efficiency, change * car.discharge_efficiency
        )
        energy = self._inputs.energy_kwh_at_start
        for index, plug_in in enumerate(self._inputs.plug_ins):
            first, last = plug_in.arrival_step, plug_in.departure_step
            bought = float(found.bought_kwh[index])
            state.energy_kwh[first] = energy - plug_in.energy_kwh_used + bought
            stay = slice(int(self._firsts[index]), int(self._ends[index]))
            state.energy_kwh[first + 1 : last + 1] = found.energy_kwh[stay]
            energy = float(state.energy_kwh[last])
            state.energy_kwh[last + 1 :] = energy
            state.departures.append(_departed(plug_in, energy, bought))
        state.next_stay = len(self._ends)
        state.energy_kwh_now = energy
        return state


def _add_order(
    builder: Builder,
    filled: slice,
    at_step: IndexArray,
    width: FloatArray,
    whole: NDArray[np.bool_],
) -> None:
    """A binary between two segments of a step in ``whole``: the second may begin only where the first is full."""
    first = np.flatnonzero((at_step[:-1] == at_step[1:]) & whole[at_step[:-1]])
    if not len(first):
        return
    full = builder.columns(len(first), upper=1.0, integer=True)
    begun = builder.rows(len(first), upper=0.0)
    builder.entries(begun, _shifted(filled, first + 1), 1.0)
    builder.entries(begun, full, -width[first + 1])
    filled_first = builder.rows(len(first), lower=0.0)
    builder.entries(filled_first, _shifted(filled, first), 1.0)
    builder.entries(filled_first, full, -width[first])


def _shifted(block: slice, places: NDArray[np.int64]) -> IndexArray:
    """The numbers of these places of a block."""
    numbers: IndexArray = (block.start + places).astype(np.int32)
    return numbers


def _departed(plug_in: PlugIn, energy_kwh: float, public_kwh: float) -> Departed:
    asked = plug_in.energy_kwh_asked
    return Departed(plug_in.departure_step, asked, energy_kwh, energy_kwh, public_kwh)
