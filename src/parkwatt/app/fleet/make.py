"""`parkwatt fleet make`: the options, and the files of a generated fleet."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console

from parkwatt.app.fleet.feeders import feeder_of_stays, write_tree
from parkwatt.app.fleet.generate import Wanted, fleet_columns, price_columns
from parkwatt.app.fleet.output import check_file, check_output
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.app.printable import printable
from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.written import write_columns

_CARS_MAX = 100_000_000
_DAYS_MAX = 366
_FIRST_YEAR, _LAST_YEAR = 1971, 2199


def read_wanted(arguments: argparse.Namespace) -> Wanted:
    """What the options ask for. Raises InputError with all their faults."""
    faults = Faults()
    check_output("FLEET.parquet", arguments.fleet, (), faults)
    if arguments.prices_output is not None:
        check_output("--prices-output", arguments.prices_output, (arguments.fleet,), faults)
    if not 1 <= arguments.cars <= _CARS_MAX:
        faults.add("--cars", f"must be from 1 to {_CARS_MAX}", arguments.cars)
    if not 1 <= arguments.days <= _DAYS_MAX:
        faults.add("--days", f"must be from 1 to {_DAYS_MAX}", arguments.days)
    if arguments.step_minutes < 1 or 60 % arguments.step_minutes:
        faults.add("--step-minutes", "must divide an hour", arguments.step_minutes)
    if not 0.0 <= arguments.v2g_share <= 1.0:
        faults.add("--v2g-share", "must be from 0 to 1", arguments.v2g_share)
    if arguments.seed < 0:
        faults.add("--seed", "must be at least 0", arguments.seed)
    start = _date(arguments.start, faults)
    zone = _zone(arguments.time_zone, faults)
    faults.raise_if_any()
    return Wanted(
        car_count=arguments.cars,
        sessions=arguments.sessions,
        start=start,
        days=arguments.days,
        step_s=arguments.step_minutes * 60,
        zone=zone,
        v2g_share=arguments.v2g_share,
        least_power=arguments.least_power,
        seed=arguments.seed,
    )


def _date(text: str, faults: Faults) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        faults.add("--start", "must be a date such as 2026-01-15", text)
        return date(_FIRST_YEAR, 1, 1)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        faults.add("--start", f"must be from {_FIRST_YEAR} to {_LAST_YEAR}", text)
    return day


def _zone(name: str, faults: Faults) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.add("--time-zone", "must be a time zone such as Europe/Berlin", name)
        return ZoneInfo("UTC")


def read_tree(arguments: argparse.Namespace) -> tuple[int, Path | None]:
    """How many feeders, 0 for none, and where their limits go. Raises InputError with all faults of these options."""
    faults = Faults()
    feeders, limits = arguments.feeders or 0, arguments.limits_output
    if arguments.feeders is not None and not 1 <= feeders <= max(arguments.cars, 1):
        faults.add("--feeders", f"must be from 1 to {arguments.cars}, the cars", feeders)
    if (arguments.feeders is None) != (limits is None):
        faults.add("--feeders, --limits-output", "go together")
    if limits is not None:
        if limits.suffix.lower() != ".toml":
            faults.add("--limits-output", "must end in .toml", str(limits))
        check_file("--limits-output", limits, (arguments.fleet,), faults)
    faults.raise_if_any()
    return feeders, limits


def make_fleet(
    wanted: Wanted,
    fleet: Path,
    prices: Path | None,
    feeder_count: int = 0,
    limits: Path | None = None,
) -> None:
    """Generate and write. Raises OSError or InputError where it cannot be written."""
    with FleetProgress(Console(stderr=True)) as progress:
        progress.begin("Generating", None)
        columns = fleet_columns(wanted)
        if limits is not None:
            node, limits_kw = feeder_of_stays(columns["car_id"], feeder_count, wanted.seed)
            columns = {**columns, "node": node}
        progress.begin("Writing", None)
        write_columns(fleet, columns)
        if prices is not None:
            write_columns(prices, price_columns(wanted))
        if limits is not None:
            write_tree(limits, limits_kw)
    giving = int((columns["discharge_kw_max"] > 0.0).sum())
    stays = len(columns["car_id"])
    print(
        f"wrote {printable(str(fleet))}: {stays:,} stays of {wanted.car_count:,} cars, {giving:,} of them with discharge"
    )
    if prices is not None:
        print(f"wrote {printable(str(prices))}: {wanted.grid.step_count:,} steps")
    if limits is not None:
        print(f"wrote {printable(str(limits))}: {feeder_count:,} feeders below one pool")
