"""Many cars in one call: the batch planner against HiGHS on the same problems, one thread each, by processor time.

HiGHS gets each car's finished arrays and solves afresh without presolve, which is its fastest way here; building them is not
counted. The least of several takes counts on both sides. Costs are compared, so that a figure is of the same optimum.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import highspy
import numpy as np

from benchmarks.harness import Figure, time_once_s
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch import BatchPlan, BatchPrices, CarStays, plan_batch
from parkwatt.plan.batch.cars import IntArray

STEPS, STEP_H, SEED = 96, 0.25, 7
CARS, LINEAR_SOLVED, MILP_SOLVED, MILLION = 50_000, 300, 60, 1_000_000
TAKES = 5
# 30 kWh above half a battery for a month: some 4 in currency.
HOLDING_PER_KWH_H = 2e-4
# HiGHS as MILP is asked for what the levels are to reach.
MILP_GAP = 5e-4


def figures() -> list[Figure]:
    """Plans per second of one thread, with taper and with least power too; a million cars with their plans; a first call."""
    prices = day_of_prices()
    measured = []
    for name, whole_day in (("windows", False), ("whole day", True)):
        measured.append(_linear(name, fleet(CARS, whole_day=whole_day), prices))
    for name, whole_day in (("windows", False), ("whole day", True)):
        measured.append(_curved(name, fleet(CARS, whole_day=whole_day, bent=True), prices))
    for name, whole_day in (("windows", False), ("whole day", True)):
        measured.append(_levels(name, fleet(2000, whole_day=whole_day, least_power=True), prices))
    return [*measured, _million(), _first_call()]


def day_of_prices() -> BatchPrices:
    """Four price zones over a day of quarter hours, each quarter hour with a price of its own; export is cheaper."""
    generator = np.random.default_rng(SEED)
    hours = np.arange(STEPS) * STEP_H
    bought = 0.2 + 0.1 * np.sin(hours * 2 * np.pi / 12) + generator.normal(0.0, 0.03, (4, STEPS))
    sold = bought - 0.05 - 0.02 * generator.random(bought.shape)
    return BatchPrices(bought, sold, np.full(STEPS, STEP_H))


def fleet(
    count: int, *, whole_day: bool, least_power: bool = False, bent: bool = False
) -> CarStays:
    """Cars of eight models, plugged in for a random window or all day; four of five may discharge.

    ``bent``: charging slows from 80 % on to a tenth of its power, and what stands above 50 % costs 0.0002 per kWh and hour.
    """
    generator = np.random.default_rng(SEED)
    ends = np.sort(generator.integers(0, STEPS + 1, (2, count)), axis=0)
    first = np.zeros(count, np.int64) if whole_day else np.minimum(ends[0], STEPS - 1)
    last = np.full(count, STEPS) if whole_day else np.maximum(ends[1], first + 1)
    maximum_kwh = generator.uniform(40.0, 80.0, count)
    charge_kw_max = generator.choice([7.4, 11.0, 22.0], count)
    discharge_kw_max = np.where(generator.random(count) < 0.8, charge_kw_max, 0.0)
    asked_kwh = generator.uniform(0.5, 1.0, count) * maximum_kwh
    model = generator.integers(0, 8, count)
    return CarStays(
        from_step=first,
        to_step=last,
        energy_kwh_at_arrival=generator.uniform(0.1, 0.9, count) * maximum_kwh,
        energy_kwh_at_departure=np.where(generator.random(count) < 0.7, asked_kwh, np.nan),
        energy_kwh_min=0.2 * maximum_kwh,
        energy_kwh_max=maximum_kwh,
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=np.full(count, 4.1 if least_power else 0.0),
        discharge_kw_min=np.where(discharge_kw_max > 0.0, 2.0, 0.0) * least_power,
        charge_efficiency=np.linspace(0.88, 0.95, 8)[model],
        discharge_efficiency=np.linspace(0.9, 0.97, 8)[model],
        wear_price_per_kwh=np.array([0.02, 0.025, 0.03])[model % 3],
        energy_value_per_kwh=generator.uniform(0.05, 0.25, count),
        price_row=generator.integers(0, 4, count),
        taper_from_kwh=0.8 * maximum_kwh if bent else np.full(count, np.inf),
        taper_kw_at_max=0.1 * charge_kw_max,
        holding_price_per_kwh_h=np.full(count, HOLDING_PER_KWH_H if bent else 0.0),
        holding_from_kwh=0.5 * maximum_kwh,
    )


def car_program(cars: CarStays, prices: BatchPrices, row: int, *, whole: bool) -> highspy.HighsLp:
    """A car's problem: charge and discharge in kW, energy after each step, what of it is held where that has a price.

    ``whole``: with binaries for both ways.
    """
    first, last, zone = int(cars.from_step[row]), int(cars.to_step[row]), cars.price_row[row]
    count, hours = last - first, prices.duration_h[first:last]
    into, out = cars.charge_efficiency[row], cars.discharge_efficiency[row]
    charge_kw, discharge_kw = cars.charge_kw_max[row], cars.discharge_kw_max[row]
    best_kwh = _best_kwh(cars, hours, row)
    least_kwh = np.minimum(cars.energy_kwh_min[row], best_kwh)
    least_kwh[-1] = np.nanmax([least_kwh[-1], min(cars.energy_kwh_at_departure[row], best_kwh[-1])])
    worth = np.zeros(count)
    worth[-1] = -cars.energy_value_per_kwh[row]
    bought, sold = (series[zone, first:last] for series in prices[:2])
    bent = bool(cars.holding_price_per_kwh_h[row] > 0.0)
    ones, none, held_kwh = np.ones(count), np.zeros(2 * count * whole), np.zeros(count * bent)
    step = np.arange(count)
    charge, discharge, energy = step, count + step, 2 * count + step
    arrival = np.zeros(count)
    arrival[0] = cars.energy_kwh_at_arrival[row]
    # Each row of the matrix: its entries as (columns, values), and its bounds.
    rows = [
        [(charge, -into * hours), (discharge, hours / out), (energy, ones), (energy - 1, -ones)]
    ]
    lower, upper = [arrival], [arrival]
    if bent:
        from_kwh, kw_per_kwh = _taper(cars, row)
        rows += [
            [(charge, ones), (energy, kw_per_kwh * ones)],
            [(energy, ones), (energy + count, -ones)],
        ]
        lower += [np.full(2 * count, -np.inf)]
        upper += [(charge_kw + kw_per_kwh * from_kwh) * ones, cars.holding_from_kwh[row] * ones]
    if whole:
        charging, discharging = 3 * count + step, 4 * count + step
        for power, on, most, least in (
            (charge, charging, charge_kw, cars.charge_kw_min[row]),
            (discharge, discharging, discharge_kw, cars.discharge_kw_min[row]),
        ):
            rows += [[(power, ones), (on, -most * ones)], [(power, ones), (on, -least * ones)]]
            lower += [np.full(count, -np.inf), np.zeros(count)]
            upper += [np.zeros(count), np.full(count, np.inf)]
        rows.append([(charging, ones), (discharging, ones)])
        lower.append(np.zeros(count))
        upper.append(ones)
    return _program(
        np.concatenate(
            [
                bought * hours,
                (cars.wear_price_per_kwh[row] / out - sold) * hours,
                worth,
                (cars.holding_price_per_kwh_h[row] * hours)[: len(held_kwh)],
                none,
            ]
        ),
        np.concatenate([np.zeros(2 * count), least_kwh, held_kwh, none]),
        np.concatenate(
            [
                charge_kw * ones,
                discharge_kw * ones,
                cars.energy_kwh_max[row] * ones,
                held_kwh + np.inf,
                none + 1.0,
            ]
        ),
        np.concatenate(lower),
        np.concatenate(upper),
        rows,
        integers=2 * count * whole,
    )


def _taper(cars: CarStays, row: int) -> tuple[float, float]:
    """From which energy in kWh on a car charges with less, and by how many kW less for each kWh more."""
    span_kwh = float(cars.energy_kwh_max[row] - cars.taper_from_kwh[row])
    falls_kw = float(cars.charge_kw_max[row] - cars.taper_kw_at_max[row])
    return (float(cars.taper_from_kwh[row]), falls_kw / span_kwh) if span_kwh > 0 else (np.inf, 0.0)


def _best_kwh(cars: CarStays, hours: FloatArray, row: int) -> FloatArray:
    """[n] the most energy after each step, where power is what is taken at the step's end."""
    from_kwh, kw_per_kwh = _taper(cars, row)
    into, energy_kwh = float(cars.charge_efficiency[row]), float(cars.energy_kwh_at_arrival[row])
    found = []
    for step_h in hours:
        power_kw = float(cars.charge_kw_max[row])
        if energy_kwh + into * step_h * power_kw > from_kwh:
            power_kw -= kw_per_kwh * (energy_kwh - from_kwh)
            power_kw /= 1.0 + kw_per_kwh * into * step_h
        energy_kwh = min(energy_kwh + into * step_h * power_kw, float(cars.energy_kwh_max[row]))
        found.append(energy_kwh)
    return np.array(found)


def _program(
    cost: FloatArray,
    column_lower: FloatArray,
    column_upper: FloatArray,
    row_lower: FloatArray,
    row_upper: FloatArray,
    rows: list[list[tuple[IntArray, FloatArray]]],
    *,
    integers: int,
) -> highspy.HighsLp:
    """Arrays as HiGHS takes them; the first row of the energy's balance has no energy before it. The last are ``integers``."""
    starts, columns, values = [0], [], []
    for block in rows:
        for step in range(len(block[0][0])):
            for column, value in block:
                if len(block) == 4 and step == 0 and column is block[3][0]:
                    continue
                columns.append(column[step])
                values.append(value[step])
            starts.append(len(columns))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(row_lower)
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, column_lower, column_upper
    model.row_lower_, model.row_upper_ = row_lower, row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array(starts, np.int32)
    model.a_matrix_.index_ = np.array(columns, np.int32)
    model.a_matrix_.value_ = np.array(values)
    if integers:
        kinds = [highspy.HighsVarType.kContinuous] * (len(cost) - integers)
        model.integrality_ = kinds + [highspy.HighsVarType.kInteger] * integers
    return model


def solved_s(models: list[highspy.HighsLp], presolve: str) -> tuple[float, FloatArray]:
    """Processor time in s of solving each afresh, and the optima."""
    highs = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", presolve)):
        highs.setOptionValue(option, value)
    highs.setOptionValue("mip_rel_gap", MILP_GAP)
    optima, started_s = [], time.process_time()
    for model in models:
        highs.passModel(model)
        highs.run()
        optima.append(highs.getObjectiveValue())
    return time.process_time() - started_s, np.array(optima)


def least_s(function: Callable[[], object]) -> float:
    """The least processor time in s of some calls, after one that compiles."""
    function()
    times_s = []
    for _ in range(TAKES):
        started_s = time.process_time()
        function()
        times_s.append(time.process_time() - started_s)
    return min(times_s)


def _against(
    cars: CarStays, prices: BatchPrices, solved: int, *, whole: bool
) -> tuple[float, float, float]:
    """Seconds a plan here and in HiGHS (its faster way), and the mean gap to its optima."""
    models = [car_program(cars, prices, row, whole=whole) for row in range(solved)]
    takes = [solved_s(models, presolve) for presolve in ("off", "off", "on" if whole else "off")]
    theirs_s = min(seconds for seconds, _ in takes) / solved
    ours_s = least_s(lambda: plan_batch(cars, prices)) / cars.stay_count
    optima = np.min([optima for _, optima in takes], axis=0)
    excess = plan_batch(cars.take(slice(0, solved)), prices).cost - optima
    return ours_s, theirs_s, float(excess.mean() / np.abs(optima).mean())


def _linear(name: str, cars: CarStays, prices: BatchPrices) -> Figure:
    ours_s, theirs_s, gap = _against(cars, prices, LINEAR_SOLVED, whole=False)
    baseline = f"HiGHS, no presolve: {1e6 * theirs_s:.0f} µs a car; costs differ by {gap:.0e}"
    return Figure(
        f"plans of cars, {name}, one thread", 1 / ours_s, "a second", baseline, theirs_s / ours_s
    )


def _curved(name: str, cars: CarStays, prices: BatchPrices) -> Figure:
    ours_s, theirs_s, gap = _against(cars, prices, LINEAR_SOLVED, whole=False)
    baseline = f"HiGHS, no presolve: {1e6 * theirs_s:.0f} µs a car; costs differ by {gap:.0e}"
    return Figure(
        f"plans with taper and holding price, {name}, one thread",
        1 / ours_s,
        "a second",
        baseline,
        theirs_s / ours_s,
    )


def _levels(name: str, cars: CarStays, prices: BatchPrices) -> Figure:
    ours_s, theirs_s, gap = _against(cars, prices, MILP_SOLVED, whole=True)
    baseline = f"HiGHS as MILP: {1e3 * theirs_s:.1f} ms a car; mean gap to it {100 * gap:.3f} %"
    return Figure(
        f"plans with least power, {name}, one thread",
        1 / ours_s,
        "a second",
        baseline,
        theirs_s / ours_s,
    )


def _million() -> Figure:
    """In a process of its own, so that its peak is its own."""
    program = "from benchmarks import fleet_plan; fleet_plan.plan_a_million()"
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    seconds, before_mb, peak_mb, threads = (float(word) for word in said.stdout.split())
    baseline = f"{threads:.0f} threads; peak {peak_mb:.0f} MB, of that {before_mb:.0f} MB before"
    return Figure("1,000,000 cars, 96 steps, powers written", seconds, "s", baseline, None)


def plan_a_million() -> None:
    """Print the wall time in s, the memory in MB before and at its peak, and the threads."""
    threads = os.cpu_count() or 1
    cars, prices = fleet(MILLION, whole_day=False), day_of_prices()
    plan_batch(cars.take(slice(0, 100)), prices, threads=threads)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kept: list[BatchPlan] = []
    seconds = time_once_s(lambda: kept.append(plan_batch(cars, prices, threads=threads)))
    assert kept[0].power_kw is not None
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, before_kb / 1024, peak_kb / 1024, threads)


def _first_call() -> Figure:
    """Import, load what was compiled before, and plan."""
    program = (
        "import time; start = time.perf_counter()\n"
        "from parkwatt.plan.batch import plan_batch; imported = time.perf_counter()\n"
        "from benchmarks.fleet_plan import fleet, day_of_prices\n"
        "cars = [fleet(10, whole_day=False, least_power=p, bent=b) for p, b in ((0, 0), (0, 1), (1, 0))]\n"
        "prices = day_of_prices(); begun = time.perf_counter()\n"
        "[plan_batch(one, prices) for one in cars]\n"
        "print(imported - start, time.perf_counter() - begun)"
    )
    takes = []
    for _ in range(3):
        said = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        )
        takes.append([float(word) for word in said.stdout.split()])
    import_s, call_s = min(takes, key=sum)
    baseline = f"import {import_s:.2f} s, then the first calls of all kernels {call_s:.2f} s"
    return Figure(
        "first plans of a process, compiled before", import_s + call_s, "s", baseline, None
    )
