"""OCPP 2.0.1 Part 6, section 3.7: F, remote control. Each test has the name of its case."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import MeterRead
from tests.io.ocpp.session.part6.octt import DURATION_S, PLACE, VALID, Octt

TOKEN = {"idToken": VALID, "type": "ISO14443"}
REMOTE_START_ID = 41


def start_remotely(octt: Octt, **answer: str) -> None:
    """The first two steps of F_01 to F_04."""
    sent = octt.ask("RequestStartTransaction", {"remoteStartId": REMOTE_START_ID, "idToken": TOKEN})
    assert sent["idToken"] == TOKEN
    assert octt.respond({"status": "Accepted", **answer}).accepted


def started_remotely(octt: Octt) -> None:
    """The transaction begins with the start from afar, and the driver is yet to plug in."""
    start_remotely(octt)
    octt.started("RemoteStart", card=VALID, remote_start_id=REMOTE_START_ID)
    octt.authorized = True


def test_tc_f_01_csms_cable_first() -> None:
    octt = Octt()
    octt.booted()
    octt.ev_connected_pre_session()
    start_remotely(octt, transactionId=octt.transaction_id)
    reply = octt.updated("RemoteStart", card=VALID, remote_start_id=REMOTE_START_ID)
    assert reply["idTokenInfo"]["status"] == "Accepted"
    octt.authorized = True
    octt.energy_transfer_started()
    assert octt.known.token == VALID


def test_tc_f_02_csms_remote_start_first_and_the_station_asks() -> None:
    octt = Octt()
    octt.booted()
    start_remotely(octt)
    assert octt.authorize(VALID)["idTokenInfo"]["status"] == "Accepted"
    octt.started("RemoteStart", card=VALID, remote_start_id=REMOTE_START_ID)
    octt.authorized = True
    octt.energy_transfer_started()


def test_tc_f_03_csms_remote_start_first() -> None:
    octt = Octt()
    octt.booted()
    started_remotely(octt)
    octt.energy_transfer_started()
    assert octt.known.evse_id == 1


def test_tc_f_04_csms_remote_start_and_nobody_comes() -> None:
    octt = Octt()
    octt.booted()
    started_remotely(octt)
    octt.pass_s(DURATION_S)
    assert octt.updated("EVConnectTimeout") == {}
    assert octt.known.open


def test_tc_f_06_csms_unlock() -> None:
    octt = Octt()
    octt.booted()
    payload = {"evseId": 1, "connectorId": 1}
    assert octt.ask("UnlockConnector", payload) == payload
    assert octt.respond({"status": "Unlocked"}).status == "Unlocked"


def trigger(octt: Octt, message: str, **more: Any) -> None:
    """The first two steps of F_11 to F_24."""
    payload = {"requestedMessage": message, **more}
    assert octt.ask("TriggerMessage", payload) == payload
    assert octt.respond({"status": "Accepted"}).accepted


@pytest.mark.parametrize("places", [(1,), (1, 2)], ids=["f_11", "f_12"])
def test_tc_f_11_12_csms_trigger_meter_values(places: tuple[int, ...]) -> None:
    octt = Octt()
    octt.booted()
    trigger(octt, "MeterValues", **({"evse": {"id": 1}} if places == (1,) else {}))
    for evse_id in places:
        element = octt.meter(1000.0 * evse_id, "Trigger")
        assert octt.tell("MeterValues", {"evseId": evse_id, "meterValue": [element]}) == {}
    assert [read.evse_id for read in octt.heard(MeterRead)] == list(places)
    assert [read.readings[0].energy_import_kwh for read in octt.heard(MeterRead)] == pytest.approx(
        [float(evse_id) for evse_id in places]
    )


@pytest.mark.parametrize("place", [{"evse": {"id": 1}}, {}], ids=["f_13", "f_14"])
def test_tc_f_13_14_csms_trigger_transaction_event(place: dict[str, Any]) -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    trigger(octt, "TransactionEvent", **place)
    element = octt.meter(2500.0, "Trigger", power_w=7000.0)
    more = {"evse": PLACE} if place else {}
    assert octt.updated("Trigger", state="Charging", meter_value=[element], **more) == {}
    reading = octt.state.evses[1].reading
    assert reading is not None
    assert reading.power_kw == pytest.approx(7.0)
    assert octt.known.open


@pytest.mark.parametrize(
    "message", ["LogStatusNotification", "FirmwareStatusNotification"], ids=["f_15", "f_18"]
)
def test_tc_f_15_18_csms_trigger_a_status_that_is_idle(message: str) -> None:
    octt = Octt()
    octt.booted()
    trigger(octt, message)
    assert octt.tell(message, {"status": "Idle"}) == {}
    assert octt.kept(message) == [{"status": "Idle"}]


def test_tc_f_20_csms_trigger_heartbeat() -> None:
    octt = Octt()
    octt.booted()
    trigger(octt, "Heartbeat")
    assert octt.tell("Heartbeat", {}) == {"currentTime": octt.clock()}


@pytest.mark.parametrize("status", ["Available", "Occupied"], ids=["f_23", "f_24"])
def test_tc_f_23_24_csms_trigger_status_notification(status: str) -> None:
    octt = Octt()
    octt.booted()
    octt.status(status)
    trigger(octt, "StatusNotification", evse=PLACE)
    octt.status(status)
    assert octt.state.evses[1].availability == status.lower()


def test_tc_f_27_csms_trigger_what_is_not_implemented() -> None:
    octt = Octt()
    octt.booted()
    octt.ask("TriggerMessage", {"requestedMessage": "SignCombinedCertificate"})
    answer = octt.respond({"status": "NotImplemented"})
    assert (answer.accepted, answer.status) == (False, "NotImplemented")
    assert octt.asked == []
