"""What no agent can do better in EV2Gym's problem of money: a linear program that knows all arrivals.

It is looser than EV2Gym: efficiencies are the best of any current; energy satisfaction is to be 99.9 %, as EV2Gym counts it;
a transformer may be over its limit as much as it is where cars charge at once. EV2Gym also rounds a battery up to 0.01 kWh in
each step in which it moves; the bound can grant that, as the most that it could bring, in every step of every car.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from benchmarks.ev2gym.ports import Port, ports_of
from parkwatt.domain.record import FloatArray

SATISFACTION_MIN: Final = 0.999
ROUNDED_KWH: Final = 0.01

Arrival = tuple[int, Port, float]
"""The step, the car, and the energy that EV2Gym counts as wholly satisfied."""


class Rows:
    """Rows of a sparse matrix with their right sides."""

    def __init__(self) -> None:
        self.row: list[int] = []
        self.column: list[int] = []
        self.value: list[float] = []
        self.right: list[float] = []

    def add(self, entries: list[tuple[int, float]], right: float) -> None:
        """One row."""
        for column, value in entries:
            self.row.append(len(self.right))
            self.column.append(column)
            self.value.append(value)
        self.right.append(right)

    def matrix(self, columns: int) -> Any:
        """All rows, over so many columns."""
        return coo_matrix((self.value, (self.row, self.column)), (len(self.right), columns))


class Program:
    """Columns with costs and bounds; rows that are at most, and that equal, their right sides."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.bounds: list[tuple[float, float]] = []
        self.most, self.equal = Rows(), Rows()

    def column(self, cost: float, lower: float, upper: float) -> int:
        """A new column's number."""
        self.cost.append(cost)
        self.bounds.append((lower, upper))
        return len(self.cost) - 1

    def least(self) -> float:
        """The optimum. Raises RuntimeError where there is none."""
        count = len(self.cost)
        found = linprog(
            self.cost,
            A_ub=self.most.matrix(count),
            b_ub=self.most.right,
            A_eq=self.equal.matrix(count),
            b_eq=self.equal.right,
            bounds=self.bounds,
            method="highs",
        )
        if found.status != 0:
            raise RuntimeError(f"no bound: {found.message}")
        return float(found.fun)


def profit_bound(
    env: Any, arrivals: list[Arrival], overload_kw: float, rounded_kwh: float = 0.0
) -> float:
    """The highest profit of any agent. ``overload_kw``: allowed, summed over steps; ``rounded_kwh``: for nothing, each step."""
    price = -np.asarray(env.charge_prices[0], float)
    program = Program()
    at_step: list[list[tuple[int, float]]] = [[] for _ in price]
    satisfied = []
    for arrival, port, filled_kwh in arrivals:
        last = _add_car(program, port, price, at_step, (arrival, rounded_kwh))
        satisfied.append((last, -1.0 / (filled_kwh * len(arrivals))))
    program.most.add(satisfied, -SATISFACTION_MIN)
    overloads = []
    for step, entries in enumerate(at_step):
        if entries:
            over = program.column(0.0, 0.0, np.inf)
            overloads.append((over, 1.0))
            limit_kw = float(env.transformers[0].max_power[step])
            program.most.add([*entries, (over, -1.0)], limit_kw)
            program.most.add([(one, -value) for one, value in entries] + [(over, -1.0)], limit_kw)
    program.most.add(overloads, overload_kw)
    return -program.least()


def arrivals_of(env: Any) -> list[Arrival]:
    """All cars of an episode, as they come. EV2Gym hides them from agents."""
    found = []
    for car in env.EVs_profiles:
        station = env.charging_stations[car.location]
        (port,) = ports_of(_OneCar(env, station, car))
        counted = copy.deepcopy(car)
        counted.calculate_max_energy_with_AFAP(station.get_max_power())
        found.append((int(car.time_of_arrival), port, float(counted.max_energy_AFAP)))
    return found


class _OneCar:
    """An environment as it would be with a single car that has just come."""

    def __init__(self, env: Any, station: Any, car: Any) -> None:
        self.timescale = env.timescale
        self.current_step = car.time_of_arrival
        self.charging_stations = [_OneStation(station, car)]


class _OneStation:
    def __init__(self, station: Any, car: Any) -> None:
        self.evs_connected = [car]
        self.connected_transformer = station.connected_transformer
        self.max_charge_current = station.max_charge_current
        self.max_discharge_current = station.max_discharge_current
        self.get_max_power = station.get_max_power
        self.get_min_power = station.get_min_power


def _add_car(
    program: Program,
    port: Port,
    price: FloatArray,
    at_step: list[list[tuple[int, float]]],
    arrived: tuple[int, float],
) -> int:
    """The column of its energy at departure. ``arrived``: when, and what each step brings for nothing."""
    arrival, rounded_kwh = arrived
    hours = port.step_h
    charge_kw = port.car_charge_kw * _best(port.charge_efficiency)
    discharge_kw = port.car_discharge_kw * _best(port.discharge_efficiency)
    share = port.share_at(charge_kw * hours / port.capacity_kwh)
    before = program.column(0.0, port.energy_kwh, port.energy_kwh)
    for step in range(arrival, arrival + port.steps_left):
        money = price[step] * hours
        charge = program.column(money, 0.0, min(charge_kw, port.full_kw))
        discharge = program.column(-money, 0.0, min(discharge_kw, port.full_discharge_kw))
        floor_kwh = min(port.floor_kwh, port.energy_kwh)
        energy = program.column(0.0, floor_kwh, port.capacity_kwh)
        free = program.column(0.0, 0.0, rounded_kwh)
        moved = [(charge, -hours), (discharge, hours), (free, -1.0)]
        program.equal.add([(energy, 1.0), (before, -1.0), *moved], 0.0)
        program.most.add([(charge, hours), (before, share)], share * port.capacity_kwh)
        at_step[step] += [(charge, 1.0), (discharge, -1.0)]
        before = energy
    return before


def _best(efficiency: dict[int, float] | float) -> float:
    return max(efficiency.values()) / 100.0 if isinstance(efficiency, dict) else efficiency
