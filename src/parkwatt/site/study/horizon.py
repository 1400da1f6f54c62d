"""One replan of the study: from what is known at a step to the plan problem of the hours ahead.

Near steps keep the grid's resolution; further ahead the plan works in whole hours (cut where the car may leave), for only the
first hour of a plan is ever executed. The problem's one stay begins now and ends at the departure, or at the
horizon if that is nearer; beyond the asked energy a kWh is worth what refilling it is expected to cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.problem import Problem, SiteProblem, Stay, Storage, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.prices import KnownPrices

# In the learned case the car is planned for until this share of departures has happened.
_LATE_PROBABILITY = 0.75
_STAYS_AHEAD_MAX = 4


@dataclass(frozen=True, slots=True)
class Departure:
    """When the car leaves as far as it is known: ready by ``ready_step``, planned for until ``leave_step``.

    ``within`` is False where it leaves beyond the horizon: then nothing is asked yet.
    """

    ready_step: int
    leave_step: int
    within: bool


class Horizon:
    """Builds the plan problems of one strategy."""

    def __init__(
        self, inputs: StudyInputs, storage: Storage, *, batteries_may_export: bool
    ) -> None:
        self._inputs = inputs
        self._storage = storage
        self._prices = KnownPrices(inputs)
        self._batteries_may_export = batteries_may_export
        self._steps_per_hour = max(3600 // inputs.grid.step_s, 1)
        self._expected_for: tuple[int, int, int] | None = None
        self._expected: list[PlugIn] = []
        self._horizon_steps = round(inputs.horizon_h / inputs.grid.step_h)

    def departure(self, step: int, plug_in: PlugIn) -> Departure:
        """What is known at ``step`` of when the car leaves."""
        inputs = self._inputs
        end = min(step + self._horizon_steps, inputs.grid.step_count)
        presence, early = inputs.presence, inputs.early_probability
        if presence is None or early is None:
            leave = plug_in.departure_step
            return Departure(min(leave, end), min(leave, end), within=leave <= end)
        grid = inputs.grid
        now_s = grid.start_unix_s + step * grid.step_s
        since_s = grid.start_unix_s + plug_in.arrival_step * grid.step_s
        waiting = presence.departure(now_s, since_s)
        ready = grid.index(waiting.quantile_unix_s(early))
        late = grid.index(waiting.quantile_unix_s(_LATE_PROBABILITY))
        ready = min(max(ready, step + 1), end)
        leave = min(max(late, ready + self._steps_per_hour), end)
        return Departure(ready, leave, within=ready < end)

    def problem(
        self,
        step: int,
        energy_kwh: float,
        plug_in: PlugIn,
        departure: Departure,
        peak_so_far_kw: float,
    ) -> Problem:
        """The problem at the start of ``step`` with ``energy_kwh`` in the battery.

        ``peak_so_far_kw``: the highest import of this month until now, where a demand charge is paid on it.
        """
        inputs, grid = self._inputs, self._inputs.grid
        expected = self._expected_stays(step, plug_in, departure)
        edges = self._edges(step, departure, expected)
        edges_s = grid.start_unix_s + edges * grid.step_s
        now_s = int(edges_s[0])
        buy, sell = self._prices.over(step, edges)
        site = SiteProblem(
            buy,
            sell,
            load_kw=_known(inputs.load_forecaster.forecast(now_s, edges_s, ()).mean_kw),
            solar_kw=_known(inputs.solar_forecaster.forecast(now_s, edges_s, ()).mean_kw),
            solar_curtailable=inputs.solar_curtailable,
            import_limit_kw=inputs.import_limit_kw,
            export_limit_kw=inputs.export_limit_kw,
            demand_charge_per_kw=0.0
            if inputs.demand_charge is None
            else inputs.demand_charge.price_per_kw_month,
            peak_so_far_kw=peak_so_far_kw,
            batteries_may_export=self._batteries_may_export,
        )
        stays = self._stays(energy_kwh, plug_in, departure, expected, edges)
        stays[-1] = replace(
            stays[-1], energy_value_per_kwh=self._end_value(step, int(edges[stays[-1].to_step]))
        )
        # The charger's least power is left to the control step: in the plan it would cost a mixed-integer solve each hour.
        vehicle = _as_vehicle(
            replace(self._storage, charge_kw_min=0.0, discharge_kw_min=0.0), tuple(stays)
        )
        return Problem(
            start=utc(now_s),
            duration_h=np.diff(edges_s) / 3600.0,
            currency=inputs.currency,
            site=site,
            vehicles=(vehicle,),
            time_zone=str(inputs.time_zone),
        )

    def _stays(
        self,
        energy_kwh: float,
        plug_in: PlugIn,
        departure: Departure,
        expected: list[PlugIn],
        edges: NDArray[np.int64],
    ) -> list[Stay]:
        """The present stay and the expected ones, in steps of the plan."""
        place = {int(edge): index for index, edge in enumerate(edges)}
        leave, ready = place[departure.leave_step], place[departure.ready_step]
        asked = plug_in.energy_kwh_asked if departure.within else None
        present = Stay(
            from_step=0,
            to_step=leave,
            energy_kwh_at_arrival=energy_kwh,
            energy_kwh_at_departure=asked,
            ready_from_step=ready if asked is not None and ready < leave else None,
        )
        later = [
            Stay(
                from_step=place[stay.arrival_step],
                to_step=place[stay.departure_step],
                energy_kwh_at_arrival=0.0,
                energy_kwh_at_departure=stay.energy_kwh_asked,
                energy_kwh_used_before=stay.energy_kwh_used,
            )
            for stay in expected
        ]
        return [present, *later]

    def _expected_stays(self, step: int, plug_in: PlugIn, departure: Departure) -> list[PlugIn]:
        """The stays after this one that the car's habits let expect within the horizon."""
        presence, grid = self._inputs.presence, self._inputs.grid
        if presence is None or not departure.within:
            return []
        key = (plug_in.arrival_step, departure.leave_step, step // self._inputs.replan_steps // 24)
        if self._expected_for != key:
            self._expected_for = key
            self._expected = list(
                self._expect(step, departure.leave_step, plug_in.energy_kwh_asked)
            )
        end = min(step + self._horizon_steps, grid.step_count)
        within = [stay for stay in self._expected if stay.arrival_step < end - self._steps_per_hour]
        if within and within[-1].departure_step > end:
            within[-1] = replace(within[-1], departure_step=end, energy_kwh_asked=None)
        return within

    def _expect(self, step: int, leave_step: int, asked_kwh: float | None) -> Iterator[PlugIn]:
        presence, grid = self._inputs.presence, self._inputs.grid
        if presence is None:
            return
        now_s = grid.start_unix_s + step * grid.step_s
        used_kwh = self._prices.usually_used_kwh(step)
        left_s = grid.start_unix_s + leave_step * grid.step_s
        for _ in range(_STAYS_AHEAD_MAX):
            arrives_s = presence.arrival(left_s, left_s, now_s).quantile_unix_s(0.5)
            leaves_s = presence.departure(arrives_s, arrives_s, now_s).quantile_unix_s(0.5)
            # Whole steps inside the stay.
            arrival, leave = (
                -(-(arrives_s - grid.start_unix_s) // grid.step_s),
                grid.index(leaves_s),
            )
            if leave <= arrival:
                return
            yield PlugIn(max(arrival, grid.index(left_s) + 1), leave, used_kwh, asked_kwh)
            left_s = leaves_s

    def _end_value(self, step: int, last_step: int) -> float:
        """What a kWh in the battery (beyond what is asked) is worth at the end of the plan."""
        refill = self._prices.refill_price_per_kwh(step, last_step)
        return refill / self._storage.charge_efficiency

    def _edges(self, step: int, departure: Departure, expected: list[PlugIn]) -> NDArray[np.int64]:
        """[S+1] steps of the grid at which the plan's steps begin and end."""
        near_end = step + self._inputs.near_steps
        end = expected[-1].departure_step if expected else departure.leave_step
        turns = [edge for stay in expected for edge in (stay.arrival_step, stay.departure_step)]
        hour = self._steps_per_hour
        hours = np.arange(-(-near_end // hour) * hour, end, hour)
        near = np.arange(step, min(near_end + 1, end))
        return np.unique(
            np.concatenate((near, hours, [departure.ready_step, departure.leave_step, *turns]))
        )


def _known(power_kw: FloatArray) -> FloatArray:
    """Before anything was measured a forecast is unknown; the plan then counts on nothing."""
    return np.maximum(np.nan_to_num(power_kw, nan=0.0), 0.0)


def _as_vehicle(storage: Storage, stays: tuple[Stay, ...]) -> Vehicle:
    return Vehicle(
        id=storage.id,
        energy_kwh_min=storage.energy_kwh_min,
        energy_kwh_max=storage.energy_kwh_max,
        charge_kw_max=storage.charge_kw_max,
        discharge_kw_max=storage.discharge_kw_max,
        charge_kw_min=storage.charge_kw_min,
        discharge_kw_min=storage.discharge_kw_min,
        charge_efficiency=storage.charge_efficiency,
        discharge_efficiency=storage.discharge_efficiency,
        wear_price_per_kwh=storage.wear_price_per_kwh,
        holding_price_per_kwh_h=storage.holding_price_per_kwh_h,
        holding_from_kwh=storage.holding_from_kwh,
        stays=stays,
    )
