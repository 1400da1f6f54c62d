"""The bound: what V2G could at best have been worth, had every price, load, sunny hour and trip been known from the start.

One linear program over the whole span; only plugged-in steps have columns, for the others nothing can be decided. The stays are
linked by the trips: energy at arrival = energy at the departure before − what the trip used + what had to be
bought on the road.
Energy asked at departures comes first by a price far above any other. It is a relaxation (least powers of the charger are left
out, and an arrival below the floor may rise as slowly as the car's fastest charging allows), so no strategy can cost less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact.builder import Builder
from parkwatt.plan.exact.solver import Solver
from parkwatt.site.study.account import stored_price_per_kwh
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.months import month_starts
from parkwatt.site.study.replay import Departed, ReplayState

# For a kWh missing at departure, in units of the highest price of the span: no price makes it worth leaving short.
_SHORTFALL_WEIGHT = 1000.0
_TIME_LIMIT_S = 600.0


def with_foresight(inputs: StudyInputs) -> ReplayState:
    """The optimal replay of the whole span; raises SolverError where the solver fails."""
    return _Foresight(inputs).solve()


class _Foresight:
    """Builds and solves the program."""

    def __init__(self, inputs: StudyInputs) -> None:
        self._inputs = inputs
        self._builder = Builder()
        plugged = [np.arange(p.arrival_step, p.departure_step) for p in inputs.plug_ins]
        self._steps: NDArray[np.int64] = (
            np.concatenate(plugged) if plugged else np.zeros(0, dtype=np.int64)
        )
        self._step_h = inputs.grid.step_h

    def solve(self) -> ReplayState:
        """The replay that perfect foresight would have made."""
        state = ReplayState.at_start(self._inputs)
        if not len(self._steps):
            return state
        builder, inputs, car = self._builder, self._inputs, self._inputs.car
        count, step_h = len(self._steps), self._step_h
        balance = self._add_connection()
        charge = builder.columns(count, upper=car.charge_kw_max)
        wear = car.wear_price_per_kwh * step_h / car.discharge_efficiency
        discharge = builder.columns(count, upper=car.discharge_kw_max, cost=wear)
        builder.entries(balance, charge, -1.0)
        builder.entries(balance, discharge, 1.0)
        energy_lower, bought_most = self._energy_lower()
        energy = builder.columns(count, lower=energy_lower, upper=self._energy_upper())
        self._add_holding(energy)
        public = builder.columns(
            len(inputs.plug_ins), upper=bought_most, cost=inputs.public_price_per_kwh
        )
        self._add_departures(energy)
        self._add_recursion(charge, discharge, energy, public)
        self._value_end(energy)
        solution = Solver(builder.build(), whole=False, time_limit_s=_TIME_LIMIT_S).solve(
            "foresight"
        )
        if solution is None:
            raise SolverError("foresight", "infeasible")
        values = solution.values
        return self._read(state, values[charge] - values[discharge], values[energy], values[public])

    def _add_connection(self) -> slice:
        inputs, steps = self._inputs, self._steps
        buy = inputs.import_price_per_kwh[steps] * self._step_h
        sell = inputs.export_price_per_kwh[steps] * self._step_h
        load, solar = inputs.load_kw[steps], inputs.solar_kw[steps]
        most = inputs.car.charge_kw_max + inputs.car.discharge_kw_max
        import_most = np.maximum(load, 0.0) + most
        export_most = solar + most
        over_import = np.maximum(load - solar, 0.0)
        if inputs.import_limit_kw is not None:
            # A load above the limit is no strategy's doing: it may pass, the car may not add to it.
            import_most = np.minimum(import_most, np.maximum(inputs.import_limit_kw, over_import))
        if inputs.export_limit_kw is not None:
            export_most = np.minimum(export_most, inputs.export_limit_kw)
        builder = self._builder
        imported = builder.columns(len(steps), upper=import_most, cost=buy)
        exported = builder.columns(len(steps), upper=export_most, cost=-sell)
        used_least = np.zeros(len(steps)) if self._may_curtail() else solar
        used = builder.columns(len(steps), lower=used_least, upper=solar)
        balance = builder.rows(len(steps), lower=load, upper=load)
        builder.entries(balance, imported, 1.0)
        builder.entries(balance, exported, -1.0)
        builder.entries(balance, used, 1.0)
        self._add_peaks(imported)
        return balance

    def _may_curtail(self) -> bool:
        """Whether sun may stay unused: by the owner's choice, or because the export limit leaves no room."""
        return self._inputs.solar_curtailable or self._inputs.export_limit_kw is not None

    def _add_peaks(self, imported: slice) -> None:
        inputs = self._inputs
        charge = inputs.demand_charge
        if charge is None:
            return
        idle_import = np.maximum(inputs.load_kw - inputs.solar_kw, 0.0)
        idle_import[self._steps] = 0.0
        starts = month_starts(inputs.grid, inputs.time_zone)
        least = np.maximum(np.maximum.reduceat(idle_import, starts), charge.minimum_kw)
        peaks = self._builder.columns(len(starts), lower=least, cost=charge.price_per_kw_month)
        month = np.searchsorted(starts, self._steps, side="right") - 1
        first = np.searchsorted(month, np.arange(len(starts) + 1))
        for index in range(len(starts)):
            begin, end = int(first[index]), int(first[index + 1])
            if begin == end:
                continue
            under = self._builder.rows(end - begin, upper=0.0)
            self._builder.entries(under, slice(imported.start + begin, imported.start + end), 1.0)
            peak = slice(peaks.start + index, peaks.start + index + 1)
            self._builder.entries(under, peak, -1.0)

    def _energy_lower(self) -> tuple[FloatArray, FloatArray]:
        """([plugged steps] the floor, or after a long trip the lowest that fastest charging from arrival allows;
        [stays] the most that any strategy must buy on the road before).
        """
        inputs, car = self._inputs, self._inputs.car
        at_departure = inputs.energy_kwh_at_start
        lower, bought_most = [], []
        for plug_in in inputs.plug_ins:
            # Else a dear winter would be bridged on the road, and home sold from it.
            short = plug_in.energy_kwh_used + inputs.energy_kwh_on_road_min - at_departure
            bought_most.append(max(short, 0.0))
            arrival = max(at_departure - plug_in.energy_kwh_used, inputs.energy_kwh_on_road_min)
            count = plug_in.departure_step - plug_in.arrival_step
            gained = car.charge_kw_max * car.charge_efficiency * self._step_h
            rising = arrival + gained * np.arange(1, count + 1)
            lower.append(np.minimum(car.energy_kwh_min, rising))
            asked = plug_in.energy_kwh_asked
            least = car.energy_kwh_min if asked is None else min(asked, car.energy_kwh_max)
            at_departure = min(least, float(rising[-1]))
        return np.concatenate(lower), np.array(bought_most)

    def _energy_upper(self) -> float:
        return max(self._inputs.car.energy_kwh_max, self._inputs.energy_kwh_at_start)

    def _add_holding(self, energy: slice) -> None:
        car = self._inputs.car
        if car.holding_price_per_kwh_h <= 0:
            return
        count = len(self._steps)
        held = self._builder.columns(count, cost=car.holding_price_per_kwh_h * self._step_h)
        above = self._builder.rows(count, upper=car.holding_from_kwh)
        self._builder.entries(above, energy, 1.0)
        self._builder.entries(above, held, -1.0)

    def _add_departures(self, energy: slice) -> None:
        ends = self._stay_ends()
        asked = np.array(
            [
                0.0 if p.energy_kwh_asked is None else p.energy_kwh_asked
                for p in self._inputs.plug_ins
            ]
        )
        highest = float(np.abs(self._inputs.import_price_per_kwh).max())
        missing = self._builder.columns(len(ends), cost=_SHORTFALL_WEIGHT * max(highest, 0.01))
        rows = self._builder.rows(len(ends), lower=asked)
        self._builder.entries(rows, missing, 1.0)
        for index, end in enumerate(ends.tolist()):
            row = slice(rows.start + index, rows.start + index + 1)
            at = energy.start + end - 1
            self._builder.entries(row, slice(at, at + 1), 1.0)

    def _stay_ends(self) -> NDArray[np.int64]:
        """For each stay the number of plugged-in steps up to its end."""
        lengths = [p.departure_step - p.arrival_step for p in self._inputs.plug_ins]
        return np.cumsum(np.array(lengths, dtype=np.int64))

    def _add_recursion(self, charge: slice, discharge: slice, energy: slice, public: slice) -> None:
        """e − e before − Δ(η_c c − d/η_d) = 0; at an arrival: = −used + bought on the road."""
        inputs, car, step_h = self._inputs, self._inputs.car, self._step_h
        firsts = np.concatenate(([0], self._stay_ends()[:-1]))
        change = np.zeros(len(self._steps))
        change[firsts] = [-plug_in.energy_kwh_used for plug_in in inputs.plug_ins]
        change[0] += inputs.energy_kwh_at_start
        builder = self._builder
        rows = builder.rows(len(self._steps), lower=change, upper=change)
        builder.entries(rows, energy, 1.0)
        builder.entries(
            slice(rows.start + 1, rows.stop), slice(energy.start, energy.stop - 1), -1.0
        )
        builder.entries(rows, charge, -step_h * car.charge_efficiency)
        builder.entries(rows, discharge, step_h / car.discharge_efficiency)
        reserve = inputs.energy_kwh_on_road_min
        for index, first in enumerate(firsts.tolist()):
            bought = slice(public.start + index, public.start + index + 1)
            builder.entries(slice(rows.start + first, rows.start + first + 1), bought, -1.0)
            # At arrival itself at least the reserve is left: e before − used + bought ≥ reserve.
            before = inputs.energy_kwh_at_start if first == 0 else 0.0
            arrival = builder.rows(
                1, lower=reserve + inputs.plug_ins[index].energy_kwh_used - before
            )
            builder.entries(arrival, bought, 1.0)
            if first > 0:
                at = energy.start + first - 1
                builder.entries(arrival, slice(at, at + 1), 1.0)

    def _value_end(self, energy: slice) -> None:
        """What is left at the end is worth what the accounts give for it: a credit on the last energy, as one more column."""
        price = stored_price_per_kwh(self._inputs)
        left = self._builder.columns(1, upper=self._energy_upper(), cost=-price)
        row = self._builder.rows(1, upper=0.0)
        self._builder.entries(row, left, 1.0)
        self._builder.entries(row, slice(energy.stop - 1, energy.stop), -1.0)

    def _read(
        self, state: ReplayState, power_kw: FloatArray, energy_kwh: FloatArray, public: FloatArray
    ) -> ReplayState:
        state.power_kw[self._steps] = power_kw
        ends = self._stay_ends().tolist()
        begin, at_departure = 0, self._inputs.energy_kwh_at_start
        for index, (plug_in, end) in enumerate(zip(self._inputs.plug_ins, ends, strict=True)):
            first, last = plug_in.arrival_step, plug_in.departure_step
            state.energy_kwh[first] = at_departure - plug_in.energy_kwh_used + public[index]
            state.energy_kwh[first + 1 : last + 1] = energy_kwh[begin:end]
            at_departure = float(energy_kwh[end - 1])
            state.energy_kwh[last + 1 :] = at_departure
            state.departures.append(self._departed(plug_in, at_departure, float(public[index])))
            begin = end
        state.next_stay = len(ends)
        state.energy_kwh_now = at_departure
        return state

    def _departed(self, plug_in: PlugIn, energy_kwh: float, public_kwh: float) -> Departed:
        asked = plug_in.energy_kwh_asked
        return Departed(plug_in.departure_step, asked, energy_kwh, energy_kwh, public_kwh)
