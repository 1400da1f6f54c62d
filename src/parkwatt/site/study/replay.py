"""The rolling horizon: at each replan only what was known then, and between two plans the control step.

While the car is plugged in, a plan is made at arrival and at each full replan interval; the control step
(`parkwatt.site.control`) follows it through each step of the grid with the load and sun that really came. The state after any
stay is small (`ReplayState`), so a replay can stop after any stay and go on later with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.plan.exact import Outlook, look_ahead
from parkwatt.site.control import (
    Intent,
    Moment,
    bounded_power_kw,
    control_power_kw,
    energy_change_kwh,
)
from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.horizon import Departure, Horizon
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.months import month_starts


@dataclass(frozen=True, slots=True)
class Departed:
    """One departure: asked and left with, the most that was possible, and what the trip before the stay had to
    buy on the road."""

    step: int
    energy_kwh_asked: float | None
    energy_kwh: float
    energy_kwh_possible: float
    public_kwh: float


@dataclass(slots=True)
class ReplayState:
    """Where a replay stands: the next stay, the energy at the last departure, and all that happened."""

    next_stay: int
    energy_kwh_now: float
    power_kw: FloatArray
    energy_kwh: FloatArray
    departures: list[Departed] = field(default_factory=list)

    @classmethod
    def at_start(cls, inputs: StudyInputs) -> ReplayState:
        """Nothing has happened yet."""
        count = inputs.grid.step_count
        energy = np.full(count + 1, inputs.energy_kwh_at_start)
        return cls(0, inputs.energy_kwh_at_start, np.zeros(count), energy)


def storage_for(strategy: StrategyName, car: Storage) -> Storage:
    """The car as the strategy may use it: charging at once and smart charging never discharge."""
    if strategy in ("charge_at_once", "smart"):
        return replace(car, discharge_kw_max=0.0, discharge_kw_min=0.0)
    return car


class Replay:
    """Replays one strategy stay by stay."""

    def __init__(self, inputs: StudyInputs, strategy: StrategyName) -> None:
        self._inputs = inputs
        self._storage = storage_for(strategy, inputs.car)
        self._may_export = strategy == "v2g"
        self._at_once = strategy == "charge_at_once"
        self._horizon = Horizon(inputs, self._storage, batteries_may_export=self._may_export)
        self._base_kw = inputs.load_kw - inputs.solar_kw
        self._step_h = inputs.grid.step_h
        self._month_starts = month_starts(inputs.grid, inputs.time_zone)

    def run(
        self,
        state: ReplayState,
        *,
        stay_count_max: int | None = None,
        on_stay: Callable[[int], None] | None = None,
    ) -> bool:
        """Go on from ``state``, which is changed, for at most ``stay_count_max`` stays; True when the span is finished.

        ``on_stay`` is told the grid step that has been reached.
        """
        plug_ins = self._inputs.plug_ins
        last = len(plug_ins) if stay_count_max is None else state.next_stay + stay_count_max
        while state.next_stay < min(last, len(plug_ins)):
            plug_in = plug_ins[state.next_stay]
            self._stay(state, plug_in)
            state.next_stay += 1
            if on_stay is not None:
                on_stay(plug_in.departure_step)
        return state.next_stay == len(plug_ins)

    def _stay(self, state: ReplayState, plug_in: PlugIn) -> None:
        energy, public_kwh = self._arrive(state.energy_kwh_now, plug_in)
        first, end = plug_in.arrival_step, plug_in.departure_step
        state.energy_kwh[first:] = energy
        possible = self._possible_kwh(energy, plug_in)
        step = first
        while step < end:
            until = min(self._next_replan(step), end)
            energy = self._follow_plan(state, plug_in, step, until, energy)
            step = until
        state.energy_kwh[end:] = energy
        state.energy_kwh_now = energy
        state.departures.append(
            Departed(end, plug_in.energy_kwh_asked, energy, possible, public_kwh)
        )

    def _arrive(self, energy_kwh_at_departure: float, plug_in: PlugIn) -> tuple[float, float]:
        """Energy at arrival, and what had to be charged on the road to get there."""
        energy = energy_kwh_at_departure - plug_in.energy_kwh_used
        public = max(self._inputs.energy_kwh_on_road_min - energy, 0.0)
        return energy + public, public

    def _possible_kwh(self, energy_kwh: float, plug_in: PlugIn) -> float:
        """The most that charging at full power from arrival on, within the connection's limit, reaches."""
        inputs, storage = self._inputs, self._storage
        base = self._base_kw[plug_in.arrival_step : plug_in.departure_step]
        power = np.full(len(base), storage.charge_kw_max)
        if inputs.import_limit_kw is not None:
            power = np.clip(inputs.import_limit_kw - base, 0.0, power)
        gained = float(power.sum()) * self._step_h * storage.charge_efficiency
        return min(energy_kwh + gained, max(storage.energy_kwh_max, energy_kwh))

    def _next_replan(self, step: int) -> int:
        interval = self._inputs.replan_steps
        return (step // interval + 1) * interval

    def _follow_plan(
        self, state: ReplayState, plug_in: PlugIn, step: int, until: int, energy_kwh: float
    ) -> float:
        """Plan at ``step`` and follow the plan to ``until``; the energy then."""
        departure = self._horizon.departure(step, plug_in)
        storage = self._horizon.storage(step)
        outlook: Outlook | None = None
        if not self._at_once:
            peak_kw = self._peak_so_far_kw(state, step)
            problem = self._horizon.problem(step, energy_kwh, plug_in, departure, peak_kw)
            outlook = look_ahead(problem)
        needed_kwh = self._needed_kwh(step, until, energy_kwh, plug_in, departure, storage)
        for at in range(step, until):
            moment = self._moment(at, energy_kwh, needed_kwh[at - step], storage)
            if outlook is None:
                power = self._charge_at_once(moment, plug_in)
            else:
                power = control_power_kw(storage, _intent(outlook, at - step), moment)
            state.power_kw[at] = power
            energy_kwh += energy_change_kwh(self._storage, power, self._step_h)
            state.energy_kwh[at + 1] = energy_kwh
        return energy_kwh

    def _peak_so_far_kw(self, state: ReplayState, step: int) -> float:
        """The highest import of the month until ``step``; 0 where no demand charge is paid."""
        charge = self._inputs.demand_charge
        if charge is None:
            return 0.0
        first = int(self._month_starts[np.searchsorted(self._month_starts, step, side="right") - 1])
        imported = self._base_kw[first:step] + state.power_kw[first:step]
        return max(float(imported.max(initial=0.0)), charge.minimum_kw)

    def _needed_kwh(
        self,
        step: int,
        until: int,
        energy_kwh: float,
        plug_in: PlugIn,
        departure: Departure,
        storage: Storage,
    ) -> list[float]:
        """What must be in the battery at the end of each step from ``step`` to ``until``, so that all that is
        asked can still be met.

        That is what is asked when ready, less what the steps from then on can charge; −inf where nothing is asked.
        """
        asked = plug_in.energy_kwh_asked
        if asked is None or not departure.within:
            return [-np.inf] * (until - step)
        asked = min(asked, storage.energy_kwh_max)
        if self._at_once:
            return [asked] * (until - step)
        room_kw = self._horizon.charging_room_kw(step, departure.ready_step, asked - energy_kwh)
        still_kwh = np.cumsum(room_kw[::-1])[::-1] * self._step_h * storage.charge_efficiency
        count = len(room_kw)
        return [
            asked - (float(still_kwh[at - step + 1]) if at - step + 1 < count else 0.0)
            for at in range(step, until)
        ]

    def _moment(self, step: int, energy_kwh: float, needed_kwh: float, storage: Storage) -> Moment:
        inputs = self._inputs
        # Below a floor that is to be reached at once the most is needed that can be; else what the departure asks.
        if energy_kwh < storage.energy_kwh_min:
            needed_kwh = max(needed_kwh, storage.energy_kwh_min)
        return Moment(
            base_kw=float(self._base_kw[step]),
            import_price_per_kwh=float(inputs.import_price_per_kwh[step]),
            export_price_per_kwh=float(inputs.export_price_per_kwh[step]),
            energy_kwh=energy_kwh,
            energy_kwh_needed=needed_kwh,
            duration_h=self._step_h,
            import_limit_kw=inputs.import_limit_kw,
            export_limit_kw=inputs.export_limit_kw,
            battery_may_export=self._may_export,
        )

    def _charge_at_once(self, moment: Moment, plug_in: PlugIn) -> float:
        """Full power from arrival until what is asked (or the battery, where nothing is) is full."""
        storage = self._storage
        target = plug_in.energy_kwh_asked
        missing = (storage.energy_kwh_max if target is None else target) - moment.energy_kwh
        if missing <= 0:
            return 0.0
        wanted = missing / (moment.duration_h * storage.charge_efficiency)
        return bounded_power_kw(storage, min(wanted, storage.charge_kw_max), moment)


def _intent(outlook: Outlook, offset: int) -> Intent:
    stored = outlook.stored_value_per_kwh
    return Intent(
        power_kw=float(outlook.power_kw[offset]),
        grid_kw=float(outlook.grid_kw[offset]),
        stored_value_per_kwh=None if stored is None else float(stored[offset]),
    )
