"""What departures learned from history are worth: missed trips against the saving that is kept.

Each user's past sessions are replayed with a day-ahead price, charging only. The car comes home with what its last
departure held less its trip (what the real session charged); a trip is missed where more than 0.5 kWh is wanting. Who
charges at once misses none and saves nothing; who knows every departure saves all. Between them stand three ways to
use `PresenceModel`:

- deadline p: full by the time by which a share p of departures has happened, at the cheapest prices before it;
- reserve q: at once up to the energy that covers a share q of trips, the rest cheaply by the median departure;
- expected cost C: each quarter charges or waits as backward induction over the departure's hazard says, with C a kWh for
  a trip's shortfall: the optimum of one stay for this distribution, what is left over being worth the mean price.

The saving with known departures is not a bound: it fills up in each stay and does not wait for a cheaper one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray
from parkwatt.forecast.presence import PresenceModel

PRICES = Path(__file__).resolve().parents[2] / "shared/data/prices/dayahead_DELU_2024.parquet"
QUARTER_S, QUARTER_H = 900, 0.25
HORIZON = 288  # quarters; three days
FULL_FRACTION = 0.95
SESSIONS_BEFORE = 10
MISSED_KWH = 0.5
SHORTFALL_PRICE_PER_KWH = 0.5  # charged on the road instead
WEEK_S = 7 * 86_400


class User(Protocol):
    """What is read of a user's sessions."""

    @property
    def arrival_unix_s(self) -> TimeArray: ...
    @property
    def departure_unix_s(self) -> TimeArray: ...
    @property
    def energy_kwh(self) -> FloatArray: ...
    @property
    def charge_kw(self) -> FloatArray: ...
    @property
    def battery_kwh(self) -> float: ...
    def model(self) -> PresenceModel: ...


@dataclass(frozen=True)
class Curve:
    """One point: how many trips were missed, and how much of the saving of known departures was kept."""

    policy: str
    missed_share: float
    saving_kept_share: float
    session_count: int


@dataclass(frozen=True)
class Stay:
    """What a policy knows at arrival."""

    model: PresenceModel
    arrival_unix_s: int
    energy_kwh: float
    full_kwh: float
    quarter_kwh: float
    price_per_kwh: FloatArray
    quarters_until_departure: int  # for the policy that knows it


Policy = Callable[[Stay], FloatArray]


def curves(users: Sequence[User]) -> list[Curve]:
    """The points of all policies on the same sessions and prices."""
    prices = _prices()
    once_cost, _, _ = _replay(users, at_once, prices)
    known_cost, _, _ = _replay(users, knowing, prices)
    policies: dict[str, Policy] = {
        **{f"deadline {100 * p:g} %": _deadline(p) for p in (0.01, 0.02, 0.1, 0.5)},
        **{f"reserve {100 * q:g} %": _reserve(q) for q in (0.5, 0.9, 0.98)},
        **{f"expected cost {c:g}": _expected_cost(c) for c in (1.0, 4.0)},
    }
    found = []
    for name, policy in policies.items():
        cost, missed, count = _replay(users, policy, prices)
        kept = (once_cost - cost) / (once_cost - known_cost)
        found.append(Curve(name, missed / count, kept, count))
    return found


def at_once(stay: Stay) -> FloatArray:
    """As fast as possible until full."""
    return _fast(stay.full_kwh - stay.energy_kwh, stay.quarter_kwh)


def knowing(stay: Stay) -> FloatArray:
    """At the cheapest prices before a departure that is known."""
    stop = stay.quarters_until_departure
    return _cheapest(stay, np.zeros(HORIZON), stay.full_kwh, stop)


def _deadline(probability: float) -> Policy:
    def policy(stay: Stay) -> FloatArray:
        return _cheapest(stay, np.zeros(HORIZON), stay.full_kwh, _quarters(stay, probability))

    return policy


def _reserve(probability: float) -> Policy:
    def policy(stay: Stay) -> FloatArray:
        now = stay.arrival_unix_s
        reserve = stay.model.energy_needed_quantile(now, now + 43_200, probability)
        first = _fast(min(reserve, stay.full_kwh) - stay.energy_kwh, stay.quarter_kwh)
        return _cheapest(stay, first, stay.full_kwh, _quarters(stay, 0.5))

    return policy


def _expected_cost(shortfall_per_kwh: float) -> Policy:
    """Backward induction over (quarter, energy): W is the cost of leaving with an energy, U that of going on."""
    probability = (np.arange(20) + 0.5) / 20

    def policy(stay: Stay) -> FloatArray:
        now, step_kwh = stay.arrival_unix_s, stay.quarter_kwh
        levels = max(int((stay.full_kwh - stay.energy_kwh) // step_kwh), 0)
        energy = stay.energy_kwh + step_kwh * np.arange(levels + 1)
        trips = [stay.model.energy_needed_quantile(now, now + 43_200, p) for p in probability]
        wanting = np.maximum(np.array(trips)[:, np.newaxis] - energy, 0.0).mean(axis=0)
        edges = now + QUARTER_S * np.arange(HORIZON + 1, dtype=np.int64)
        gone = stay.model.departure(now, now).probability_by(edges)
        hazard = np.diff(gone) / np.maximum(1.0 - gone[:-1], 1e-9)
        worth = float(stay.price_per_kwh.mean())
        leaving = shortfall_per_kwh * wanting - worth * energy
        going_on = leaving.copy()
        charge = np.zeros((HORIZON, levels + 1), dtype=bool)
        for quarter in range(HORIZON - 1, -1, -1):
            paid = np.append(stay.price_per_kwh[quarter] * step_kwh + going_on[1:], np.inf)
            charge[quarter] = paid < going_on
            stayed = np.minimum(paid, going_on)
            going_on = hazard[quarter] * leaving + (1.0 - hazard[quarter]) * stayed
        plan = np.zeros(HORIZON)
        level = 0
        for quarter in range(HORIZON):
            if charge[quarter, level]:
                plan[quarter] = step_kwh
                level += 1
        return plan

    return policy


def _quarters(stay: Stay, probability: float) -> int:
    now = stay.arrival_unix_s
    return (stay.model.departure_quantile(now, now, probability) - now) // QUARTER_S


def _fast(energy_kwh: float, quarter_kwh: float) -> FloatArray:
    """[HORIZON] kWh a quarter, as fast as possible."""
    upto = np.minimum(quarter_kwh * np.arange(1, HORIZON + 1), max(energy_kwh, 0.0))
    return np.diff(upto, prepend=0.0)


def _cheapest(stay: Stay, already: FloatArray, target_kwh: float, stop: int) -> FloatArray:
    """``already`` and what is still needed, in the cheapest quarters before ``stop`` (later, if it cannot be done by then)."""
    plan = already.copy()
    needed = max(target_kwh - stay.energy_kwh - float(plan.sum()), 0.0)
    least = int(np.ceil((needed + plan.sum()) / stay.quarter_kwh - 1e-9))
    stop = min(max(stop, least), HORIZON)
    for quarter in np.argsort(stay.price_per_kwh[:stop], kind="stable"):
        take = min(needed, stay.quarter_kwh - float(plan[quarter]))
        plan[quarter] += take
        needed -= take
        if needed <= 0.0:
            break
    return plan


def _replay(
    users: Sequence[User], policy: Policy, prices: tuple[TimeArray, FloatArray]
) -> tuple[float, int, int]:
    """(cost, trips missed, sessions) of all users; what is left in the battery at the end is worth the mean price."""
    cost, missed, count = 0.0, 0, 0
    for user in users:
        model = user.model()
        full = FULL_FRACTION * user.battery_kwh
        energy = full - float(user.energy_kwh[SESSIONS_BEFORE])
        for i in range(SESSIONS_BEFORE, len(user.arrival_unix_s) - 1):
            arrival = int(user.arrival_unix_s[i])
            quarters = min((int(user.departure_unix_s[i]) - arrival) // QUARTER_S, HORIZON)
            price = _price_from(prices, arrival)
            quarter_kwh = float(user.charge_kw[i]) * QUARTER_H
            stay = Stay(model, arrival, energy, full, quarter_kwh, price, quarters)
            charged = policy(stay)[:quarters]
            cost += float(charged @ price[:quarters])
            energy += float(charged.sum())
            short = max(float(user.energy_kwh[i + 1]) - energy, 0.0)
            cost += SHORTFALL_PRICE_PER_KWH * short
            missed += int(short > MISSED_KWH)
            count += 1
            energy = max(energy - float(user.energy_kwh[i + 1]), 0.0)
        cost -= energy * float(prices[1].mean())
    return cost, missed, count


def _prices() -> tuple[TimeArray, FloatArray]:
    """([N] start of the hour, [N] price a kWh): a real year, or one by formula where there is none."""
    if PRICES.is_file():
        query = f"select epoch(ts_utc), * exclude (ts_utc) from '{PRICES}' order by 1"  # noqa: S608
        rows = np.array(duckdb.execute(query).fetchall(), dtype=np.float64)
        return rows[:, 0].astype(np.int64), rows[:, 1] / 1000.0
    hours = np.arange(8760)
    daily = 0.1 - 0.03 * np.cos(hours / 12 * np.pi) + 0.04 * np.cos((hours - 18) / 6 * np.pi)
    return 1_704_067_200 + 3600 * hours, np.asarray(daily)


def _price_from(prices: tuple[TimeArray, FloatArray], time_unix_s: int) -> FloatArray:
    """[HORIZON] prices a quarter, from the same weekday and hour of some week of the priced year."""
    starts, values = prices
    into_week = (time_unix_s - int(starts[0])) % WEEK_S
    week = time_unix_s // WEEK_S * 17 % 51
    first = into_week + week * WEEK_S
    hours = (first + QUARTER_S * np.arange(HORIZON)) // 3600
    return np.asarray(values[np.minimum(hours, len(values) - 1)], dtype=np.float64)
