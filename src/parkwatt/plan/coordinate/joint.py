"""All cars and nodes in one linear program: exact, for some hundreds of cars."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from parkwatt.domain.errors import SolverError
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import MissPrices
from parkwatt.plan.coordinate.problem import BoolArray, FleetProblem, holds
from parkwatt.plan.coordinate.program import NodeProgram, node_program

# A car may not do both at once; what a program that allows it does beyond this much is not its optimum.
_BOTH_KW = 1e-6
# Nor may it discharge to below its floor.
_BELOW_KWH = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """``power_kw``: [N, T]. ``node_per_kwh``: [K, T] prices of the nodes. ``bound``: the program's optimum, which no plan is
    below. ``valid``: [N] whether a car can follow its plan: it never charges and discharges at once, and does not discharge
    below its floor.
    """

    power_kw: FloatArray
    node_per_kwh: FloatArray
    valid: BoolArray
    bound: float


def solve_joint(
    problem: FleetProblem, over_per_kwh: float, miss: MissPrices | None = None
) -> Joint:
    """The least cost of a problem whose cars have no least power, and which asks for no reserve.

    ``miss``: prices of missed wishes; None: they are met as far as each car alone could, whatever exceeding limits costs.
    Raises SolverError where HiGHS gives up.
    """
    # Each car's own bounds hold to a millionth of a car's power, however large the fleet around it is.
    largest_kw = max(1.0, float(problem.cars.charge_kw_max.max(initial=0.0)))
    program = node_program(problem, over_per_kwh, largest_kw)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("presolve", "off")
    program.pass_to(highs)
    above, place = holds(problem.nodes.parent), []
    for row in range(problem.cars.stay_count):
        place.append(highs.getNumCol())
        _add_car(highs, program, problem, row, above[problem.node[row]], miss)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolverError("joint", highs.modelStatusToString(highs.getModelStatus()))
    solution = highs.getSolution()
    values = np.array(solution.col_value)
    power_kw = np.zeros((problem.cars.stay_count, problem.step_count))
    valid = np.ones(problem.cars.stay_count, np.bool_)
    for row in range(problem.cars.stay_count):
        first, last = int(problem.cars.from_step[row]), int(problem.cars.to_step[row])
        count = last - first
        of_car = values[place[row] : place[row] + 3 * count].reshape(3, count)
        charge, discharge = of_car[:2] * program.power_kw
        power_kw[row, first:last] = charge - discharge
        below = of_car[2] < problem.cars.energy_kwh_min[row] - _BELOW_KWH
        valid[row] = np.minimum(charge, discharge).max() <= _BOTH_KW
        valid[row] &= not (below & (discharge > _BOTH_KW)).any()
    return Joint(
        power_kw,
        program.prices(np.array(solution.row_dual)),
        valid,
        highs.getObjectiveValue() * program.money,
    )


def _add_car(
    highs: highspy.Highs,
    program: NodeProgram,
    problem: FleetProblem,
    row: int,
    above: BoolArray,
    miss: MissPrices | None,
) -> None:
    """Columns for charging, discharging and energy at each step's end; rows for how energy follows."""
    cars, scale = problem.cars, program.power_kw
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    count, hours = steps.stop - steps.start, problem.prices.duration_h[steps]
    price_row = cars.price_row[row]
    unit = scale / program.money
    buys = problem.prices.import_per_kwh[price_row, steps] * hours
    sells = problem.prices.export_per_kwh[price_row, steps] * hours
    worn = cars.wear_price_per_kwh[row] / cars.discharge_efficiency[row] * hours
    kept, asked_kwh, upper = _energy_bounds(problem, row)
    lower = kept.copy()
    if miss is None:
        lower[-1] = max(lower[-1], asked_kwh)
    else:
        # Who begins below the floor may wait.
        lower = np.minimum(lower, max(cars.energy_kwh_at_arrival[row], 0.0))
    end_value = np.zeros(count)
    end_value[-1] = -cars.energy_value_per_kwh[row]
    may_charge = cars.energy_kwh_at_arrival[row] <= cars.energy_kwh_max[row]
    charge_kw = cars.charge_kw_max[row] if may_charge else 0.0
    nothing = np.zeros(count)
    rows = program.row_of[above][:, steps]
    has_row = rows >= 0
    each = has_row.sum(axis=0)
    place = highs.getNumCol()
    entry_rows = rows.T[has_row.T]
    starts = np.concatenate(([0], np.cumsum(each)))
    highs.addCols(
        3 * count,
        np.concatenate((buys * unit, (worn - sells) * unit, end_value / program.money)),
        np.concatenate((nothing, nothing, lower)),
        np.concatenate(
            (
                np.full(count, charge_kw / scale),
                np.full(count, cars.discharge_kw_max[row] / scale),
                upper,
            )
        ),
        2 * len(entry_rows),
        np.concatenate(
            (starts[:-1], starts[-1] + starts[:-1], np.full(count, 2 * starts[-1]))
        ).astype(np.int32),
        np.concatenate((entry_rows, entry_rows)).astype(np.int32),
        np.concatenate((np.ones(len(entry_rows)), -np.ones(len(entry_rows)))),
    )
    _add_recursion(
        highs,
        place,
        hours * cars.charge_efficiency[row] * scale,
        hours / cars.discharge_efficiency[row] * scale,
        float(cars.energy_kwh_at_arrival[row]),
    )
    if miss is not None:
        floor_per_kwh = miss.floor_per_kwh_h * hours / program.money
        for step in np.flatnonzero(kept > lower).tolist():
            at = place + 2 * count + step
            _add_missing(highs, at, float(kept[step]), float(floor_per_kwh[step]))
        if asked_kwh > lower[-1]:
            departure = miss.departure_per_kwh / program.money
            _add_missing(highs, place + 3 * count - 1, asked_kwh, departure)


def _add_missing(highs: highspy.Highs, energy: int, wanted_kwh: float, per_kwh: float) -> None:
    """What is missing in a column of energy has its price: energy + missing ≥ wanted."""
    highs.addCol(per_kwh, 0.0, highspy.kHighsInf, 0, [], [])
    columns = np.array([energy, highs.getNumCol() - 1], np.int32)
    highs.addRow(wanted_kwh, highspy.kHighsInf, 2, columns, np.ones(2))


def _add_recursion(
    highs: highspy.Highs,
    place: int,
    gain: FloatArray,
    loss: FloatArray,
    arrival_kwh: float,
) -> None:
    """e[t] − e[t−1] − gain c[t] + loss d[t] = 0, e before the first being the arrival's."""
    count = len(gain)
    step = np.arange(count)
    columns = np.stack(
        (
            place + step,
            place + count + step,
            place + 2 * count + step,
            place + 2 * count + step - 1,
        ),
        axis=1,
    )
    values = np.stack((-gain, loss, np.ones(count), -np.ones(count)), axis=1)
    kept = np.ones((count, 4), np.bool_)
    kept[0, 3] = False
    start = np.zeros(count)
    start[0] = arrival_kwh
    highs.addRows(
        count,
        start,
        start,
        int(kept.sum()),
        np.concatenate(([0], np.cumsum(kept.sum(axis=1))[:-1])).astype(np.int32),
        columns[kept].astype(np.int32),
        values[kept],
    )


def _energy_bounds(problem: FleetProblem, row: int) -> tuple[FloatArray, float, FloatArray]:
    """The floor [n], what is asked at the end, and the maximum [n]: wishes as far as full power from arrival on meets them."""
    cars = problem.cars
    steps = slice(int(cars.from_step[row]), int(cars.to_step[row]))
    since_h = np.cumsum(problem.prices.duration_h[steps])
    arrival_kwh, cap_kwh = cars.energy_kwh_at_arrival[row], cars.energy_kwh_max[row]
    cap_kwh = max(arrival_kwh, cap_kwh)
    gain = cars.charge_kw_max[row] * cars.charge_efficiency[row] * since_h
    best = np.minimum(arrival_kwh + gain, cap_kwh)
    lower = np.minimum(cars.energy_kwh_min[row], best)
    asked = float(np.nan_to_num(cars.energy_kwh_at_departure[row]))
    return lower, float(min(asked, best[-1])), np.full(len(lower), cap_kwh)
