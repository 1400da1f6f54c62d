"""Boots, states, reports and what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import (
    Booted,
    NoticeReceived,
    StatusChanged,
    VariablesReported,
)
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.made_v2 import Talk


def test_a_boot_is_accepted_with_the_time_and_the_interval() -> None:
    talk = Talk(settings=ChargerSettings(heartbeat_s=120))
    assert talk.boot() == {"currentTime": talk.clock(), "interval": 120, "status": "Accepted"}
    assert talk.heard(Booted) == [Booted("Maker", "Box", "S1", "", "PowerUp")]
    talk.pass_s(5)
    assert talk.tell("Heartbeat", {}) == {"currentTime": talk.clock()}


def test_a_free_connector_beside_the_one_in_use_says_nothing_of_the_place() -> None:
    talk = Talk()
    talk.status("Occupied", connector_id=1)
    talk.transaction("Started", "CablePluggedIn", 0, evse={"id": 1, "connectorId": 1})
    talk.status("Available", connector_id=2)
    evse = talk.state.evses[1]
    assert (evse.availability, evse.car_connected) == ("occupied", True)
    talk.status("Faulted", connector_id=2)
    assert (evse.availability, evse.error) == ("faulted", "Faulted")
    talk.status("Available", connector_id=1)
    assert (evse.availability, evse.car_connected) == ("available", False)


def event(talk: Talk, name: str, value: str, **more: Any) -> dict[str, Any]:
    """A NotifyEvent of one variable of the station's."""
    data: dict[str, Any] = {
        "eventId": 1,
        "timestamp": talk.clock(),
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "CustomMonitor",
        "component": {"name": "SmartChargingCtrlr"},
        "variable": {"name": name},
        **more,
    }
    return {"generatedAt": talk.clock(), "seqNo": 0, "eventData": [data]}


def test_an_event_keeps_a_known_variable_current_and_is_kept() -> None:
    talk = Talk(Version.V21)
    talk.tell("NotifyReport", report(talk, ("SmartChargingCtrlr", "RateUnit", "A")))
    talk.tell("NotifyEvent", event(talk, "RateUnit", "A,W", severity=8))
    talk.tell("NotifyEvent", event(talk, "Weather", "snow", severity=2))
    assert talk.state.variable("SmartChargingCtrlr", "RateUnit") == "A,W"
    assert talk.state.variable("SmartChargingCtrlr", "Weather") is None
    assert [notice.critical for notice in talk.heard(NoticeReceived)] == [False, True]


def test_an_event_of_a_state_alone_is_no_notice() -> None:
    talk = Talk()
    talk.status("Occupied")
    assert not talk.heard(NoticeReceived)
    assert len(talk.heard(StatusChanged)) == 2


def report(talk: Talk, *told: tuple[str, str, str], **evse: Any) -> dict[str, Any]:
    """A NotifyReport: component, variable and value of each."""
    data: list[dict[str, Any]] = [
        {
            "component": {"name": component, **evse},
            "variable": {"name": name},
            "variableAttribute": [
                {"value": value, "mutability": "ReadOnly"},
                {"type": "MaxSet", "value": "9"},
                {"type": "Target"},
            ],
        }
        for component, name, value in told
    ]
    return {"requestId": 1, "generatedAt": talk.clock(), "seqNo": 0, "reportData": data}


def test_a_report_tells_variables_and_places() -> None:
    talk = Talk()
    told = report(
        talk,
        ("EVSE", "AvailabilityState", "Available"),
        ("EVSE", "SupplyPhases", "3"),
        evse={"id": 2},
    )
    assert talk.tell("NotifyReport", told) == {}
    (variables,) = talk.heard(VariablesReported)
    assert len(variables.variables) == 4
    assert variables.variables[0].read_only
    assert talk.state.variable("EVSE", "SupplyPhases", evse_id=2) == "3"
    seen = [talk.state.evses[2].availability]
    talk.status("Occupied", evse_id=2)
    talk.tell("NotifyReport", told)
    seen.append(talk.state.evses[2].availability)
    assert seen == ["available", "occupied"]
    del told["reportData"]
    assert talk.tell("NotifyReport", told) == {}


@pytest.mark.parametrize(
    ("kind", "critical"),
    [("TamperDetectionActivated", True), ("InvalidMessages", False), ("MakersOwn", False)],
)
def test_a_security_event_is_critical_by_the_standards_list(kind: str, critical: bool) -> None:
    talk = Talk()
    talk.tell("SecurityEventNotification", {"type": kind, "timestamp": talk.clock()})
    assert [notice.critical for notice in talk.heard(NoticeReceived)] == [critical]


def test_a_grid_alarm_is_critical_until_it_ends() -> None:
    talk = Talk(Version.V21)
    alarm = {"controlType": "LFMustTrip", "gridEventFault": "UnderFrequency"}
    for ended in (False, True):
        talk.tell("NotifyDERAlarm", {**alarm, "timestamp": talk.clock(), "alarmEnded": ended})
    assert [notice.critical for notice in talk.heard(NoticeReceived)] == [True, False]


def test_vendors_own_messages_are_kept_and_not_understood() -> None:
    talk = Talk()
    reply = talk.tell("DataTransfer", {"vendorId": "Maker", "data": {"deep": [1]}})
    assert reply == {"status": "UnknownVendorId"}
    assert b'"deep":[1]' in bytes(talk.heard(NoticeReceived)[0].payload)
