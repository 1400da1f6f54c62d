"""What the forecast of hours left is told: what runs now."""

from __future__ import annotations

from dataclasses import replace

from parkwatt.forecast.local_time import DAY_S, HOUR_S
from parkwatt.home.forecasting import ForecastRequest, make_forecast
from parkwatt.home.runtime import IslandBattery
from tests.home.learning.made_home import CIRCUITS, START_UNIX_S, ZONE, learned

NOW_UNIX_S = START_UNIX_S + 60 * DAY_S + 12 * HOUR_S
BATTERY = IslandBattery(
    battery_id="car",
    energy_kwh=8.0,
    floor_kwh=0.0,
    capacity_kwh=60.0,
    discharge_efficiency=0.9,
    discharge_kw_max=9.6,
)
REQUEST = ForecastRequest(
    at_unix_s=NOW_UNIX_S,
    circuits=CIRCUITS,
    time_zone=ZONE,
    history=None,
    use=learned(60),
    batteries=(BATTERY,),
    solar=None,
    standby_kw=0.1,
    restart_kwh=0.5,
)


def _hours_p50(request: ForecastRequest) -> float:
    runtime = make_forecast(request).runtime
    assert runtime is not None
    return runtime.hours_p50


def test_what_runs_now_shortens_what_is_left() -> None:
    usual_h = _hours_p50(REQUEST)
    assert _hours_p50(replace(REQUEST, running_kw={"heating": 2.4})) < 0.95 * usual_h
    assert _hours_p50(replace(REQUEST, running_kw={"heating": 0.0})) >= usual_h
