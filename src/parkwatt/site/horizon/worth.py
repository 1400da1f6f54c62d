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

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.forecast.presence import PresenceModel
from parkwatt.site.horizon.knowledge import CarAhead, SiteAhead, StayAhead

_FUTURE_COUNT: Final = 8
_HOURS_AHEAD: Final = 96
_STAYS_MAX: Final = 8
_NODE_COUNT: Final = 41
_SLOPE_COUNT: Final = 8
# What is asked at a departure, in units of the dearest price: before any money.
_ASKED_WEIGHT: Final = 10.0
_LEAST_DROP_PER_KWH: Final = 1e-6
# Between floor and full: with less there is nothing to choose.
_LEAST_ROOM_KWH: Final = 0.01
# A learned departure moves a little with each hour that passes; the worth is found anew when it has moved this far.
_SAME_WORTH_S: Final = 6 * 3600
_DAY_S: Final = 86_400
# Before the first trip: this share of the battery.
_USED_SHARE_AT_FIRST: Final = 0.2
# The dearest hour of a filling is saved by the first kWh, the cheapest by the last; a value between them stands for all.
_FILL_SHARE: Final = 0.75


@dataclass(frozen=True, slots=True)
class EndValue:
    """A kWh left at the end is worth ``value_per_kwh``, and beyond each energy of ``drops`` so much less."""

    value_per_kwh: float
    drops: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """The hours after the departure. [H] each; a slope is money per kWh in the battery, a width the kWh of a full hour.

    ``slopes``, ``widths``: [H, 4]: charging from the grid, charging from the sun, running the house, selling.
    """

    slopes: FloatArray
    widths: FloatArray
    dearest_price_per_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """When the car of each future comes, goes and is there, by the hour.

    ``here``: [H, K] share of the hour; ``arrivals`` at the start and ``departures`` at the end of each hour: future and stay.
    """

    here: FloatArray
    arrivals: list[list[tuple[int, StayAhead]]]
    departures: list[list[tuple[int, StayAhead]]]

    @classmethod
    def of(
        cls, futures: list[list[StayAhead]], first_unix_s: int, hour_count: int, hour_s: int
    ) -> _Events:
        """The events of the ``hour_count`` hours from ``first_unix_s`` on."""
        here = np.zeros((hour_count, len(futures)))
        arrivals: list[list[tuple[int, StayAhead]]] = [[] for _ in range(hour_count)]
        departures: list[list[tuple[int, StayAhead]]] = [[] for _ in range(hour_count)]
        begins = np.arange(hour_count)
        for index, stays in enumerate(futures):
            for stay in stays:
                first = (stay.arrival_unix_s - first_unix_s) / hour_s
                end = (stay.departure_unix_s - first_unix_s) / hour_s
                if first >= hour_count:
                    break
                within = np.minimum(end, begins + 1) - np.maximum(first, begins)
                here[:, index] += np.clip(within, 0.0, 1.0)
                arrivals[int(first)].append((index, stay))
                if end <= hour_count:
                    departures[max(math.ceil(end) - 1, int(first))].append((index, stay))
        return cls(here, arrivals, departures)


class StoredWorth:
    """The end values of one car's plans at one site."""

    def __init__(self, site: SiteAhead, car: CarAhead) -> None:
        self._site, self._car = site, car
        storage = self._storage = car.storage
        self._nodes_kwh = np.linspace(storage.energy_kwh_min, storage.energy_kwh_max, _NODE_COUNT)
        random = np.random.default_rng(0)
        shuffled = [random.permutation(_FUTURE_COUNT) for _ in range(3 * _STAYS_MAX)]
        self._draws = (np.array(shuffled) + 0.5) / _FUTURE_COUNT
        self._found_for: tuple[int, int, int] | None = None
        self._found = EndValue(0.0)

    def at_departure(
        self,
        now_unix_s: int,
        since_unix_s: int,
        leave_unix_s: int,
        energy_kwh_asked: float | None,
    ) -> EndValue:
        """The worth of what the car, plugged in at ``since_unix_s``, leaves with at ``leave_unix_s``, as seen at ``now``."""
        part_of_day = (leave_unix_s - self._site.grid.start_unix_s) // _SAME_WORTH_S
        key = (since_unix_s, part_of_day, self._site.prices.known_until_step(now_unix_s))
        if self._found_for != key:
            self._found_for = key
            self._found = self._at_departure(now_unix_s, leave_unix_s, energy_kwh_asked)
        return self._found

    def at_horizon(self, now_unix_s: int, end_unix_s: int) -> EndValue:
        """The worth of a kWh at an end at which the car stays: what the next filling will cost."""
        refill = self.refill_price_per_kwh(now_unix_s, end_unix_s)
        return EndValue(refill / self._storage.charge_efficiency)

    def refill_price_per_kwh(self, now_unix_s: int, after_unix_s: int) -> float:
        """What the next filling of the battery, after ``after_unix_s``, is expected to cost per kWh (AC), seen from ``now``.

        The dearest of the hours that the filling needs, the cheapest ones in which the car is usually there: a kWh more
        in the battery saves that one.
        """
        grid, past, storage = self._site.grid, self._car.past, self._storage
        per_day = _DAY_S // grid.step_s
        after = grid.index(after_unix_s)
        end = min(after + per_day, grid.index(self._site.end_unix_s))
        first = max(min(after, end - per_day), 0)
        prices = self._site.prices.import_price_of_steps(now_unix_s, first, end)
        order = np.argsort(prices, kind="stable")
        starts_s = grid.start_unix_s + grid.step_s * np.arange(first, end, dtype=np.int64)
        available = past.available(now_unix_s, starts_s)
        per_step = storage.charge_kw_max * storage.charge_efficiency * grid.step_h
        filled = np.cumsum(available[order]) * per_step
        used_kwh = past.usually_used_kwh(now_unix_s)
        if used_kwh is None:
            used_kwh = _USED_SHARE_AT_FIRST * storage.energy_kwh_max
        place = int(np.searchsorted(filled, used_kwh * _FILL_SHARE))
        return float(prices[order[min(place, len(order) - 1)]])

    def _at_departure(
        self, now_unix_s: int, leave_unix_s: int, energy_kwh_asked: float | None
    ) -> EndValue:
        refill = self.at_horizon(now_unix_s, leave_unix_s).value_per_kwh
        futures = self._futures(now_unix_s, leave_unix_s, energy_kwh_asked)
        hours_left = (self._site.end_unix_s - leave_unix_s) // self._site.hour_s
        hour_count = min(_HOURS_AHEAD, hours_left)
        room_kwh = self._storage.energy_kwh_max - self._storage.energy_kwh_min
        if not futures or hour_count < 1 or room_kwh < _LEAST_ROOM_KWH:
            return EndValue(refill)
        hours = self._hours(now_unix_s, leave_unix_s, hour_count)
        worth = self._worth(futures, leave_unix_s, hours, refill)
        floor_kwh = self._storage.energy_kwh_min
        return self._as_end_value(
            worth, floor_kwh if energy_kwh_asked is None else energy_kwh_asked
        )

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

    def _futures(
        self, now_unix_s: int, leave_unix_s: int, energy_kwh_asked: float | None
    ) -> list[list[StayAhead]]:
        known, presence = self._car.stays_known, self._car.presence
        if known is not None:
            following = (stay for stay in known if stay.arrival_unix_s >= leave_unix_s)
            return [list(islice(following, _STAYS_MAX))]
        if presence is None:
            return []
        return [
            self._future(presence, draws, now_unix_s, leave_unix_s, energy_kwh_asked)
            for draws in self._draws.T
        ]

    def _future(
        self,
        presence: PresenceModel,
        draws: FloatArray,
        now_s: int,
        left_s: int,
        asked_kwh: float | None,
    ) -> list[StayAhead]:
        site, step_s = self._site, self._site.grid.step_s
        end_s = left_s + _HOURS_AHEAD * 3600
        stays = []
        for away, stay, trip in draws.reshape(-1, 3).tolist():
            used_kwh = presence.energy_needed_quantile(now_s, left_s, trip)
            arrives_s = presence.arrival(left_s, left_s, now_s).quantile_unix_s(away)
            if arrives_s >= end_s:
                break
            left_s = presence.departure(arrives_s, arrives_s, now_s).quantile_unix_s(stay)
            first, end = site.floor_unix_s(arrives_s), site.floor_unix_s(left_s)
            stays.append(StayAhead(first, max(end, first + step_s), used_kwh, asked_kwh))
            if left_s >= end_s:
                break
        return stays

    def _hours(self, now_unix_s: int, leave_unix_s: int, hour_count: int) -> _Hours:
        site, storage = self._site, self._storage
        edges_s: TimeArray = leave_unix_s + site.hour_s * np.arange(hour_count + 1, dtype=np.int64)
        buy, sell = site.prices.over(now_unix_s, edges_s)
        base_kw = np.nan_to_num(site.load_forecaster.forecast(now_unix_s, edges_s, ()).mean_kw)
        base_kw -= np.nan_to_num(site.solar_forecaster.forecast(now_unix_s, edges_s, ()).mean_kw)
        hour_h = site.hour_s / 3600.0
        charge_kw = np.full(hour_count, storage.charge_kw_max)
        if site.import_limit_kw is not None:
            charge_kw = np.clip(site.import_limit_kw - base_kw, 0.0, charge_kw)
        sun_kw = np.clip(-base_kw, 0.0, charge_kw)
        house_kw = np.clip(base_kw, 0.0, storage.discharge_kw_max)
        sold_kw = storage.discharge_kw_max - house_kw
        if not self._car.may_export:
            sold_kw[:] = 0.0
        sun_price = sell
        if site.solar_curtailable:
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
        )

    def _worth(
        self,
        futures: list[list[StayAhead]],
        leave_unix_s: int,
        hours: _Hours,
        refill_price_per_kwh: float,
    ) -> FloatArray:
        """[nodes] the mean worth over the futures."""
        events = _Events.of(futures, leave_unix_s, len(hours.slopes), self._site.hour_s)
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

    def _asked_kwh(self, stay: StayAhead) -> float:
        asked = stay.energy_kwh_asked
        return 0.0 if asked is None else min(asked, self._storage.energy_kwh_max)

    def _gained_kwh_most(self, stay: StayAhead) -> float:
        stay_h = (stay.departure_unix_s - stay.arrival_unix_s) / 3600.0
        return self._storage.charge_kw_max * self._storage.charge_efficiency * stay_h

    def _penalty(self, stay: StayAhead, hours: _Hours) -> FloatArray:
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
