"""`parkwatt fleet year`: options, files and the run of a year of many drivers."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from rich.console import Console

from parkwatt.app.fleet.output import check_file, check_output
from parkwatt.app.fleet.plan import require_extra
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.app.fleet.year_words import YearShown, columns_of, summary
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults
from parkwatt.fleet.year.capacity import CapacityRules
from parkwatt.fleet.year.car import YearCar
from parkwatt.fleet.year.drivers import RecordedSessions, YearDays, draw_drivers
from parkwatt.fleet.year.events import EventRules
from parkwatt.fleet.year.study import Programme, YearTerms, play_year
from parkwatt.io.fleet_files.market import read_market_prices
from parkwatt.io.fleet_files.prices import FleetPrices
from parkwatt.io.fleet_files.sessions import SessionRows, read_sessions
from parkwatt.io.fleet_files.written import write_columns
from parkwatt.plan.wear import CELLS, holding_price, wear_price

STEP_MINUTES: Final = 15
# For the planner's two prices of wear: the mean of the climate, and the depth of a day's use that they are made for.
_TEMPERATURE_C: Final = 12.0
_DEPTH: Final = 0.25
_EFFICIENCY: Final = 0.93
_ASKED_SOC, _FLOOR_SOC = 0.8, 0.2
_LOT_KW: Final = 1000.0
_DRIVERS_MAX: Final = 20_000
_DAYS_LEAST, _DAYS_MAX = 14, 366
_NUMBERS: Final = (
    ("import_extra", -1.0, 5.0),
    ("export_less", -1.0, 5.0),
    ("battery_kwh", 10.0, 500.0),
    ("charger_kw", 1.0, 400.0),
    ("pack_price", 0.0, 5000.0),
    ("capacity_price", 0.0, 10_000.0),
)


@dataclass(frozen=True, slots=True)
class YearOptions:
    """What the command line says, checked but for what only the files can tell."""

    sessions: Path
    prices: Path
    programme: Programme
    driver_count: int
    seed: int
    zone: ZoneInfo
    first_day: date | None
    day_count: int
    import_extra_per_kwh: float
    export_less_per_kwh: float
    battery_kwh: float
    charger_kw: float
    cell: str
    pack_price_per_kwh: float
    capacity_price_per_mw_h: float
    pool_cars: int
    threads: int
    report: Path | None
    output: Path | None


def read_options(arguments: argparse.Namespace) -> YearOptions:
    """The options. Raises InputError with all their faults."""
    faults = Faults()
    taken = (arguments.sessions, arguments.prices)
    if arguments.output is not None:
        check_output("--output", arguments.output, taken, faults)
    if arguments.report is not None:
        check_file("--report", arguments.report, (*taken, arguments.output or Path()), faults)
    threads = arguments.threads if arguments.threads is not None else os.cpu_count() or 1
    for name, value, least, most in (
        ("--drivers", arguments.drivers, 1, _DRIVERS_MAX),
        ("--pool-cars", arguments.pool_cars, max(arguments.drivers, 1), 100_000_000),
        ("--days", arguments.days, _DAYS_LEAST, _DAYS_MAX),
        ("--seed", arguments.seed, 0, 2**32 - 1),
        ("--threads", threads, 1, 1024),
    ):
        if not least <= value <= most:
            faults.add(name, f"must be from {least} to {most}", value)
    for name, lowest, highest in _NUMBERS:
        number = getattr(arguments, name)
        if not lowest <= number <= highest:
            option = f"--{name.replace('_', '-')}"
            faults.add(option, f"must be from {lowest:g} to {highest:g}", number)
    if arguments.cell not in CELLS:
        faults.add("--cell", f"must be one of {', '.join(CELLS)}", arguments.cell)
    first_day, zone = _date(arguments.first_day, faults), _zone(arguments.time_zone, faults)
    faults.raise_if_any()
    return YearOptions(
        sessions=arguments.sessions,
        prices=arguments.prices,
        programme=cast("Programme", arguments.programme),
        driver_count=arguments.drivers,
        seed=arguments.seed,
        zone=zone,
        first_day=first_day,
        day_count=arguments.days,
        import_extra_per_kwh=arguments.import_extra,
        export_less_per_kwh=arguments.export_less,
        battery_kwh=arguments.battery_kwh,
        charger_kw=arguments.charger_kw,
        cell=arguments.cell,
        pack_price_per_kwh=arguments.pack_price,
        capacity_price_per_mw_h=arguments.capacity_price,
        pool_cars=arguments.pool_cars,
        threads=threads,
        report=arguments.report,
        output=arguments.output,
    )


def _date(text: str | None, faults: Faults) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        faults.add("--from", "must be a date such as 2022-01-01", text)
        return None


def _zone(name: str, faults: Faults) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.add("--time-zone", "must be a time zone such as Europe/Amsterdam", name)
        return ZoneInfo("UTC")


def run_year(options: YearOptions) -> int:
    """Read, play, tell and write; returns 0. Raises InputError for bad input, and then writes nothing."""
    require_extra()
    began_s = time.monotonic()
    with FleetProgress(Console(stderr=True)) as progress:
        progress.begin("Reading", None)
        prices, sessions = _read(options)
        first_day = _first_day(options, prices)
        terms = _terms(options, prices, first_day)
        drawn = draw_drivers(_recorded(sessions), options.driver_count, terms.days, options.seed)
        progress.begin("Playing", len(drawn.stays.driver))
        found = play_year(drawn.stays, options.driver_count, terms, progress.advance)
        shown = YearShown(terms, drawn, found, sessions.left_out, first_day)
        progress.begin("Writing", None)
        if options.output is not None:
            write_columns(options.output, columns_of(shown))
        if options.report is not None:
            from parkwatt.app.fleet.year_report import write_report

            write_report(shown, options.report)
    print(summary(shown, time.monotonic() - began_s))
    for word, path in (("drivers", options.output), ("report", options.report)):
        if path is not None:
            print(f"{word}: {printable(str(path))}")
    return 0


def _read(options: YearOptions) -> tuple[FleetPrices, SessionRows]:
    """Raises InputError with all faults of both files."""
    faults = Faults()
    prices = read_market_prices(options.prices, faults)
    sessions = read_sessions(options.sessions, options.zone, faults)
    if prices is not None and len(prices.names) != 1:
        faults.add("prices", "must be of one tariff", len(prices.names))
    if prices is not None and prices.grid.step_s % (STEP_MINUTES * 60):
        rule = f"must have steps of a multiple of {STEP_MINUTES} minutes"
        faults.add("prices", rule, f"{prices.grid.step_s / 60:g} minutes")
    faults.raise_if_any()
    if prices is None or sessions is None:  # cannot be: a fault would have been told
        raise AssertionError("a file was not read, and no fault told")
    return prices.in_steps_of(STEP_MINUTES * 60), sessions


def _recorded(rows: SessionRows) -> RecordedSessions:
    return RecordedSessions(rows.user, rows.day, rows.minute, rows.minutes, rows.energy_kwh)


def _first_day(options: YearOptions, prices: FleetPrices) -> date:
    """The day that was asked for, or the first whole one that has prices. Raises InputError where prices do not reach."""
    begins_s, ends_s = prices.grid.start_unix_s, prices.grid.end_unix_s
    first = options.first_day
    if first is None:
        first = datetime.fromtimestamp(begins_s, options.zone).date()
        if _midnight_s(first, options.zone) < begins_s:
            first += timedelta(days=1)
    last = first + timedelta(days=options.day_count)
    if _midnight_s(first, options.zone) < begins_s or _midnight_s(last, options.zone) > ends_s:
        reach = " to ".join(
            f"{datetime.fromtimestamp(one, options.zone):%Y-%m-%d %H:%M}"
            for one in (begins_s, ends_s)
        )
        rule = f"must cover {options.day_count} days from {first}; they cover {reach}"
        raise InputError([InputFault("prices", rule)])
    return first


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _terms(options: YearOptions, prices: FleetPrices, first_day: date) -> YearTerms:
    dates = [first_day + timedelta(days=n) for n in range(options.day_count + 1)]
    midnight_s = np.array([_midnight_s(day, options.zone) for day in dates], dtype=np.int64)
    first_step = (midnight_s - midnight_s[0]) // (STEP_MINUTES * 60)
    weekday = np.array([day.weekday() for day in dates[:-1]], dtype=np.int64)
    days = YearDays(first_step, weekday, STEP_MINUTES)
    begin = int(midnight_s[0] - prices.grid.start_unix_s) // (STEP_MINUTES * 60)
    steps = slice(begin, begin + days.step_count)
    cell, pack = CELLS[options.cell], options.pack_price_per_kwh
    holding = holding_price(cell, options.battery_kwh, pack, _TEMPERATURE_C)
    car = YearCar(
        energy_kwh_max=options.battery_kwh,
        power_kw_max=options.charger_kw,
        efficiency=_EFFICIENCY,
        floor_soc=_FLOOR_SOC,
        asked_soc=_ASKED_SOC,
        wear_price_per_kwh=wear_price(cell, options.battery_kwh, pack, _DEPTH, _TEMPERATURE_C),
        holding_price_per_kwh_h=holding.holding_price_per_kwh_h,
        holding_from_kwh=holding.holding_from_kwh,
    )
    return YearTerms(
        programme=options.programme,
        days=days,
        months=np.array([day.month for day in dates[:-1]], dtype=np.int64),
        first_day_of_year=first_day.timetuple().tm_yday,
        import_per_kwh=prices.import_price_per_kwh[0, steps] + options.import_extra_per_kwh,
        export_per_kwh=prices.export_price_per_kwh[0, steps] - options.export_less_per_kwh,
        car=car,
        cell=cell,
        pack_price_per_kwh=pack,
        capacity=CapacityRules(
            price_per_mw_h=options.capacity_price_per_mw_h,
            # The drivers sell their part of what the whole pool of such cars sells in whole lots.
            lot_kw=_LOT_KW * options.driver_count / options.pool_cars,
        ),
        events=EventRules(),
        threads=options.threads,
    )
