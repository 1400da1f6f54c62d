"""The demo home's files: `prices.csv`, `load.csv`, `solar.csv`, `sessions.csv` and the `site.toml` that names them.

The same seed, start and length give the same files to the byte on any machine of the same numpy. Each series draws from its own
stream of chance, so a change to one formula leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.app.atomic_file import replacing
from parkwatt.app.demo.driving import sessions
from parkwatt.app.demo.household import load_kw
from parkwatt.app.demo.local_time import grid_of_days, local_time
from parkwatt.app.demo.market import day_ahead_price_per_mwh
from parkwatt.app.demo.site_toml import Ports, site_toml
from parkwatt.app.demo.sky import Roof, daily_clearness, solar_power_kw
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, utc

TIME_ZONE = "Europe/Amsterdam"
ANNUAL_LOAD_KWH = 3500.0

_STEP_S = 900
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class DemoHome:
    """Where the files of a generated home are."""

    site: Path
    prices: Path
    load: Path
    solar: Path
    sessions: Path


def make_demo_home(
    folder: Path, seed: int, start: date, days: int, ports: Ports | None = None
) -> DemoHome:
    """Generate a home and write its files into ``folder``, which is made where it is missing.

    Args:
        folder: where the files go; files of the same names are replaced.
        seed: decides all chance.
        start: the first local day.
        days: how many local days, at least 1. Prices reach one day further, as they are published a day ahead.
        ports: where the live site listens, as its file says; None: the usual ones.

    Returns:
        The paths of the files.

    Raises:
        ValueError: ``days`` is less than 1.
        InputError: a file cannot be written.
    """
    if days < 1:
        raise ValueError(f"days must be at least 1, got {days}")
    zone = ZoneInfo(TIME_ZONE)
    chance = [np.random.default_rng([seed, stream]) for stream in range(5)]
    home = DemoHome(
        *(
            folder / name
            for name in ("site.toml", "prices.csv", "load.csv", "solar.csv", "sessions.csv")
        )
    )

    grid = grid_of_days(start, days, _STEP_S, zone)
    starts = grid.starts_unix_s()
    local = local_time(starts, zone)
    clearness = daily_clearness(chance[0], start.timetuple().tm_yday, days + 1)
    hours = grid_of_days(start, days + 1, _HOUR_S, zone).starts_unix_s()

    price = day_ahead_price_per_mwh(chance[1], local_time(hours, zone), clearness)
    _write_series(home.prices, "price_eur_per_mwh", hours, price, digits=2)
    load = load_kw(chance[2], local, _STEP_S, ANNUAL_LOAD_KWH)
    _write_series(home.load, "load_kw", starts, load, digits=3)
    solar = solar_power_kw(chance[3], starts, _STEP_S, local, clearness, Roof())
    _write_series(home.solar, "solar_kw", starts, solar, digits=3)
    _write(
        home.sessions,
        ("arrival", "departure", "energy_used_kwh"),
        (
            (
                session.arrival.isoformat(),
                session.departure.isoformat(),
                f"{session.energy_used_kwh:.2f}",
            )
            for session in sessions(chance[4], start, days, zone)
        ),
    )
    with replacing(home.site) as stream:
        names = home.prices, home.load, home.solar, home.sessions
        stream.write(site_toml(*names, TIME_ZONE, ports or Ports()))
    return home


def _write_series(
    path: Path, name: str, starts: TimeArray, values: FloatArray, digits: int
) -> None:
    rows = (
        (f"{utc(start):%Y-%m-%dT%H:%M:%SZ}", f"{value:.{digits}f}")
        for start, value in zip(
            starts.tolist(), (np.round(values, digits) + 0.0).tolist(), strict=True
        )
    )
    _write(path, ("time", name), rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with replacing(path) as stream:
        stream.write(",".join(header) + "\n")
        stream.writelines(",".join(row) + "\n" for row in rows)
