"""The generated types, held to the schemas by an independent validator."""

from __future__ import annotations

import keyword
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.messages.catalogue import Direction
from parkwatt.io.ocpp.messages.shape import shape_of
from parkwatt.io.ocpp.messages.strict import INTEGER_MAX, INTEGER_MIN, decoder, struct_of
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.messages.generate import (
    ALL_MESSAGES,
    example,
    generator,
    mutated,
    schema_without_multiples,
)

messages = st.sampled_from(ALL_MESSAGES)
seeds = st.integers(0, 2**32)


@cache
def validator(version: Version, action: str, direction: Direction) -> jsonschema.Draft4Validator:
    """The schema without what the types leave to others: what customData holds, and multiples of 0.1."""
    document = schema_without_multiples(version, action, direction)
    document.get("definitions", {})["CustomDataType"] = {"type": "object"}
    return jsonschema.Draft4Validator(document)


def accepts(version: Version, action: str, direction: Direction, message: Any) -> bool:
    """Whether the strict decoder takes the message."""
    try:
        decoder(version, action, direction).decode(msgspec.json.encode(message))
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("version", list(Version))
def test_every_message_has_a_type_whose_fullest_and_least_example_it_takes(
    version: Version,
) -> None:
    of_version = [message for message in ALL_MESSAGES if message[0] is version]
    assert len(of_version) == {Version.V16: 78, Version.V201: 128, Version.V21: 181}[version]
    for _, action, direction in of_version:
        for share in (0.0, 1.0):
            message = example(version, action, direction, generator(7), share=share)
            decoded = decoder(version, action, direction).decode(msgspec.json.encode(message))
            assert msgspec.json.decode(msgspec.json.encode(decoded)) == message, action


def test_no_field_is_named_like_a_keyword_so_that_attributes_have_the_names_of_the_wire() -> None:
    for message in ALL_MESSAGES:
        for name in struct_of(shape_of(*message)).__struct_fields__:
            assert name.isidentifier()
            assert not keyword.iskeyword(name)


@given(messages, seeds, st.sampled_from([0.0, 0.2, 0.6, 1.0]))
def test_valid_messages_come_back_as_they_were(
    message: tuple[Version, str, Direction], seed: int, share: float
) -> None:
    payload = example(*message, generator(seed), share=share)
    assert validator(*message).is_valid(payload)
    decoded = decoder(*message).decode(msgspec.json.encode(payload))
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == payload


@given(messages, seeds, st.sampled_from([0.0, 0.3, 1.0]))
def test_the_types_agree_with_the_schemas_on_broken_messages(
    message: tuple[Version, str, Direction], seed: int, share: float
) -> None:
    rng = generator(seed)
    payload = mutated(example(*message, rng, share=share), rng)
    assert accepts(*message, payload) == validator(*message).is_valid(payload)


@pytest.mark.parametrize(("value", "accepted"), [(0.0, True), (-0.5, True), (0.5, False)])
def test_bounds_are_inclusive(value: float, accepted: bool) -> None:
    payload = {"chargingProfileId": 1, "scheduleUpdate": {"dischargeLimit": value}}
    assert accepts(Version.V21, "UpdateDynamicSchedule", "request", payload) is accepted


@pytest.mark.parametrize("value", [INTEGER_MAX + 1, INTEGER_MIN - 1, 10**30, -(10**30)])
def test_integers_beyond_64_bits_are_refused(value: int) -> None:
    text = f'{{"connectorId": {value}}}'.encode()
    with pytest.raises(msgspec.ValidationError):
        decoder(Version.V16, "UnlockConnector", "request").decode(text)
