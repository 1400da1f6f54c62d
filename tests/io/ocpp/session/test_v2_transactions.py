"""Transactions: queued, repeated, overtaken, unknown, and in the right place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import (
    DeviationSeen,
    MeterRead,
    TokenPresented,
    TransactionReported,
    is_telemetry,
)
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.made_v2 import Talk

PLACE = {"id": 1, "connectorId": 1}
LISTED = ChargerSettings(tokens=frozenset({"aa11"}))


def last(talk: Talk) -> TransactionReported:
    """The newest report that counted."""
    return talk.heard(TransactionReported)[-1]


def test_a_report_without_a_place_belongs_where_its_transaction_is() -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse={"id": 2})
    assert last(talk).connector_id is None
    talk.transaction("Updated", "ChargingStateChanged", 1, state="Charging")
    assert last(talk).evse_id == 2
    talk.transaction("Ended", "EVCommunicationLost", 2, stopped="EVDisconnected")
    assert talk.state.evses[2].transaction_id is None
    assert talk.state.transactions["t-1"].end_reason == "EVDisconnected"


def test_a_start_without_a_place_belongs_to_the_only_place() -> None:
    talk = Talk()
    talk.status("Available", evse_id=3)
    talk.transaction("Started", "Authorized", 0)
    assert last(talk).evse_id == 3


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_repeated_report_is_acknowledged_in_the_same_words_and_counts_once(
    version: Version,
) -> None:
    talk = Talk(version, LISTED)
    when = talk.clock()
    for card in ("AA11", "BB22"):
        replies = []
        for _ in range(3):
            replies.append(
                talk.transaction(
                    "Started",
                    "Authorized",
                    0,
                    transaction_id=f"t-{card}",
                    evse=PLACE,
                    card=card,
                    timestamp=when,
                )
            )
            talk.pass_s(5)
        assert replies[0] == replies[1] == replies[2]
    assert len(talk.heard(TransactionReported)) == 2
    assert len(talk.heard(TokenPresented)) == 1  # the refused one, once


def test_numbers_that_are_always_0_lose_nothing() -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE)
    for _ in range(3):
        talk.pass_s(10)
        talk.transaction("Updated", "MeterValuePeriodic", 0, evse=PLACE)
    talk.pass_s(10)
    talk.transaction("Ended", "StopAuthorized", 0, evse=PLACE)
    assert len(talk.heard(TransactionReported)) == 5


def test_a_gap_is_seen_and_closed() -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE)
    talk.pass_s(10)
    overtaken = talk.clock()
    talk.pass_s(10)
    talk.transaction("Updated", "ChargingStateChanged", 2, evse=PLACE, state="SuspendedEV")
    seen = talk.state.transactions["t-1"].seen
    assert seen.missing_count == 1
    talk.transaction(
        "Updated", "ChargingStateChanged", 1, evse=PLACE, state="Charging", timestamp=overtaken
    )
    assert last(talk).late
    assert seen.missing_count == 0
    assert talk.state.evses[1].charging_state == "suspended_by_car"


@pytest.mark.parametrize("phase", ["Updated", "Ended"])
def test_an_unknown_transaction_is_taken_over(phase: str) -> None:
    talk = Talk()
    assert talk.transaction(phase, "ChargingStateChanged", 7, evse=PLACE, state="Charging") == {}
    transaction = talk.state.transactions["t-1"]
    assert not transaction.heard_start
    assert transaction.open == (phase == "Updated")


def test_what_was_queued_is_history() -> None:
    talk = Talk()
    long_ago = talk.clock(-3600)
    talk.transaction(
        "Started", "CablePluggedIn", 0, evse=PLACE, offline=True, timestamp=talk.clock(-5)
    )
    assert last(talk).offline
    assert last(talk).late
    talk.transaction("Started", "CablePluggedIn", 0, transaction_id="t-2", timestamp=long_ago)
    assert not last(talk).offline
    assert last(talk).late
    talk.transaction("Started", "CablePluggedIn", 0, transaction_id="t-3")
    assert not last(talk).late


def test_a_slow_clock_is_not_a_queue_once_the_link_is_older_than_its_lag() -> None:
    talk = Talk()
    talk.pass_s(1000)
    talk.transaction("Started", "CablePluggedIn", 0, timestamp=talk.clock(-600))
    assert not last(talk).late


def test_a_clock_that_is_set_back_does_not_turn_now_into_history() -> None:
    talk = Talk()
    ahead = talk.clock(7200)
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE, timestamp=ahead)
    talk.pass_s(10)
    talk.transaction("Updated", "ChargingStateChanged", 1, evse=PLACE, state="Charging")
    assert not last(talk).late
    talk.transaction("Updated", "Trigger", 1, evse=PLACE, timestamp=talk.clock(-5))
    assert len(talk.heard(TransactionReported)) == 2  # its number was seen: a repetition


def test_a_clock_that_is_not_set_is_no_reason_to_doubt_the_report() -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE, timestamp="1970-01-01T00:01:00Z")
    assert last(talk).measured_unix_us is None
    assert not last(talk).late
    assert talk.heard(DeviationSeen)
    assert talk.state.transactions["t-1"].started_unix_us == talk.now_unix_us


def test_the_reply_speaks_of_a_token_exactly_when_one_came() -> None:
    talk = Talk(Version.V201, LISTED)
    assert talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE) == {}
    talk.pass_s(1)
    refused = talk.transaction("Updated", "Authorized", 1, card="CC33")
    assert refused == {"idTokenInfo": {"status": "Invalid"}}
    talk.pass_s(1)
    accepted = talk.transaction("Updated", "Authorized", 2, card="Aa11")
    assert accepted == {"idTokenInfo": {"status": "Accepted"}}
    assert [(heard.token, heard.accepted) for heard in talk.heard(TokenPresented)] == [
        ("CC33", False)
    ]
    starter = talk.state.transactions["t-1"].token
    assert starter == "Aa11"


def test_who_stops_did_not_start() -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE)
    talk.pass_s(1)
    talk.transaction("Updated", "StopAuthorized", 1, card="BB22")
    talk.pass_s(1)
    talk.transaction("Ended", "StopAuthorized", 2, card="BB22", stopped="Local")
    starter = talk.state.transactions["t-1"].token
    assert starter == ""


def test_an_empty_token_charges_where_nobody_is_asked() -> None:
    for settings, status in ((ChargerSettings(), "Accepted"), (LISTED, "Invalid")):
        talk = Talk(Version.V201, settings)
        reply = talk.transaction("Started", "Authorized", 0, card="", card_kind="NoAuthorization")
        assert reply["idTokenInfo"]["status"] == status


@pytest.mark.parametrize("trigger", ["MeterValuePeriodic", "MeterValueClock"])
def test_what_the_clock_sends_is_telemetry(trigger: str) -> None:
    talk = Talk()
    talk.transaction("Started", "CablePluggedIn", 0, evse=PLACE)
    talk.pass_s(10)
    meter_value = [talk.meter(1000.0, "Sample.Periodic", power_w=7000.0)]
    talk.transaction("Updated", trigger, 1, evse=PLACE, meter_value=meter_value)
    assert last(talk).periodic
    assert is_telemetry(last(talk))
    assert talk.state.evses[1].reading is not None
    assert talk.state.evses[1].reading.power_kw == pytest.approx(7.0)


def test_late_readings_count_as_energy_and_not_as_now() -> None:
    talk = Talk()
    values = [(0, 0.0, "Transaction.Begin"), (600, 1500.0, "Sample.Periodic")]
    for number, (after_s, register_wh, context) in enumerate(values):
        element = talk.meter(register_wh, context)
        element["timestamp"] = talk.clock(after_s - 1000)
        talk.transaction(
            "Updated" if number else "Started",
            "MeterValuePeriodic",
            number,
            evse=PLACE,
            offline=True,
            timestamp=talk.clock(after_s - 1000),
            meter_value=[element],
        )
    assert talk.state.transactions["t-1"].imported_kwh == pytest.approx(1.5)
    assert talk.state.evses[1].reading is None


def test_the_stations_own_meter_is_place_0() -> None:
    talk = Talk()
    element = talk.meter(5_000_000.0, "Sample.Clock", power_w=-2000.0)
    assert talk.tell("MeterValues", {"evseId": 0, "meterValue": [element]}) == {}
    (read,) = talk.heard(MeterRead)
    assert read.evse_id == 0
    assert read.readings[0].power_kw == pytest.approx(-2.0)


@given(order=st.permutations(range(6)), again=st.lists(st.integers(0, 5), max_size=6))
def test_energy_does_not_depend_on_order_or_repetition(order: list[int], again: list[int]) -> None:
    talk = Talk()
    talk.pass_s(3600)
    for number in [*order, *again]:
        at = -3000 + 300 * number
        element = talk.meter(1000.0 * number, "Transaction.Begin" if number == 0 else "Other")
        element["timestamp"] = talk.clock(at)
        phase = "Started" if number == 0 else "Ended" if number == 5 else "Updated"
        talk.say(
            "TransactionEvent",
            {
                "eventType": phase,
                "timestamp": talk.clock(at),
                "triggerReason": "Trigger",
                "seqNo": number,
                "transactionInfo": {"transactionId": "t-1"},
                "evse": PLACE,
                "meterValue": [element],
            },
        )
    transaction = talk.state.transactions["t-1"]
    assert len(talk.heard(TransactionReported)) == 6
    assert transaction.imported_kwh == pytest.approx(5.0)
    assert transaction.seen.missing_count == 0
    assert not transaction.open
