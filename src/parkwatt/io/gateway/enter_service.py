"""When a resource enters service after an outage by its own settings: SunSpec's model 703, as IEEE 1547-2018 names it.

It is read and never written: these numbers are the installer's and the grid operator's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parkwatt.io.gateway.modbus_settings import PointPlace
from parkwatt.io.gateway.registers import Registers

_MODEL: Final = 703


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
    if all(model.number != _MODEL for model in await registers.models()):
        return None
    names = ("ES", "ESVLo", "ESVHi", "ESHzLo", "ESHzHi", "ESDlyTms", "ESRmpTms")
    places = [PointPlace(_MODEL, name) for name in names]
    values = await registers.read(places)
    enabled, low_percent, high_percent, low_hz, high_hz, delay_s, ramp_s = (
        values[place] for place in places
    )
    return EnterService(
        enabled=None if enabled is None else enabled == 1.0,
        voltage_pu_min=None if low_percent is None else low_percent / 100.0,
        voltage_pu_max=None if high_percent is None else high_percent / 100.0,
        frequency_hz_min=low_hz,
        frequency_hz_max=high_hz,
        delay_s=delay_s,
        ramp_s=ramp_s,
    )
