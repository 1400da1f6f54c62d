"""What a SunSpec device says of itself: when it enters service after an outage (model 703), and what it can give (702).

Both are read and never written: these numbers are the installer's and the grid operator's. Names as in IEEE 1547-2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parkwatt.io.gateway.modbus_settings import PointPlace
from parkwatt.io.gateway.registers import Registers

_RATING: Final = 702
_ENTER_SERVICE: Final = 703


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterService:
    """The device's own bounds; None where it does not tell one. ``enabled``: whether it may enter service at all."""

    enabled: bool | None
    voltage_pu_min: float | None
    voltage_pu_max: float | None
    frequency_hz_min: float | None
    frequency_hz_max: float | None
    delay_s: float | None
    ramp_s: float | None


async def read_enter_service(registers: Registers) -> EnterService | None:
    """What the device's model 703 says; None where it has none.

    Raises ModbusError where it cannot be read, or speaks no SunSpec.
    """
    names = ("ES", "ESVLo", "ESVHi", "ESHzLo", "ESHzHi", "ESDlyTms", "ESRmpTms")
    values = await _read(registers, _ENTER_SERVICE, names)
    if values is None:
        return None
    enabled, low_percent, high_percent, low_hz, high_hz, delay_s, ramp_s = values
    return EnterService(
        enabled=None if enabled is None else enabled == 1.0,
        voltage_pu_min=None if low_percent is None else low_percent / 100.0,
        voltage_pu_max=None if high_percent is None else high_percent / 100.0,
        frequency_hz_min=low_hz,
        frequency_hz_max=high_hz,
        delay_s=delay_s,
        ramp_s=ramp_s,
    )


async def read_discharge_kw(registers: Registers) -> float | None:
    """The most that the device gives by its rating (702's WDisChaRteMaxRtg, else WMaxRtg); None where it does not tell.

    Raises ModbusError as `read_enter_service` does.
    """
    values = await _read(registers, _RATING, ("WDisChaRteMaxRtg", "WMaxRtg"))
    known_w = [value for value in values or () if value]
    return known_w[0] / 1000.0 if known_w else None


async def _read(
    registers: Registers, model: int, names: Sequence[str]
) -> list[float | None] | None:
    """The values of a model in their order; None where the device does not have it."""
    if all(one.number != model for one in await registers.models()):
        return None
    places = [PointPlace(model, name) for name in names]
    values = await registers.read(places)
    return [values[place] for place in places]
