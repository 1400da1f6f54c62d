"""OCPP 2.0.1 Part 6, section 3.15: N, diagnostics. Each test has the name of its case."""

from __future__ import annotations

from typing import Any

import pytest

from tests.io.ocpp.session.part6.octt import VALID, Octt

TOKEN = {"idToken": {"idToken": VALID, "type": "ISO14443"}}
SOMEBODY = {"customerIdentifier": "OpenChargeAlliance"}


def booted() -> Octt:
    """A station whose boot was answered."""
    octt = Octt()
    octt.booted()
    return octt


def ask_log(octt: Octt, request_id: int, kind: str, status: str) -> str:
    """GetLog and its answer, whose status is returned."""
    log = {"remoteLocation": "https://logs.example.org/upload"}
    payload = {"requestId": request_id, "logType": kind, "log": log}
    assert octt.ask("GetLog", payload) == payload
    return octt.respond({"status": status, "filename": "box.log"}).status


def tell(octt: Octt, request_id: int, *statuses: str) -> None:
    """LogStatusNotification of each status."""
    for status in statuses:
        told = {"status": status, "requestId": request_id}
        assert octt.tell("LogStatusNotification", told) == {}
        assert octt.kept("LogStatusNotification")[-1] == told


@pytest.mark.parametrize("kind", ["DiagnosticsLog", "SecurityLog"], ids=["n_25", "n_35"])
def test_tc_n_25_35_csms_log(kind: str) -> None:
    octt = booted()
    assert ask_log(octt, 5, kind, "Accepted") == "Accepted"
    tell(octt, 5, "Uploading", "Uploaded")


def test_tc_n_34_csms_log_refused() -> None:
    octt = booted()
    assert ask_log(octt, 5, "DiagnosticsLog", "Rejected") == "Rejected"
    assert not octt.answers[-1].accepted


def test_tc_n_36_csms_a_second_log_meanwhile() -> None:
    octt = booted()
    ask_log(octt, 5, "DiagnosticsLog", "Accepted")
    tell(octt, 5, "Uploading")
    assert ask_log(octt, 6, "DiagnosticsLog", "AcceptedCanceled") == "AcceptedCanceled"
    tell(octt, 5, "AcceptedCanceled")
    tell(octt, 6, "Uploading", "Uploaded")


@pytest.mark.parametrize(
    ("report", "clear", "whose", "data"),
    [
        (True, False, TOKEN, "name: Ann"),
        (True, False, TOKEN, ""),
        (True, True, TOKEN, "name: Ann"),
        (True, True, TOKEN, ""),
        (False, True, TOKEN, None),
        (True, True, SOMEBODY, "name: Ann"),
    ],
    ids=["n_27", "n_28", "n_30", "n_31", "n_32", "n_62"],
)
def test_tc_n_27_28_30_31_32_62_csms_customer_information(
    report: bool, clear: bool, whose: dict[str, Any], data: str | None
) -> None:
    octt = booted()
    payload = {"requestId": 9, "report": report, "clear": clear, **whose}
    assert octt.ask("CustomerInformation", payload) == payload
    assert octt.respond({"status": "Accepted"}).accepted
    if data is None:
        return
    told = {"data": data, "seqNo": 0, "generatedAt": octt.clock(), "requestId": 9}
    assert octt.tell("NotifyCustomerInformation", told) == {}
    assert [kept["data"] for kept in octt.kept("NotifyCustomerInformation")] == [data]


def test_tc_n_29_csms_customer_information_refused() -> None:
    octt = booted()
    octt.ask("CustomerInformation", {"requestId": 9, "report": True, "clear": False, **TOKEN})
    assert not octt.respond({"status": "Rejected"}).accepted
