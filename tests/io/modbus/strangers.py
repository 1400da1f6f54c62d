"""Devices that are not ours: pymodbus's server with registers encoded by `struct`, and one that says what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from typing import cast

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

# What the SunSpec models call a value, and where it stands from the model's header on (sunspec/models, json).
FLOAT_METER = {
    "AphA": 4,
    "AphB": 6,
    "AphC": 8,
    "PhVphA": 12,
    "PhVphB": 14,
    "PhVphC": 16,
    "W": 28,
    "WphA": 30,
    "WphB": 32,
    "WphC": 34,
    "TotWhExp": 60,
    "TotWhImp": 68,
}
NAN = 0x7FC00000


def float_meter(model: int, values: Mapping[str, float]) -> list[int]:
    """A model 211 to 214 with its header; what is not given is not implemented."""
    block = bytearray(struct.pack(">HH", model, 124) + struct.pack(">I", NAN) * 61 + bytes(4))
    for name, value in values.items():
        struct.pack_into(">f", block, 2 * FLOAT_METER[name], value)
    return list(struct.unpack(f">{len(block) // 2}H", block))


def common(maker: str, device: str = "Meter") -> list[int]:
    """A common model 1 of the older length, without a pad."""
    text = struct.pack(">32s32s16s16s32s", maker.encode(), device.encode(), b"", b"1.0", b"77")
    return [1, 65, *struct.unpack(f">{len(text) // 2}H", text), 1]


def device_of(*models: list[int]) -> list[int]:
    """The whole map: marker, models, end."""
    return [0x5375, 0x6E53, *(word for model in models for word in model), 0xFFFF, 0]


@contextlib.asynccontextmanager
async def pymodbus_server(registers: Mapping[int, list[int]], unit: int = 1) -> AsyncIterator[int]:
    """pymodbus's own server with runs of registers by their address; yields the port."""
    data = [
        SimData(address, values=values, datatype=DataType.REGISTERS)
        for address, values in registers.items()
    ]
    server = ModbusTcpServer(SimDevice(id=unit, simdata=data), address=("127.0.0.1", 0))
    await server.listen()
    try:
        listening = cast("asyncio.Server", server.transport)
        yield listening.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@contextlib.asynccontextmanager
async def answering(answer: Callable[[bytes], bytes | None], port: int = 0) -> AsyncIterator[int]:
    """A server that answers each request's bytes with those of ``answer``; None closes. Yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while request := await reader.read(260):
                told = answer(request)
                if told is None:
                    break
                writer.write(told)
                await writer.drain()
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks)
