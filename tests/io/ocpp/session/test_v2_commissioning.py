"""What a charger is asked, and what follows from its answers."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from parkwatt.domain.charger.event import CommandSent, VariablesReported
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version
from parkwatt.io.sim.build import virtual_station
from parkwatt.io.sim.settings import StationSettings
from tests.io.ocpp.session.made_v2 import SECOND_US, START_UNIX_US, Talk

# A station of one connection point is not to be kept busy for long; those of several take a few calls more for each.
CALLS_AFTER_BOOT_MAX = 25

KEY = "SampledDataCtrlr.TxUpdatedMeasurands"


def name(item: dict[str, Any]) -> str:
    """component.variable[instance], with the connection point before it."""
    component, variable = item["component"], item["variable"]
    instance = f"[{variable['instance']}]" if "instance" in variable else ""
    evse = f"{component['evse']['id']}:" if "evse" in component else ""
    return f"{evse}{component['name']}.{variable['name']}{instance}"


def asked(calls: list[Call]) -> list[str]:
    """All variables asked for."""
    return [
        name(item)
        for call in calls
        if call.action == "GetVariables"
        for item in call.payload["getVariableData"]
    ]


def answer(talk: Talk, call: Call, values: dict[str, str]) -> None:
    """Answer GetVariables; what is not in ``values`` is not there."""
    results = []
    for item in call.payload["getVariableData"]:
        found = values.get(name(item))
        result = {"attributeStatus": "UnknownVariable", **item}
        if found is not None:
            result |= {"attributeStatus": "Accepted", "attributeValue": found}
        results.append(result)
    talk.answer(call, {"getVariableResult": results})


def set_to(call: Call) -> tuple[str, str]:
    """What a SetVariables sets, and to what."""
    (data,) = call.payload["setVariableData"]
    return name(data), data["attributeValue"]


def answer_set(talk: Talk, call: Call, status: str) -> None:
    """Answer SetVariables."""
    (data,) = call.payload["setVariableData"]
    place = {"component": data["component"], "variable": data["variable"]}
    talk.answer(call, {"setVariableResult": [{"attributeStatus": status, **place}]})


def test_nothing_but_questions_goes_to_a_charger_that_is_new() -> None:
    talk = Talk(Version.V21)
    talk.boot()
    calls = talk.commission()
    assert {call.action for call in calls} == {"GetVariables"}
    assert all(len(call.payload["getVariableData"]) <= 4 for call in calls)
    names = asked(calls)
    assert len(names) == len(set(names))
    assert "SmartChargingCtrlr.SupportsDynamicProfiles" in names
    assert not any(name.startswith("V2X") for name in names)


def test_2_0_1_is_not_asked_what_came_with_2_1() -> None:
    talk = Talk()
    talk.boot()
    talk.status("Available")
    names = [*asked(talk.commission()), *asked(talk.calls)]
    assert not any("V2X" in name or "Dynamic" in name or "DER" in name for name in names)
    assert "1:EVSE.SupplyPhases" in names


def test_a_charger_that_did_not_boot_is_asked_who_it_is_and_where() -> None:
    first, second, *_ = Talk().commission()
    assert (first.action, first.payload["requestedMessage"]) == (
        "TriggerMessage",
        "BootNotification",
    )
    assert (second.action, second.payload["reportBase"]) == ("GetBaseReport", "SummaryInventory")


def test_a_place_is_asked_about_when_it_becomes_known_and_not_again() -> None:
    talk = Talk(Version.V21)
    talk.boot()
    talk.status("Available", evse_id=2)
    assert "2:V2XChargingCtrlr.SupportedOperationModes" in asked(talk.calls)
    for call in list(talk.calls):
        answer(talk, call, {})
    talk.calls.clear()
    talk.status("Occupied", evse_id=2)
    assert not talk.calls
    assert "2:V2XChargingCtrlr.Available" in talk.state.unknown_variables
    assert "2:V2XChargingCtrlr.Available" in asked(talk.commission())


def test_the_chargers_own_limit_of_items_is_kept() -> None:
    talk = Talk()
    talk.boot()
    told = {"DeviceDataCtrlr.ItemsPerMessage[GetVariables]": "2"}
    answer(talk, talk.commission()[0], told)
    assert {len(call.payload["getVariableData"]) for call in talk.commission()} == {2}


def test_a_list_that_is_refused_is_halved_down_to_what_is_not_there() -> None:
    talk = Talk()
    talk.boot()
    question = talk.commission()[0]
    open_calls = [question]
    single = []
    while open_calls:
        call = open_calls.pop(0)
        if len(call.payload["getVariableData"]) == 1:
            single.append(call)
        talk.calls.clear()
        talk.refuse(call, "OccurrenceConstraintViolation")
        open_calls += talk.calls
    assert asked(single) == asked([question])
    assert set(talk.state.unknown_variables) == set(asked([question]))


def test_without_get_variables_a_report_is_asked_for_and_a_lesser_one() -> None:
    talk = Talk()
    talk.boot()
    talk.refuse(talk.commission()[0], "NotImplemented")
    bases = []
    while talk.calls:
        call = talk.calls.pop()
        bases.append(call.payload["reportBase"])
        talk.answer(call, {"status": "NotSupported"})
    assert bases == ["FullInventory", "SummaryInventory", "ConfigurationInventory"]


def measurands(talk: Talk, value: str) -> None:
    """Let the charger tell what it reports now."""
    call = next(call for call in talk.commission() if KEY in asked([call]))
    answer(talk, call, {KEY: value})


def test_settings_are_changed_only_where_they_differ() -> None:
    talk = Talk(settings=ChargerSettings(meter_interval_s=10))
    talk.boot()
    measurands(talk, "Energy.Active.Import.Register")
    (call,) = talk.calls
    what, wanted = set_to(call)
    assert what == KEY
    assert {"Power.Active.Import", "Power.Active.Export", "SoC"} <= set(wanted.split(","))
    answer_set(talk, call, "Accepted")
    assert talk.state.variable("SampledDataCtrlr", "TxUpdatedMeasurands") == wanted
    talk.calls.clear()
    measurands(talk, ", ".join(reversed(wanted.split(","))))
    assert not talk.calls


def test_a_refused_list_gets_shorter_until_it_is_what_stands() -> None:
    talk = Talk()
    talk.boot()
    measurands(talk, "Energy.Active.Import.Register")
    tried = []
    while talk.calls:
        call = talk.calls.pop()
        tried.append(set_to(call)[1].split(","))
        if len(tried) % 2:
            answer_set(talk, call, "Rejected")
        else:
            talk.refuse(call, "PropertyConstraintViolation")
    lengths = [len(members) for members in tried]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) >= 4
    assert lengths[-1] > 1  # a list of the register alone is what stands already


def test_an_interval_that_is_too_short_is_made_longer() -> None:
    talk = Talk(settings=ChargerSettings(meter_interval_s=10))
    talk.boot()
    key = "SampledDataCtrlr.TxUpdatedInterval"
    question = next(call for call in talk.commission() if key in asked([call]))
    answer(talk, question, {key: "300"})
    for expected, status in (("10", "Rejected"), ("30", "RebootRequired")):
        call = talk.calls.pop()
        assert set_to(call) == (key, expected)
        answer_set(talk, call, status)
    assert not talk.calls
    assert talk.state.variable("SampledDataCtrlr", "TxUpdatedInterval") == "300"


def test_each_mode_of_a_place_is_told_what_to_report() -> None:
    talk = Talk(Version.V21)
    talk.boot()
    talk.status("Available")
    values = {
        "1:V2XChargingCtrlr.Available": "true",
        "1:V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly,CentralSetpoint,ExternalLimits",
    }
    questions = [call for call in talk.calls if call.action == "GetVariables"]
    talk.calls.clear()
    for call in questions:
        answer(talk, call, values)
    modes = asked(talk.calls)
    assert "1:V2XChargingCtrlr.TxUpdatedMeasurands[CentralSetpoint]" in modes
    assert not any("ExternalLimits" in name for name in modes)
    questions = list(talk.calls)
    talk.calls.clear()
    for call in questions:
        answer(talk, call, {"1:V2XChargingCtrlr.TxUpdatedMeasurands[CentralSetpoint]": "SoC"})
    (change,) = talk.calls
    what, wanted = set_to(change)
    assert what == "1:V2XChargingCtrlr.TxUpdatedMeasurands[CentralSetpoint]"
    assert "Power.Active.Setpoint" in wanted


def test_a_setting_by_hand_is_noted_and_not_tried_again() -> None:
    talk = Talk()
    data = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "OfflineThreshold"},
        "attributeValue": "123",
    }
    call = Call("SetVariables", {"setVariableData": [data]}, "hand", "by hand")
    answer_set(talk, call, "Accepted")
    assert talk.state.variable("OCPPCommCtrlr", "OfflineThreshold") == "123"
    answer_set(talk, call, "Rejected")
    talk.refuse(call, "InternalError")
    question = {"component": data["component"], "variable": data["variable"]}
    talk.refuse(
        Call("GetVariables", {"getVariableData": [question] * 2}, "hand", ""), "NotImplemented"
    )
    assert not talk.calls
    assert len(talk.heard(VariablesReported)) == 1


@pytest.mark.parametrize(
    ("answered", "ends"),
    [
        ({"ongoingIndicator": True, "messagesInQueue": False}, False),
        ({"ongoingIndicator": False, "messagesInQueue": True}, False),
        ({"messagesInQueue": False}, False),
        ({"ongoingIndicator": False, "messagesInQueue": False}, True),
    ],
)
def test_a_transaction_whose_end_was_lost_ends(answered: dict[str, Any], ends: bool) -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse={"id": 1})
    talk.boot()
    (question,) = [call for call in talk.commission() if call.action == "GetTransactionStatus"]
    assert question.payload == {"transactionId": "t-1"}
    talk.answer(question, answered)
    assert talk.state.transactions["t-1"].open != ends
    assert (talk.state.evses[1].transaction_id is None) == ends


def test_a_password_that_was_set_is_written_nowhere() -> None:
    talk = Talk()
    data = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": "correct horse battery",
    }
    call = Call("SetVariables", {"setVariableData": [data]}, "hand", "by hand")
    answer_set(talk, call, "Accepted")
    assert not talk.events


def all_answered(talk: Talk) -> None:
    """Boot, and answer everything with nothing."""
    talk.boot()
    talk.status("Available")
    for call in [*talk.commission(), *talk.calls]:
        answer(talk, call, {"SampledDataCtrlr.TxUpdatedInterval": "10"})
    talk.calls.clear()


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_charger_that_comes_back_without_a_boot_is_asked_nothing_twice(version: Version) -> None:
    talk = Talk(version)
    all_answered(talk)
    assert talk.commission()
    talk.pass_s(60)
    talk.connect()
    assert not talk.commission()
    talk.settings = ChargerSettings(meter_interval_s=5)
    assert "SampledDataCtrlr.TxUpdatedInterval" in asked(talk.commission())
    talk.settings = ChargerSettings()
    talk.state.evse(2)
    assert {name[0] for name in asked(talk.commission())} == {"2"}
    talk.boot()
    assert "SmartChargingCtrlr.Available" in asked(talk.commission())


def commissioned_calls(version: Version) -> list[CommandSent]:
    """What the virtual station of a version is asked in the minute after its first boot."""
    now_unix_us = START_UNIX_US
    protocol: Literal["2.0.1", "2.1"] = "2.1" if version is Version.V21 else "2.0.1"
    box = virtual_station(StationSettings(protocol=protocol), now_unix_us)
    station = Station(ChargerState("box"), ChargerSettings(discharge=True))
    sent: list[CommandSent] = []

    def take(step: Step) -> list[str]:
        sent.extend(event for event in step.events if isinstance(event, CommandSent))
        return [
            reply for frame in step.frames for reply in box.receive(frame.decode(), now_unix_us)
        ]

    waiting = take(station.connect(version, 2, "10.0.0.2", now_unix_us, prefix="a-"))
    waiting += box.connect(now_unix_us)
    for _ in range(60):
        while waiting:
            waiting += take(station.receive(waiting.pop(0), now_unix_us))
        now_unix_us += SECOND_US
        waiting += [*box.tick(now_unix_us), *take(station.tick(now_unix_us))]
    return sent


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_first_boot_is_followed_by_few_calls(version: Version) -> None:
    sent = commissioned_calls(version)
    asked_of_it = [call for call in sent if call.purpose == "commissioning"]
    assert {call.action for call in asked_of_it} == {"GetVariables", "SetVariables"}
    assert len(sent) < CALLS_AFTER_BOOT_MAX
