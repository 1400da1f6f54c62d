"""One replan of the study: from what is known at a step to the plan problem of the hours ahead.

Near steps keep the grid's resolution; further ahead the plan works in whole hours (cut where the car may leave), for only the
first hour of a plan is ever executed. The problem's one stay begins now and ends at the departure, or at the
horizon if that is nearer; what is left then is worth what the stays that follow make of it (`parkwatt.site.study.worth`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.problem import Problem, SiteProblem, Stay, Storage, Vehicle
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.prices import KnownPrices
from parkwatt.site.study.worth import StoredWorth

# Where departures are learned, the reserve is there at once; what is asked is ready by the time by which three quarters of
# them have happened, and the car is planned for until nine tenths have.
_READY_PROBABILITY, _LATE_PROBABILITY = 0.75, 0.9


# Time is short where charging must use more than this share of what the charger could do until the car must be ready.
_SHORT_SHARE = 0.4
_SELDOM_EXCEEDED = 0.9


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
        self._worth = StoredWorth(
            inputs, storage, self._prices, batteries_may_export=batteries_may_export
        )
        self._horizon_steps = round(inputs.horizon_h / inputs.grid.step_h)

    def departure(self, step: int, plug_in: PlugIn) -> Departure:
        """What is known at ``step`` of when the car leaves."""
        inputs = self._inputs
        end = min(step + self._horizon_steps, inputs.grid.step_count)
        presence = inputs.presence
        if presence is None or inputs.early_probability is None:
            leave = plug_in.departure_step
            return Departure(min(leave, end), min(leave, end), within=leave <= end)
        grid = inputs.grid
        now_s = grid.start_unix_s + step * grid.step_s
        since_s = grid.start_unix_s + plug_in.arrival_step * grid.step_s
        waiting = presence.departure(now_s, since_s)
        ready = grid.index(waiting.quantile_unix_s(_READY_PROBABILITY))
        late = grid.index(waiting.quantile_unix_s(_LATE_PROBABILITY))
        ready = min(max(ready, step + 1), end)
        leave = min(max(late, ready + self._steps_per_hour), end)
        return Departure(ready, leave, within=ready < end)

    def storage(self, step: int) -> Storage:
        """The car at ``step``. Where departures are learned its floor covers the next trip.

        All trips but a share of ``early_probability``, as past trips tell.
        """
        inputs = self._inputs
        presence, early = inputs.presence, inputs.early_probability
        if presence is None or early is None:
            return self._storage
        now_s = inputs.grid.start_unix_s + step * inputs.grid.step_s
        trip_kwh = presence.energy_needed_quantile(now_s, now_s, 1.0 - early)
        reserve_kwh = min(trip_kwh + inputs.energy_kwh_on_road_min, self._storage.energy_kwh_max)
        return replace(self._storage, energy_kwh_min=max(self._storage.energy_kwh_min, reserve_kwh))

    def charging_room_kw(self, step: int, ready_step: int, missing_kwh: float) -> FloatArray:
        """[ready_step − step] the power that charging can count on in each step until the car must be ready.

        The connection's limit counts where the time is short: then less what the load seldom exceeds and more
        what the sun seldom
        falls below. ``missing_kwh``: what is still to be charged.
        """
        inputs, grid, car = self._inputs, self._inputs.grid, self._storage
        room_kw = np.full(max(ready_step - step, 0), car.charge_kw_max)
        possible_kwh = float(room_kw.sum()) * grid.step_h * car.charge_efficiency
        if inputs.import_limit_kw is None or missing_kwh < _SHORT_SHARE * possible_kwh:
            return room_kw
        edges_s = grid.start_unix_s + np.arange(step, ready_step + 1) * grid.step_s
        now_s = int(edges_s[0])
        load = inputs.load_forecaster.forecast(now_s, edges_s, (_SELDOM_EXCEEDED,))
        solar = inputs.solar_forecaster.forecast(now_s, edges_s, (1.0 - _SELDOM_EXCEEDED,))
        base_kw = _known(load.quantile_kw[0]) - _known(solar.quantile_kw[0])
        return np.clip(inputs.import_limit_kw - base_kw, 0.0, room_kw)

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
        edges = self._edges(step, departure)
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
        stay = self._stay(step, energy_kwh, plug_in, departure, edges)
        # The charger's least power is left to the control step: in the plan it would cost a mixed-integer solve each hour.
        vehicle = _as_vehicle(
            replace(self.storage(step), charge_kw_min=0.0, discharge_kw_min=0.0), (stay,)
        )
        return Problem(
            start=utc(now_s),
            duration_h=np.diff(edges_s) / 3600.0,
            currency=inputs.currency,
            site=site,
            vehicles=(vehicle,),
            time_zone=str(inputs.time_zone),
        )

    def _stay(
        self,
        step: int,
        energy_kwh: float,
        plug_in: PlugIn,
        departure: Departure,
        edges: NDArray[np.int64],
    ) -> Stay:
        """The present stay in steps of the plan, with what energy is worth at its end."""
        leave, ready = np.searchsorted(edges, (departure.leave_step, departure.ready_step)).tolist()
        asked = plug_in.energy_kwh_asked if departure.within else None
        if departure.within:
            worth = self._worth.at_departure(step, plug_in, departure.leave_step)
        else:
            worth = self._worth.at_horizon(step, departure.leave_step)
        return Stay(
            from_step=0,
            to_step=leave,
            energy_kwh_at_arrival=energy_kwh,
            energy_kwh_at_departure=asked,
            energy_value_per_kwh=worth.value_per_kwh,
            end_value_drops=worth.drops,
            ready_from_step=ready if asked is not None and ready < leave else None,
        )

    def _edges(self, step: int, departure: Departure) -> NDArray[np.int64]:
        """[S+1] steps of the grid at which the plan's steps begin and end."""
        near_end = step + self._inputs.near_steps
        end, hour = departure.leave_step, self._steps_per_hour
        hours = np.arange(-(-near_end // hour) * hour, end, hour)
        near = np.arange(step, min(near_end + 1, end))
        return np.unique(np.concatenate((near, hours, [departure.ready_step, end])))


def _known(power_kw: FloatArray) -> FloatArray:
    """Before anything was measured a forecast is unknown; the plan then counts on nothing."""
    return np.maximum(np.nan_to_num(power_kw, nan=0.0), 0.0)


def _as_vehicle(storage: Storage, stays: tuple[Stay, ...]) -> Vehicle:
    """The same battery with its stays; every field of a storage is carried over, also one that is added later."""
    carried = {item.name: getattr(storage, item.name) for item in fields(Storage)}
    return Vehicle(**carried, stays=stays)
