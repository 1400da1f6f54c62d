"""Decoding against `struct`: whatever an encoder of another hand writes is read back."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.modbus.registers import SIZES, PointType, decode, scale

FORMATS: dict[PointType, str] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "uint64": ">Q",
    "acc32": ">I",
}
MISSING: dict[PointType, list[int]] = {
    "int16": [0x8000],
    "uint16": [0xFFFF],
    "int32": [0x8000, 0],
    "uint32": [0xFFFF, 0xFFFF],
    "uint64": [0xFFFF] * 4,
    "acc32": [0, 0],
    "float32": [0x7FC0, 0],
}


def words(data: bytes) -> list[int]:
    """Registers of bytes in network order."""
    return list(struct.unpack(f">{len(data) // 2}H", data))


@st.composite
def integers(draw: st.DrawFn) -> tuple[PointType, int, list[int]]:
    """A type, a value that it can hold and that means something, and its registers."""
    kind = draw(st.sampled_from(sorted(FORMATS)))
    bits = 8 * struct.calcsize(FORMATS[kind])
    if kind in ("int16", "int32"):
        value = draw(st.integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1))
    else:
        value = draw(st.integers(1 if kind == "acc32" else 0, 2**bits - 2))
    return kind, value, words(struct.pack(FORMATS[kind], value))


@given(integers(), st.lists(st.integers(0, 0xFFFF), max_size=5))
def test_integers_are_read_back_wherever_they_stand(
    encoded: tuple[PointType, int, list[int]], before: list[int]
) -> None:
    kind, value, registers = encoded
    assert decode([*before, *registers, 7], len(before), kind) == float(value)
    assert decode([*before, *reversed(registers)], len(before), kind, swap=True) == float(value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_are_read_back(value: float) -> None:
    registers = words(struct.pack(">f", value))
    assert decode(registers, 0, "float32") == value
    assert decode(registers[::-1], 0, "float32", swap=True) == value


@given(st.integers(0, 2**32 - 1))
def test_any_nan_and_infinity_is_unknown(pattern: int) -> None:
    value = struct.unpack(">f", struct.pack(">I", pattern))[0]
    read = decode(words(struct.pack(">I", pattern)), 0, "float32")
    assert (read is None) == (not math.isfinite(value))


@pytest.mark.parametrize("kind", sorted(MISSING))
def test_what_is_not_implemented_is_unknown(kind: PointType) -> None:
    assert decode(MISSING[kind], 0, kind) is None


def test_a_nan_that_fronius_sends_is_unknown() -> None:
    assert decode([0x7FBF, 0xFF80], 0, "float32") is None


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_registers_that_end_too_early_are_an_error(kind: PointType) -> None:
    with pytest.raises(IndexError, match=kind):
        decode([0] * (SIZES[kind] - 1), 0, kind)
    with pytest.raises(IndexError, match=kind):
        decode([0] * SIZES[kind], 1, kind)


@given(st.integers(-32_767, 32_767))
def test_a_scale_is_a_power_of_ten_within_the_specification(exponent: int) -> None:
    found = scale(words(struct.pack(">h", exponent)), 0)
    if abs(exponent) <= 10:
        assert found == pytest.approx(10.0**exponent)
    else:
        assert found is None


def test_a_missing_scale_is_unknown() -> None:
    assert scale([0x8000], 0) is None
