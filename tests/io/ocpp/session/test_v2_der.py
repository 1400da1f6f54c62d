"""Grid-code functions, event streams and other messages of 2.1, over a session. Each test names its message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parkwatt.domain.charger.state import GRID_ALARM_US
from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.part6.octt import Octt

DROOP = {
    "priority": 0,
    "overFreq": 50.2,
    "underFreq": 49.8,
    "overDroop": 0.05,
    "underDroop": 0.05,
    "responseTime": 2.0,
}
STREAM = {"id": 3, "params": {"interval": 5, "values": 10}}


@pytest.fixture
def octt() -> Octt:
    """A station of 2.1 whose boot was answered."""
    made = Octt(Version.V21)
    made.booted()
    return made


def by_hand(octt: Octt, action: str, payload: dict[str, Any], **answer: Any) -> None:
    """Send by hand; the station gets what was meant, and its answer is read."""
    assert octt.ask(action, payload) == payload
    told = octt.respond(answer)
    assert (told.status, told.error) == (answer.get("status", ""), "")


def test_set_der_control(octt: Octt) -> None:
    control = {"isDefault": True, "controlId": "c1", "controlType": "FreqDroop", "freqDroop": DROOP}
    by_hand(octt, "SetDERControl", control, status="Accepted", supersededIds=["c0"])
    by_hand(octt, "SetDERControl", control, status="NotSupported")


@pytest.mark.parametrize("tbc", [False, True])
def test_get_der_control_and_report_der_control(octt: Octt, tbc: bool) -> None:
    by_hand(octt, "GetDERControl", {"requestId": 4, "isDefault": True}, status="Accepted")
    held = {"id": "c1", "isDefault": True, "isSuperseded": False, "freqDroop": DROOP}
    report = {"requestId": 4, "tbc": tbc, "freqDroop": [held]}
    assert octt.tell("ReportDERControl", report) == {}
    (kept,) = octt.kept("ReportDERControl")
    assert kept["freqDroop"][0]["freqDroop"]["overFreq"] == 50.2


@pytest.mark.parametrize("status", ["Accepted", "NotFound"])
def test_clear_der_control(octt: Octt, status: str) -> None:
    by_hand(octt, "ClearDERControl", {"isDefault": False, "controlId": "c1"}, status=status)


def test_notify_der_alarm(octt: Octt) -> None:
    alarm = {
        "controlType": "HFMustTrip",
        "gridEventFault": "OverFrequency",
        "timestamp": octt.clock(),
    }
    assert octt.tell("NotifyDERAlarm", alarm) == {}
    assert octt.tell("NotifyDERAlarm", {**alarm, "alarmEnded": True}) == {}
    assert [notice.critical for notice in octt.notices] == [True, False]


def test_an_alarm_of_the_grid_is_known_until_it_ends_or_is_old(octt: Octt) -> None:
    alarm = {
        "controlType": "LVMustTrip",
        "gridEventFault": "UnderVoltage",
        "timestamp": octt.clock(),
    }
    octt.tell("NotifyDERAlarm", alarm)
    octt.tell("NotifyDERAlarm", {**alarm, "controlType": "PowerMonitoringMustTrip"})
    assert octt.state.grid_faults(octt.now_unix_us) == ("UnderVoltage",)
    octt.tell("NotifyDERAlarm", {**alarm, "alarmEnded": True})
    assert octt.state.grid_faults(octt.now_unix_us) == ("UnderVoltage",), "the other goes on"
    assert octt.state.grid_faults(octt.now_unix_us + GRID_ALARM_US) == (), "nobody repeated it"


def test_an_alarm_that_waited_for_a_link_is_history(octt: Octt) -> None:
    alarm = {
        "controlType": "LVMustTrip",
        "gridEventFault": "UnderVoltage",
        "timestamp": "2020-01-01T00:00:00Z",
    }
    octt.tell("NotifyDERAlarm", alarm)
    assert octt.state.grid_faults(octt.now_unix_us) == ()
    assert len(octt.notices) == 1, "and it is kept"


def test_notify_der_start_stop(octt: Octt) -> None:
    told = {"controlId": "c1", "started": True, "timestamp": octt.clock(), "supersededIds": ["c0"]}
    assert octt.tell("NotifyDERStartStop", told) == {}
    assert octt.kept("NotifyDERStartStop")[0]["supersededIds"] == ["c0"]


def test_open_and_close_periodic_event_stream(octt: Octt) -> None:
    opened = {"constantStreamData": {"variableMonitoringId": 12, **STREAM}}
    assert octt.tell("OpenPeriodicEventStream", opened) == {"status": "Accepted"}
    assert octt.tell("ClosePeriodicEventStream", {"id": 3}) == {}
    assert [len(octt.kept(f"{verb}PeriodicEventStream")) for verb in ("Open", "Close")] == [1, 1]


def test_get_and_adjust_periodic_event_stream(octt: Octt) -> None:
    streams = [{"variableMonitoringId": 12, **STREAM}]
    by_hand(octt, "GetPeriodicEventStream", {}, constantStreamData=streams)
    assert octt.answers[-1].payload["constantStreamData"][0]["id"] == 3
    by_hand(octt, "AdjustPeriodicEventStream", STREAM, status="Accepted")


def test_notify_periodic_event_stream(octt: Octt) -> None:
    told = {
        "id": 3,
        "pending": 0,
        "basetime": octt.clock(),
        "data": [{"t": 0.5, "v": "230.1"}, {"t": 1.5, "v": "229.8"}],
    }
    octt.tell_without_answer("NotifyPeriodicEventStream", told)
    (kept,) = octt.kept("NotifyPeriodicEventStream")
    assert [point["v"] for point in kept["data"]] == ["230.1", "229.8"]


@pytest.mark.parametrize(
    "frame",
    [
        [6, "x", "NotifyPeriodicEventStream", {"id": "three"}],
        [6, "x", "InventedStream", {"id": 3}],
        [6, "x", "Heartbeat", {}],
    ],
)
def test_a_send_is_never_answered(octt: Octt, frame: list[Any]) -> None:
    step = octt.session.receive(json.dumps(frame), octt.now_unix_us)
    assert (step.frames, step.fault) == ([], None)


def test_a_result_error_ends_nothing(octt: Octt) -> None:
    octt.tell("Heartbeat", {})
    refused = [5, "octt-1", "FormatViolation", "currentTime is no time", {}]
    step = octt.session.receive(json.dumps(refused), octt.now_unix_us)
    assert (step.frames, step.fault) == ([], None)
    assert octt.tell("Heartbeat", {}) == {"currentTime": octt.clock()}


def test_an_answer_that_cannot_be_read_is_told_in_a_result_error(octt: Octt) -> None:
    octt.ask("GetDERControl", {"requestId": 4})
    _, message_id, _ = octt.asked.pop()
    step = octt.session.receive(json.dumps([3, message_id, {}]), octt.now_unix_us)
    (told,) = [json.loads(frame) for frame in step.frames]
    assert told[:2] == [5, message_id]
    (answer,) = step.answers
    assert (answer.call.action, answer.error) == ("GetDERControl", told[2])


def test_afrr_signal(octt: Octt) -> None:
    by_hand(octt, "AFRRSignal", {"timestamp": octt.clock(), "signal": -40}, status="Accepted")


def test_use_and_notify_priority_charging(octt: Octt) -> None:
    octt.energy_transfer_started()
    wish = {"transactionId": octt.transaction_id, "activate": True}
    by_hand(octt, "UsePriorityCharging", wish, status="Accepted")
    by_hand(octt, "UsePriorityCharging", wish, status="NoProfile")
    told = {"transactionId": octt.transaction_id, "activated": True}
    assert octt.tell("NotifyPriorityCharging", told) == {}
    assert octt.kept("NotifyPriorityCharging") == [told]


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
def test_notify_allowed_energy_transfer(octt: Octt, status: str) -> None:
    octt.energy_transfer_started()
    allowed = {"transactionId": octt.transaction_id, "allowedEnergyTransfer": ["DC", "DC_BPT"]}
    by_hand(octt, "NotifyAllowedEnergyTransfer", allowed, status=status)


def test_pull_dynamic_schedule_update(octt: Octt) -> None:
    pulled = {"chargingProfileId": 101}
    assert octt.tell("PullDynamicScheduleUpdate", pulled)["status"] == "Rejected"
    assert octt.kept("PullDynamicScheduleUpdate") == [pulled]


def told_of_money(octt: Octt) -> dict[str, dict[str, Any]]:
    """What a station that takes money may say, by message."""
    address = {"name": "Ann", "address1": "Street 1", "city": "Town", "country": "NL"}
    return {
        "NotifySettlement": {
            "pspRef": "psp-1",
            "status": "Settled",
            "settlementAmount": 12.5,
            "settlementTime": octt.clock(),
            "vatCompany": address,
        },
        "NotifyWebPaymentStarted": {"evseId": 1, "timeout": 60},
        "VatNumberValidation": {"vatNumber": "NL123456789B01", "evseId": 1},
    }


@pytest.mark.parametrize(
    "action", ["NotifySettlement", "NotifyWebPaymentStarted", "VatNumberValidation"]
)
def test_messages_about_money_are_answered_and_kept(octt: Octt, action: str) -> None:
    told = told_of_money(octt)[action]
    reply = octt.tell(action, told)
    assert reply.get("status") == ("Rejected" if action == "VatNumberValidation" else None)
    (kept,) = octt.kept(action)
    assert kept.items() >= {key: told[key] for key in told if key != "vatCompany"}.items()


def test_tariffs_by_hand(octt: Octt) -> None:
    tariff = {"tariffId": "t-1", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.25}]}}
    by_hand(octt, "SetDefaultTariff", {"evseId": 0, "tariff": tariff}, status="Accepted")
    by_hand(octt, "GetTariffs", {"evseId": 0}, status="NoTariff")
    cleared = {"clearTariffsResult": [{"tariffId": "t-1", "status": "Accepted"}]}
    by_hand(octt, "ClearTariffs", {"tariffIds": ["t-1"]}, **cleared)


@pytest.mark.parametrize("action", ["SetDERControl", "AFRRSignal", "GetPeriodicEventStream"])
def test_2_0_1_has_none_of_it_to_send(action: str) -> None:
    with pytest.raises(InputError, match="action: must be a message"):
        Octt(Version.V201).ask(action, {})


def test_a_station_may_not_send_what_a_back_end_sends(octt: Octt) -> None:
    signal = {"timestamp": octt.clock(), "signal": 1}
    reply = octt.tell_freely("AFRRSignal", signal)
    assert (reply[0], reply[2]) == (4, "NotSupported")
