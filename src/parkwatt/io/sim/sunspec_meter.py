"""A SunSpec device on Modbus TCP for the virtual home and for tests: a three-phase meter, and an inverter beside it.

It runs on the caller's event loop and asks the caller what it shows at the moment that it is read. It is written from the
specification by hand and shares nothing with Parkwatt's own reader: Modbus Application Protocol V1.1b3, Modbus Messaging on
TCP/IP V1.0b, SunSpec Device Information Model Specification, models 1, 103 and 203.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

_HEADER: Final = struct.Struct(">HHHB")
_READ: Final = struct.Struct(">BHH")
_FUNCTIONS: Final = (3, 4)
_COUNT_MAX: Final = 125
_ILLEGAL_FUNCTION: Final = 1
_ILLEGAL_ADDRESS: Final = 2
_ILLEGAL_VALUE: Final = 3

_INT16_MISSING: Final = 0x8000
_UINT16_MISSING: Final = 0xFFFF
_INT16_MAX: Final = 0x7FFF
_UINT16_MAX: Final = 0xFFFE

METER_MODEL: Final = 203
INVERTER_MODEL: Final = 103
_METER_LENGTH: Final = 105
_INVERTER_LENGTH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterShown:
    """What the meter shows: import positive. Without phases of its own, the power is spread evenly.

    ``phase_power_kw``, ``voltage_v``: [3].
    """

    power_kw: float
    phase_power_kw: Sequence[float] | None = None
    voltage_v: Sequence[float] = (230.0, 230.0, 230.0)
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    frequency_hz: float = 50.0


@dataclass(slots=True)
class MeterFaults:
    """What the device does wrong from now on; set and unset at any time.

    ``hang``: takes requests and answers none. ``drop``: closes the connection at each request. ``garbage``: answers with
    bytes that mean nothing. ``not_implemented``: shows no value anywhere. ``delay_s``: answers that late.
    ``wrong_transaction``: answers with another request's number. ``busy``: answers with the exception of a busy device.
    ``one_connection``: refuses a second connection at a time.
    """

    hang: bool = False
    drop: bool = False
    garbage: bool = False
    not_implemented: bool = False
    wrong_transaction: bool = False
    busy: bool = False
    one_connection: bool = False
    delay_s: float = 0.0


@dataclass(slots=True)
class SunSpecServer:
    """The device. ``meter``, ``inverter_kw``: what they show now; the inverter shows what it produces, in kW.

    ``base``: where its registers begin: 40000, 50000 or 0. ``export_positive``: the meter counts power as SolarEdge's do.
    ``scale_exponent``: of ten, by which powers are scaled; it may change between two reads, as it does in real devices.
    """

    meter: Callable[[], MeterShown] | None = None
    inverter_kw: Callable[[], float] | None = None
    unit: int = 1
    base: int = 40_000
    manufacturer: str = "Parkwatt"
    export_positive: bool = False
    scale_exponent: int = 0
    faults: MeterFaults = field(default_factory=MeterFaults)
    requests: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _shown: tuple[tuple[float, int, bool], list[int]] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> int:
        """Stop to listen, and close what is open. Returns the port, 0 where nothing listened."""
        server, self._server = self._server, None
        if server is None:
            return 0
        port: int = server.sockets[0].getsockname()[1]
        server.close()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        await server.wait_closed()
        return port

    def cut(self) -> None:
        """Close the connections that are open, as a device does with idle ones."""
        for task in self._open:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.one_connection and self._open:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 it runs in one
        self.connections += 1
        self._open.add(task)
        try:
            # Cancelled by `stop` or `cut`: the connection ends, and so does the task.
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
            ):
                while await self._answer(reader, writer):
                    await writer.drain()
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False closes the connection."""
        transaction, protocol, length, unit = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if protocol != 0 or length < 2:
            return False
        request = await reader.readexactly(length - 1)
        self.requests += 1
        faults = self.faults
        if faults.delay_s > 0:
            await asyncio.sleep(faults.delay_s)
        if faults.drop:
            return False
        if faults.hang:
            return True
        if faults.garbage:
            writer.write(bytes((index * 73 + 41) % 256 for index in range(64)))
            return True
        response = self._respond(unit, request)
        if faults.wrong_transaction:
            transaction = (transaction + 1) % 65_536
        writer.write(_HEADER.pack(transaction, 0, len(response) + 1, unit) + response)
        return True

    def _respond(self, unit: int, request: bytes) -> bytes:
        function = request[0]
        if self.faults.busy:
            return bytes((function | 0x80, 6))
        if unit != self.unit:
            return bytes((function | 0x80, 11))  # a gateway: the device behind it does not answer
        if function not in _FUNCTIONS or len(request) != _READ.size:
            return bytes((function | 0x80, _ILLEGAL_FUNCTION))
        _, address, count = _READ.unpack(request)
        if not 1 <= count <= _COUNT_MAX:
            return bytes((function | 0x80, _ILLEGAL_VALUE))
        registers = self._registers_now()
        begin = address - self.base
        if begin < 0 or begin + count > len(registers):
            return bytes((function | 0x80, _ILLEGAL_ADDRESS))
        words = registers[begin : begin + count]
        return bytes((function, 2 * count)) + struct.pack(f">{count}H", *words)

    def _registers_now(self) -> list[int]:
        """The same for all requests of one moment; on simulated time there are several."""
        moment = (
            asyncio.get_running_loop().time(),
            self.scale_exponent,
            self.faults.not_implemented,
        )
        if self._shown is None or self._shown[0] != moment:
            self._shown = (moment, self.registers())
        return self._shown[1]

    def registers(self) -> list[int]:
        """All registers from ``base`` on, as they are now."""
        words = [0x5375, 0x6E53, *_common(self.manufacturer, self.unit)]
        missing = self.faults.not_implemented
        if self.inverter_kw is not None:
            words += _inverter(self.inverter_kw(), self.scale_exponent, missing)
        if self.meter is not None:
            sign = -1.0 if self.export_positive else 1.0
            words += _meter(self.meter(), sign, self.scale_exponent, missing)
        return [*words, 0xFFFF, 0]


@cache
def _common(manufacturer: str, unit: int) -> tuple[int, ...]:
    """Model 1: who made the device."""
    texts = ((manufacturer, 16), ("Virtual", 16), ("", 8), ("1", 8), ("1", 16))
    words = [word for text, length in texts for word in _text(text, length)]
    return (1, 66, *words, unit, 0x8000)


def _text(text: str, length: int) -> list[int]:
    data = text.encode("ascii", "replace")[: 2 * length].ljust(2 * length, b"\0")
    return list(struct.unpack(f">{length}H", data))


def _int16(value: float, exponent: int) -> int:
    """A value scaled by a power of ten, as the register holds it; too large a one shows the most that fits."""
    count = round(value / 10.0**exponent)
    return max(-_INT16_MAX, min(_INT16_MAX, count)) & 0xFFFF


def _uint16(value: float, exponent: int) -> int:
    return max(0, min(_UINT16_MAX, round(value / 10.0**exponent)))


def _acc32(wh: float) -> list[int]:
    count = round(wh) % 2**32
    return [count >> 16, count & 0xFFFF]


def _fitting(watts: Sequence[float], exponent: int) -> int:
    """The exponent, or the least above it by which all powers fit."""
    while any(abs(value) / 10.0**exponent > _INT16_MAX for value in watts):
        exponent += 1
    return exponent


def _meter(shown: MeterShown, sign: float, exponent: int, missing: bool) -> list[int]:
    """Model 203, a three-phase meter. The currents are magnitudes, as in most devices."""
    phases = shown.phase_power_kw or [shown.power_kw / 3.0] * 3
    watts = [sign * 1000.0 * kw for kw in (shown.power_kw, *phases)]
    exponent = _fitting(watts, exponent)
    amperes = [abs(1000.0 * kw) / v for kw, v in zip(phases, shown.voltage_v, strict=True)]
    mean_v = sum(shown.voltage_v) / 3.0
    block = [_INT16_MISSING] * _METER_LENGTH
    block[0:5] = [_int16(value, -2) for value in (sum(amperes), *amperes)] + [-2 & 0xFFFF]
    block[5:9] = [_int16(value, -1) for value in (mean_v, *shown.voltage_v)]
    block[13:16] = [-1 & 0xFFFF, _int16(shown.frequency_hz, -2), -2 & 0xFFFF]
    block[16:21] = [_int16(value, exponent) for value in watts] + [exponent & 0xFFFF]
    block[36:70] = [0] * 34
    block[36:38] = _acc32(1000.0 * shown.export_kwh)
    block[44:46] = _acc32(1000.0 * shown.import_kwh)
    block[52] = 0
    block[69] = _INT16_MISSING
    block[70:102] = [0] * 32
    block[103:105] = [0, 0]
    if missing:
        block = [_INT16_MISSING] * _METER_LENGTH
    return [METER_MODEL, _METER_LENGTH, *block]


def _inverter(power_kw: float, exponent: int, missing: bool) -> list[int]:
    """Model 103, a three-phase inverter."""
    watts = 1000.0 * power_kw
    exponent = _fitting([watts], exponent)
    block = [_UINT16_MISSING] * _INVERTER_LENGTH
    ampere = abs(watts) / 690.0
    block[0:5] = [_uint16(value, -2) for value in (3 * ampere, ampere, ampere, ampere)] + [
        -2 & 0xFFFF
    ]
    block[8:12] = [_uint16(230.0, -1)] * 3 + [-1 & 0xFFFF]
    block[12:14] = [_int16(watts, exponent), exponent & 0xFFFF]
    block[14:16] = [_uint16(50.0, -2), -2 & 0xFFFF]
    block[36] = 4 if watts > 0 else 2
    if missing:
        block = [_UINT16_MISSING] * _INVERTER_LENGTH
        block[12] = block[13] = _INT16_MISSING
    return [INVERTER_MODEL, _INVERTER_LENGTH, *block]
