"""Registers to numbers. What a device does not have or does not know is None, never 0.

Not implemented, by type (SunSpec Device Information Model Specification, "Point types"): the lowest value of a signed
integer, the highest of an unsigned one, NaN, and 0 for an accumulator. Others use the same.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, Literal

from parkwatt.io.modbus.settings import RegisterType

PointType = Literal[RegisterType, "uint64", "acc32"]

_FORMATS: Final[dict[PointType, str]] = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "uint64": ">Q",
    "acc32": ">I",
    "float32": ">f",
}
SIZES: Final = {kind: struct.calcsize(form) // 2 for kind, form in _FORMATS.items()}
_MISSING: Final[dict[PointType, int]] = {
    "int16": -(2**15),
    "uint16": 2**16 - 1,
    "int32": -(2**31),
    "uint32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "acc32": 0,
}
# The specification allows scale factors from -10 to 10.
_EXPONENT_MAX: Final = 10


def decode(
    registers: Sequence[int], at: int, kind: PointType, *, swap: bool = False
) -> float | None:
    """The number that begins at index ``at``. ``swap``: the low word comes first. None where the device has no value.

    Raises IndexError where the registers end before.
    """
    words = list(registers[at : at + SIZES[kind]])
    if at < 0 or len(words) < SIZES[kind]:
        raise IndexError(f"{kind} at {at} of {len(registers)} registers")
    if swap:
        words.reverse()
    value: float = struct.unpack(_FORMATS[kind], struct.pack(f">{len(words)}H", *words))[0]
    if value == _MISSING.get(kind) or not math.isfinite(value):
        return None
    return float(value)


def scale(registers: Sequence[int], at: int) -> float | None:
    """The power of ten that the scale factor at index ``at`` stands for; None where there is none, or no sensible one."""
    exponent = decode(registers, at, "int16")
    if exponent is None or abs(exponent) > _EXPONENT_MAX:
        return None
    return float(10.0**exponent)
