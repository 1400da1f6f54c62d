"""What a 1.6 charger is asked and told when it is ready."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import VariablesReported
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.v16_commissioning import _MEASURANDS
from tests.io.ocpp.session.made_v16 import Charger

SAMPLED = "MeterValuesSampledData"
INTERVAL = "MeterValueSampleInterval"


def sampled(call: Call) -> list[str]:
    return str(call.payload["value"]).split(",")


def commission(
    charger: Charger, values: dict[str, str], accepts: Callable[[str, str], bool]
) -> list[Call]:
    """Carry out the commissioning with a charger of those settings; returns the changes that were asked."""
    changes = []
    waiting = charger.commissioning()
    while waiting:
        call = waiting.pop(0)
        if call.action == "GetConfiguration":
            keys: list[str] = call.payload["key"]
            told = [{"key": k, "readonly": False, "value": values[k]} for k in keys if k in values]
            unknown = [k for k in keys if k not in values]
            charger.answers(call, configurationKey=told, unknownKey=unknown)
        elif call.action == "ChangeConfiguration":
            changes.append(call)
            key, value = call.payload["key"], call.payload["value"]
            taken = accepts(key, value)
            if taken:
                values[key] = value
            charger.answers(call, status="Accepted" if taken else "Rejected")
        waiting += charger.calls
        charger.calls = []
    return changes


def settings_of(**changed: str) -> dict[str, str]:
    """A charger whose settings all serve, but for those given."""
    serving = {
        "SupportedFeatureProfiles": "Core,SmartCharging",
        "NumberOfConnectors": "1",
        SAMPLED: ",".join(_MEASURANDS),
        INTERVAL: "10",
        "HeartbeatInterval": "300",
        "WebSocketPingInterval": "30",
    }
    return {**serving, **changed}


def test_a_charger_that_never_booted_is_asked_who_it_is_first() -> None:
    charger = Charger()
    calls = charger.commissioning()
    triggers = [c.payload["requestedMessage"] for c in calls if c.action == "TriggerMessage"]
    assert triggers == ["BootNotification", "StatusNotification"]
    assert calls[0].action == calls[-1].action == "TriggerMessage"


def test_trap_1_a_charger_that_is_known_is_not_made_to_boot() -> None:
    charger = Charger()
    charger.says("BootNotification", chargePointVendor="V", chargePointModel="M")
    calls = charger.commissioning()
    triggers = [c.payload["requestedMessage"] for c in calls if c.action == "TriggerMessage"]
    assert triggers == ["StatusNotification"]


def test_settings_are_asked_for_in_short_lists() -> None:
    lists = [c.payload["key"] for c in Charger().commissioning() if c.action == "GetConfiguration"]
    assert all(len(keys) <= 8 for keys in lists)
    asked = {key for keys in lists for key in keys}
    assert {SAMPLED, INTERVAL, "ChargeProfileMaxStackLevel", "MaxChargingProfilesInstalled"} < asked


def test_a_charger_that_has_what_we_want_is_left_alone() -> None:
    charger = Charger()
    assert commission(charger, settings_of(), lambda *_: True) == []
    assert charger.state.variable("", "NumberOfConnectors") == "1"
    assert "SecurityProfile" in charger.state.unknown_variables


def test_what_does_not_serve_is_changed_and_known_at_once() -> None:
    charger = Charger(ChargerSettings(meter_interval_s=5, heartbeat_s=60))
    values = settings_of(**{SAMPLED: "Voltage", "WebSocketPingInterval": "0"})
    changes = commission(charger, values, lambda *_: True)
    assert {c.payload["key"]: c.payload["value"] for c in changes} == {
        SAMPLED: values[SAMPLED],
        INTERVAL: "5",
        "HeartbeatInterval": "60",
        "WebSocketPingInterval": "60",
    }
    assert set(sampled(changes[0])) == set(_MEASURANDS)
    assert charger.state.variable("", INTERVAL) == "5"


@given(
    st.frozensets(st.sampled_from(_MEASURANDS)),
    st.lists(st.sampled_from([*_MEASURANDS, "Temperature"]), unique=True, max_size=4),
)
def test_the_richest_set_that_the_charger_takes_is_found_once(
    known: frozenset[str], first: list[str]
) -> None:
    takes = known | set(first)
    charger = Charger()
    values = settings_of(**{SAMPLED: ",".join(first)})

    def accepts(_: str, value: str) -> bool:
        return set(value.split(",")) <= takes

    changes = commission(charger, values, accepts)
    assert set(filter(None, values[SAMPLED].split(","))) == takes
    assert len(changes) <= len(_MEASURANDS) + 1
    assert commission(charger, values, accepts) == []


@given(st.integers(1, 12))
def test_no_more_measurands_are_asked_than_the_charger_holds(most: int) -> None:
    charger = Charger()
    values = settings_of(**{SAMPLED: "Temperature", f"{SAMPLED}MaxLength": str(most)})
    changes = commission(charger, values, lambda _, value: len(value.split(",")) <= most)
    assert len(changes) == 1
    assert sampled(changes[0])[: len(_MEASURANDS)] == list(_MEASURANDS[:most])


@pytest.mark.parametrize(
    ("accepted", "asked", "at_last"),
    [({"10"}, ["10"], "10"), ({"30"}, ["10", "30"], "30"), (set(), ["10", "30", "60"], "900")],
)
def test_an_interval_that_is_refused_gives_way_to_a_longer_one(
    accepted: set[str], asked: list[str], at_last: str
) -> None:
    charger = Charger()
    values = settings_of(**{INTERVAL: "900"})
    changes = commission(charger, values, lambda _, value: value in accepted)
    assert [c.payload["value"] for c in changes] == asked
    assert values[INTERVAL] == at_last
    assert commission(charger, values, lambda *_: False) == []


def test_an_error_for_a_change_is_a_refusal() -> None:
    charger = Charger()
    payload = {"key": INTERVAL, "value": "10"}
    charger.fails(Call("ChangeConfiguration", payload, "commissioning", "why"), "InternalError")
    assert [c.payload["value"] for c in charger.calls] == ["30"]
    assert f"{INTERVAL}[10]" in charger.state.unknown_variables


def test_an_error_for_a_list_asks_for_each_key() -> None:
    charger = Charger()
    call = Call("GetConfiguration", {"key": ["A", "B"]}, "commissioning", "why")
    charger.fails(call, "PropertyConstraintViolation")
    assert [c.payload["key"] for c in charger.calls] == [["A"], ["B"]]
    [single, _] = charger.calls
    charger.calls = []
    charger.fails(single, "InternalError")
    assert charger.calls == []


def test_what_is_asked_by_hand_changes_nothing_further() -> None:
    charger = Charger()
    told = [{"key": INTERVAL, "readonly": False, "value": "900"}]
    charger.answers(Call("GetConfiguration", {}, "hand", "why"), configurationKey=told)
    change = Call("ChangeConfiguration", {"key": INTERVAL, "value": "60"}, "hand", "why")
    charger.answers(change, status="Rejected")
    assert charger.calls == []
    assert charger.state.variable("", INTERVAL) == "900"
    charger.answers(change, status="Accepted")
    assert charger.state.variable("", INTERVAL) == "60"


def test_a_setting_that_is_read_only_is_left_alone() -> None:
    charger = Charger()
    told = [{"key": INTERVAL, "readonly": True, "value": "900"}]
    charger.answers(Call("GetConfiguration", {}, "commissioning", "why"), configurationKey=told)
    assert charger.calls == []


@pytest.mark.parametrize("value", [5, 5.5, None, "5"])
def test_trap_11_values_that_are_no_text_are_text(value: Any) -> None:
    charger = Charger()
    told = [{"key": "HeartbeatInterval", "readonly": False, "value": value}]
    charger.answers(Call("GetConfiguration", {}, "hand", "why"), configurationKey=told)
    expected = "" if value is None else str(value)
    assert charger.state.variable("", "HeartbeatInterval") == expected


def test_a_password_is_never_kept() -> None:
    charger = Charger()
    told = [{"key": "AuthorizationKey", "readonly": False, "value": "secret"}]
    charger.answers(Call("GetConfiguration", {}, "hand", "why"), configurationKey=told)
    change = {"key": "AuthorizationKey", "value": "secret"}
    charger.answers(Call("ChangeConfiguration", change, "hand", "why"), status="Accepted")
    assert charger.of(VariablesReported) == []
