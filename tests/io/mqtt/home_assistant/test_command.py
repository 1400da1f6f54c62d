"""What an entity may be told."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.mqtt.home_assistant.command import CommandError, command_value
from parkwatt.io.mqtt.home_assistant.entity import (
    Accepts,
    Between,
    Matching,
    OneOf,
    OnOff,
    Press,
)

CLOCK = Matching(r"-|([01]\d|2[0-3]):[0-5]\d", "07:30")
ALL: tuple[Accepts, ...] = (Between(0.0, 100.0), OneOf(("a", "b")), OnOff(), Press(), CLOCK)


@pytest.mark.parametrize(
    ("accepts", "payload", "value"),
    [
        (Between(0.0, 100.0), b"90", 90.0),
        (Between(0.0, 100.0), b" 35.5 ", 35.5),
        (OneOf(("a", "b")), b"b", "b"),
        (OnOff(), b"ON", True),
        (OnOff(), b"OFF", False),
        (Press(), b"PRESS", True),
        (CLOCK, b"07:30", "07:30"),
        (CLOCK, b"-", "-"),
    ],
)
def test_what_fits_is_taken(accepts: Accepts, payload: bytes, value: object) -> None:
    assert command_value(accepts, payload) == value


@given(st.sampled_from(ALL), st.binary(max_size=80))
def test_anything_else_is_refused_in_words(accepts: Accepts, payload: bytes) -> None:
    value: object = None
    with contextlib.suppress(CommandError):
        value = command_value(accepts, payload)
    if isinstance(accepts, Between):
        assert value is None or (isinstance(value, float) and 0.0 <= value <= 100.0)
    elif isinstance(accepts, OneOf):
        assert value is None or value in accepts.words
    else:
        assert value is None or isinstance(value, bool) or accepts == CLOCK


@pytest.mark.parametrize("payload", [b"inf", b"nan", b"", b"None", b"-1", b"1e9", b"\xff"])
def test_a_number_that_is_none_or_beyond_is_refused(payload: bytes) -> None:
    with pytest.raises(CommandError):
        command_value(Between(0.0, 100.0), payload)
