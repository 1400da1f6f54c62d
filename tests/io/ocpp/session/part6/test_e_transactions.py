"""OCPP 2.0.1 Part 6, section 3.6: E, transactions. Each test has the name of its case."""

from __future__ import annotations

import pytest

from parkwatt.io.ocpp.device_time import rfc3339
from tests.io.ocpp.session.part6.octt import DURATION_S, INVALID, PLACE, VALID, Octt


def accepts(reply: dict[str, dict[str, str]]) -> bool:
    """Whether the token in the message may charge."""
    return reply["idTokenInfo"]["status"] == "Accepted"


def test_tc_e_01_csms_start_when_the_power_path_closes() -> None:
    octt = Octt()
    assert accepts(octt.authorize(VALID))
    octt.status("Occupied")
    assert accepts(
        octt.started("ChargingStateChanged", card=VALID, evse=PLACE, state="SuspendedEVSE")
    )
    assert octt.updated("ChargingStateChanged", state="Charging") == {}
    assert octt.known.heard_start
    assert octt.known.charging_state == "charging"


def test_tc_e_02_csms_start_when_energy_flows() -> None:
    octt = Octt()
    assert accepts(octt.authorize(VALID))
    octt.status("Occupied")
    assert accepts(octt.started("ChargingStateChanged", card=VALID, evse=PLACE, state="Charging"))
    assert octt.state.evses[1].charging_state == "charging"


def test_tc_e_03_csms_cable_first() -> None:
    octt = Octt()
    octt.ev_connected_pre_session()
    octt.authorized_locally()
    octt.energy_transfer_started()
    assert octt.known.token == VALID


def test_tc_e_04_csms_authorization_first() -> None:
    octt = Octt()
    octt.booted()
    octt.authorized_locally()
    octt.energy_transfer_started()
    assert octt.known.evse_id == 1
    assert octt.state.evses[1].transaction_id == octt.transaction_id


def test_tc_e_39_csms_deauthorized_by_timeout() -> None:
    octt = Octt()
    octt.authorized_locally()
    octt.pass_s(DURATION_S)
    assert octt.ended("EVConnectTimeout", stopped="Timeout") == {}
    assert octt.known.end_reason == "Timeout"


def test_tc_e_14_csms_cable_out_at_the_station() -> None:
    octt = Octt()
    octt.ev_connected_post_session()
    octt.ev_disconnected()
    assert octt.known.end_reason == "EVDisconnected"


def test_tc_e_20_csms_cable_out_at_the_car() -> None:
    octt = Octt()
    octt.energy_transfer_suspended()
    octt.ev_disconnected()
    assert octt.state.evses[1].car_connected is False


def test_tc_e_15_csms_stopped_at_the_station() -> None:
    octt = Octt()
    octt.energy_transfer_started()
    assert accepts(octt.ended("StopAuthorized", stopped="Local", card=VALID))
    assert octt.known.end_reason == "Local"


def test_tc_e_21_csms_stopped_from_afar() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    payload = {"transactionId": octt.transaction_id}
    assert octt.ask("RequestStopTransaction", payload) == payload
    assert octt.respond({"status": "Accepted"}).accepted
    assert octt.ended("RemoteStop", stopped="Remote") == {}
    assert octt.known.end_reason == "Remote"


def test_tc_e_09_csms_start_when_the_car_is_connected() -> None:
    octt = Octt()
    octt.status("Occupied")
    assert octt.started("CablePluggedIn", evse=PLACE) == {}
    assert octt.state.evses[1].car_connected is True


def test_tc_e_10_csms_start_when_authorized() -> None:
    octt = Octt()
    assert accepts(octt.authorize(VALID))
    assert accepts(octt.started("Authorized", card=VALID))
    assert octt.known.token == VALID


def test_tc_e_11_csms_start_when_data_are_signed() -> None:
    octt = Octt()
    assert accepts(octt.authorize(VALID))
    octt.status("Occupied")
    signed = {
        "signedMeterData": "c2lnbmVk",
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": "",
    }
    begin = octt.meter(0.0, "Transaction.Begin", signedMeterValue=signed)
    assert accepts(octt.started("SignedDataReceived", card=VALID, evse=PLACE, meter_value=[begin]))
    (reading,) = octt.last.readings
    assert reading.energy_import_kwh == 0.0
    assert reading.signed[0].verdict != "valid"  # no key is known
    assert reading.signed[0].data == "c2lnbmVk"
    assert octt.updated("ChargingStateChanged", state="Charging") == {}


def test_tc_e_12_csms_start_when_the_bay_is_taken() -> None:
    octt = Octt()
    assert octt.started("EVDetected") == {}
    assert octt.known.open


def test_tc_e_38_csms_the_car_is_not_ready() -> None:
    octt = Octt()
    octt.authorized_locally()
    octt.ev_connected_pre_session()
    assert octt.updated("ChargingStateChanged", state="SuspendedEV") == {}
    assert octt.state.evses[1].charging_state == "suspended_by_car"


def test_tc_e_07_csms_power_path_opened_by_the_driver() -> None:
    octt = Octt()
    octt.energy_transfer_started()
    assert octt.ended("StopAuthorized", stopped="Local") == {}
    assert not octt.known.open


def test_tc_e_08_csms_energy_stops_after_the_driver() -> None:
    octt = Octt()
    octt.stopped_by_driver()
    assert octt.ended("ChargingStateChanged", state="EVConnected", stopped="Local") == {}
    assert octt.known.end_reason == "Local"


def test_tc_e_16_csms_deauthorized_by_the_reply() -> None:
    octt = Octt()
    reply = octt.started("Authorized", card=INVALID)
    assert reply["idTokenInfo"]["status"] in {"Invalid", "Unknown"}
    assert octt.ended("Deauthorized", stopped="DeAuthorized") == {}
    assert not octt.known.token  # nobody was let in
    assert octt.known.end_reason == "DeAuthorized"


def test_tc_e_17_csms_deauthorized_as_the_car_left() -> None:
    octt = Octt()
    octt.energy_transfer_suspended()
    assert octt.ended("EVCommunicationLost", state="Idle", stopped="EVDisconnected") == {}
    assert octt.state.evses[1].charging_state == "idle"


def test_tc_e_22_csms_energy_stopped_by_the_car() -> None:
    octt = Octt()
    octt.energy_transfer_started()
    assert octt.ended("ChargingStateChanged", state="SuspendedEV", stopped="StoppedByEV") == {}
    assert octt.known.end_reason == "StoppedByEV"


def test_tc_e_19_csms_the_bay_is_free() -> None:
    octt = Octt()
    octt.ev_connected_post_session()
    octt.status("Available")
    assert octt.updated("EVCommunicationLost", state="Idle") == {}
    assert octt.ended("EVDeparted", stopped="Local") == {}
    assert not octt.known.open


def test_tc_e_26_csms_the_cable_goes_out_and_in_again() -> None:
    octt = Octt()
    octt.energy_transfer_suspended()
    assert octt.updated("EVCommunicationLost", state="Idle") == {}
    octt.status("Available")
    assert octt.state.evses[1].car_connected is False
    assert octt.updated("CablePluggedIn", state="EVConnected") == {}
    assert octt.updated("ChargingStateChanged", state="Charging") == {}
    evse = octt.state.evses[1]
    assert (evse.car_connected, evse.charging_state) == (True, "charging")
    assert octt.known.open


def away(octt: Octt) -> str:
    """The link is lost for a while; returns a time in the middle of it."""
    in_between = rfc3339(octt.now_unix_us + int(DURATION_S * 5e5))
    octt.pass_s(DURATION_S)
    octt.connect()
    return in_between


@pytest.mark.parametrize("names_it", [True, False])
def test_tc_e_29_33_csms_messages_are_queued(names_it: bool) -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    in_between = away(octt)
    octt.tell("Heartbeat", {})
    payload = {"transactionId": octt.transaction_id} if names_it else {}
    assert octt.ask("GetTransactionStatus", payload) == payload
    ongoing = {"ongoingIndicator": True} if names_it else {}
    octt.respond({"messagesInQueue": True, **ongoing})
    queued = octt.meter(500.0, "Sample.Periodic") | {"timestamp": in_between}
    told = octt.updated(
        "MeterValuePeriodic", offline=True, timestamp=in_between, meter_value=[queued]
    )
    assert told == {}
    assert octt.last.late
    assert octt.known.open
    assert octt.state.evses[1].reading is None


@pytest.mark.parametrize("names_it", [True, False])
def test_tc_e_30_34_csms_nothing_is_queued(names_it: bool) -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    payload = {"transactionId": octt.transaction_id} if names_it else {}
    octt.ask("GetTransactionStatus", payload)
    ongoing = {"ongoingIndicator": True} if names_it else {}
    octt.respond({"messagesInQueue": False, **ongoing})
    assert octt.known.open


def test_tc_e_31_csms_the_end_overtakes_what_is_queued() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    first, second = octt.clock(10), octt.clock(20)
    away(octt)
    octt.skip_numbers(2)
    assert octt.ended("EVCommunicationLost", state="Idle", offline=True) == {}
    number = octt.last.seq_no
    assert number is not None
    assert octt.known.seen.missing_count == 2
    octt.ask("GetTransactionStatus", {"transactionId": octt.transaction_id})
    octt.respond({"ongoingIndicator": False, "messagesInQueue": True})
    assert octt.updated("StopAuthorized", offline=True, seq_no=number - 2, timestamp=first) == {}
    told = octt.updated(
        "ChargingStateChanged",
        state="EVConnected",
        offline=True,
        seq_no=number - 1,
        timestamp=second,
    )
    assert told == {}
    assert octt.known.seen.missing_count == 0
    assert not octt.known.open
    assert octt.state.evses[1].transaction_id is None


def test_tc_e_53_csms_each_transaction_counts_from_0() -> None:
    octt = Octt()
    for _ in range(2):
        octt.energy_transfer_started()
        octt.ev_disconnected()
    assert len(octt.state.transactions) == 2
    assert all(known.seen.missing_count == 0 for known in octt.state.transactions.values())
