"""From what the battery did to what it was worth: flows at the meter, money by month, promises kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.site.outcome import MonthResult, StrategyName, StrategyResult, WearResult
from parkwatt.site.study.inputs import StudyInputs, connected
from parkwatt.site.study.months import month_name, month_starts
from parkwatt.site.study.replay import Departed

# Less than this is not missed: a tenth of a per cent of a small battery, a third of a kilometre.
_MISSED_KWH = 0.05
_FLOOR_TOLERANCE_KWH = 1e-6


def account(
    inputs: StudyInputs,
    strategy: StrategyName,
    power_kw: FloatArray,
    energy_kwh: FloatArray,
    departures: Sequence[Departed],
    wear: tuple[WearResult, ...] = (),
) -> StrategyResult:
    """The result of a strategy that charged with ``power_kw`` [T] and had ``energy_kwh`` [T+1] in the battery."""
    step_h = inputs.grid.step_h
    import_kw, export_kw, solar_used_kw = meter_flows(inputs, power_kw)
    months = _months(inputs, import_kw, export_kw, power_kw, energy_kwh)
    public_kwh = sum(departed.public_kwh for departed in departures)
    asked = [departed for departed in departures if departed.energy_kwh_asked is not None]
    missed = (
        _missed(asked) if inputs.early_probability is None else _trips_missed(inputs, departures)
    )
    short = [max((item.energy_kwh_asked or 0.0) - item.energy_kwh, 0.0) for item in asked]
    avoidable = [_avoidable_kwh(item, item.energy_kwh_asked or 0.0) for item in asked]
    discharged = -np.minimum(power_kw, 0.0)
    return StrategyResult(
        name=strategy,
        power_kw=power_kw,
        energy_kwh=energy_kwh,
        import_kw=import_kw,
        export_kw=export_kw,
        solar_used_kw=solar_used_kw,
        energy_cost=sum(month.energy_cost for month in months)
        + public_kwh * inputs.public_price_per_kwh,
        demand_cost=sum(month.demand_cost for month in months),
        wear_cost=sum(month.wear_cost for month in months),
        stored_value=_stored_value(inputs, float(energy_kwh[-1])),
        bought_kwh=float(import_kw.sum()) * step_h,
        sold_kwh=float(export_kw.sum()) * step_h,
        discharged_kwh=float(discharged.sum()) * step_h,
        import_peak_kw=float(import_kw.max()),
        self_consumption=_self_consumption(inputs, export_kw, solar_used_kw),
        departure_count=len(asked),
        missed_count=missed,
        shortfall_kwh=float(sum(short)),
        shortfall_kwh_avoidable=float(sum(avoidable)),
        below_floor_kwh_h=_below_floor(inputs, power_kw, energy_kwh),
        months=months,
        wear=wear,
        public_kwh=public_kwh,
    )


def _avoidable_kwh(departed: Departed, wanted_kwh: float) -> float:
    """What was missing of ``wanted_kwh`` though it was possible."""
    return max(min(wanted_kwh, departed.energy_kwh_possible) - departed.energy_kwh, 0.0)


def _missed(departures: Sequence[Departed]) -> int:
    short = (_avoidable_kwh(item, item.energy_kwh_asked or 0.0) for item in departures)
    return sum(kwh > _MISSED_KWH for kwh in short)


def _trips_missed(inputs: StudyInputs, departures: Sequence[Departed]) -> int:
    """Where nobody told a departure: how many trips lacked energy that could have been there."""
    following = inputs.plug_ins[1 : len(departures) + 1]
    needed = (stay.energy_kwh_used + inputs.energy_kwh_on_road_min for stay in following)
    short = (_avoidable_kwh(item, kwh) for item, kwh in zip(departures, needed, strict=False))
    return sum(kwh > _MISSED_KWH for kwh in short)


def meter_flows(
    inputs: StudyInputs, power_kw: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[T] each: import, export, and the sun used: all of it, but where export costs money or has no room."""
    solar = inputs.solar_kw
    net_kw = inputs.load_kw + power_kw - solar
    room_kw = np.full(len(net_kw), np.inf)
    if inputs.export_limit_kw is not None:
        room_kw[:] = inputs.export_limit_kw
    if inputs.solar_curtailable:
        room_kw[inputs.export_price_per_kwh < 0] = 0.0
    unused = np.clip(-net_kw - room_kw, 0.0, solar)
    net_kw = net_kw + unused
    return np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0), solar - unused


def wear_cost_by_step(
    inputs: StudyInputs, power_kw: FloatArray, energy_kwh: FloatArray
) -> FloatArray:
    """[T] what the planner's own wear and holding prices make of it; holding counts while plugged in."""
    car, step_h = inputs.car, inputs.grid.step_h
    after = _energy_after_kwh(inputs, power_kw, energy_kwh)
    discharged = -np.minimum(power_kw, 0.0) * step_h / car.discharge_efficiency
    above = np.maximum(after - car.holding_from_kwh, 0.0) * connected(inputs)
    return discharged * car.wear_price_per_kwh + above * step_h * car.holding_price_per_kwh_h


def _energy_after_kwh(
    inputs: StudyInputs, power_kw: FloatArray, energy_kwh: FloatArray
) -> FloatArray:
    """[T] in the battery when each step ends, before a trip that begins and ends with the step: cars come back within one."""
    car, step_h = inputs.car, inputs.grid.step_h
    gained = np.maximum(power_kw, 0.0) * car.charge_efficiency
    lost = np.minimum(power_kw, 0.0) / car.discharge_efficiency
    return energy_kwh[:-1] + (gained + lost) * step_h


def _months(
    inputs: StudyInputs,
    import_kw: FloatArray,
    export_kw: FloatArray,
    power_kw: FloatArray,
    energy_kwh: FloatArray,
) -> tuple[MonthResult, ...]:
    money = inputs.import_price_per_kwh * import_kw - inputs.export_price_per_kwh * export_kw
    wear = wear_cost_by_step(inputs, power_kw, energy_kwh)
    starts = month_starts(inputs.grid, inputs.time_zone)
    energy_cost = np.add.reduceat(money, starts) * inputs.grid.step_h
    wear_cost = np.add.reduceat(wear, starts)
    peaks = np.maximum.reduceat(import_kw, starts)
    charge = inputs.demand_charge
    return tuple(
        MonthResult(
            month=month_name(inputs.grid, inputs.time_zone, start),
            energy_cost=energy,
            demand_cost=0.0 if charge is None else charge.cost(peak),
            wear_cost=worn,
        )
        for start, energy, peak, worn in zip(
            starts.tolist(), energy_cost.tolist(), peaks.tolist(), wear_cost.tolist(), strict=True
        )
    )


def stored_price_per_kwh(inputs: StudyInputs) -> float:
    """What a kWh more in the battery at the end than at the start is worth: the price that a quarter of the
    span's hours lie below.

    The same for every strategy and for the bound, and for a span of weeks too small to matter.
    """
    cheap = float(np.quantile(inputs.import_price_per_kwh, 0.25))
    return cheap / inputs.car.charge_efficiency


def _stored_value(inputs: StudyInputs, energy_kwh_at_end: float) -> float:
    return (energy_kwh_at_end - inputs.energy_kwh_at_start) * stored_price_per_kwh(inputs)


def _self_consumption(
    inputs: StudyInputs, export_kw: FloatArray, solar_used_kw: FloatArray
) -> float | None:
    """The share of the sun's energy that was not exported; None without sun. Export beyond the sun is the battery's."""
    offered = float(inputs.solar_kw.sum())
    if offered <= 0:
        return None
    kept = solar_used_kw - np.minimum(export_kw, solar_used_kw)
    return float(kept.sum()) / offered


def _below_floor(inputs: StudyInputs, power_kw: FloatArray, energy_kwh: FloatArray) -> float:
    """kWh·h that discharging took the battery below its floor: 0 unless a promise was broken."""
    after = _energy_after_kwh(inputs, power_kw, energy_kwh)
    below = np.maximum(inputs.car.energy_kwh_min - after, 0.0)
    broken = (power_kw < 0) & (below > _FLOOR_TOLERANCE_KWH)
    return float(below[broken].sum()) * inputs.grid.step_h
