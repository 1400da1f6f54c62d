"""Composite schedules of every version and unit are read as kW."""

from typing import Any

import pytest

from parkwatt.io.ocpp.ladder.composite import scheduled_kw
from parkwatt.io.ocpp.session.settings import ChargerSettings

SETTINGS = ChargerSettings(voltage_v=230.0, phase_count=3)


def schedule(period: dict[str, Any], unit: str = "W", name: str = "schedule") -> dict[str, Any]:
    """An answer with one period."""
    periods = [{"startPeriod": 0, **period}, {"startPeriod": 60, "limit": 1.0}]
    return {
        "status": "Accepted",
        name: {"chargingRateUnit": unit, "chargingSchedulePeriod": periods},
    }


@pytest.mark.parametrize(
    ("payload", "power_kw"),
    [
        (schedule({"limit": 33120.0}), 33.12),
        (schedule({"limit": 6000}, name="chargingSchedule"), 6.0),
        (schedule({"setpoint": -6000.0, "limit": 33120.0}), -6.0),
        (schedule({"v2xBaseline": -2000.0, "limit": 33120.0}), -2.0),
        (schedule({"limit": 16.0}, "A"), 11.04),
        (schedule({"limit": 16.0, "numberPhases": 1}, "A"), 3.68),
        (schedule({"setpoint": 1000, "setpoint_L2": 2000, "setpoint_L3": 3000}), 6.0),
        (schedule({"setpoint": -10, "setpoint_L2": -10, "setpoint_L3": -10}, "A"), -6.9),
        (schedule({}), None),
        ({"status": "Accepted"}, None),
        ({"status": "Accepted", "schedule": {"chargingSchedulePeriod": []}}, None),
        ({"status": "Accepted", "schedule": "none"}, None),
        ({"status": "Accepted", "schedule": {"chargingSchedulePeriod": ["?"]}}, None),
    ],
)
def test_the_present_power(payload: dict[str, Any], power_kw: float | None) -> None:
    found_kw = scheduled_kw(payload, SETTINGS)
    assert found_kw == (None if power_kw is None else pytest.approx(power_kw))
