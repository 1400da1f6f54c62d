"""The study on the month's data, and what was lived valued by the study's own account: how far apart are they, and why.

The study plans with the same prices, load, sun and trips in quarters of an hour; what physically happened is laid on the same
grid and goes through the same account, so that money, wear and what is left in the battery count alike. Both know the same: the
departure of the stay that runs, and of later ones what was learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from parkwatt.app.study.load import LoadedStudy, load_study
from parkwatt.app.study.settings import read_settings
from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import utc
from parkwatt.io.sim.home.truth import Truth
from parkwatt.site.outcome import StrategyName, StrategyResult
from parkwatt.site.study.account import account
from parkwatt.site.study.foresight import with_foresight
from parkwatt.site.study.replay import Replay, ReplayState
from tests.soak.month_home import (
    CAPACITY_KWH,
    SOC_AT_START,
    MonthData,
    Ports,
    by_step,
    settings_text,
)

STEP_S = 900
STUDY = """
[load]
file = "load.csv"
time_column = "time"
value_column = "load_kw"
unit = "kW"
[solar]
file = "solar.csv"
time_column = "time"
value_column = "solar_kw"
unit = "kW"
[sessions]
file = "sessions.csv"
energy_used_column = "energy_used_kwh"
[study]
step_minutes = 15
replan_minutes = 15
departures = "declared"
"""
LIVE_PRICES = 'source = "energy-charts"\nzone = "DE-LU"\nurl = '
FILE_PRICES = 'file = "prices.csv"\ntime_column = "time"\nvalue_column = "price_eur_per_mwh"\nunit = "EUR/MWh"\n'


def loaded_study(directory: Path, data: MonthData) -> LoadedStudy:
    """Write the study's files and load them."""
    directory.mkdir(exist_ok=True)
    start, seconds = data.start_unix_s, data.seconds
    times = [start + STEP_S * step for step in range(seconds // STEP_S)]
    _write(
        directory / "load.csv", "time,load_kw", times, by_step(data.load, start, seconds, STEP_S)
    )
    _write(
        directory / "solar.csv", "time,solar_kw", times, by_step(data.solar, start, seconds, STEP_S)
    )
    market = data.prices
    hours = market.start_unix_s + market.step_s * np.arange(len(market.price_eur_per_mwh))
    _write(
        directory / "prices.csv", "time,price_eur_per_mwh", hours.tolist(), market.price_eur_per_mwh
    )
    rows = [
        f"{_iso(stay.arrival_unix_s)},{_iso(stay.departure_unix_s)},{stay.energy_used_kwh}"
        for stay in data.stays
    ]
    sessions = "\n".join(["arrival,departure,energy_used_kwh", *rows, ""])
    (directory / "sessions.csv").write_text(sessions, encoding="utf-8")
    live = settings_text(Ports(1, 1, 1, 1))
    first = live.index(LIVE_PRICES)
    last = live.index("\n", first + len(LIVE_PRICES)) + 1
    text = live[:first] + FILE_PRICES + live[last:] + STUDY
    text = text.replace("[car]\n", f"[car]\nstart_soc = {SOC_AT_START}\n")
    site = directory / "study.toml"
    site.write_text(text, encoding="utf-8")
    faults = Faults()
    settings = read_settings(site, faults)
    loaded = None if settings is None else load_study(settings, faults)
    faults.raise_if_any()
    assert loaded is not None
    return loaded


def studied(loaded: LoadedStudy, strategy: StrategyName) -> StrategyResult:
    """What the study says of a strategy."""
    inputs = loaded.inputs
    if strategy == "foresight":
        state = with_foresight(inputs)
    else:
        state = ReplayState.at_start(inputs)
        Replay(inputs, strategy).run(state)
    return account(inputs, strategy, state.power_kw, state.energy_kwh, state.departures)


def lived(loaded: LoadedStudy, truth: Truth) -> StrategyResult:
    """What physically happened, in the study's account."""
    grid = loaded.inputs.grid
    assert grid.start_unix_s >= truth.start_unix_s
    assert grid.step_s == STEP_S
    first = grid.start_unix_s - truth.start_unix_s
    span = slice(first, first + grid.step_count * STEP_S)
    power_kw = truth.car_kw[0, span].astype(float).reshape(-1, STEP_S).mean(axis=1)
    energy_kwh = CAPACITY_KWH * _soc(truth)[first : span.stop + 1 : STEP_S]
    return account(loaded.inputs, "v2h", power_kw, energy_kwh, [])


def _soc(truth: Truth) -> FloatArray:
    """[S + 1] the state of charge at the beginning of each second, and at the end."""
    soc = np.full(len(truth) + 1, np.nan)
    soc[0] = SOC_AT_START
    soc[1:] = truth.soc[0]
    for left in truth.departures:
        index = left.arrived_unix_s - truth.start_unix_s
        if 0 <= index <= len(truth) and np.isnan(soc[index]):
            soc[index] = left.arrived_energy_kwh / CAPACITY_KWH
    known = np.flatnonzero(~np.isnan(soc))
    filled: FloatArray = soc[known[np.searchsorted(known, np.arange(len(soc)), side="right") - 1]]
    return filled


def compared(loaded: LoadedStudy, truth: Truth) -> dict[str, StrategyResult]:
    """What was lived beside what the study says of the strategies that matter."""
    names: Sequence[StrategyName] = ("v2h", "charge_at_once", "foresight")
    return {"lived": lived(loaded, truth), **{name: studied(loaded, name) for name in names}}


def words(results: dict[str, StrategyResult]) -> str:
    """A table of the results, and how far what was lived is from the study."""
    lines = [
        f"{'':<16}{'net':>9}{'energy':>9}{'wear':>8}{'stored':>8}{'bought':>9}{'sold':>9}{'given':>8}"
    ]
    for name, result in results.items():
        figures = (result.net_cost, result.energy_cost, result.wear_cost, result.stored_value)
        energies = (result.bought_kwh, result.sold_kwh, result.discharged_kwh)
        text = "".join(f"{value:>8.2f} " for value in (*figures, *energies))
        lines.append(f"{name:<16}{text}")
    apart = results["lived"].net_cost - results["v2h"].net_cost
    saved = results["charge_at_once"].net_cost - results["v2h"].net_cost
    share = apart / abs(results["v2h"].net_cost)
    lines.append(
        f"lived costs {apart:+.2f} more than the study's V2H: {share:+.2%} of its cost, "
        f"{apart / saved:+.1%} of what it saves"
    )
    return "\n".join(lines)


def _write(path: Path, header: str, times: Iterable[int], values: FloatArray) -> None:
    rows = [
        f"{_iso(time)},{value:.6g}"
        for time, value in zip(times, values.tolist(), strict=True)
        if value == value
    ]
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def _iso(unix_s: int) -> str:
    return f"{utc(unix_s):%Y-%m-%dT%H:%M:%SZ}"
