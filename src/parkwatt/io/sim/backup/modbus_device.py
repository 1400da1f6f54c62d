"""The virtual home on Modbus TCP: what `registers` holds, over the server that the virtual meter has too, with its faults."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from parkwatt.io.sim.backup.registers import (
    FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    Bank,
    contiguous,
)
from parkwatt.io.sim.backup.sunspec_models import EnterService, models
from parkwatt.io.sim.sunspec_meter import SunSpecServer

_ILLEGAL_FUNCTION = 1
_COUNT_MAX = 125


@dataclass(slots=True)
class ModbusDevice(SunSpecServer):
    """``bank``: what it shows and does. Set before it starts."""

    bank: Bank | None = None
    enter_service: EnterService = field(default_factory=EnterService)

    def _respond(self, unit: int, request: bytes) -> bytes:
        """Its function and data, or an exception."""
        function = request[0]
        if self.faults.busy:
            return bytes((function | 0x80, 6))
        if unit != self.unit:
            return bytes((function | 0x80, 11))
        if len(request) < 5:
            return bytes((function | 0x80, ILLEGAL_VALUE))
        code, data = self._do(function, request)
        return bytes((function | 0x80, code)) if code else bytes((function,)) + data

    def _do(self, function: int, request: bytes) -> tuple[int, bytes]:
        address, value = struct.unpack(">HH", request[1:5])
        if function in (1, 2):
            return self._read_bits(function, address, value)
        if function in (3, 4):
            return self._read_words(address, value)
        if self.bank is None or function not in (5, 6, 15, 16):
            return _ILLEGAL_FUNCTION, b""
        if self.bank.life.home.gateway.faults.deaf:
            return FAILURE, b""
        if function in (5, 6):
            code = self._write(function, [(address, value)])
        else:
            pairs = _values(function, address, value, request[5:])
            code = ILLEGAL_VALUE if pairs is None else self._write(function, pairs)
        return code, request[1:5]

    def _read_bits(self, function: int, address: int, count: int) -> tuple[int, bytes]:
        if self.bank is None:
            return _ILLEGAL_FUNCTION, b""
        if not 1 <= count <= 2000:
            return ILLEGAL_VALUE, b""
        self.bank.life.now_us()
        found = self.bank.coils() if function == 1 else self.bank.contacts()
        bits = contiguous(found, address, count)
        if not bits:
            return ILLEGAL_ADDRESS, b""
        packed = bytearray((count + 7) // 8)
        for number, bit in enumerate(bits):
            packed[number // 8] |= bit << number % 8
        return 0, bytes((len(packed),)) + bytes(packed)

    def _read_words(self, address: int, count: int) -> tuple[int, bytes]:
        if not 1 <= count <= _COUNT_MAX:
            return ILLEGAL_VALUE, b""
        if self.bank is not None:
            self.bank.life.now_us()
        if address >= self.base:
            words = self.registers()[address - self.base : address - self.base + count]
            found = words if len(words) == count else []
        else:
            found = (
                [] if self.bank is None else list(contiguous(self.bank.registers(), address, count))
            )
        if not found:
            return ILLEGAL_ADDRESS, b""
        return 0, bytes((2 * count,)) + struct.pack(f">{count}H", *found)

    def _write(self, function: int, pairs: list[tuple[int, int]]) -> int:
        assert self.bank is not None  # noqa: S101 asked before
        for address, value in pairs:
            if function == 5 and value not in (0, 0xFF00):
                return ILLEGAL_VALUE
            if function in (5, 15):
                code = self.bank.write_coil(address, on=value != 0)
            else:
                code = self.bank.write_register(address, value)
            if code:
                return code
        return 0

    def registers(self) -> list[int]:
        """Model 1, and what the home has to say."""
        *begin, end, length = SunSpecServer.registers(self)
        if self.bank is None:
            return [*begin, end, length]
        home = self.bank.life.home
        return [*begin, *models(home, self.enter_service, self.bank.nominal_v), end, length]


def _values(function: int, address: int, count: int, body: bytes) -> list[tuple[int, int]] | None:
    """Addresses and values of a request that writes many; None where it is not well formed."""
    length = (count + 7) // 8 if function == 15 else 2 * count
    if not 1 <= count <= _COUNT_MAX or len(body) != 1 + length or body[0] != length:
        return None
    if function == 16:
        return list(enumerate(struct.unpack(f">{count}H", body[1:]), start=address))
    return [(address + n, body[1 + n // 8] >> n % 8 & 1) for n in range(count)]
