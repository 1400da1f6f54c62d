"""How good the forecasts are, and how fast: `python -m benchmarks forecast`.

On the homes and sessions of `../shared/data` where that folder is there, else on generated ones. Every forecast is made
as at its moment, from what had ended by then. Errors are of hourly or half-hourly steps over the next 24 hours, relative
to the mean. Presence was tuned on every second user and is reported on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.departure_policies import Curve, curves
from benchmarks.harness import Figure, time_minimum_s
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid
from parkwatt.forecast.load import LoadForecaster
from parkwatt.forecast.power import PersistenceForecaster, PowerForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.forecast.solar import SolarForecaster

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DAY_S, HOUR_S = 86_400, 3_600
NOMINAL = (0.01, 0.02, 0.05, 0.1, 0.5)
SESSIONS_BEFORE = 10
SESSIONS_PER_USER_MIN = 30
START_UNIX_S = 1_704_067_200  # 2024-01-01, a Monday


@dataclass(frozen=True)
class History:
    """A measured power on a grid."""

    name: str
    time_zone: str
    grid: TimeGrid
    power_kw: FloatArray


@dataclass(frozen=True)
class Sessions:
    """All sessions of one user, by arrival."""

    arrival_unix_s: TimeArray
    departure_unix_s: TimeArray
    energy_kwh: FloatArray
    charge_kw: FloatArray
    battery_kwh: float

    def model(self) -> PresenceModel:
        """The presence model of this user."""
        return PresenceModel(
            self.arrival_unix_s, self.departure_unix_s, self.energy_kwh, "Europe/Oslo"
        )


def figures() -> list[Figure]:
    """Accuracy, calibration and speed."""
    homes, plants, users = _homes(), _plants(), _held_out_users()
    return [
        *_load_figures(homes),
        *_solar_figures(plants),
        *_presence_figures(users),
        *(_curve_figure(curve) for curve in curves(users)),
        *_speed_figures(),
    ]


def _column(query: str) -> dict[str, FloatArray]:
    """The columns of a query; null becomes NaN."""
    found = duckdb.execute(query).fetchnumpy()
    return {
        name: np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
        for name, values in found.items()
    }


def _read_histories(
    file: str, value: str, time_zone: str, step_s: int, homes: Sequence[str]
) -> Iterator[History]:
    for home in homes:
        path = DATA / "homes" / file
        rows = _column(
            f"select epoch(ts_utc) as time, {value} as energy from '{path}' "  # noqa: S608
            f"where home_id = '{home}' order by 1"
        )
        time_s = rows["time"].astype(np.int64)
        index = (time_s - time_s[0]) // step_s
        power = np.full(int(index[-1]) + 1, np.nan)
        power[index] = rows["energy"] * HOUR_S / step_s
        yield History(home, time_zone, TimeGrid(int(time_s[0]), step_s, len(power)), power)


def _home_names(file: str) -> list[str]:
    path = DATA / "homes" / file
    query = f"select distinct home_id from '{path}' order by 1"  # noqa: S608
    return [str(row[0]) for row in duckdb.execute(query).fetchall()]


def _homes() -> list[History]:
    sources = (
        ("california_homes_hourly_9.parquet", "America/Los_Angeles", HOUR_S),
        ("london_lcl_halfhourly_2.parquet", "Europe/London", 1800),
    )
    if not DATA.is_dir():
        return [_made_home(seed) for seed in range(3)]
    return [
        home
        for file, zone, step_s in sources
        for home in _read_histories(file, "load_kwh", zone, step_s, _home_names(file))
    ]


def _plants() -> list[History]:
    if not DATA.is_dir():
        return [_made_plant(seed) for seed in range(3)]
    file = "california_homes_hourly_9.parquet"
    return list(_read_histories(file, "pv_kwh", "America/Los_Angeles", HOUR_S, _home_names(file)))


def _held_out_users() -> list[Sessions]:
    """The users on whom nothing was tuned, with enough sessions; or made ones."""
    if not DATA.is_dir():
        return [_made_sessions(seed) for seed in range(8)]
    path = DATA / "ev_sessions" / "norway_residential_visible_sites.parquet"
    rows = duckdb.execute(
        "select user_id, epoch(plugin_utc), epoch(plugout_utc), energy_kwh, "  # noqa: S608
        f"est_charge_power_kw, est_battery_kwh from '{path}' "
        "where plugout_utc > plugin_utc order by 1, 2"
    ).fetchall()
    by_user: dict[str, list[tuple[float, ...]]] = {}
    for user, *values in rows:
        numbers = tuple(np.nan if value is None else float(value) for value in values)
        by_user.setdefault(str(user), []).append(numbers)
    found = []
    for sessions in list(by_user.values())[1::2]:
        if len(sessions) >= SESSIONS_PER_USER_MIN:
            arrival, departure, energy, power, battery = np.array(sessions).T
            power = np.where(power > 0.5, power, np.nanmedian(power))
            size = max(float(np.nanmedian(battery)), float(energy.max()) / 0.95)
            found.append(
                Sessions(arrival.astype(np.int64), departure.astype(np.int64), energy, power, size)
            )
    return found


def _made_home(seed: int) -> History:
    random = np.random.default_rng(seed)
    grid = TimeGrid(START_UNIX_S, HOUR_S, 200 * 24)
    hour = np.arange(grid.step_count) % 24
    lumps = np.convolve(random.gamma(0.4, 0.5, grid.step_count), (0.6, 0.3, 0.1), mode="same")
    power = 0.4 + 0.3 * np.cos((hour - 19) / 12 * np.pi) + lumps
    return History(f"made {seed}", "Europe/Berlin", grid, power)


def _made_plant(seed: int) -> History:
    random = np.random.default_rng(seed)
    grid = TimeGrid(START_UNIX_S, HOUR_S, 200 * 24)
    hour = np.arange(grid.step_count) % 24 + 0.5
    clear = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0)
    cloud = np.repeat(random.uniform(0.2, 1.0, 200), 24)
    dimming = random.uniform(0.8, 1.0, grid.step_count)
    return History(f"made {seed}", "Europe/Berlin", grid, 5.0 * clear * cloud * dimming)


def _made_sessions(seed: int) -> Sessions:
    random = np.random.default_rng(seed)
    midnight = START_UNIX_S + DAY_S * np.arange(150, dtype=np.int64)
    arrival = midnight + (17 * HOUR_S + random.normal(0, 1.5, 150) * HOUR_S).astype(np.int64)
    short = random.random(150) < 0.15
    stay_h = np.where(short, random.uniform(0.5, 3, 150), 14 + random.normal(0, 1, 150))
    departure = arrival + (np.clip(stay_h, 0.3, 18) * HOUR_S).astype(np.int64)
    energy = np.minimum(random.gamma(3.0, 3.0, 150), stay_h * 7.0)
    return Sessions(arrival, departure, energy, np.full(150, 7.2), 60.0)


def _errors(history: History, forecaster: PowerForecaster) -> dict[str, FloatArray]:
    """Forecasts of the next 24 hours at moments spread over the history, and what came."""
    grid = history.grid
    day = DAY_S // grid.step_s
    yesterday = PersistenceForecaster(grid, history.power_kw)
    found: dict[str, list[FloatArray]] = {
        name: [] for name in ("actual", "mean", "low", "median", "high", "yesterday", "week")
    }
    for step in range(30 * day, grid.step_count - day - 1, 7 * HOUR_S // grid.step_s):
        edges = grid.start_unix_s + grid.step_s * np.arange(step, step + day + 1, dtype=np.int64)
        now = int(edges[0])
        forecast = forecaster.forecast(now, edges, (0.1, 0.5, 0.9))
        low, median, high = forecast.quantile_kw
        values = (
            history.power_kw[step : step + day],
            forecast.mean_kw,
            low,
            median,
            high,
            yesterday.forecast(now, edges, ()).mean_kw,
            history.power_kw[step - 7 * day : step - 6 * day],
        )
        for name, value in zip(found, values, strict=True):
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}


def _relative(errors: dict[str, FloatArray], name: str, square: bool) -> float:
    """The RMSE or MAE of a forecast over the mean of what came."""
    difference = errors[name] - errors["actual"]
    mean = float(np.nanmean(errors["actual"]))
    if square:
        return float(np.sqrt(np.nanmean(difference**2))) / mean
    return float(np.nanmean(np.abs(difference))) / mean


def _pinball(errors: dict[str, FloatArray], names: Sequence[str]) -> float:
    """The mean pinball loss at 10, 50 and 90 % over the mean of what came."""
    actual = errors["actual"]
    losses = []
    for name, probability in zip(names, (0.1, 0.5, 0.9), strict=True):
        under = actual - errors[name]
        losses.append(np.nanmean(np.maximum(probability * under, (probability - 1.0) * under)))
    return float(np.mean(losses)) / float(np.nanmean(actual))


def _compared(name: str, ours: FloatArray, other: FloatArray, what: str) -> Figure:
    """The mean over homes of a relative error in percent, and of its ratio to a yardstick."""
    baseline = f"{what}: {100 * other.mean():.1f} %"
    return Figure(name, 100 * float(ours.mean()), "%", baseline, float((ours / other).mean()))


def _load_figures(homes: Sequence[History]) -> list[Figure]:
    all_errors = [
        _errors(home, LoadForecaster(home.grid, home.power_kw, home.time_zone)) for home in homes
    ]

    def each(name: str, square: bool) -> FloatArray:
        return np.array([_relative(errors, name, square) for errors in all_errors])

    def loss(names: Sequence[str]) -> FloatArray:
        return np.array([_pinball(errors, names) for errors in all_errors])

    found = []
    for name, what in (("yesterday", "yesterday"), ("week", "a week ago")):
        found += [
            _compared("load, RMSE of the mean", each("mean", True), each(name, True), what),
            _compared("load, MAE of the median", each("median", False), each(name, False), what),
            _compared("load, pinball", loss(("low", "median", "high")), loss((name,) * 3), what),
        ]
    inside = np.mean([_inside(errors, 0.0) for errors in all_errors])
    found.append(Figure("load, inside the 10-90 % band", 100 * float(inside), "%", "80 %", None))
    return found


def _inside(errors: dict[str, FloatArray], above_kw: float) -> float:
    """The share of steps above a power that lie within the 10–90 % band."""
    actual = errors["actual"]
    judged = actual > above_kw
    within = (errors["low"] <= actual) & (actual <= errors["high"])
    return float(within[judged].mean())


def _solar_figures(plants: Sequence[History]) -> list[Figure]:
    all_errors = [
        _errors(plant, SolarForecaster(plant.grid, plant.power_kw, plant.time_zone))
        for plant in plants
    ]
    found = []
    for hours, label in ((4, "next 4 h"), (24, "next 24 h")):
        cut = [{name: values[:, :hours] for name, values in e.items()} for e in all_errors]
        ours = np.array([_relative(errors, "mean", True) for errors in cut])
        other = np.array([_relative(errors, "yesterday", True) for errors in cut])
        found.append(_compared(f"solar, RMSE, {label}", ours, other, "yesterday"))
    inside = np.mean([_inside(errors, 0.02) for errors in all_errors])
    name = "solar, daylight inside the 10-90 % band"
    found.append(Figure(name, 100 * float(inside), "%", "80 %", None))
    return found


def _presence_figures(users: Sequence[Sessions]) -> list[Figure]:
    """How often the car had left by the quantile, at arrival and three hours later; energy likewise."""
    found = []
    for hours in (0, 3):
        early = _early(users, hours)
        for place, nominal in enumerate(NOMINAL):
            found.append(
                Figure(
                    f"departures before the {100 * nominal:g} % quantile, {hours} h after arrival",
                    100 * float(early[:, place].mean()),
                    "%",
                    f"{100 * nominal:g} % of {len(early)}",
                    float(early[:, place].mean()) / nominal,
                )
            )
    for nominal in (0.5, 0.9, 0.98):
        covered = [
            user.energy_kwh[i + 1] <= model.energy_needed_quantile(now, now, nominal)
            for user in users
            for model in [user.model()]
            for i in range(SESSIONS_BEFORE, len(user.arrival_unix_s) - 1)
            for now in [int(user.departure_unix_s[i])]
        ]
        name = f"trips within the {100 * nominal:g} % energy quantile"
        found.append(Figure(name, 100 * float(np.mean(covered)), "%", f"{100 * nominal:g} %", None))
    return found


def _early(users: Sequence[Sessions], hours: int) -> FloatArray:
    """[N, Q] whether the departure came before each quantile."""
    rows = []
    for user in users:
        model = user.model()
        for i in range(SESSIONS_BEFORE, len(user.arrival_unix_s)):
            since, left = int(user.arrival_unix_s[i]), int(user.departure_unix_s[i])
            now = since + hours * HOUR_S
            if left > now:
                waiting = model.departure(now, since)
                rows.append([left < waiting.quantile_unix_s(nominal) for nominal in NOMINAL])
    return np.array(rows, dtype=np.float64)


def _curve_figure(curve: Curve) -> Figure:
    return Figure(
        f"departure learned, {curve.policy}: saving kept",
        100 * curve.saving_kept_share,
        "%",
        f"missed {100 * curve.missed_share:.1f} % of {curve.session_count}",
        None,
    )


def _speed_figures() -> list[Figure]:
    """The cost of one call as the study makes it."""
    random = np.random.default_rng(0)
    grid = TimeGrid(START_UNIX_S, 900, 60 * 96)
    load = LoadForecaster(grid, random.gamma(1.0, 0.5, grid.step_count), "Europe/Berlin")
    solar = SolarForecaster(grid, random.gamma(1.0, 0.5, grid.step_count), "Europe/Berlin")
    now = START_UNIX_S + 58 * DAY_S
    near = now + 900 * np.arange(121, dtype=np.int64)
    edges = np.concatenate((near, near[-1] + HOUR_S * np.arange(1, 21, dtype=np.int64)))
    arrival = START_UNIX_S + DAY_S * np.arange(500, dtype=np.int64)
    presence = PresenceModel(arrival, arrival + 13 * HOUR_S, np.full(500, 9.0), "Europe/Berlin")
    since = int(arrival[-1]) + DAY_S

    def per_call_ms(call: object) -> float:
        assert callable(call)
        return time_minimum_s(lambda: [call() for _ in range(100)], 5) * 10.0

    calls = {
        "load, mean of 140 steps": lambda: load.forecast(now, edges, ()),
        "solar, mean of 140 steps": lambda: solar.forecast(now, edges, ()),
        "departure quantile, 500 sessions": lambda: presence.departure_quantile(since, since, 0.02),
        "energy quantile, 500 sessions": lambda: presence.energy_needed_quantile(
            since, since, 0.98
        ),
    }
    found = []
    for name, call in calls.items():
        cost_ms = per_call_ms(call)
        found.append(Figure(f"{name}, a call", cost_ms, "ms", "aim 0.3 ms", cost_ms / 0.3))
    return found
