"""The keys of [backup.alerts], all faults at once."""

from typing import Any

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.domain.record import Faults, Record
from parkwatt.io.alerts import AlertSettings, read_alerts


def read(**table: Any) -> AlertSettings:
    faults = Faults()
    settings = read_alerts(Record(table, "backup.alerts", faults))
    faults.raise_if_any()
    return settings


def test_defaults() -> None:
    settings = read(url="https://alerts.example/feed")
    assert "wind" in settings.events
    assert (settings.planned_events, settings.areas, settings.point_deg) == ((), (), None)
    assert (settings.severity_min, settings.certainty_min) == ("Severe", "Possible")
    assert settings.outage_hours == 12.0


def test_all_keys() -> None:
    settings = read(
        url="http://127.0.0.1:8080/feed?zone=1",
        events=["Sturm", " Orkan "],
        planned_events=["Abschaltung"],
        areas=["DE001"],
        latitude_deg=48.1,
        longitude_deg=11.5,
        severity_min="Extreme",
        certainty_min="Likely",
        outage_hours=42,
    )
    assert settings.events == ("sturm", "orkan")
    assert settings.areas == ("de001",)
    assert settings.point_deg == (48.1, 11.5)
    assert settings.outage_hours == 42.0


def test_all_faults_at_once() -> None:
    with pytest.raises(InputError) as caught:
        read(
            url="http://alerts.example/feed",
            events=["", 3],
            latitude_deg=91,
            severity_min="Unknown",
            outage_hours=0,
            area="Sonoma",
        )
    fields = [fault.field.removeprefix("backup.alerts.") for fault in caught.value.faults]
    assert set(fields) == {
        *("url", "latitude_deg", "longitude_deg", "events[0]", "events[1]"),
        *("severity_min", "outage_hours", "area"),
    }
