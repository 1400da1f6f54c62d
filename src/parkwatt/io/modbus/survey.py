"""Finding out what a SunSpec device is: where its models begin, which it has, who made it.

The marker "SunS" stands at 40000, 50000 or 0; behind it each model begins with its number and length, until number 65535
(SunSpec Device Information Model Specification, "Discovery"). A device may hold several devices one after the other, each
begun by a common model 1, as an inverter does with the meters that are connected to it.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from parkwatt.io.meter_reading import Role
from parkwatt.io.modbus.link import ModbusError, RefusedError
from parkwatt.io.modbus.models import COMMON_MODEL, FAMILIES, LAYOUTS, Layout

# Reads registers: address and count to their values. Raises ModbusError.
Read = Callable[[int, int], Awaitable[tuple[int, ...]]]

BASES: Final = (40_000, 50_000, 0)
_MARKER: Final = (0x5375, 0x6E53)
_END: Final = 0xFFFF
_MODELS_MAX: Final = 100
_MAKER_AT: Final = 2
_MAKER_COUNT: Final = 32


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a device. ``address``: of its header. ``maker``: who made the device it belongs to, and its name."""

    number: int
    address: int
    length: int
    maker: str

    @property
    def layout(self) -> Layout | None:
        """Where it has its values; None where it is no model that measures power."""
        layout = LAYOUTS.get(self.number)
        return layout if layout is not None and self.length + 2 >= layout.count else None


async def survey(read: Read) -> tuple[Model, ...]:
    """All models of a device.

    Raises ModbusError where the device cannot be read, or does not speak SunSpec.
    """
    for base in BASES:
        try:
            marker = await read(base, 2)
        except RefusedError as error:
            if not error.not_there:
                raise
            continue
        if marker == _MARKER:
            return await _walk(read, base + 2)
    raise ModbusError(
        "the device does not speak SunSpec: switch it on there, or name its registers in the settings"
    )


async def _walk(read: Read, address: int) -> tuple[Model, ...]:
    models: list[Model] = []
    maker = ""
    for _ in range(_MODELS_MAX):
        try:
            number, length = await read(address, 2)
        except RefusedError as error:
            if error.not_there:
                break  # a list without an end
            raise
        if number == _END:
            break
        if number == COMMON_MODEL:
            maker = _text(await read(address + _MAKER_AT, _MAKER_COUNT))
        models.append(Model(number, address, length, maker))
        address += 2 + length
        if address > _END:
            break
    return tuple(models)


def _text(registers: tuple[int, ...]) -> str:
    """Two texts of 16 registers each, padded with zeros: the maker and the device."""
    data = struct.pack(f">{len(registers)}H", *registers)
    parts = (data[:32], data[32:])
    texts = [part.partition(b"\0")[0].decode("ascii", "replace").strip() for part in parts]
    return " ".join(text for text in texts if text)


def choose(models: tuple[Model, ...], role: Role, number: int) -> Model:
    """The model that tells a role's power: the ``number``-th, from 1, of the first kind that the device has.

    Raises ModbusError where it has none.
    """
    for family in FAMILIES[role]:
        fitting = [
            model for model in models if model.layout is not None and model.layout.family == family
        ]
        if len(fitting) >= number:
            return fitting[number - 1]
    found = ", ".join(str(model.number) for model in models) or "none"
    nth = "" if number == 1 else f" number {number}"
    raise ModbusError(
        f"the device has nothing{nth} that measures {_MEASURES[role]} (SunSpec models: {found})"
    )


_MEASURES: Final[dict[Role, str]] = {
    "grid": "the grid connection",
    "load": "the household",
    "solar": "the sun",
    "battery": "a battery",
}
