"""OCPP 2.0.1 Part 6, section 3.8: G, availability. Each test has the name of its case."""

from __future__ import annotations

from typing import Any

import pytest

from tests.io.ocpp.session.part6.octt import OTHER_PLACES, PLACE, Octt

EVSE, CONNECTOR, STATION = {"evse": {"id": 1}}, {"evse": PLACE}, dict[str, Any]()
SCOPES = [EVSE, STATION, CONNECTOR]


def change(octt: Octt, status: str, scope: dict[str, Any], answer: str = "Accepted") -> None:
    """Have the back end ask for it, and answer."""
    payload = {"operationalStatus": status, **scope}
    assert octt.ask("ChangeAvailability", payload) == payload
    assert octt.respond({"status": answer}).status == answer


def tell(octt: Octt, status: str, scope: dict[str, Any]) -> None:
    """The station tells of every place that the change is about."""
    octt.status(status)
    if scope is STATION:
        for evse_id, connector_id in OTHER_PLACES:
            octt.status(status, evse_id=evse_id, connector_id=connector_id)


def shown(octt: Octt, scope: dict[str, Any]) -> set[str]:
    """What the back end knows of the places that the change is about."""
    places = [1, 2] if scope is STATION else [1]
    return {octt.state.evses[place].availability for place in places}


@pytest.mark.parametrize("scope", SCOPES, ids=["g_03", "g_05", "g_07"])
def test_tc_g_03_05_07_csms_out_of_service(scope: dict[str, Any]) -> None:
    octt = Octt()
    octt.booted()
    change(octt, "Inoperative", scope)
    tell(octt, "Unavailable", scope)
    assert shown(octt, scope) == {"unavailable"}


@pytest.mark.parametrize("scope", SCOPES, ids=["g_04", "g_06", "g_08"])
def test_tc_g_04_06_08_csms_back_in_service(scope: dict[str, Any]) -> None:
    octt = Octt()
    octt.booted()
    tell(octt, "Unavailable", scope)
    change(octt, "Operative", scope)
    tell(octt, "Available", scope)
    assert shown(octt, scope) == {"available"}


@pytest.mark.parametrize("scope", SCOPES, ids=["g_11", "g_14", "g_17"])
def test_tc_g_11_14_17_csms_out_of_service_once_the_transaction_ended(
    scope: dict[str, Any],
) -> None:
    octt = Octt()
    octt.booted()
    octt.energy_transfer_started()
    change(octt, "Inoperative", scope, "Scheduled")
    if scope is STATION:
        octt.status("Unavailable", evse_id=2)
        assert octt.state.evses[2].availability == "unavailable"
    octt.stopped_by_driver()
    assert octt.known.open
    octt.ev_connected_post_session()
    octt.ev_disconnected()
    tell(octt, "Unavailable", scope)
    assert shown(octt, scope) == {"unavailable"}


def test_tc_g_20_csms_lock_failure() -> None:
    octt = Octt()
    octt.booted()
    event = {
        "eventId": 7,
        "timestamp": octt.clock(),
        "trigger": "Delta",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": PLACE},
        "variable": {"name": "Problem"},
    }
    told = {"generatedAt": octt.clock(), "seqNo": 0, "eventData": [event]}
    assert octt.tell("NotifyEvent", told) == {}
    (kept,) = octt.kept("NotifyEvent")
    assert kept["eventData"][0]["component"]["name"] == "ConnectorPlugRetentionLock"
    assert octt.notices[-1].critical
