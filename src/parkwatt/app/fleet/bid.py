"""`parkwatt fleet bid`: from recorded sessions to bids for a day, and a test of earlier ones."""

from __future__ import annotations

import argparse
import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from rich.console import Console

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.bid_words import BidOptions, BidShown, Judged, figures, told
from parkwatt.app.fleet.output import check_file
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet.programme import Programme, delivery_blocks, is_workday
from parkwatt.domain.record import Faults
from parkwatt.fleet.bids.bid import Bid, Offer, Terms, best_bid, cost_per_kw_h
from parkwatt.fleet.flexibility.forecast import DayForecast, Forecaster
from parkwatt.fleet.flexibility.played import STEPS_OF_DAY, DayHeld, play_days
from parkwatt.fleet.flexibility.recorded import CarKind, RecordedPool, recorded_pool
from parkwatt.io.fleet_files.sessions import read_sessions
from parkwatt.io.programmes.programme_file import programme_named

_BOUNDS: Final = (
    ("confidence", 0.5, 0.999),
    ("seed", 0, 2**32 - 1),
    ("price", 0.0, 1e6),
    ("power_factor", 1.0, 5.0),
    ("import_price", -5.0, 5.0),
    ("wear_price", 0.0, 5.0),
    ("keeping_price", 0.0, 5.0),
    ("activated", 0.0, 1.0),
    ("battery_kwh", 10.0, 500.0),
    ("charger_kw", 1.0, 400.0),
    ("test_days", 0, 3660),
)
_RESERVE_MINUTES: Final = 15
# 1970-01-01 was a Thursday: days are counted from the Monday before.
_MONDAY: Final = date(1969, 12, 29)
_HOUR_S: Final = 3600.0


def read_options(arguments: argparse.Namespace) -> BidOptions:
    """The options. Raises InputError with all their faults."""
    faults = Faults()
    for name, least, most in _BOUNDS:
        value = getattr(arguments, name)
        if not least <= value <= most:
            faults.add(f"--{name.replace('_', '-')}", f"must be from {least:g} to {most:g}", value)
    if arguments.cars is not None and not 1 <= arguments.cars <= 100_000:
        faults.add("--cars", "must be from 1 to 100000", arguments.cars)
    for option, value in (("--step", arguments.step), ("--least", arguments.least)):
        if value is not None and not 0.0 < value <= 1e7:
            faults.add(option, "must be above 0 and at most 10000000", value)
    taken: tuple[Path, ...] = (arguments.sessions,)
    for option, path in (
        ("--output", arguments.output),
        ("--series-output", arguments.series_output),
        ("--report", arguments.report),
    ):
        if path is not None:
            check_file(option, path, taken, faults)
            taken = (*taken, path)
    day = _day(arguments.day, faults)
    faults.raise_if_any()
    programme = programme_named(arguments.programme)
    zone = _zone(arguments.time_zone or programme.time_zone)
    programme = _in_zone(programme, zone)
    kind = CarKind(arguments.battery_kwh, arguments.charger_kw)
    cost = cost_per_kw_h(
        arguments.activated,
        kind.efficiency,
        arguments.import_price,
        arguments.wear_price,
        arguments.keeping_price,
    )
    step_kw = arguments.step or float(programme.step_kw or 1)
    terms = Terms(
        arguments.price,
        float(programme.penalty_factor),
        step_kw,
        arguments.least or (step_kw if arguments.step else float(programme.pool_kw_min or step_kw)),
        cost,
    )
    return BidOptions(
        arguments.sessions,
        programme,
        day,
        arguments.confidence,
        arguments.cars,
        arguments.seed,
        terms,
        arguments.power_factor,
        kind,
        zone,
        arguments.test_days,
        arguments.output,
        arguments.series_output,
        arguments.report,
    )


def _in_zone(programme: Programme, zone: ZoneInfo) -> Programme:
    import msgspec

    return msgspec.structs.replace(programme, time_zone=zone.key)


def _day(text: str | None, faults: Faults) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        faults.add("--day", "must be a date such as 2026-01-15", text)
        return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        rule = "must be a time zone such as Europe/Oslo"
        raise InputError([InputFault("--time-zone", rule, name)]) from None


def bid_day(options: BidOptions) -> int:
    """Forecast, bid, tell and write; returns 0. Raises InputError for bad input, and then writes nothing."""
    with FleetProgress(Console(stderr=True)) as progress:
        progress.begin("Reading", None)
        faults = Faults()
        rows = read_sessions(options.sessions, options.zone, faults)
        faults.raise_if_any()
        if rows is None:  # cannot be: a fault would have been told
            raise AssertionError("sessions were not read, and no fault told")
        columns = (rows.user, rows.day, rows.minute, rows.minutes, rows.energy_kwh)
        pool = recorded_pool(*columns, options.kind, cars=options.cars, seed=options.seed)
        shown = _shown(options, pool, rows.left_out, progress)
    for line in told(shown):
        print(line)
    _write(shown)
    return 0


def _shown(
    options: BidOptions, pool: RecordedPool, left_out: int, progress: FleetProgress
) -> BidShown:
    ahead = (options.programme.gate_days_before or 0) + 1
    day = _delivery(options, pool)
    number = (day - _MONDAY).days - pool.first_day
    known = min(number - ahead + 1, pool.day_count)
    if known < 1:
        raise InputError([InputFault("--day", "must be after the first days of the record", day)])
    programme = options.programme
    blocks = delivery_blocks(programme, day)
    forecaster = Forecaster(
        pool.fleet, _block_steps(programme), confidence=options.confidence, ahead_days=ahead
    )
    progress.begin("Days", known)
    bids: dict[int, list[Bid]] = {}
    judged: list[tuple[date, list[float], list[float]]] = []
    first_judged = known - options.test_days
    minutes = float(programme.reserve_minutes or _RESERVE_MINUTES)
    days = play_days(pool.fleet, pool.stays, known, reserve_minutes=minutes)
    for index, held in enumerate(days):
        if index in bids and index >= first_judged:
            judged.append(
                (_date(pool, index), [one.power_kw for one in bids[index]], _held(held, options))
            )
        bids.pop(index, None)
        forecaster.learn(index, _kind(programme, _date(pool, index)), held)
        later = index + ahead
        found = forecaster.forecast(later, _kind(programme, _date(pool, later)))
        if found is not None:
            bids[later] = _bids(options, found, delivery_blocks(programme, _date(pool, later)))
        progress.advance(1)
    forecast = forecaster.forecast(number, _kind(programme, day))
    return BidShown(
        options,
        day,
        _date(pool, known - 1),
        len(pool.fleet.capacity_kwh),
        pool.users,
        left_out,
        blocks,
        [_none()] * len(blocks) if forecast is None else _bids(options, forecast, blocks),
        forecast,
        _judged(judged) if options.test_days else None,
    )


def _none() -> Bid:
    return Bid(0.0, 1.0, 0.0, 0.0, "too few days are known")


def _judged(rows: list[tuple[date, list[float], list[float]]]) -> Judged | None:
    if not rows:
        return None
    return Judged(
        [one[0] for one in rows],
        np.array([one[1] for one in rows]),
        np.array([one[2] for one in rows]),
    )


def _delivery(options: BidOptions, pool: RecordedPool) -> date:
    return options.day or _date(pool, pool.day_count + (options.programme.gate_days_before or 0))


def _date(pool: RecordedPool, index: int) -> date:
    return _MONDAY + timedelta(days=pool.first_day + index)


def _kind(programme: Programme, day: date) -> int:
    return 0 if is_workday(programme, day) else 1


def _block_steps(programme: Programme) -> tuple[int, ...]:
    hours = programme.block_hours or 24
    return (*range(0, STEPS_OF_DAY, 4 * hours), STEPS_OF_DAY)


def _held(held: DayHeld, options: BidOptions) -> list[float]:
    """What could have been sold of each block of a day: the least of all its steps."""
    edges = np.array(_block_steps(options.programme)[:-1])
    whole = held.reserve_kw.sum(axis=1, dtype=np.float64)
    return [float(one) / options.power_factor for one in np.minimum.reduceat(whole, edges)]


def _bids(
    options: BidOptions, found: DayForecast, blocks: list[tuple[datetime, datetime]]
) -> list[Bid]:
    factor = options.power_factor
    pool_kw = float(found.block_expected_kw.max()) / factor
    return [
        best_bid(
            Offer(
                (end - begin).total_seconds() / _HOUR_S,
                float(found.block_kw[index]) / factor,
                found.block_past_kw[:, index] / factor,
                pool_kw,
            ),
            options.terms,
        )
        for index, (begin, end) in enumerate(blocks)
    ]


def _write(shown: BidShown) -> None:
    options = shown.options
    if options.output is not None:
        with replacing(options.output) as stream:
            json.dump(figures(shown), stream, indent=1)
            stream.write("\n")
        print(f"bids: {printable(str(options.output))}")
    if options.series_output is not None:
        with replacing(options.series_output) as stream:
            stream.write(_series(shown))
        print(f"reserve: {printable(str(options.series_output))}")
    if options.report is not None:
        from parkwatt.app.fleet.bid_report import write_report

        write_report(shown, options.report)
        print(f"report: {printable(str(options.report))}")


def _series(shown: BidShown) -> str:
    """Rows of `fleet plan --node-series`: what the pool has to hold back, from each block's beginning on."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("start", "node", "reserve_up_kw", "reserve_down_kw"))
    for (begin, _), bid in zip(shown.blocks, shown.bids, strict=True):
        power = f"{bid.power_kw * shown.options.power_factor:g}"
        writer.writerow((f"{begin.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "pool", power, power))
    end = shown.blocks[-1][1]
    writer.writerow((f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "pool", "0", "0"))
    return text.getvalue()
