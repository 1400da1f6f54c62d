"""Prices of wear for the planner, from the ageing model: per kWh discharged, and for standing
charged.

Both are derived by ageing the cell over its service life on plain days, and both are convex, so
that the planner stays a linear programme:

* `wear_price_curve`: a car drives each day, and gives back a further depth of discharge to house or
  grid. The cycling loss that this adds over its service life, in money, over the energy given, is
  the price. It is made convex by the lower envelope over depth, so each tier costs at least as much
  as the one before.
* `holding_price`: the calendar loss of a battery that rests at one charge all its life, in money an
  hour, over charge. Its lower convex envelope is in turn bounded from below by a hinge,
  `price * max(0, energy - from)`, that touches it and covers most of it. It never overstates what
  the model says and is never negative; where resting lower does not save life it is zero.

A pack is worth its price until it has lost `1 - end_of_life_fraction` of its capacity; so the loss
of one whole capacity costs `capacity_kwh * pack_price_per_kwh / (1 - end_of_life_fraction)`.
"""

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.plan.wear.ageing import DAYS_PER_YEAR, simulate_ageing
from parkwatt.plan.wear.cells import Cell
from parkwatt.plan.wear.spans import FloatArray

END_OF_LIFE_FRACTION = 0.7
SERVICE_YEARS = 10.0
DRIVING_DEPTH = 0.15
SOC_TOP = 0.8
POWER_KW = 11.0
HOURS_PER_YEAR = 24 * DAYS_PER_YEAR
DEPTH_MAX, DEPTH_STEP = 0.45, 0.05
SOC_STEP = 0.05

# The charges between which a car rests: the holding price is made for these.
REST_SOC_MIN, REST_SOC_MAX = 0.2, 0.9


@dataclass(frozen=True)
class WearTier:
    """The price of a kWh discharged for grid use while the day's depth of it is in [from, to)."""

    depth_from: float
    depth_to: float
    price_per_kwh: float


@dataclass(frozen=True)
class HoldingPrice:
    """What standing charged costs: a price per hour and kWh above `holding_from_kwh`."""

    holding_price_per_kwh_h: float
    holding_from_kwh: float


def wear_price(
    cell: Cell,
    capacity_kwh: float,
    pack_price_per_kwh: float,
    depth: float,
    temperature_c: float,
    *,
    end_of_life_fraction: float = END_OF_LIFE_FRACTION,
    service_years: float = SERVICE_YEARS,
    driving_depth: float = DRIVING_DEPTH,
    power_kw: float = POWER_KW,
    depth_max: float = DEPTH_MAX,
) -> float:
    """Price of wear in currency per kWh that leaves the battery, for days with this depth of grid
    use.

    The mean over the tiers of `wear_price_curve` up to `depth`: nondecreasing in depth, never
    negative.

    Args:
        cell: one of `CELLS`.
        capacity_kwh: capacity of the pack when new, > 0.
        pack_price_per_kwh: price of a new pack in currency per kWh of its capacity, >= 0.
        depth: energy given a day as a fraction of capacity, > 0 and at most `depth_max`.
        temperature_c: temperature of the battery.
        end_of_life_fraction: capacity at which the pack is worth nothing, in [0, 1).
        service_years: years over which the loss is counted, > 0.
        driving_depth: depth of a day's driving, >= 0.
        power_kw: power of grid use and charging, > 0.
        depth_max: the deepest day the curve is made for, > 0; with the driving at most `SOC_TOP`.

    Raises:
        InputError: an argument out of its range.
    """
    tiers = wear_price_curve(
        cell,
        capacity_kwh,
        pack_price_per_kwh,
        temperature_c,
        depth_max=depth_max,
        end_of_life_fraction=end_of_life_fraction,
        service_years=service_years,
        driving_depth=driving_depth,
        power_kw=power_kw,
    )
    if not 0 < depth <= depth_max:
        raise InputError([InputFault("depth", f"must be > 0 and <= {depth_max:g}", depth)])
    cost = sum(
        tier.price_per_kwh * (min(depth, tier.depth_to) - tier.depth_from)
        for tier in tiers
        if tier.depth_from < depth
    )
    return cost / depth


def wear_price_curve(
    cell: Cell,
    capacity_kwh: float,
    pack_price_per_kwh: float,
    temperature_c: float,
    *,
    depth_max: float = DEPTH_MAX,
    end_of_life_fraction: float = END_OF_LIFE_FRACTION,
    service_years: float = SERVICE_YEARS,
    driving_depth: float = DRIVING_DEPTH,
    power_kw: float = POWER_KW,
) -> tuple[WearTier, ...]:
    """Price of wear by depth: tiers from 0 to `depth_max`, each at least as dear as the one before.

    Arguments and errors as `wear_price`.
    """
    _check_pack(capacity_kwh, pack_price_per_kwh, end_of_life_fraction, service_years)
    faults = [
        InputFault(name, "must be > 0", value)
        for name, value in (("depth_max", depth_max), ("power_kw", power_kw))
        if not value > 0
    ]
    if not 0 <= driving_depth <= SOC_TOP - depth_max:
        rule = f"must be >= 0 and with the depth of grid use at most {SOC_TOP:g}"
        faults.append(InputFault("driving_depth", rule, driving_depth))
    if faults:
        raise InputError(faults)
    depths = np.linspace(0.0, depth_max, max(2, round(depth_max / DEPTH_STEP) + 1))
    rate_per_h = power_kw / capacity_kwh
    losses = np.array(
        [
            _cycling_loss(cell, depth, driving_depth, rate_per_h, temperature_c, service_years)
            for depth in depths.tolist()
        ]
    )
    # Per kWh the capacity cancels: loss times pack value over depth times capacity times days.
    price_per_loss = pack_price_per_kwh / (1 - end_of_life_fraction)
    prices = np.diff(lower_envelope(depths, losses)) / np.diff(depths)
    prices = np.maximum(prices, 0.0) * price_per_loss / (service_years * DAYS_PER_YEAR)
    return tuple(
        WearTier(*tier)
        for tier in zip(depths[:-1].tolist(), depths[1:].tolist(), prices.tolist(), strict=True)
    )


def holding_price(
    cell: Cell,
    capacity_kwh: float,
    pack_price_per_kwh: float,
    temperature_c: float,
    *,
    end_of_life_fraction: float = END_OF_LIFE_FRACTION,
    service_years: float = SERVICE_YEARS,
) -> HoldingPrice:
    """Price of standing charged, in currency per hour and kWh above a charge.

    Made for charges from 0.2 to 0.9, where cars rest. Of all hinges that touch the convex envelope
    of the calendar cost there from below, the one that covers most of it.

    Arguments and errors as `wear_price`.
    """
    _check_pack(capacity_kwh, pack_price_per_kwh, end_of_life_fraction, service_years)
    soc, cost_per_h = holding_cost_per_h(
        cell,
        capacity_kwh,
        pack_price_per_kwh,
        temperature_c,
        end_of_life_fraction=end_of_life_fraction,
        service_years=service_years,
    )
    resting = (soc > REST_SOC_MIN - 1e-9) & (soc < REST_SOC_MAX + 1e-9)
    soc, cost_per_h = soc[resting], cost_per_h[resting]
    above_least = lower_envelope(soc, cost_per_h) - cost_per_h.min()
    slopes = np.diff(above_least) / np.diff(soc)
    best, covered = HoldingPrice(0.0, capacity_kwh), 0.0
    for slope, at, level in zip(
        slopes.tolist(), soc[1:].tolist(), above_least[1:].tolist(), strict=True
    ):
        if slope <= 0:
            continue
        start = at - level / slope
        area = float(np.sum(slope * np.maximum(0.0, soc - start)))
        if area > covered * (1 + 1e-9):  # of equals the first, so that money scales
            best = HoldingPrice(slope / capacity_kwh, start * capacity_kwh)
            covered = area
    return best


def holding_cost_per_h(
    cell: Cell,
    capacity_kwh: float,
    pack_price_per_kwh: float,
    temperature_c: float,
    *,
    end_of_life_fraction: float = END_OF_LIFE_FRACTION,
    service_years: float = SERVICE_YEARS,
) -> tuple[FloatArray, FloatArray]:
    """Calendar cost of resting: charges (0, 0.05, ..., 1) and cost in currency per hour at each.

    Arguments and errors as `wear_price`.
    """
    _check_pack(capacity_kwh, pack_price_per_kwh, end_of_life_fraction, service_years)
    soc = np.asarray(np.linspace(0.0, 1.0, round(1 / SOC_STEP) + 1), dtype=np.float64)
    time_s = np.array([0.0, 86400.0])
    loss = np.array(
        [
            simulate_ageing(
                cell, time_s, np.full(2, level), np.full(2, temperature_c), service_years
            ).calendar_loss[-1]
            for level in soc.tolist()
        ]
    )
    value = capacity_kwh * pack_price_per_kwh / (1 - end_of_life_fraction)
    return soc, loss * value / (service_years * HOURS_PER_YEAR)


def lower_envelope(x: FloatArray, y: FloatArray) -> FloatArray:
    """Values at `x` (ascending) of the largest convex function nowhere above the points."""
    corners: list[int] = []
    for i in range(len(x)):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            corners.pop()
        corners.append(i)
    return np.interp(x, x[corners], y[corners])


def _cycling_loss(
    cell: Cell,
    depth: float,
    driving_depth: float,
    rate_per_h: float,
    temperature_c: float,
    years: float,
) -> float:
    """Cycling loss over years of equal days: drive out, back, give `depth`, charge at night."""
    rate_per_h = max(rate_per_h, (depth + driving_depth) / 7, depth / 7)
    half = driving_depth / 2
    lowest = SOC_TOP - driving_depth - depth
    hours = np.array(
        [0, 1, 9, 10, 10 + depth / rate_per_h, 17, 17 + (SOC_TOP - lowest) / rate_per_h]
    )
    levels = [SOC_TOP, SOC_TOP - half, SOC_TOP - half, SOC_TOP - driving_depth]
    levels += [lowest, lowest, SOC_TOP]
    time_s = np.arange(0.0, 86401.0, 900.0)
    soc = np.minimum(np.maximum(np.interp(time_s / 3600, hours, levels), 0.0), 1.0)
    result = simulate_ageing(cell, time_s, soc, np.full(len(soc), temperature_c), years)
    return float(result.cycle_loss[-1])


def _check_pack(
    capacity_kwh: float,
    pack_price_per_kwh: float,
    end_of_life_fraction: float,
    service_years: float,
) -> None:
    faults = [
        InputFault(name, rule, value)
        for name, rule, value, holds in (
            ("capacity_kwh", "must be > 0", capacity_kwh, capacity_kwh > 0),
            ("pack_price_per_kwh", "must be >= 0", pack_price_per_kwh, pack_price_per_kwh >= 0),
            (
                "end_of_life_fraction",
                "must be >= 0 and < 1",
                end_of_life_fraction,
                0 <= end_of_life_fraction < 1,
            ),
            ("service_years", "must be > 0", service_years, service_years > 0),
        )
        if not (holds and np.isfinite(value))
    ]
    if faults:
        raise InputError(faults)
