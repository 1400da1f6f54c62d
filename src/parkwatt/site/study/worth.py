"""What energy is worth that the car leaves with: by the stays that may follow, drawn from its habits.

What a kWh more at departure saves depends on when the car comes back, for how long, and what prices and the house do
then. So a few futures are drawn (one, where a calendar knows it): absences, trips and stays of the next four days at
quantiles of the presence model, shuffled so that the futures are a fair mixture. In each the best use of the battery is
found backwards, hour by hour. With U(e) the worth of holding e at the end of an hour, and h(Δ) the least cost to change
the energy by Δ within it, the worth at its start is

    U(e) ← max over Δ of U(e + Δ) − h(Δ)

U is concave and h convex, both piecewise linear, so the maximum is a merge of slopes in falling order: kWh are bought and
used in the order of their prices. At a departure each kWh below what is asked costs far more than any price, as far as it
could be there; a trip moves U by what it uses. The mean over the futures falls with the energy, and stands in the plan
as its end value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.presence import PresenceModel
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from parkwatt.site.study.prices import KnownPrices

_FUTURE_COUNT: Final = 8
_HOURS_AHEAD: Final = 96
_STAYS_MAX: Final = 8
_NODE_COUNT: Final = 41
_SLOPE_COUNT: Final = 8
# What is asked at a departure, in units of the dearest price: before any money.
_ASKED_WEIGHT: Final = 10.0
_LEAST_DROP_PER_KWH: Final = 1e-6
# A learned departure moves a little with each hour that passes; the worth is found anew when it has moved this far.
_SAME_WORTH_H: Final = 6.0


@dataclass(frozen=True, slots=True)
class EndValue:
    """A kWh left at the end is worth ``value_per_kwh``, and beyond each energy of ``drops`` so much less."""

    value_per_kwh: float
    drops: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """The hours after the departure. [H] each; a slope is money per kWh in the battery, a width the kWh of a full hour.

    ``slopes``, ``widths``: [H, 4]: charging from the grid, charging from the sun, running the house, selling.
    ``steps``: the grid's steps in an hour.
    """

    slopes: FloatArray
    widths: FloatArray
    dearest_price_per_kwh: float
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """When the car of each future comes, goes and is there, by the hour.

    ``here``: [H, K] share of the hour; ``arrivals`` at the start and ``departures`` at the end of each hour: future and stay.
    """

    here: FloatArray
    arrivals: list[list[tuple[int, PlugIn]]]
    departures: list[list[tuple[int, PlugIn]]]

    @classmethod
    def of(
        cls, futures: list[list[PlugIn]], first_step: int, hour_count: int, hour_steps: int
    ) -> _Events:
        """The events of the ``hour_count`` hours from ``first_step`` on."""
        here = np.zeros((hour_count, len(futures)))
        arrivals: list[list[tuple[int, PlugIn]]] = [[] for _ in range(hour_count)]
        departures: list[list[tuple[int, PlugIn]]] = [[] for _ in range(hour_count)]
        begins = np.arange(hour_count)
        for index, stays in enumerate(futures):
            for stay in stays:
                first = (stay.arrival_step - first_step) / hour_steps
                end = (stay.departure_step - first_step) / hour_steps
                if first >= hour_count:
                    break
                within = np.minimum(end, begins + 1) - np.maximum(first, begins)
                here[:, index] += np.clip(within, 0.0, 1.0)
                arrivals[int(first)].append((index, stay))
                if end <= hour_count:
                    departures[max(math.ceil(end) - 1, int(first))].append((index, stay))
        return cls(here, arrivals, departures)


class StoredWorth:
    """The end values of one strategy's plans."""

    def __init__(
        self,
        inputs: StudyInputs,
        storage: Storage,
        prices: KnownPrices,
        *,
        batteries_may_export: bool,
    ) -> None:
        self._inputs = inputs
        self._storage = storage
        self._prices = prices
        self._batteries_may_export = batteries_may_export
        self._nodes_kwh = np.linspace(storage.energy_kwh_min, storage.energy_kwh_max, _NODE_COUNT)
        random = np.random.default_rng(0)
        shuffled = [random.permutation(_FUTURE_COUNT) for _ in range(3 * _STAYS_MAX)]
        self._draws = (np.array(shuffled) + 0.5) / _FUTURE_COUNT
        self._found_for: tuple[int, int, int] | None = None
        self._found = EndValue(0.0)

    def at_departure(self, step: int, plug_in: PlugIn, leave_step: int) -> EndValue:
        """The worth of what the car holds when it leaves at ``leave_step``, as seen at ``step``."""
        part_of_day = leave_step // round(_SAME_WORTH_H / self._inputs.grid.step_h)
        key = (plug_in.arrival_step, part_of_day, self._prices.known_until_step(step))
        if self._found_for != key:
            self._found_for = key
            self._found = self._at_departure(step, plug_in, leave_step)
        return self._found

    def at_horizon(self, step: int, end_step: int) -> EndValue:
        """The worth of a kWh at an end at which the car stays: what the next filling will cost."""
        refill = self._prices.refill_price_per_kwh(step, end_step)
        return EndValue(refill / self._storage.charge_efficiency)

    def _at_departure(self, step: int, plug_in: PlugIn, leave_step: int) -> EndValue:
        refill = self.at_horizon(step, leave_step).value_per_kwh
        futures = self._futures(step, leave_step, plug_in)
        per_hour = max(3600 // self._inputs.grid.step_s, 1)
        hour_count = min(_HOURS_AHEAD, (self._inputs.grid.step_count - leave_step) // per_hour)
        if not futures or hour_count < 1:
            return EndValue(refill)
        hours = self._hours(step, leave_step, hour_count, per_hour)
        worth = self._worth(futures, leave_step, hours, refill)
        asked = plug_in.energy_kwh_asked
        return self._as_end_value(worth, self._storage.energy_kwh_min if asked is None else asked)

    def _as_end_value(self, worth: FloatArray, from_kwh: float) -> EndValue:
        most = self._storage.energy_kwh_max
        from_kwh = min(from_kwh, most - 1e-3)
        energies = np.linspace(from_kwh, most, _SLOPE_COUNT + 1)
        slopes = np.diff(np.interp(energies, self._nodes_kwh, worth)) / np.diff(energies)
        slopes = np.minimum.accumulate(slopes)
        drops = slopes[:-1] - slopes[1:]
        return EndValue(
            float(slopes[0]),
            tuple(
                (float(energy), float(drop))
                for energy, drop in zip(energies[1:-1], drops, strict=True)
                if drop > _LEAST_DROP_PER_KWH
            ),
        )

    def _futures(self, step: int, leave_step: int, plug_in: PlugIn) -> list[list[PlugIn]]:
        inputs = self._inputs
        if inputs.trips_known:
            following = (stay for stay in inputs.plug_ins if stay.arrival_step >= leave_step)
            return [list(islice(following, _STAYS_MAX))]
        presence, asked_kwh = inputs.presence, plug_in.energy_kwh_asked
        if presence is None:
            return []
        return [
            self._future(presence, draws, step, leave_step, asked_kwh) for draws in self._draws.T
        ]

    def _future(
        self,
        presence: PresenceModel,
        draws: FloatArray,
        step: int,
        leave_step: int,
        asked_kwh: float | None,
    ) -> list[PlugIn]:
        grid = self._inputs.grid
        now_s = grid.start_unix_s + step * grid.step_s
        left_s = grid.start_unix_s + leave_step * grid.step_s
        end_s = left_s + _HOURS_AHEAD * 3600
        stays = []
        for away, stay, trip in draws.reshape(-1, 3).tolist():
            used_kwh = presence.energy_needed_quantile(now_s, left_s, trip)
            arrives_s = presence.arrival(left_s, left_s, now_s).quantile_unix_s(away)
            if arrives_s >= end_s:
                break
            left_s = presence.departure(arrives_s, arrives_s, now_s).quantile_unix_s(stay)
            first, end = grid.index(arrives_s), grid.index(left_s)
            stays.append(PlugIn(first, max(end, first + 1), used_kwh, asked_kwh))
            if left_s >= end_s:
                break
        return stays

    def _hours(self, step: int, leave_step: int, hour_count: int, per_hour: int) -> _Hours:
        inputs, storage = self._inputs, self._storage
        grid = inputs.grid
        edges = leave_step + per_hour * np.arange(hour_count + 1, dtype=np.int64)
        buy, sell = self._prices.over(step, edges)
        now_s = grid.start_unix_s + step * grid.step_s
        edges_s = grid.start_unix_s + edges * grid.step_s
        base_kw = np.nan_to_num(inputs.load_forecaster.forecast(now_s, edges_s, ()).mean_kw)
        base_kw -= np.nan_to_num(inputs.solar_forecaster.forecast(now_s, edges_s, ()).mean_kw)
        hour_h = per_hour * grid.step_h
        charge_kw = np.full(hour_count, storage.charge_kw_max)
        if inputs.import_limit_kw is not None:
            charge_kw = np.clip(inputs.import_limit_kw - base_kw, 0.0, charge_kw)
        sun_kw = np.clip(-base_kw, 0.0, charge_kw)
        house_kw = np.clip(base_kw, 0.0, storage.discharge_kw_max)
        sold_kw = storage.discharge_kw_max - house_kw
        if not self._batteries_may_export:
            sold_kw[:] = 0.0
        sun_price = sell
        if inputs.solar_curtailable:
            # What would cost to export is left unused, and where import earns, imported instead.
            sun_price = np.where(sell > 0, sell, np.minimum(buy, 0.0))
        gain, loss = storage.charge_efficiency, storage.discharge_efficiency
        wear = storage.wear_price_per_kwh
        slopes = (buy / gain, sun_price / gain, buy * loss - wear, sell * loss - wear)
        widths = ((charge_kw - sun_kw) * gain, sun_kw * gain, house_kw / loss, sold_kw / loss)
        return _Hours(
            np.stack(slopes, axis=1),
            np.stack(widths, axis=1) * hour_h,
            max(float(np.abs(buy).max()), 0.01) / gain,
            per_hour,
        )

    def _worth(
        self,
        futures: list[list[PlugIn]],
        leave_step: int,
        hours: _Hours,
        refill_price_per_kwh: float,
    ) -> FloatArray:
        """[nodes] the mean worth over the futures."""
        events = _Events.of(futures, leave_step, len(hours.slopes), hours.steps)
        worth = np.tile(refill_price_per_kwh * self._nodes_kwh, (len(futures), 1))
        for hour in range(len(hours.slopes) - 1, -1, -1):
            for index, stay in events.departures[hour]:
                worth[index] -= self._penalty(stay, hours)
            here = events.here[hour]
            present = here > 0
            if present.any():
                worth[present] = self._used(
                    worth[present], hours.slopes[hour], hours.widths[hour], here[present]
                )
            for index, stay in events.arrivals[hour]:
                least_kwh = self._asked_kwh(stay) - self._gained_kwh_most(stay)
                worth[index] = self._without_penalty(worth[index], least_kwh, refill_price_per_kwh)
                worth[index] = self._before_trip(worth[index], stay.energy_kwh_used, hours)
        return np.asarray(worth.mean(axis=0))

    def _asked_kwh(self, stay: PlugIn) -> float:
        asked = stay.energy_kwh_asked
        return 0.0 if asked is None else min(asked, self._storage.energy_kwh_max)

    def _gained_kwh_most(self, stay: PlugIn) -> float:
        stay_h = (stay.departure_step - stay.arrival_step) * self._inputs.grid.step_h
        return self._storage.charge_kw_max * self._storage.charge_efficiency * stay_h

    def _penalty(self, stay: PlugIn, hours: _Hours) -> FloatArray:
        """[nodes] for leaving with less than is asked."""
        short = np.maximum(self._asked_kwh(stay) - self._nodes_kwh, 0.0)
        return _ASKED_WEIGHT * hours.dearest_price_per_kwh * short

    def _without_penalty(
        self, worth: FloatArray, least_kwh: float, refill_price_per_kwh: float
    ) -> FloatArray:
        """[nodes] Who arrives with less than ``least_kwh`` cannot reach what is asked: that costs a refill, and no penalty."""
        short = np.maximum(least_kwh - self._nodes_kwh, 0.0)
        at_least = float(np.interp(least_kwh, self._nodes_kwh, worth))
        return np.where(short > 0, at_least - refill_price_per_kwh * short, worth)

    def _used(
        self, worth: FloatArray, slopes: FloatArray, widths: FloatArray, here: FloatArray
    ) -> FloatArray:
        """[K, nodes] the worth an hour earlier, in which the car was plugged in for the shares ``here`` [K]."""
        nodes, storage = self._nodes_kwh, self._storage
        count = len(worth)
        width = nodes[1] - nodes[0]
        own = np.diff(worth, axis=1) / width
        all_slopes = np.concatenate((own, np.tile(slopes, (count, 1))), axis=1)
        all_widths = np.concatenate(
            (np.full(own.shape, width), here[:, np.newaxis] * widths), axis=1
        )
        order = np.argsort(-all_slopes, axis=1)
        all_slopes = np.take_along_axis(all_slopes, order, axis=1)
        all_widths = np.take_along_axis(all_widths, order, axis=1)
        charged_kwh = here * widths[:2].sum()
        paid = here * (slopes[:2] @ widths[:2])
        energies = np.cumsum(np.column_stack((nodes[0] - charged_kwh, all_widths)), axis=1)
        values = np.cumsum(np.column_stack((worth[:, 0] - paid, all_widths * all_slopes)), axis=1)
        result = np.array(
            [np.interp(nodes, *curve) for curve in zip(energies, values, strict=True)]
        )
        if storage.holding_price_per_kwh_h > 0:
            held = np.maximum(nodes - storage.holding_from_kwh, 0.0)
            result -= storage.holding_price_per_kwh_h * here[:, np.newaxis] * held
        return result

    def _before_trip(self, worth: FloatArray, used_kwh: float, hours: _Hours) -> FloatArray:
        """[nodes] by the energy before the trip. What arrives below the floor is charged at once."""
        nodes = self._nodes_kwh
        after = nodes - used_kwh
        short = np.maximum(nodes[0] - after, 0.0)
        return np.asarray(np.interp(after, nodes, worth) - hours.dearest_price_per_kwh * short)
