"""What is particular to a charge point of 1.6."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.io.sim.faults import Disobedience
from parkwatt.io.sim.settings import NegativeLimit, StationSettings
from tests.io.sim.bench import Bench


def profile(limit: float, *, unit: str = "W", **more: Any) -> dict[str, Any]:
    schedule = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    raw = {
        "chargingProfileId": 3,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
        **more,
    }
    return {"connectorId": 1, "csChargingProfiles": raw}


def station(negative_limit: NegativeLimit = "reject") -> Bench:
    bench = Bench(StationSettings(protocol="1.6", negative_limit=negative_limit))
    bench.wait(10)
    return bench


def shown_limit(bench: Bench) -> float:
    answer = bench.ask(
        "GetCompositeSchedule", {"connectorId": 1, "duration": 60, "chargingRateUnit": "W"}
    )
    return float(answer["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])


def test_limits_are_followed_and_shown() -> None:
    bench = station()
    assert bench.ask("SetChargingProfile", profile(10.0, unit="A")) == {"status": "Accepted"}
    bench.wait(10)
    assert bench.station.power_kw == pytest.approx(6.9)
    assert shown_limit(bench) == 6900
    assert bench.ask("SetChargingProfile", profile(7000.0, transactionId=8)) == {
        "status": "Rejected"
    }
    assert bench.ask("SetChargingProfile", profile(7000.0, transactionId=7)) == {
        "status": "Accepted"
    }
    bench.wait(10)
    assert bench.station.power_kw == 7.0
    assert bench.ask("ClearChargingProfile", {"id": 3}) == {"status": "Accepted"}


def test_a_negative_limit_is_refused_or_discharges() -> None:
    assert station().ask("SetChargingProfile", profile(-6000.0)) == {"status": "Rejected"}
    bench = station("discharge")
    assert bench.ask("SetChargingProfile", profile(-6000.0)) == {"status": "Accepted"}
    bench.wait(10)
    assert bench.station.power_kw == -6.0
    assert shown_limit(bench) == -6000.0


@pytest.mark.parametrize(
    ("mode", "power_kw", "limit"),
    [
        ("full_power", 11.0, -6000.0),
        ("negative_as_zero", 0.0, 0.0),
        ("negative_as_maximum", 11.0, 11_000.0),
    ],
)
def test_disobedience(mode: Disobedience, power_kw: float, limit: float) -> None:
    bench = station("discharge")
    bench.station.faults.disobey = mode
    assert bench.ask("SetChargingProfile", profile(-6000.0)) == {"status": "Accepted"}
    bench.wait(10)
    assert bench.station.power_kw == power_kw
    assert shown_limit(bench) == limit


def test_configuration_is_read_and_set() -> None:
    bench = station()
    assert bench.ask("ChangeConfiguration", {"key": "metervaluesampleinterval", "value": "5"}) == {
        "status": "Accepted"
    }
    bench.requests.clear()
    bench.wait(51)
    assert len(bench.told("MeterValues")) == 10
    answer = bench.ask("GetConfiguration", {"key": ["MeterValueSampleInterval", "Nonsense"]})
    assert answer["configurationKey"][0]["value"] == "5"
    assert answer["unknownKey"] == ["Nonsense"]
    assert bench.ask("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "2"}) == {
        "status": "Rejected"
    }
    assert bench.ask("ChangeConfiguration", {"key": "Nonsense", "value": "2"}) == {
        "status": "NotSupported"
    }


def test_remote_stop_and_start_with_a_profile() -> None:
    bench = station()
    assert bench.ask("RemoteStopTransaction", {"transactionId": 8}) == {"status": "Rejected"}
    assert bench.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Accepted"}
    start = {"idTag": "REMOTE", "chargingProfile": profile(7000.0)["csChargingProfiles"]}
    assert bench.ask("RemoteStartTransaction", start) == {"status": "Accepted"}
    bench.wait(10)
    assert bench.told("StartTransaction")[-1]["idTag"] == "REMOTE"
    assert bench.station.power_kw == 7.0


def test_a_stop_whose_start_was_never_answered_has_id_minus_one() -> None:
    bench = Bench(
        StationSettings(protocol="1.6", call_timeout_s=5, retry_attempts=1), connect=False
    )
    bench.silent.add("StartTransaction")
    bench.connect()
    bench.wait(30)
    bench.station.unplug()
    bench.wait(30)
    assert bench.told("StopTransaction")[0]["transactionId"] == -1
