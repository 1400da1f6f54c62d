"""The reference semantics of 2.1: what a bidirectional station takes, refuses, does and reports."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.io.sim.faults import Disobedience
from parkwatt.io.sim.settings import StationSettings
from tests.io.sim.bench import Bench, tx_profile

SETPOINT = {"operationMode": "CentralSetpoint", "setpoint": -6000}


def station(**settings: Any) -> Bench:
    bench = Bench(StationSettings(protocol="2.1", **settings))
    bench.wait(10)
    return bench


def reason(answer: dict[str, Any]) -> tuple[str, str | None]:
    return answer["status"], (answer.get("statusInfo") or {}).get("reasonCode")


def composite(bench: Bench) -> list[dict[str, Any]]:
    answer = bench.ask("GetCompositeSchedule", {"duration": 600, "evseId": 1})
    periods: list[dict[str, Any]] = answer["schedule"]["chargingSchedulePeriod"]
    return periods


def test_a_setpoint_discharges_and_the_meter_shows_it() -> None:
    bench = station()
    assert bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT)) == {"status": "Accepted"}
    bench.wait(3600)
    assert bench.station.power_kw == -6.0
    assert bench.station.transactions[0].export_wh == pytest.approx(6000, abs=20)
    assert composite(bench) == [{"startPeriod": 0, **SETPOINT}]
    triggers = [event["triggerReason"] for event in bench.told("TransactionEvent")]
    assert "OperationModeChanged" in triggers


def test_a_dynamic_profile_follows_updates_and_lapses_without() -> None:
    bench = station()
    request = tx_profile(bench, SETPOINT, kind="Dynamic", schedule={"duration": 30})
    assert bench.ask("SetChargingProfile", request)["status"] == "Accepted"
    bench.wait(20)
    update = {"chargingProfileId": 10, "scheduleUpdate": {"setpoint": 5000}}
    assert bench.ask("UpdateDynamicSchedule", update)["status"] == "Accepted"
    bench.wait(29)
    assert bench.station.power_kw == 5.0
    bench.wait(10)
    assert bench.station.power_kw == 11.0  # no lower profile: charging without a limit
    assert reason(bench.ask("UpdateDynamicSchedule", {**update, "chargingProfileId": 11})) == (
        "Rejected",
        "NotFound",
    )
    beside = {"chargingProfileId": 10, "scheduleUpdate": {"limit": 1}}
    assert reason(bench.ask("UpdateDynamicSchedule", beside)) == ("Rejected", "InvalidSchedule")


def test_a_dynamic_profile_pulls_its_updates() -> None:
    bench = station()
    answer = {"status": "Accepted", "scheduleUpdate": {"setpoint": -4200}}
    bench.answers["PullDynamicScheduleUpdate"] = answer
    request = tx_profile(bench, SETPOINT, kind="Dynamic", dynUpdateInterval=15)
    bench.ask("SetChargingProfile", request)
    bench.wait(50)
    assert len(bench.told("PullDynamicScheduleUpdate")) == 3
    assert bench.station.power_kw == -4.2


@pytest.mark.parametrize(
    ("period", "more", "code"),
    [
        ({**SETPOINT, "limit": 5000}, {}, "InvalidSchedule"),
        ({**SETPOINT, "dischargeLimit": -5000}, {}, "InvalidSchedule"),
        ({"limit": 5000, "setpoint": 1}, {}, "InvalidSchedule"),
        ({"operationMode": "ChargingOnly"}, {}, "InvalidSchedule"),
        ({"operationMode": "Idle", "limit": 1}, {}, "InvalidSchedule"),
        ({"operationMode": "CentralFrequency", "setpoint": 1}, {}, "InvalidSchedule"),
        ({"operationMode": "LocalFrequency", "v2xBaseline": 0}, {}, "NoFreqWattCurve"),
        ({"operationMode": "LocalLoadBalancing"}, {}, "InvalidSchedule"),
        ({"limit": -3000}, {}, "InvalidSchedule"),
        ({**SETPOINT, "setpoint_L2": 1}, {}, "PhaseConflict"),
        (SETPOINT, {"transactionId": "other"}, "TxNotFound"),
        (SETPOINT, {"stackLevel": 11}, "InvalidStackLevel"),
        (SETPOINT, {"chargingProfilePurpose": "PriorityCharging"}, "InvalidProfile"),
        (
            SETPOINT,
            {"chargingProfilePurpose": "ChargingStationExternalConstraints"},
            "InvalidProfile",
        ),
        (
            SETPOINT,
            {"validFrom": "2024-01-02T00:00:00Z", "validTo": "2024-01-01T00:00:00Z"},
            "InvalidProfile",
        ),
        (
            SETPOINT,
            {"kind": "Recurring", "schedule": {"startSchedule": "2024-01-01T00:00:00Z"}},
            "InvalidProfile",
        ),
        (
            SETPOINT,
            {"schedule": {"chargingSchedulePeriod": [{"startPeriod": 5, **SETPOINT}]}},
            "InvalidSchedule",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_reason(
    period: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    bench = station()
    answer = bench.ask("SetChargingProfile", tx_profile(bench, period, **more))
    assert reason(answer) == ("Rejected", code)
    assert bench.station.power.stack.all() == []


def test_another_profile_of_the_same_level_is_a_duplicate() -> None:
    bench = station()
    bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT))
    answer = bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT, id=11))
    assert reason(answer) == ("Rejected", "DuplicateProfile")
    assert bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT))["status"] == "Accepted"


def test_profiles_are_reported_and_cleared() -> None:
    bench = station()
    bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT))
    query = {"requestId": 3, "chargingProfile": {"chargingProfilePurpose": "TxProfile"}}
    assert bench.ask("GetChargingProfiles", query) == {"status": "Accepted"}
    [report] = bench.told("ReportChargingProfiles")
    assert report["chargingProfile"][0]["id"] == 10
    assert bench.ask("ClearChargingProfile", {"chargingProfileId": 10}) == {"status": "Accepted"}
    assert bench.ask("ClearChargingProfile", {"chargingProfileId": 10}) == {"status": "Unknown"}
    assert bench.ask("GetChargingProfiles", query) == {"status": "NoProfiles"}
    bench.wait(10)
    assert bench.station.power_kw == 11.0


def test_less_than_six_amperes_is_a_pause() -> None:
    bench = station()
    bench.ask("SetChargingProfile", tx_profile(bench, {"limit": 4000}))
    bench.wait(10)
    assert bench.station.power_kw == 0.0
    assert bench.station.charging_state == "SuspendedEVSE"
    bench.ask("SetChargingProfile", tx_profile(bench, {"limit": 4000, "numberPhases": 1}))
    bench.wait(10)
    assert bench.station.power_kw == 4.0


def test_frequency_and_signal_move_the_power() -> None:
    bench = station()
    curve = [{"frequency": 49.8, "power": -8000}, {"frequency": 50.2, "power": 8000}]
    signals = [{"signal": -10, "power": -2000}, {"signal": 10, "power": 2000}]
    period = {"operationMode": "LocalFrequency", "v2xBaseline": 0, "v2xFreqWattCurve": curve}
    signal = {"timestamp": "2023-11-14T22:13:20Z", "signal": 5}
    bench.ask("SetChargingProfile", tx_profile(bench, period))
    assert reason(bench.ask("AFRRSignal", signal)) == ("Rejected", "NoSignalWattCurve")
    bench.ask("SetChargingProfile", tx_profile(bench, {**period, "v2xSignalWattCurve": signals}))
    bench.station.power.frequency_hz = 50.15
    bench.wait(5)
    assert bench.station.power_kw == pytest.approx(6.0)
    assert bench.ask("AFRRSignal", signal)["status"] == "Accepted"
    bench.wait(5)
    assert bench.station.power_kw == pytest.approx(7.0)


def test_without_an_allowed_transfer_the_car_does_not_discharge_until_told() -> None:
    bench = Bench(StationSettings(protocol="2.1"), connect=False)
    bench.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}}
    bench.connect()
    bench.wait(10)
    assert (
        bench.told("NotifyEVChargingNeeds")[0]["chargingNeeds"]["requestedEnergyTransfer"]
        == "AC_three_phase"
    )
    bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT))
    bench.wait(10)
    assert bench.station.power_kw == 0.0
    transaction = bench.station.transactions[0].id
    allow = {"transactionId": transaction, "allowedEnergyTransfer": ["AC_BPT"]}
    assert bench.ask("NotifyAllowedEnergyTransfer", allow) == {"status": "Accepted"}
    bench.wait(10)
    assert (
        bench.told("NotifyEVChargingNeeds")[1]["chargingNeeds"]["requestedEnergyTransfer"]
        == "AC_BPT"
    )
    assert bench.station.power_kw == -6.0


def test_rejected_charging_needs_end_the_transaction() -> None:
    bench = Bench(StationSettings(protocol="2.1"), connect=False)
    bench.answers["NotifyEVChargingNeeds"] = {"status": "Rejected"}
    bench.connect()
    bench.wait(10)
    last = bench.told("TransactionEvent")[-1]
    assert last["transactionInfo"]["stoppedReason"] == "ReqEnergyTransferRejected"


@pytest.mark.parametrize(
    ("mode", "power_kw", "shown"),
    [
        ("none", -6.0, {**SETPOINT}),
        ("full_power", 11.0, {**SETPOINT}),
        ("nothing", 11.0, {**SETPOINT}),
        ("negative_as_zero", 0.0, {"limit": 0.0}),
        ("negative_as_maximum", 11.0, {"limit": 11_000.0}),
        ("ignores_limits", 11.0, {**SETPOINT}),
    ],
)
def test_disobedience(mode: Disobedience, power_kw: float, shown: dict[str, Any]) -> None:
    bench = station()
    bench.station.faults.disobey = mode
    assert bench.ask("SetChargingProfile", tx_profile(bench, SETPOINT))["status"] == "Accepted"
    bench.wait(10)
    assert bench.station.power_kw == power_kw
    assert composite(bench) == [{"startPeriod": 0, **shown}]


def test_refusals_of_disobedience() -> None:
    bench = station()
    bench.station.faults.disobey = "unsupported_kind"
    dynamic = tx_profile(bench, SETPOINT, kind="Dynamic")
    assert reason(bench.ask("SetChargingProfile", dynamic)) == ("Rejected", "UnsupportedKind")
    bench.station.faults.disobey = "not_implemented"
    assert bench.ask("SetChargingProfile", dynamic) == {"error": "NotImplemented"}
    bench.station.faults.disobey = "none"
    bench.station.faults.stack_level_0_only = True
    assert reason(bench.ask("SetChargingProfile", dynamic)) == ("Rejected", "InvalidStackLevel")
    bench.station.faults.stack_level_0_only = False
    bench.station.faults.rate_unit = "A"
    assert reason(bench.ask("SetChargingProfile", dynamic)) == ("Rejected", "UnsupportedRateUnit")


def test_der_controls_cap_and_report() -> None:
    bench = station()
    bench.ask("SetChargingProfile", tx_profile(bench, {**SETPOINT, "setpoint": -9000}))
    control = {
        "isDefault": True,
        "controlId": "a",
        "controlType": "LimitMaxDischarge",
        "limitMaxDischarge": {"priority": 0, "pctMaxDischargePower": 50},
    }
    assert bench.ask("SetDERControl", control) == {"status": "Accepted"}
    bench.wait(10)
    assert bench.station.power_kw == -5.5
    assert bench.ask("GetDERControl", {"requestId": 1}) == {"status": "Accepted"}
    assert bench.told("ReportDERControl")[0]["limitMaxDischarge"][0]["id"] == "a"
    timed = {
        **control,
        "controlId": "b",
        "limitMaxDischarge": {"priority": 0, "startTime": "2023-11-14T22:20:00Z"},
    }
    assert bench.ask("SetDERControl", timed)["status"] == "Rejected"
    assert (
        bench.ask("SetDERControl", {**control, "controlType": "VoltVar"})["status"]
        == "NotSupported"
    )
    assert bench.ask("ClearDERControl", {"isDefault": True})["status"] == "Accepted"
    assert bench.ask("ClearDERControl", {"isDefault": True})["status"] == "NotFound"
    bench.wait(10)
    assert bench.station.power_kw == -9.0


def test_periodic_values_flow_as_a_stream_without_answers() -> None:
    bench = station()
    monitor = {
        "value": 2,
        "type": "Periodic",
        "severity": 8,
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
        "periodicEventStream": {"interval": 10, "values": 5},
    }
    answer = bench.ask("SetVariableMonitoring", {"setMonitoringData": [monitor]})
    [result] = answer["setMonitoringResult"]
    assert result["status"] == "Accepted"
    bench.wait(41)
    assert len(bench.sends) == 4
    action, payload = bench.sends[0]
    assert action == "NotifyPeriodicEventStream"
    assert [item["v"] for item in payload["data"]] == ["11000.0"] * 5
    assert len(bench.ask("GetPeriodicEventStream", {})["constantStreamData"]) == 1
    bench.ask("ClearVariableMonitoring", {"id": [result["id"]]})
    assert len(bench.told("ClosePeriodicEventStream")) == 1


def test_the_device_model_is_read_and_set() -> None:
    bench = station(meter_interval_s=60)
    asked = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    [result] = bench.ask("SetVariables", {"setVariableData": [{**asked, "attributeValue": "5"}]})[
        "setVariableResult"
    ]
    assert result["attributeStatus"] == "Accepted"
    bench.requests.clear()
    bench.wait(51)
    periodic = [
        e for e in bench.told("TransactionEvent") if e["triggerReason"] == "MeterValuePeriodic"
    ]
    assert len(periodic) == 10
    assert (
        bench.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})["status"]
        == "Accepted"
    )
    parts = bench.told("NotifyReport")
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    told = {
        (item["component"]["name"], item["variable"]["name"]): item["variableAttribute"][0].get(
            "value"
        )
        for part in parts
        for item in part["reportData"]
    }
    assert told["SmartChargingCtrlr", "SupportsDynamicProfiles"] == "true"
    assert "CentralSetpoint" in str(told["V2XChargingCtrlr", "SupportedOperationModes"])
    unknown = {"component": {"name": "Nowhere"}, "variable": {"name": "X"}}
    [result] = bench.ask("GetVariables", {"getVariableData": [unknown]})["getVariableResult"]
    assert result["attributeStatus"] == "UnknownComponent"
