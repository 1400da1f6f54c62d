"""pymodbus's own server with coils, inputs and registers that a test can set and read; SunSpec models encoded by `struct`."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import AsyncIterator, Mapping
from typing import cast

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

_COIL, _DISCRETE, _HOLDING = 1, 2, 3
_UNIT = 1


class Device:
    """A device with 16 coils and contacts each, all off, and holding registers by their address. ``port``: 0 for a free one."""

    def __init__(self, registers: Mapping[int, list[int]], port: int = 0) -> None:
        holding = [
            SimData(address, values=list(values), datatype=DataType.REGISTERS)
            for address, values in sorted(registers.items())
        ]
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        blocks = (bits, list(bits), holding, list(holding))
        self._server = ModbusTcpServer(
            SimDevice(id=_UNIT, simdata=blocks), address=("127.0.0.1", port)
        )
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        await self._server.listen()
        transport = self._server.transport
        assert transport is not None
        self.port = transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # asyncio's own server

    async def stop(self) -> None:
        """End."""
        await self._server.shutdown()  # type: ignore[no-untyped-call]

    async def contact(self, address: int, closed: bool) -> None:
        """Set a discrete input."""
        await self._server.context.async_setValues(_UNIT, _DISCRETE, address, [closed])

    async def set(self, address: int, *values: int) -> None:
        """Set holding registers."""
        await self._server.context.async_setValues(_UNIT, _HOLDING, address, list(values))

    async def coil(self, address: int) -> bool:
        """What was written to a coil."""
        values = await self._server.context.async_getValues(_UNIT, _COIL, address, 1)
        return cast("list[bool]", values)[0]

    async def register(self, address: int) -> int:
        """What stands in a register."""
        values = await self._server.context.async_getValues(_UNIT, _HOLDING, address, 1)
        return cast("list[int]", values)[0]


@contextlib.asynccontextmanager
async def device(registers: Mapping[int, list[int]], port: int = 0) -> AsyncIterator[Device]:
    """A device that runs."""
    one = Device(registers, port)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


def model_701(*, hz: float, volts: tuple[int, int, int], forming: bool) -> list[int]:
    """Connected and running; voltages with a scale of 0.1 V, the frequency with one of 0.01 Hz."""
    block = bytearray(struct.pack(">HH", 701, 153) + b"\xff" * 2 * 153)
    struct.pack_into(">HHH", block, 2 * 3, 1, 3, 1)
    struct.pack_into(">I", block, 2 * 8, 2 if forming else 1)
    struct.pack_into(">I", block, 2 * 17, round(hz * 100))
    for at, voltage_v in zip((47, 70, 93), volts, strict=True):
        struct.pack_into(">H", block, 2 * at, voltage_v * 10)
    struct.pack_into(">hhhh", block, 2 * 113, -1, -1, -2, 0)
    return list(struct.unpack(f">{len(block) // 2}H", block))


def model_702(discharge_w: int) -> list[int]:
    """A storage's rating in 10 W; of the rest nothing is told."""
    registers = [702, 50, *[0xFFFF] * 50]
    registers[11], registers[45] = discharge_w // 10, 1
    return registers


def model_703(
    *,
    high_percent: float,
    low_percent: float,
    high_hz: float,
    low_hz: float,
    delay_s: int,
    ramp_s: int,
) -> list[int]:
    """Enter service enabled; voltages with a scale of 0.1 %, frequencies with one of 0.01 Hz."""
    block = struct.pack(
        ">HHHHHIIIIIIhh",
        703,
        17,
        1,
        round(high_percent * 10),
        round(low_percent * 10),
        round(high_hz * 100),
        round(low_hz * 100),
        delay_s,
        0xFFFFFFFF,
        ramp_s,
        0,
        -1,
        -2,
    )
    return list(struct.unpack(f">{len(block) // 2}H", block))


def model_713(soc_percent: float) -> list[int]:
    """A storage of 10 kWh."""
    block = struct.pack(">HHHHHHHhh", 713, 7, 1000, 500, round(soc_percent * 10), 1000, 0, 1, -1)
    return list(struct.unpack(f">{len(block) // 2}H", block))
