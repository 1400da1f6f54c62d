"""OCPP 2.0.1 Part 6, section 3.3: B, provisioning. Each test has the name of its case.

Cases of a back end that lets a station wait (Pending, Rejected: B_02, B_30, B_31) do not apply: boots are accepted at once.
"""

from __future__ import annotations

import pytest

from parkwatt.domain.charger.event import Booted
from tests.io.ocpp.session.part6.octt import OTHER_PLACES, VALID, Octt

THRESHOLD = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
REMOTE = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "AuthorizeRemoteStart"}}


def test_tc_b_01_csms_cold_boot() -> None:
    octt = Octt()
    octt.booted()
    assert octt.session.ready
    assert {evse.availability for evse in octt.state.evses.values()} == {"available"}


@pytest.mark.parametrize("items", [[THRESHOLD], [THRESHOLD, REMOTE]])
def test_tc_b_06_07_csms_get_variables(items: list[dict[str, dict[str, str]]]) -> None:
    octt = Octt()
    octt.boot()
    payload = {"getVariableData": items}
    assert octt.ask("GetVariables", payload) == payload
    results = [{**item, "attributeStatus": "Accepted", "attributeValue": "60"} for item in items]
    octt.respond({"getVariableResult": results})
    assert octt.state.variable("OCPPCommCtrlr", "OfflineThreshold") == "60"


@pytest.mark.parametrize("items", [[(THRESHOLD, "123")], [(THRESHOLD, "123"), (REMOTE, "false")]])
def test_tc_b_09_10_csms_set_variables(
    items: list[tuple[dict[str, dict[str, str]], str]],
) -> None:
    octt = Octt()
    octt.boot()
    data = [{**item, "attributeValue": value} for item, value in items]
    assert octt.ask("SetVariables", {"setVariableData": data})["setVariableData"] == data
    results = [{**item, "attributeStatus": "Accepted"} for item, _ in items]
    octt.respond({"setVariableResult": results})
    assert octt.state.variable("OCPPCommCtrlr", "OfflineThreshold") == "123"


@pytest.mark.parametrize("base", ["ConfigurationInventory", "FullInventory"])
def test_tc_b_12_13_csms_base_report(base: str) -> None:
    octt = Octt()
    octt.boot()
    octt.ask("GetBaseReport", {"requestId": 7, "reportBase": base})
    assert octt.respond({"status": "Accepted"}).accepted
    for seq_no in range(3):
        entry = {
            "component": {"name": "TxCtrlr"},
            "variable": {"name": f"Variable{seq_no}"},
            "variableAttribute": [{"value": str(seq_no)}],
        }
        told = {
            "requestId": 7,
            "generatedAt": octt.clock(),
            "seqNo": seq_no,
            "tbc": seq_no < 2,
            "reportData": [entry],
        }
        assert octt.tell("NotifyReport", told) == {}
    values = [octt.state.variable("TxCtrlr", f"Variable{number}") for number in range(3)]
    assert values == ["0", "1", "2"]


def test_tc_b_20_csms_reset_without_a_transaction() -> None:
    octt = Octt()
    octt.booted()
    octt.ask("Reset", {"type": "OnIdle"})
    assert octt.respond({"status": "Accepted"}).accepted
    octt.booted("RemoteReset")
    assert octt.heard(Booted)[-1].reason == "RemoteReset"


def test_tc_b_21_csms_reset_once_the_transaction_ended() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    octt.ask("Reset", {"type": "OnIdle"})
    assert octt.respond({"status": "Scheduled"}).status == "Scheduled"
    reply = octt.updated("StopAuthorized", state="EVConnected", card=VALID)
    assert reply["idTokenInfo"]["status"] == "Accepted"
    assert octt.ended("EVCommunicationLost", state="Idle", stopped="EVDisconnected") == {}
    octt.booted("ScheduledReset")
    assert not octt.known.open


def test_tc_b_22_csms_reset_that_ends_a_transaction() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    octt.ask("Reset", {"type": "Immediate"})
    octt.respond({"status": "Accepted"})
    assert octt.ended("ResetCommand", state="EVConnected", stopped="ImmediateReset") == {}
    assert octt.boot("RemoteReset")["status"] == "Accepted"
    octt.status("Occupied")
    for evse_id, connector_id in OTHER_PLACES:
        octt.status("Available", evse_id=evse_id, connector_id=connector_id)
    assert octt.known.end_reason == "ImmediateReset"
    evse = octt.state.evses[1]
    assert (evse.transaction_id, evse.car_connected) == (None, True)


def test_tc_b_25_csms_reset_of_a_place() -> None:
    octt = Octt()
    octt.booted()
    payload = {"type": "OnIdle", "evseId": 1}
    assert octt.ask("Reset", payload) == payload
    assert octt.respond({"status": "Accepted"}).accepted


def test_tc_b_26_csms_reset_of_a_place_once_its_transaction_ended() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    octt.ask("Reset", {"type": "OnIdle", "evseId": 1})
    octt.respond({"status": "Scheduled"})
    octt.updated("StopAuthorized", state="EVConnected", card=VALID)
    octt.ended("EVCommunicationLost", state="Idle", stopped="EVDisconnected")
    assert not octt.known.open


def test_tc_b_27_csms_reset_of_a_place_that_ends_its_transaction() -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    octt.ask("Reset", {"type": "Immediate", "evseId": 1})
    octt.respond({"status": "Accepted"})
    octt.ended("ResetCommand", state="EVConnected", stopped="ImmediateReset")
    assert octt.known.end_reason == "ImmediateReset"


@pytest.mark.parametrize("status", ["Accepted", "Failed"])
def test_tc_b_42_44_csms_network_profile(status: str) -> None:
    octt = Octt()
    octt.boot()
    payload = {
        "configurationSlot": 1,
        "connectionData": {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "wss://csms.example.org/ocpp",
            "messageTimeout": 30,
            "securityProfile": 2,
            "ocppInterface": "Wired0",
        },
    }
    assert octt.ask("SetNetworkProfile", payload) == payload
    assert octt.respond({"status": status}).accepted == (status == "Accepted")
