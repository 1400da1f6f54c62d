"""From places to readings: what is unknown stays so, and so does what cannot be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.gateway.points import (
    CircuitPoints,
    Flag,
    GatewayPoints,
    Quantity,
    circuit_reading,
    fault_words,
    gateway_reading,
    share,
)

GATEWAY: GatewayPoints[str] = GatewayPoints(
    flags={
        "grid_present": Flag("present", "ON", "OFF"),
        "grid_pole": Flag("pole", "closed", "open"),
        "island_source": Flag("source", "closed", "open"),
        "bond": Flag("bond", "closed", "open"),
    },
    grid_voltage=(Quantity("l1"), Quantity("l2", 0.1)),
    grid_frequency=Quantity("hz", 0.01),
    output_voltage=Quantity("out"),
    nominal_voltage_v=230.0,
    fault="fault",
)
WORDS = {"present": "on", "pole": "OPEN", "source": "closed", "bond": "closed", "fault": "hot"}
NO_WORDS: dict[str, str] = {}
NO_NUMBERS: dict[str, float] = {}
NUMBERS: dict[str, float | None] = {"l1": 230.0, "l2": 1150.0, "hz": 5001.0, "out": 0.0}


def test_a_whole_reading() -> None:
    reading = gateway_reading(GATEWAY, WORDS.get, NUMBERS.get, 77)
    assert reading.grid_voltage_pu == (1.0, 0.5)
    assert reading.grid_frequency_hz == pytest.approx(50.01)
    assert reading.grid_present is True
    assert (reading.grid_pole, reading.island_source, reading.bond) == ("open", "closed", "closed")
    assert (reading.output_voltage_pu, reading.fault, reading.measured_unix_us) == (0.0, "hot", 77)
    assert GATEWAY.missing() == ()


def test_contradicting_contacts_pass_as_they_are() -> None:
    words = {"pole": "closed", "source": "closed"}
    reading = gateway_reading(GATEWAY, words.get, NUMBERS.get, 1)
    assert (reading.grid_pole, reading.island_source) == ("closed", "closed")


def test_one_unknown_phase_makes_the_voltage_unknown() -> None:
    reading = gateway_reading(GATEWAY, WORDS.get, {**NUMBERS, "l2": None}.get, 1)
    assert reading.grid_voltage_pu is None


def test_a_gateway_that_tells_nothing_is_unknown() -> None:
    reading = gateway_reading(GATEWAY, NO_WORDS.get, NO_NUMBERS.get, 1)
    assert (reading.grid_pole, reading.island_source, reading.bond) == (None, None, None)
    assert (reading.grid_present, reading.grid_voltage_pu, reading.grid_frequency_hz) == (
        None,
        None,
        None,
    )
    assert (reading.output_voltage_pu, reading.fault) == (None, "")


@given(
    word=st.text(),
    number=st.floats() | st.none(),
)
def test_nonsense_is_never_a_contact_nor_an_impossible_number(
    word: str, number: float | None
) -> None:
    reading = gateway_reading(GATEWAY, lambda _: word, lambda _: number, 1)
    if word.casefold() not in ("open", "closed"):
        assert (reading.grid_pole, reading.island_source, reading.bond) == (None, None, None)
    for value_pu in (*(reading.grid_voltage_pu or ()), reading.output_voltage_pu):
        assert value_pu is None or 0.0 <= value_pu <= 3.0
    assert reading.grid_frequency_hz is None or 0.0 <= reading.grid_frequency_hz <= 1000.0


def test_its_own_clock_makes_a_reading_older_and_never_younger() -> None:
    points: GatewayPoints[str] = GatewayPoints(measured_at=Quantity("at"))
    assert (
        gateway_reading(points, NO_WORDS.get, {"at": 5.0}.get, 9_000_000).measured_unix_us
        == 5_000_000
    )
    assert (
        gateway_reading(points, NO_WORDS.get, {"at": 50.0}.get, 9_000_000).measured_unix_us
        == 9_000_000
    )
    assert gateway_reading(points, NO_WORDS.get, NO_NUMBERS.get, 9_000_000).measured_unix_us == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, ""),
        ("", ""),
        ("0", ""),
        ("OK", ""),
        ("17", "code 17"),
        ("too hot", "too hot"),
        ("x" * 500, "x" * 200),
    ],
)
def test_faults_in_words(said: str | None, words: str) -> None:
    assert fault_words(said) == words


def test_a_circuit() -> None:
    points: CircuitPoints[str, str] = CircuitPoints(
        circuit_id="fridge",
        state=Flag("state", "ON", "OFF"),
        power=Quantity("w"),
        energy=Quantity("wh", 0.001),
    )
    reading = circuit_reading(points, {"state": "off"}.get, {"w": 85.0, "wh": 1500.0}.get, 3)
    assert (reading.on, reading.power_kw, reading.energy_kwh) == (False, 0.085, 1.5)
    unknown = circuit_reading(points, NO_WORDS.get, {"w": math.inf}.get, 3)
    assert (unknown.on, unknown.power_kw, unknown.energy_kwh) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "scale", "told"),
    [
        (55.0, 0.01, 0.55),
        (0.0, 0.01, 0.0),
        (101.0, 0.01, None),
        (-1.0, 1.0, None),
        (None, 1.0, None),
    ],
)
def test_a_share(value: float | None, scale: float, told: float | None) -> None:
    assert share(value, scale) == (None if told is None else pytest.approx(told))
