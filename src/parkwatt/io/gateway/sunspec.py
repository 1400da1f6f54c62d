"""The values of SunSpec's models for distributed energy resources that a backup reads, and where each stands.

Offsets are counted from the model's header (SunSpec information models 701, 702, 703 and 713, as of 2026): 701 measures
alternating current at the resource's terminals and says whether it is connected and whether it forms the grid, 702 tells its
ratings, 703 when it enters service after an outage, 713 a storage's state of charge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from parkwatt.io.modbus.registers import SIZES, PointType, decode, scale


class SunSpecPoint(NamedTuple):
    """A value of a model. ``scale_at``: of its scale factor, None where it has none. ``bit``: only that of a bit field."""

    at: int
    kind: PointType
    scale_at: int | None = None
    bit: int | None = None

    @property
    def size(self) -> int:
        """How many registers to read from the model's header on."""
        return max(self.at + SIZES[self.kind], 0 if self.scale_at is None else self.scale_at + 1)

    def read(self, registers: Sequence[int]) -> float | None:
        """The value in a model's registers from its header on; None where the device does not tell it, or not its scale."""
        if len(registers) < self.size:
            return None
        value = decode(registers, self.at, self.kind)
        if value is None:
            return None
        if self.bit is not None:
            return float(int(value) >> self.bit & 1)
        by = 1.0 if self.scale_at is None else scale(registers, self.scale_at)
        return None if by is None else value * by


# By model and the point's name in it. `Forming` is the bit GRID_FORMING of 701.DERMode.
POINTS: Final[Mapping[tuple[int, str], SunSpecPoint]] = {
    (701, "ConnSt"): SunSpecPoint(5, "uint16"),
    (701, "Forming"): SunSpecPoint(8, "uint32", bit=1),
    (701, "LNV"): SunSpecPoint(16, "uint16", 114),
    (701, "Hz"): SunSpecPoint(17, "uint32", 115),
    (701, "VL1"): SunSpecPoint(47, "uint16", 114),
    (701, "VL2"): SunSpecPoint(70, "uint16", 114),
    (701, "VL3"): SunSpecPoint(93, "uint16", 114),
    (702, "WMaxRtg"): SunSpecPoint(2, "uint16", 45),
    (702, "WDisChaRteMaxRtg"): SunSpecPoint(11, "uint16", 45),
    (703, "ES"): SunSpecPoint(2, "uint16"),
    (703, "ESVHi"): SunSpecPoint(3, "uint16", 17),
    (703, "ESVLo"): SunSpecPoint(4, "uint16", 17),
    (703, "ESHzHi"): SunSpecPoint(5, "uint32", 18),
    (703, "ESHzLo"): SunSpecPoint(7, "uint32", 18),
    (703, "ESDlyTms"): SunSpecPoint(9, "uint32"),
    (703, "ESRmpTms"): SunSpecPoint(13, "uint32"),
    (713, "SoC"): SunSpecPoint(4, "uint16", 8),
}
# What a flag's values are where the settings do not say: closed or connected, then open.
WORDS: Final[Mapping[tuple[int, str], tuple[int, int]]] = {
    (701, "ConnSt"): (1, 0),
    (701, "Forming"): (1, 0),
}
