"""What stands in a Modbus device's registers, coils and SunSpec models at one moment, and writing to them.

Everything that is asked for is read in as few requests as its gaps allow. All devices behind one address share one connection,
since many allow one only; what is written waits for the request that runs and for no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import get_args

from parkwatt.io.gateway.modbus_settings import (
    Address,
    ModbusDevice,
    PointPlace,
    RegisterPlace,
    Write,
)
from parkwatt.io.gateway.sunspec import POINTS
from parkwatt.io.modbus.link import BitFunction, ModbusError, ModbusLink
from parkwatt.io.modbus.plain import runs
from parkwatt.io.modbus.registers import SIZES, decode
from parkwatt.io.modbus.settings import Function
from parkwatt.io.modbus.survey import Model, survey

Values = Mapping[Address, float | None]


class SharedLinks:
    """The connections, one for each address."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, int], tuple[ModbusLink, asyncio.Lock]] = {}

    def registers(self, device: ModbusDevice) -> Registers:
        """The device's registers, on the connection of its address."""
        known = self._links.get(device.address)
        if known is None:
            known = self._links[device.address] = (ModbusLink(*device.address), asyncio.Lock())
        return Registers(device, *known)


class Registers:
    """One device's registers. Others may share ``link``, each request in its turn by ``lock``."""

    def __init__(self, device: ModbusDevice, link: ModbusLink, lock: asyncio.Lock) -> None:
        self._device, self._link, self._lock = device, link, lock
        self._models: tuple[Model, ...] | None = None

    async def read(self, places: Iterable[Address]) -> Values:
        """The value of each place, None where the device does not tell it. Raises ModbusError where any cannot be read."""
        wanted = set(places)
        plain = [place for place in wanted if isinstance(place, RegisterPlace)]
        points = [place for place in wanted if isinstance(place, PointPlace)]
        values: dict[Address, float | None] = {}
        for function in get_args(Function):
            values.update(await self._read_words(function, plain))
        for bit_function in get_args(BitFunction):
            values.update(await self._read_bits(bit_function, plain))
        if points:
            values.update(await self._read_models(points))
        return values

    async def write(self, write: Write, lease_s: int) -> None:
        """Write a value, or the lease. Raises ModbusError."""
        value = lease_s if write.value is None else write.value
        unit, timeout_s = self._device.unit, self._device.timeout_s
        async with self._lock:
            if write.function == "coil":
                await self._link.write_coil(unit, write.register, value != 0, timeout_s=timeout_s)
            else:
                await self._link.write_register(unit, write.register, value, timeout_s=timeout_s)

    async def models(self) -> tuple[Model, ...]:
        """All SunSpec models of the device. Raises ModbusError."""
        if self._models is None:
            self._models = await survey(self._words)
        return self._models

    def close(self) -> None:
        """Close the connection; whoever shares it opens a new one."""
        self._link.close()

    async def _words(self, address: int, count: int) -> tuple[int, ...]:
        return await self._holding_or_input("holding", address, count)

    async def _holding_or_input(
        self, function: Function, address: int, count: int
    ) -> tuple[int, ...]:
        device = self._device
        async with self._lock:
            return await self._link.read(
                device.unit, function, address, count, timeout_s=device.timeout_s
            )

    async def _read_words(
        self, function: Function, places: Iterable[RegisterPlace]
    ) -> dict[Address, float | None]:
        wanted = [place for place in places if place.function == function]
        words: dict[int, int] = {}
        for address, count in runs((place.register, SIZES[place.type]) for place in wanted):
            read = await self._holding_or_input(function, address, count)
            words.update(enumerate(read, start=address))
        return {place: _value(place, words) for place in wanted}

    async def _read_bits(
        self, function: BitFunction, places: Iterable[RegisterPlace]
    ) -> dict[Address, float | None]:
        wanted = [place for place in places if place.function == function]
        bits: dict[int, bool] = {}
        contacts = {place.register for place in wanted}
        contacts |= {place.opposite for place in wanted if place.opposite is not None}
        for address, count in runs((contact, 1) for contact in contacts):
            async with self._lock:
                read = await self._link.read_bits(
                    self._device.unit,
                    function,
                    address,
                    count,
                    timeout_s=self._device.timeout_s,
                )
            bits.update(enumerate(read, start=address))
        return {place: _bit(place, bits) for place in wanted}

    async def _read_models(self, places: Iterable[PointPlace]) -> dict[Address, float | None]:
        by_model: dict[int, list[PointPlace]] = {}
        for place in places:
            by_model.setdefault(place.model, []).append(place)
        values: dict[Address, float | None] = {}
        for number, wanted in by_model.items():
            registers = await self._read_model(number, wanted)
            for place in wanted:
                values[place] = POINTS[place.model, place.point].read(registers)
        return values

    async def _read_model(self, number: int, places: Iterable[PointPlace]) -> tuple[int, ...]:
        """A model's registers from its header on, as far as they are needed and there."""
        models = await self.models()
        model = next((one for one in models if one.number == number), None)
        if model is None:
            found = ", ".join(str(one.number) for one in models) or "none"
            raise ModbusError(f"the device has no SunSpec model {number} (it has {found})")
        size = max(POINTS[place.model, place.point].size for place in places)
        registers = await self._words(model.address, min(size, 2 + model.length))
        if registers[:2] != (model.number, model.length):
            self._models = None
            raise ModbusError("the device has changed its SunSpec models: they are looked for anew")
        return registers


def _bit(place: RegisterPlace, bits: Mapping[int, bool]) -> float | None:
    closed = bits[place.register]
    if place.opposite is not None and bits[place.opposite] == closed:
        return None
    return float(closed)


def _value(place: RegisterPlace, words: Mapping[int, int]) -> float | None:
    size = SIZES[place.type]
    if place.bit is not None:
        return float(words[place.register] >> place.bit & 1)
    registers = [words[place.register + index] for index in range(size)]
    return decode(registers, 0, place.type, swap=place.swap)
