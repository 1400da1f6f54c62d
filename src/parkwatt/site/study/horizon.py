"""One replan of the study: what is known at a step of its grid, and the plan problem that follows (`parkwatt.site.horizon`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.problem import Problem, Storage
from parkwatt.domain.record import FloatArray
from parkwatt.site.horizon.departure import (
    DepartureAhead,
    departure_ahead,
    storage_with_reserve,
)
from parkwatt.site.horizon.knowledge import CarAhead, PastUse, SiteAhead, StayAhead
from parkwatt.site.horizon.prices import KnownPrices
from parkwatt.site.horizon.problem import PresentCar, known_power_kw, problem_ahead
from parkwatt.site.horizon.worth import StoredWorth
from parkwatt.site.study.inputs import PlugIn, StudyInputs, connected

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
        self._grid = inputs.grid
        self._site = site_ahead(inputs)
        self._car = car_ahead(inputs, storage, may_export=batteries_may_export)
        self._worth = StoredWorth(self._site, self._car)

    def departure(self, step: int, plug_in: PlugIn) -> Departure:
        """What is known at ``step`` of when the car leaves."""
        grid, inputs = self._grid, self._inputs
        ahead = departure_ahead(
            self._site,
            self._car,
            inputs.time_unix_s(step),
            inputs.time_unix_s(plug_in.arrival_step),
            inputs.time_unix_s(plug_in.departure_step),
        )
        return Departure(
            grid.index(ahead.ready_unix_s), grid.index(ahead.leave_unix_s), ahead.within
        )

    def storage(self, step: int) -> Storage:
        """The car at ``step``. Where departures are learned its floor covers the next trip."""
        return storage_with_reserve(self._car, self._inputs.time_unix_s(step))

    def charging_room_kw(self, step: int, ready_step: int, missing_kwh: float) -> FloatArray:
        """[ready_step − step] the power that charging can count on in each step until the car must be ready.

        The connection's limit counts where the time is short: then less what the load seldom exceeds and more
        what the sun seldom
        falls below. ``missing_kwh``: what is still to be charged.
        """
        inputs, grid, car = self._inputs, self._inputs.grid, self._car.storage
        room_kw = np.full(max(ready_step - step, 0), car.charge_kw_max)
        possible_kwh = float(room_kw.sum()) * grid.step_h * car.charge_efficiency
        if inputs.import_limit_kw is None or missing_kwh < _SHORT_SHARE * possible_kwh:
            return room_kw
        edges_s = grid.start_unix_s + np.arange(step, ready_step + 1) * grid.step_s
        now_s = int(edges_s[0])
        load = inputs.load_forecaster.forecast(now_s, edges_s, (_SELDOM_EXCEEDED,))
        solar = inputs.solar_forecaster.forecast(now_s, edges_s, (1.0 - _SELDOM_EXCEEDED,))
        base_kw = known_power_kw(load.quantile_kw[0]) - known_power_kw(solar.quantile_kw[0])
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
        inputs = self._inputs
        present = PresentCar(
            self._car,
            self._worth,
            energy_kwh,
            inputs.time_unix_s(plug_in.arrival_step),
            plug_in.energy_kwh_asked,
            DepartureAhead(
                inputs.time_unix_s(departure.ready_step),
                inputs.time_unix_s(departure.leave_step),
                departure.within,
            ),
        )
        return problem_ahead(self._site, (present,), inputs.time_unix_s(step), peak_so_far_kw)


def site_ahead(inputs: StudyInputs) -> SiteAhead:
    """What is known of the study's site."""
    grid = inputs.grid
    return SiteAhead(
        currency=inputs.currency,
        time_zone=inputs.time_zone,
        prices=KnownPrices(
            grid,
            inputs.import_price_per_kwh,
            inputs.export_price_per_kwh,
            inputs.prices_known_until,
            str(inputs.time_zone),
            inputs.holidays,
        ),
        load_forecaster=inputs.load_forecaster,
        solar_forecaster=inputs.solar_forecaster,
        end_unix_s=grid.end_unix_s,
        near_s=inputs.near_steps * grid.step_s,
        horizon_s=round(inputs.horizon_h / grid.step_h) * grid.step_s,
        solar_curtailable=inputs.solar_curtailable,
        import_limit_kw=inputs.import_limit_kw,
        export_limit_kw=inputs.export_limit_kw,
        demand_charge_per_kw=0.0
        if inputs.demand_charge is None
        else inputs.demand_charge.price_per_kw_month,
    )


def car_ahead(inputs: StudyInputs, storage: Storage, *, may_export: bool) -> CarAhead:
    """What is known of the study's car, which its plans use as ``storage``."""
    stays = tuple(stay_ahead(inputs, plug_in) for plug_in in inputs.plug_ins)
    past = PastUse(
        inputs.grid,
        connected(inputs),
        np.array([stay.arrival_unix_s for stay in stays], dtype=np.int64),
        np.array([stay.energy_kwh_used for stay in stays]),
    )
    return CarAhead(
        storage=storage,
        past=past,
        presence=inputs.presence,
        early_probability=inputs.early_probability,
        stays_known=stays if inputs.trips_known else None,
        energy_kwh_on_road_min=inputs.energy_kwh_on_road_min,
        may_export=may_export,
    )


def stay_ahead(inputs: StudyInputs, plug_in: PlugIn) -> StayAhead:
    """A stay of the study by its times."""
    return StayAhead(
        inputs.time_unix_s(plug_in.arrival_step),
        inputs.time_unix_s(plug_in.departure_step),
        plug_in.energy_kwh_used,
        plug_in.energy_kwh_asked,
    )
