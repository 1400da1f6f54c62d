"""Numbers as 16-bit registers hold them."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = 0xFFFF
UNKNOWN_SIGNED: Final = 0x8000


def split(value: int) -> list[int]:
    """A number of 32 bits as two registers, the high one first."""
    return [value >> 16 & 0xFFFF, value & 0xFFFF]


def unsigned(value: float) -> int:
    """The nearest number that fits and is not the unknown one."""
    return max(0, min(UNKNOWN - 1, round(value)))


def signed(value: float) -> int:
    """Likewise with a sign, as two's complement."""
    return max(-0x7FFF, min(0x7FFF, round(value))) & 0xFFFF
