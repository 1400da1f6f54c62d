"""Writes a pool that does not exist: its settings, and a table of members."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from parkwatt.app.set_up.catalogue import catalogue
from parkwatt.domain.errors import InputError
from parkwatt.domain.record import Faults

_CARS_MAX: Final = 100_000
_POOL: Final = """\
# A pool to try things with. See docs/guides/pool.md.
name = "{name}"

[ocpp]
listen = "{ocpp}"
admit_unknown = true          # virtual chargers have no credential; loopback only

[api]
listen = "{api}"

[charger_defaults]
meter_interval_s = 5

[pool]
members = "members.csv"
time_zone = "{zone}"
"""
# Assumptions of ours: what drivers of such a pool keep and ask for.
_READY: Final = ("06:30", "07:00", "07:30", "08:00", "")


def make_pool(arguments: argparse.Namespace) -> None:
    """Write it. Raises InputError for bad arguments, OSError."""
    faults = Faults()
    if not 1 <= arguments.cars <= _CARS_MAX:
        faults.add("--cars", f"must be 1 to {_CARS_MAX}", arguments.cars)
    try:
        ZoneInfo(arguments.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.add("--time-zone", "must be a zone such as Europe/Berlin", arguments.time_zone)
    folder: Path = arguments.folder
    existing = [name for name in ("pool.toml", "members.csv") if (folder / name).exists()]
    for name in existing:
        faults.add(str(folder / name), "is there already")
    if faults.found:
        raise InputError(faults.found)
    folder.mkdir(parents=True, exist_ok=True)
    text = _POOL.format(
        name=folder.resolve().name, ocpp=arguments.ocpp, api=arguments.api, zone=arguments.time_zone
    )
    _write_members(folder / "members.csv", arguments.cars, arguments.seed)
    (folder / "pool.toml").write_text(text, encoding="utf-8")
    print(
        f"{folder / 'pool.toml'} with {arguments.cars:,} cars; run it: parkwatt fleet up {folder / 'pool.toml'}"
    )


def _write_members(path: Path, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cars = catalogue().car
    chosen = rng.integers(0, len(cars), count)
    powers = rng.choice([7.4, 11.0], count)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            (
                *("car_id", "charger_id", "driver", "capacity_kwh", "charge_kw_max"),
                *("discharge_kw_max", "floor_soc", "target_soc", "ready_by", "consent"),
            )
        )
        for number in range(count):
            power_kw = float(powers[number])
            writer.writerow(
                (
                    f"car-{number + 1:05d}",
                    f"CP-{number + 1:05d}",
                    f"driver-{number + 1:05d}",
                    f"{cars[int(chosen[number])].battery_kwh:g}",
                    f"{power_kw:g}",
                    f"{power_kw:g}",
                    f"{rng.choice([0.2, 0.3, 0.4]):g}",
                    f"{rng.choice([0.6, 0.8, 0.9]):g}",
                    rng.choice(_READY),
                    "yes" if rng.random() < 0.8 else "no",
                )
            )
