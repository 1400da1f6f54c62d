"""Every event has its words."""

from __future__ import annotations

import msgspec
import pytest

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.event import (
    Booted,
    CarNeeds,
    ChargerEvent,
    ClockTicked,
    CommandAnswered,
    CommandSent,
    Connected,
    DeviationSeen,
    Disconnected,
    EnterServiceJudged,
    ExternalLimit,
    GridAlarmTold,
    MeterRead,
    NoticeReceived,
    RungChanged,
    RungForgotten,
    SetpointAsked,
    SetpointJudged,
    SetpointReleased,
    StatusChanged,
    TokenPresented,
    TransactionReported,
    VariablesReported,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.words import in_words, power_in_words

READING = MeterReading(power_kw=-6.9, energy_import_kwh=12.3456, soc=0.5)
CASES: list[tuple[ChargerEvent, str]] = [
    (Connected("ocpp2.1", 2, "10.0.0.2"), "connected from 10.0.0.2 with ocpp2.1"),
    (Disconnected("gone"), "link lost: gone"),
    (Booted("Maker", "Box"), "booted: Maker Box"),
    (StatusChanged(0, 0, "faulted", error="hot"), "the charger is faulted (hot)"),
    (TokenPresented("A", "RFID", False), "token refused"),
    (
        TransactionReported("t", "ended", 1, reason="Local", late=True, readings=(READING,)),
        "transaction t ended at 1 (Local) [late]; -6.90 kW, 12.346 kWh in, 50% charged",
    ),
    (MeterRead(1, ()), "meter at 1: nothing"),
    (MeterRead(1, (MeterReading(),)), "meter at 1: no values that are known"),
    (CarNeeds(1, "DC_BPT", True, True), "the car at 1 wants DC_BPT, can discharge"),
    (ExternalLimit(1, "EMS", 4.0), "EMS limits connection point 1 to 4.00 kW"),
    (ExternalLimit(1, "EMS"), "EMS no longer limits connection point 1"),
    (VariablesReported(()), "told 0 settings of itself"),
    (NoticeReceived("LogStatusNotification", msgspec.Raw(b"{}")), "sent LogStatusNotification"),
    (DeviationSeen("A", "f", "is wrong", "v"), "broke the standard in A: f is wrong"),
    (CommandSent("m", "Reset", msgspec.Raw(b"{}"), "hand", "why"), "Reset {} (why)"),
    (CommandAnswered("m", "Reset", "Accepted"), "Reset is answered: Accepted"),
    (
        SetpointAsked(SetPower(1, -5.0, 60, "price")),
        "asked to discharge 5.00 kW at 1 for 60 s: price",
    ),
    (SetpointReleased(1, "done", lapsed=True), "the set-point at 1 lapsed: done"),
    (
        SetpointJudged(1, 0.0, "ignored", "why", Rung.LIMITS_ONLY),
        "'rest at 0 kW' at 1 is ignored: why",
    ),
    (
        GridAlarmTold("LVMustTrip", "UnderVoltage"),
        "says that the grid has UnderVoltage (LVMustTrip)",
    ),
    (
        GridAlarmTold("LVMustTrip", ended=True),
        "says that the grid no longer has a fault that it does not name (LVMustTrip)",
    ),
    (
        EnterServiceJudged("rule21", "differs", "it holds a delay of 0"),
        "the return to the grid by rule21 is accepted and not held: it holds a delay of 0",
    ),
    (ClockTicked(), "time passed"),
]


@pytest.mark.parametrize(("event", "words"), CASES)
def test_words(event: ChargerEvent, words: str) -> None:
    assert in_words(event) == words


def test_a_rung_says_how_high_it_is() -> None:
    words = in_words(RungChanged(2, Rung.CENTRAL_SETPOINT, Rung.DYNAMIC_SETPOINT, True, "shown"))
    assert words.startswith("connection point 2 is driven by ")
    assert words.endswith("(rung 2 of 3, proven): shown")


def test_forgetting_says_where() -> None:
    assert in_words(RungForgotten(2)).startswith("what connection point 2 had shown")


def test_every_kind_of_event_has_words() -> None:
    told = {type(event) for event, _ in CASES} | {RungChanged, RungForgotten}
    assert told == set(ChargerEvent.__args__)


def test_a_long_payload_is_cut() -> None:
    raw = msgspec.Raw(b'"' + b"x" * 1000 + b'"')
    assert len(in_words(CommandSent("m", "Reset", raw, "hand", "why"))) < 200


@pytest.mark.parametrize(
    ("power_kw", "words"),
    [(7.0, "charge 7.00 kW"), (-7.0, "discharge 7.00 kW"), (0.0, "rest at 0 kW")],
)
def test_power(power_kw: float, words: str) -> None:
    assert power_in_words(power_kw) == words
