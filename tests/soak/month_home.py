"""The home of the simulated month: its data, the files of a user, and the virtual home with all that Parkwatt asks.

Real data where there are any (`shared/data` beside the repository): German day-ahead prices of 2024, and a British household by
the minute of 2014, moved by whole weeks so that weekdays and the change of the clock agree. Sun and trips are the demo's. The
grid fee is one that varies over the day, as German networks offer it, so that running the house from the car pays on evenings.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from parkwatt.app.demo.driving import sessions
from parkwatt.app.demo.local_time import grid_of_days, local_time
from parkwatt.app.demo.market import day_ahead_price_per_mwh
from parkwatt.app.demo.sky import Roof, daily_clearness, solar_power_kw
from parkwatt.domain.record import FloatArray
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.home.household import household
from parkwatt.io.sim.home.price_server import MARKET, MarketPrices
from parkwatt.io.sim.home.profile import StepProfile
from parkwatt.io.sim.home.virtual_home import HomeCar, PluggedIn
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings

ZONE = ZoneInfo("Europe/Berlin")
START = date(2024, 3, 4)
CHARGER_ID = "GARAGE"
CAPACITY_KWH = 60.0
FLOOR_SOC = 0.2
READY_SOC = 0.8
SOC_AT_START = 0.5
EFFICIENCY = 0.93
IMPORT_LIMIT_KW = 13.8  # 3 x 20 A: charging and cooking at once is too much
STEP_S = 60
_HOUR_S = 3600
_PRICES_BEFORE_DAYS = 22
# From the British household's Monday to the span's, less the hour between the clocks.
_WEEKS = timedelta(days=3654)


@dataclass(frozen=True, slots=True)
class MonthData:
    """``start_unix_s``: local midnight of the first day; the span has ``seconds``."""

    start_unix_s: int
    seconds: int
    load: StepProfile
    solar: StepProfile
    prices: MarketPrices
    stays: tuple[PluggedIn, ...]
    is_real: bool


def month_data(shared: Path | None, seed: int, days: int, start: date = START) -> MonthData:
    """The data of so many local days. ``shared``: where the real data lie; None: all is made up."""
    random = [np.random.default_rng([seed, stream]) for stream in range(5)]
    grid = grid_of_days(start, days + 1, STEP_S, ZONE)
    starts = grid.starts_unix_s()
    local = local_time(starts, ZONE)
    clearness = daily_clearness(random[0], start.timetuple().tm_yday, days + 1)
    solar_kw = solar_power_kw(random[1], starts, STEP_S, local, clearness, Roof())
    if shared is None:
        load = household(random[2], grid.start_unix_s, days + 2, ZONE)
        prices = _made_prices(random[3], start, days)
    else:
        folder = shared / "data"
        load = _real_load(folder, grid.start_unix_s, grid.step_count)
        prices = _real_prices(folder)
    return MonthData(
        start_unix_s=grid.start_unix_s,
        seconds=int(grid_of_days(start, days, _HOUR_S, ZONE).step_count) * _HOUR_S,
        load=load,
        solar=StepProfile(grid.start_unix_s, STEP_S, solar_kw),
        prices=prices,
        stays=tuple(
            PluggedIn(
                int(stay.arrival.timestamp()),
                int(stay.departure.timestamp()),
                stay.energy_used_kwh,
            )
            for stay in sessions(random[4], start, days, ZONE)
        ),
        is_real=shared is not None,
    )


def _made_prices(random: np.random.Generator, start: date, days: int) -> MarketPrices:
    first = start - timedelta(days=_PRICES_BEFORE_DAYS)
    count = days + _PRICES_BEFORE_DAYS + 3
    hours = grid_of_days(first, count, _HOUR_S, MARKET)
    clearness = daily_clearness(random, first.timetuple().tm_yday, count)
    local = local_time(hours.starts_unix_s(), MARKET)
    price = day_ahead_price_per_mwh(random, local, clearness)
    return MarketPrices(hours.start_unix_s, _HOUR_S, np.round(price, 2))


def _real_prices(folder: Path) -> MarketPrices:
    rows = _rows(folder / "prices" / "dayahead_DELU_2024.parquet", "price_eur_per_mwh")
    first = int(rows[0][0])
    prices = np.full((int(rows[-1][0]) - first) // _HOUR_S + 1, np.nan)
    for unix_s, price in rows:
        prices[(int(unix_s) - first) // _HOUR_S] = np.nan if price is None else price
    return MarketPrices(first, _HOUR_S, np.round(prices, 2))


def _real_load(folder: Path, start_unix_s: int, count: int) -> StepProfile:
    """What the source lacks is filled from the same minute of the week before or after."""
    first = datetime.fromtimestamp(start_unix_s + _HOUR_S, UTC) - _WEEKS
    first_unix_s = int(first.timestamp())
    path = folder / "homes" / "submetered_refit_house2_1min.parquet"
    watts = np.full(count, np.nan)
    for unix_s, power_w in _rows(path, "aggregate_w"):
        index = (int(unix_s) - first_unix_s) // STEP_S
        if 0 <= index < count and power_w is not None:
            watts[index] = power_w
    week = 7 * 86_400 // STEP_S
    for shift in (week, -week, 2 * week, -2 * week, week // 7, -week // 7):
        gaps = np.flatnonzero(np.isnan(watts))
        others = gaps + shift
        inside = (others >= 0) & (others < count)
        watts[gaps[inside]] = watts[others[inside]]
    if np.isnan(watts).any():
        raise ValueError("the household's data have too large a gap")
    return StepProfile(start_unix_s, STEP_S, watts / 1000.0)


def _rows(path: Path, column: str) -> Sequence[tuple[int, float | None]]:
    query = f"select epoch(ts_utc), {column} from '{path}' order by ts_utc"  # noqa: S608 our own names
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def home_car(data: MonthData, protocol: Protocol, faults: Faults, seed: int) -> HomeCar:
    """The car behind its charger. Its efficiency is what the site's file says, so that plans can come true."""
    station = StationSettings(
        id=CHARGER_ID,
        protocol=protocol,
        is_dc=True,
        negative_limit="discharge",
        car=CarSettings(
            capacity_kwh=CAPACITY_KWH,
            soc=SOC_AT_START,
            discharge_kw_max=11.0,
            charge_efficiency=((0.0, EFFICIENCY),),
            discharge_efficiency=((0.0, EFFICIENCY),),
        ),
        seed=seed,
        retry_attempts=1000,
    )
    return HomeCar(station, data.stays, faults)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where on this machine things listen."""

    meter: int
    prices: int
    ocpp: int
    api: int


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


SITE = """\
name = "Month"
[tariff]
currency = "EUR"
time_zone = "{zone}"
[tariff.import]
adders_per_kwh = {{ electricity_tax = 0.0205, levies_and_supplier = 0.045 }}
otherwise_per_kwh = 0.0812
tax = 0.19
[[tariff.import.periods]]
price_per_kwh = 0.1565
from = "17:00"
to = "22:00"
[[tariff.import.periods]]
price_per_kwh = 0.0095
from = "00:00"
to = "05:00"
[tariff.import.day_ahead]
source = "energy-charts"
zone = "DE-LU"
url = "http://127.0.0.1:{ports.prices}/price"
[tariff.export]
price_per_kwh = 0.0811
[connection]
import_limit_kw = {limit_kw}
household_kw_max = 8.0
[car]
name = "car"
battery_kwh = {capacity_kwh}
floor_soc = {floor_soc}
ready_soc = {ready_soc}
charge_kw_max = 11.0
discharge_kw_max = 11.0
charge_efficiency = {efficiency}
discharge_efficiency = {efficiency}
cell = "nmc622-denso"
pack_price_per_kwh = 110.0
temperature_c = 18.0
charger_price = 2500.0
charger = "{charger_id}"
mode = "home"
discharge = true
trips = "trips.ics"
[[charger]]
id = "{charger_id}"
discharge = true
negative_limit = true
power_kw_max = 11.0
[meter.grid]
source = "modbus"
host = "127.0.0.1"
port = {ports.meter}
[meter.solar]
source = "modbus"
host = "127.0.0.1"
port = {ports.meter}
[ocpp]
listen = "127.0.0.1:{ports.ocpp}"
admit_unknown = true
[api]
listen = "127.0.0.1:{ports.api}"
[control]
step_s = 2
[log]
level = "error"
"""


def write_site(directory: Path, data: MonthData, ports: Ports) -> Path:
    """Write the site's settings and the car's calendar; returns where the settings are."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "trips.ics").write_text(_calendar(data.stays), encoding="utf-8")
    site = directory / "site.toml"
    site.write_text(settings_text(ports), encoding="utf-8")
    return site


def settings_text(ports: Ports) -> str:
    """What a user would write for this home."""
    return SITE.format(
        zone=ZONE.key,
        ports=ports,
        limit_kw=IMPORT_LIMIT_KW,
        capacity_kwh=CAPACITY_KWH,
        floor_soc=FLOOR_SOC,
        ready_soc=READY_SOC,
        charger_id=CHARGER_ID,
        efficiency=EFFICIENCY,
    )


def _calendar(stays: Sequence[PluggedIn]) -> str:
    """Every departure as an event that lasts until the car is back."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Parkwatt//month//EN"]
    for number, stay in enumerate(stays):
        after = stays[number + 1] if number + 1 < len(stays) else None
        back_unix_s = stay.departure_unix_s + 3600 if after is None else after.arrival_unix_s
        lines += [
            "BEGIN:VEVENT",
            f"UID:trip-{number}",
            f"DTSTAMP:{_ical(0)}",
            f"DTSTART:{_ical(stay.departure_unix_s)}",
            f"DTEND:{_ical(max(back_unix_s, stay.departure_unix_s + 60))}",
            "SUMMARY:Trip",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _ical(unix_s: int) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y%m%dT%H%M%SZ}"


def by_step(profile: StepProfile, start_unix_s: int, seconds: int, step_s: int) -> FloatArray:
    """[T] the profile's mean over each step of a coarser grid, for the study."""
    powers: FloatArray = profile.by_second(start_unix_s, seconds).reshape(-1, step_s).mean(axis=1)
    return powers
