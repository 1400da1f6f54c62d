"""One connection to a Modbus TCP device, for reading and writing registers and coils.

Written here, since what matters is how it fails: a connection that the device closed is noticed at once and opened anew, an
answer that belongs to an earlier request is passed over, and each fault says what was wrong. After anything but a proper
answer the connection is closed: so the next request cannot be taken in by what comes late.

Modbus Application Protocol V1.1b3; Modbus Messaging on TCP/IP Implementation Guide V1.0b.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from parkwatt.io.modbus.settings import Function

Answer = TypeVar("Answer")
BitFunction = Literal["coil", "discrete"]

# A request may ask for no more (V1.1b3, 6.3).
COUNT_MAX: Final = 125

_HEADER: Final = struct.Struct(">HHHB")
_FUNCTIONS: Final[dict[Function, int]] = {"holding": 3, "input": 4}
_BIT_FUNCTIONS: Final[dict[BitFunction, int]] = {"coil": 1, "discrete": 2}
_WRITE_COIL: Final = 5
_WRITE_REGISTER: Final = 6
_COIL_ON: Final = 0xFF00
# Unit, function and at most 252 bytes of data follow the length (V1.1b3, 4.1).
_LENGTHS: Final = range(3, 255)
_EXCEPTION: Final = 0x80
_CODES: Final = {
    1: "it does not know this kind of request",
    2: "it has no such register",
    3: "it does not accept this request",
    4: "it failed",
    5: "it needs longer",
    6: "it is busy",
    10: "the gateway has no path to it",
    11: "the gateway gets no answer from it",
}
# What a device says of registers that it does not have.
_NOT_THERE: Final = frozenset({1, 2, 3})


class ModbusError(Exception):
    """A read gave nothing; the text says why."""


class RefusedError(ModbusError):
    """The device answered with an exception. ``not_there``: it has no such registers."""

    def __init__(self, code: int) -> None:
        self.not_there = code in _NOT_THERE
        super().__init__(f"the device refuses: {_CODES.get(code, f'exception {code}')}")


class _DroppedError(ModbusError):
    """The device closed the connection."""


class ModbusLink:
    """A connection that opens itself when it is needed. For one task at a time."""

    def __init__(self, host: str, port: int) -> None:
        self.address = f"{host}:{port}"
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._transaction = 0

    async def read(
        self, unit: int, function: Function, address: int, count: int, *, timeout_s: float
    ) -> tuple[int, ...]:
        """``count`` registers from ``address`` on, each 0 to 65535.

        Raises ModbusError with the reason in words where there is no proper answer within ``timeout_s``.
        """
        code = _FUNCTIONS[function]
        return await self._ask(
            unit, code, address, count, lambda answer: _registers(answer, code, count), timeout_s
        )

    async def read_bits(
        self, unit: int, function: BitFunction, address: int, count: int, *, timeout_s: float
    ) -> tuple[bool, ...]:
        """``count`` coils or discrete inputs from ``address`` on. Raises ModbusError as `read` does."""
        code = _BIT_FUNCTIONS[function]
        return await self._ask(
            unit, code, address, count, lambda answer: _bits(answer, code, count), timeout_s
        )

    async def write_register(
        self, unit: int, address: int, value: int, *, timeout_s: float
    ) -> None:
        """Write a holding register. Raises ModbusError where the device does not confirm it.

        Like a read it is sent anew where the device had closed an idle connection, so what is written must bear being
        written twice.
        """
        await self._write(unit, _WRITE_REGISTER, address, value, timeout_s)

    async def write_coil(self, unit: int, address: int, value: bool, *, timeout_s: float) -> None:
        """Write a coil, as `write_register` does."""
        await self._write(unit, _WRITE_COIL, address, _COIL_ON if value else 0, timeout_s)

    async def _write(
        self, unit: int, code: int, address: int, value: int, timeout_s: float
    ) -> None:
        echo = struct.pack(">BHH", code, address, value)
        await self._ask(unit, code, address, value, lambda answer: _echo(answer, echo), timeout_s)

    async def _ask(
        self,
        unit: int,
        code: int,
        address: int,
        operand: int,
        parse: Callable[[bytes], Answer],
        timeout_s: float,
    ) -> Answer:
        """Send a request of two numbers, as all those are that are used here; ``parse``: what its answer means."""
        request = struct.pack(">BHH", code, address, operand)
        was_open = self._streams is not None
        try:
            return await self._ask_within(unit, request, parse, timeout_s)
        except _DroppedError:
            # Many devices close a connection that was idle for a while: that is no fault yet.
            if not was_open:
                raise
        return await self._ask_within(unit, request, parse, timeout_s)

    def close(self) -> None:
        """Close the connection; the next read opens a new one."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].transport.abort()

    async def _ask_within(
        self, unit: int, request: bytes, parse: Callable[[bytes], Answer], timeout_s: float
    ) -> Answer:
        late = False
        try:
            async with asyncio.timeout(timeout_s):
                streams = self._streams or await self._open()
                transaction = self._send(streams[1], unit, request)
                while True:
                    told, told_unit, answer = await _receive(streams[0])
                    # 0: some devices do not repeat the number.
                    if told in (transaction, 0) and told_unit == unit:
                        return parse(answer)
                    late = True
        except RefusedError:
            raise  # a proper answer
        except TimeoutError:
            self.close()
            more = ", only to other requests" if late else ""
            raise ModbusError(
                f"no answer from {self.address} within {timeout_s:g} s{more}"
            ) from None
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            raise _DroppedError(f"{self.address} closed the connection") from None
        except BaseException:
            self.close()
            raise

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            self._streams = await asyncio.open_connection(self._host, self._port)
        except socket.gaierror:
            raise ModbusError(f"the name {self._host} is not known in this network") from None
        except ConnectionRefusedError:
            raise ModbusError(
                f"{self.address} refuses the connection: is Modbus TCP switched on there, and at this port?"
            ) from None
        except OSError as error:
            raise ModbusError(f"{self.address} cannot be reached: {_words(error)}") from None
        return self._streams

    def _send(self, writer: asyncio.StreamWriter, unit: int, request: bytes) -> int:
        """Send the request; returns its number, which is never 0."""
        self._transaction = transaction = self._transaction % 0xFFFF + 1
        writer.write(_HEADER.pack(transaction, 0, 1 + len(request), unit) + request)
        return transaction


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


async def _receive(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """The next answer: its request's number, its unit, and what follows. Raises ModbusError where it is none."""
    transaction, protocol, length, unit = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if protocol != 0 or length not in _LENGTHS:
        raise ModbusError("what comes is no Modbus: is this the right port?")
    return transaction, unit, await reader.readexactly(length - 1)


def _registers(answer: bytes, function: int, count: int) -> tuple[int, ...]:
    _refuse(answer, function)
    if answer[0] != function or answer[1] != 2 * count or len(answer) != 2 + 2 * count:
        raise ModbusError("the answer does not fit the request")
    return struct.unpack(f">{count}H", answer[2:])


def _bits(answer: bytes, function: int, count: int) -> tuple[bool, ...]:
    _refuse(answer, function)
    size = (count + 7) // 8
    if answer[0] != function or answer[1] != size or len(answer) != 2 + size:
        raise ModbusError("the answer does not fit the request")
    return tuple(bool(answer[2 + index // 8] >> index % 8 & 1) for index in range(count))


def _echo(answer: bytes, echo: bytes) -> None:
    _refuse(answer, echo[0])
    if answer != echo:
        raise ModbusError("the device confirms something else than what was written")


def _refuse(answer: bytes, function: int) -> None:
    if answer[0] == function | _EXCEPTION:
        raise RefusedError(answer[1])
