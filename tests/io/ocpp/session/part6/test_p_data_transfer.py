"""OCPP 2.0.1 Part 6, section 3.17: P, vendors' own data. Each test has the name of its case."""

from __future__ import annotations

from tests.io.ocpp.session.part6.octt import PLACE, Octt

CUSTOM = {"customData": {"vendorId": "org.example", "colour": "green", "depth": {"of": [1, 2]}}}


def test_tc_p_02_csms_data_transfer_of_a_stranger() -> None:
    octt = Octt()
    octt.booted()
    told = {"vendorId": "org.example", "messageId": "hello", "data": {"any": "thing"}}
    assert octt.tell("DataTransfer", told)["status"] == "UnknownVendorId"
    assert octt.kept("DataTransfer")[0]["data"] == {"any": "thing"}


def test_tc_p_03_csms_custom_data() -> None:
    octt = Octt()
    octt.booted()
    status = {"timestamp": octt.clock(), "connectorStatus": "Occupied", **CUSTOM}
    assert octt.tell("StatusNotification", {**status, "evseId": 1, "connectorId": 1}) == {}
    event = {
        "eventType": "Started",
        "timestamp": octt.clock(),
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-custom", **CUSTOM},
        "evse": PLACE,
        **CUSTOM,
    }
    assert octt.tell("TransactionEvent", event) == {}
    assert octt.state.evses[1].transaction_id == "tx-custom"
