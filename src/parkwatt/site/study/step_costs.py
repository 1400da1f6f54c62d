"""What a plugged-in step costs, as a piecewise linear function of how much it changes the battery's energy.

Energy and power determine each other (a battery never charges and discharges at once), and power determines what is imported
and exported: `parkwatt.site.study.account.meter_flows` is asked at every power at which its answer may bend. Where
import is cheaper than export, or paid for, it is not convex; the slopes of its lower convex envelope are given beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import FloatArray
from parkwatt.site.study.account import meter_flows
from parkwatt.site.study.inputs import StudyInputs

_NO_WIDTH_KWH = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class StepCosts:
    """What each of S plugged-in steps costs, by the change of energy in it: K joined segments, costs linear in each.

    ``start_kwh``, ``start_kw``: [S] the lowest change, and the power there. ``width_kwh``, ``slope``, ``relaxed``,
    ``kw_per_kwh``: [S, K] of each segment: its width, its cost a kWh, the same in the lower convex envelope, and kW a kWh.
    """

    start_kwh: FloatArray
    start_kw: FloatArray
    width_kwh: FloatArray
    slope: FloatArray
    relaxed: FloatArray
    kw_per_kwh: FloatArray

    def understated(self, change_kwh: FloatArray) -> FloatArray:
        """[S] by how much the envelope is below the true cost at ``change_kwh`` [S]."""
        before = np.cumsum(self.width_kwh, axis=1) - self.width_kwh
        filled = np.clip((change_kwh - self.start_kwh)[:, None] - before, 0.0, self.width_kwh)
        difference: FloatArray = ((self.slope - self.relaxed) * filled).sum(axis=1)
        return difference


def power_bounds(inputs: StudyInputs, steps: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """[S] each: the lowest and highest power that every strategy keeps to in ``steps`` (`parkwatt.site.control`)."""
    car = inputs.car
    base_kw = (inputs.load_kw - inputs.solar_kw)[steps]
    lowest, highest = np.full((2, len(base_kw)), [[-car.discharge_kw_max], [car.charge_kw_max]])
    if inputs.export_limit_kw is not None:
        lowest = np.maximum(lowest, np.minimum(-inputs.export_limit_kw - base_kw, 0.0))
    if inputs.import_limit_kw is not None:
        # A load above the limit is no strategy's doing: it may pass, the car may not add to it.
        highest = np.minimum(highest, np.maximum(inputs.import_limit_kw - base_kw, 0.0))
    lowest[lowest > -car.discharge_kw_min] = 0.0
    highest[highest < car.charge_kw_min] = 0.0
    return lowest, highest


def step_costs(
    inputs: StudyInputs,
    steps: NDArray[np.int64],
    lowest_kw: FloatArray,
    highest_kw: FloatArray,
) -> StepCosts:
    """The costs of these steps with powers between the bounds ([S] each), the car's wear included."""
    car = inputs.car
    load, solar = inputs.load_kw[steps], inputs.solar_kw[steps]
    # Where the cost may bend: at rest, at no exchange, at no sun used, and at the limit on export.
    limit = np.inf if inputs.export_limit_kw is None else inputs.export_limit_kw
    bends = (lowest_kw, np.zeros(len(steps)), solar - load, -load, solar - load - limit)
    clipped = [np.clip(power, lowest_kw, highest_kw) for power in (*bends, highest_kw)]
    power_kw = np.sort(np.stack(clipped, axis=1), axis=1)
    change = inputs.grid.step_h * np.where(
        power_kw > 0, power_kw * car.charge_efficiency, power_kw / car.discharge_efficiency
    )
    cost = np.stack([_cost(inputs, steps, power) for power in power_kw.T], axis=1)
    cost += np.maximum(-change, 0.0) * car.wear_price_per_kwh
    width = np.diff(change, axis=1)
    wide = np.where(width > _NO_WIDTH_KWH, width, np.inf)
    return StepCosts(
        start_kwh=change[:, 0],
        start_kw=power_kw[:, 0],
        width_kwh=np.where(width > _NO_WIDTH_KWH, width, 0.0),
        slope=np.diff(cost, axis=1) / wide,
        relaxed=envelope_slopes(change, cost),
        kw_per_kwh=np.diff(power_kw, axis=1) / wide,
    )


def _cost(inputs: StudyInputs, steps: NDArray[np.int64], power_kw: FloatArray) -> FloatArray:
    """[S] what the accounts say that import less export costs with ``power_kw`` [S]."""
    everywhere = np.zeros(inputs.grid.step_count)
    everywhere[steps] = power_kw
    imported, exported, _ = meter_flows(inputs, everywhere)
    money = inputs.import_price_per_kwh * imported - inputs.export_price_per_kwh * exported
    return money[steps] * inputs.grid.step_h


def envelope_slopes(change: FloatArray, cost: FloatArray) -> FloatArray:
    """[S, K] slopes of the lower convex envelope of the points [S, K+1] with rising ``change``, by segment.

    The isotonic regression of the slopes, in its min-max form: max over i ≤ k of min over j > k of the slope from i to j
    (Barlow et al. 1972). Segments without width get any number.
    """
    count = change.shape[1]
    slopes = np.full((len(change), count - 1), -np.inf)
    for first in range(count - 1):
        lowest = np.full(len(change), np.inf)
        for last in range(count - 1, first, -1):
            width = change[:, last] - change[:, first]
            wide = width > _NO_WIDTH_KWH
            mean = (cost[:, last] - cost[:, first]) / np.where(wide, width, 1.0)
            lowest = np.where(wide, np.minimum(lowest, mean), lowest)
            slopes[:, last - 1] = np.where(
                wide, np.maximum(slopes[:, last - 1], lowest), slopes[:, last - 1]
            )
    return np.where(np.isfinite(slopes), slopes, 0.0)
