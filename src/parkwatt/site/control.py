"""The control step: from the plan's power for this step, and what load and sun really are, to the battery's power.

The plan was made for a forecast. What differs from it is taken up by the grid or by the battery, whichever the
plan's own prices
say is cheaper. The rule only acts where the grid exchange would change its sign against the plan:

- unplanned export (more sun or less load): discharge less, then charge from the surplus, if the energy is worth more in the
  battery than sold;
- unplanned import: charge less, then discharge more, if the energy is worth less in the battery than bought.

In both cases at most to a grid exchange of zero. Then the bounds: power limits, no export from the battery where that is
not allowed, the connection's limits, the floor, and the energy that must be there by departure.
"""

from __future__ import annotations

from dataclasses import dataclass

from parkwatt.domain.problem import Storage

_NOTHING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Moment:
    """What is true in one step.

    ``base_kw``: load less sun. Prices in currency per kWh. ``energy_kwh``: in the battery at the step's start.
    ``energy_kwh_needed``: must be there at its end so that the departure is still met at full power (−inf: nothing asked).
    Limits in kW, None = none.
    """

    base_kw: float
    import_price_per_kwh: float
    export_price_per_kwh: float
    energy_kwh: float
    energy_kwh_needed: float
    duration_h: float
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    battery_may_export: bool = True


@dataclass(frozen=True, slots=True)
class Intent:
    """What the plan meant for this step: the battery's power, the grid exchange (import positive), and what a
    kWh in the battery is worth
    (currency per kWh; None: unknown, then the battery takes up every difference).
    """

    power_kw: float
    grid_kw: float
    stored_value_per_kwh: float | None


def control_power_kw(storage: Storage, intent: Intent, moment: Moment) -> float:
    """The battery's power for this step in kW, positive = charge, within every bound."""
    power_kw = _balanced(storage, intent, moment)
    return bounded_power_kw(storage, power_kw, moment)


def _balanced(storage: Storage, intent: Intent, moment: Moment) -> float:
    power_kw = intent.power_kw
    zero_grid_kw = -moment.base_kw
    value = intent.stored_value_per_kwh
    if power_kw < zero_grid_kw and intent.grid_kw > -_NOTHING_KW:
        sell = moment.export_price_per_kwh
        if power_kw < 0 and (value is None or _discharge_cost(storage, value) >= sell):
            power_kw = min(zero_grid_kw, 0.0)
        if zero_grid_kw > 0 and (value is None or value * storage.charge_efficiency >= sell):
            power_kw = zero_grid_kw
    elif power_kw > zero_grid_kw and intent.grid_kw < _NOTHING_KW:
        buy = moment.import_price_per_kwh
        if power_kw > 0 and (value is None or value * storage.charge_efficiency <= buy):
            power_kw = max(zero_grid_kw, 0.0)
        if zero_grid_kw < 0 and (value is None or _discharge_cost(storage, value) <= buy):
            power_kw = zero_grid_kw
    return power_kw


def _discharge_cost(storage: Storage, stored_value_per_kwh: float) -> float:
    return (stored_value_per_kwh + storage.wear_price_per_kwh) / storage.discharge_efficiency


def bounded_power_kw(storage: Storage, power_kw: float, moment: Moment) -> float:
    """``power_kw`` brought within the bounds of battery, connection, floor and departure.

    The departure comes before the wish to discharge, the connection's limit before the departure, and the battery's
    own bounds before all.
    """
    step_h, energy = moment.duration_h, moment.energy_kwh
    lowest_kw, drawn_kw_most = -storage.discharge_kw_max, storage.charge_kw_max
    if energy < storage.energy_kwh_min:
        lowest_kw = 0.0
    else:
        gain_kwh = storage.energy_kwh_min - energy
        lowest_kw = max(lowest_kw, _power_to_reach(storage, gain_kwh, step_h))
    room_kwh = max(storage.energy_kwh_max - energy, 0.0)
    fills_kw = _power_to_reach(storage, room_kwh, step_h)
    if not moment.battery_may_export:
        lowest_kw = max(lowest_kw, -max(moment.base_kw, 0.0))
    if moment.export_limit_kw is not None:
        lowest_kw = max(lowest_kw, min(-moment.export_limit_kw - moment.base_kw, 0.0))
    if moment.import_limit_kw is not None:
        drawn_kw_most = min(drawn_kw_most, max(moment.import_limit_kw - moment.base_kw, 0.0))
    highest_kw = min(drawn_kw_most, fills_kw)
    needed_kw = _power_to_reach(storage, moment.energy_kwh_needed - energy, step_h)
    wanted_kw = min(max(power_kw, lowest_kw, needed_kw), highest_kw)
    if (
        min(needed_kw, wanted_kw) > _NOTHING_KW
        and fills_kw < storage.charge_kw_min <= drawn_kw_most
    ):
        # The battery is full before the step ends: the charger runs at its least, then stops, and the mean is less.
        return wanted_kw
    return _semi_continuous(storage, wanted_kw, needed_kw, lowest_kw, highest_kw)


def _power_to_reach(storage: Storage, gain_kwh: float, step_h: float) -> float:
    """The power that changes the battery's energy by ``gain_kwh`` in one step."""
    if gain_kwh >= 0:
        return gain_kwh / (step_h * storage.charge_efficiency)
    return gain_kwh * storage.discharge_efficiency / step_h


def _semi_continuous(
    storage: Storage, power_kw: float, needed_kw: float, lowest_kw: float, highest_kw: float
) -> float:
    """A power below the least that the charger can do becomes that least, or nothing, whichever is nearer.

    It becomes the least where the departure needs any, and nothing where the least would break a bound or take what it needs.
    """
    if abs(power_kw) < _NOTHING_KW:
        return 0.0
    least_kw = storage.charge_kw_min if power_kw > 0 else -storage.discharge_kw_min
    if abs(power_kw) >= abs(least_kw):
        return power_kw
    rounds_up = abs(power_kw) >= abs(least_kw) / 2 or needed_kw > _NOTHING_KW
    allowed = max(lowest_kw, min(needed_kw, power_kw)) <= least_kw <= highest_kw
    return least_kw if rounds_up and allowed else 0.0


def energy_change_kwh(storage: Storage, power_kw: float, step_h: float) -> float:
    """kWh that a power puts into (or, negative, takes out of) the battery in one step."""
    if power_kw >= 0:
        return power_kw * storage.charge_efficiency * step_h
    return power_kw * step_h / storage.discharge_efficiency
