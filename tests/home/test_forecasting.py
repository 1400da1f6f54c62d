"""What the forecast of hours left is told: what runs now, and how the days of sun differ."""

from __future__ import annotations

from dataclasses import replace

from parkwatt.forecast.local_time import DAY_S, HOUR_S
from parkwatt.home.forecasting import ForecastRequest, make_forecast
from parkwatt.home.observation import SolarAhead
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


def test_days_of_sun_that_differ_widen_what_is_left() -> None:
    """A roof that gave much on some days and nothing on others, and the same on average each day."""
    differing, alike = (
        make_forecast(replace(REQUEST, solar=_sun(sizes))).runtime
        for sizes in ((0.0, 3.0) * 7 + (1.5,), (1.5,) * 15)
    )
    assert differing is not None
    assert alike is not None
    assert differing.hours_p10 < alike.hours_p10
    assert differing.hours_p90 / differing.hours_p10 > 1.2 * alike.hours_p90 / alike.hours_p10


def _sun(sizes: tuple[float, ...]) -> SolarAhead:
    """So many kW from 6 to 18 h of each past day."""
    past_kw = [size if 24 <= step < 72 else 0.0 for size in sizes for step in range(96)]
    # The days of the past begin at noon, as the outage does.
    return SolarAhead(past_kw=tuple(past_kw[-48:] + past_kw[:-48]), past_end_unix_s=NOW_UNIX_S)
