"""A gateway, circuits and a battery on Modbus TCP: read again and again, and at once after a command.

The time of a reading is that of its first request, so that a slow device is not taken for fresher than it is. Where any of its
places cannot be read there is no reading: a part of a gateway is no gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.gateway.link import BatteryReading, DeviceError, OnState
from parkwatt.io.gateway.modbus_settings import (
    Address,
    ModbusBattery,
    ModbusCircuit,
    ModbusGateway,
    Write,
)
from parkwatt.io.gateway.points import circuit_reading, gateway_reading, share
from parkwatt.io.gateway.registers import Registers, SharedLinks, Values
from parkwatt.io.modbus.link import ModbusError

# One poll that fails may be chance; what is told of has failed twice.
_FAILURES_TOLD: Final = 2
# An outage may run while a gateway does not answer: it is never asked more rarely than this.
_BACKOFF_S_MAX: Final = 5.0


class _Poll:
    """Asks one device again and again. ``read``: once; ``source``: what it is called where its health is told."""

    def __init__(self, source: str, poll_s: float, read: Callable[[], Awaitable[None]]) -> None:
        self._source, self._poll_s, self._read = source, poll_s, read
        self._at_once = asyncio.Event()

    def again(self) -> None:
        """Read at once."""
        self._at_once.set()

    async def run(self, on_state: OnState) -> NoReturn:
        """Read for ever."""
        failures = 0
        while True:
            self._at_once.clear()
            try:
                await self._read()
            except ModbusError as error:
                failures += 1
                if failures == _FAILURES_TOLD:
                    on_state(SourceChanged(self._source, ok=False, reason=str(error)))
            else:
                if failures >= _FAILURES_TOLD:
                    on_state(SourceChanged(self._source, ok=True))
                failures = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s(failures)):
                    await self._at_once.wait()

    def _wait_s(self, failures: int) -> float:
        if failures < _FAILURES_TOLD:
            return self._poll_s
        return max(self._poll_s, min(2.0 ** min(failures - 3, 10), _BACKOFF_S_MAX))


class _Alive:
    """A counter that shows that a device works: since when it stands where it stands."""

    def __init__(self) -> None:
        self._count: float | None = None
        self._moved_unix_us = 0

    def since_unix_us(self, count: float | None, at_unix_us: int) -> int:
        """When what is read now was sure to hold: at the counter's last move; 0 before the first."""
        if count is not None and self._count is not None and count != self._count:
            self._moved_unix_us = at_unix_us
        self._count = count
        return self._moved_unix_us


class ModbusGatewayLink:
    """A gateway on Modbus TCP. ``clock``: µs since 1970."""

    def __init__(
        self, links: SharedLinks, gateway: ModbusGateway, *, clock: Callable[[], int]
    ) -> None:
        self._gateway, self._clock = gateway, clock
        self._registers = links.registers(gateway.device)
        self._alive = _Alive()
        self._on_reading: Callable[[GatewayReading], None] | None = None
        self._poll = _Poll("gateway", gateway.poll_s, self._read)

    async def run(
        self, on_reading: Callable[[GatewayReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        self._on_reading = on_reading
        try:
            await self._poll.run(on_state)
        finally:
            self._registers.close()

    async def request(self, transfer: ApprovedTransfer) -> None:
        """Ask for a transfer: the lease first, then the command. Raises TypeError, DeviceError."""
        if not isinstance(transfer, ApprovedTransfer):
            raise TypeError(f"only an ApprovedTransfer is sent, got {type(transfer).__name__}")
        command = self._gateway.commands.get(transfer.action)
        if command is None:
            raise DeviceError(f"the settings name no command for {transfer.action}")
        await _write(self._registers, (self._gateway.lease, command), transfer.lease_s)
        self._poll.again()

    async def _read(self) -> None:
        points, alive = self._gateway.points, self._gateway.alive
        own = None if points.measured_at is None else points.measured_at.where
        more = [place for place in (points.fault, alive, own) if place is not None]
        at_unix_us = self._clock()
        values = await self._registers.read((*points.places(), *more))
        if alive is not None:
            at_unix_us = self._alive.since_unix_us(values[alive], at_unix_us)
        if self._on_reading is not None:
            self._on_reading(gateway_reading(points, _word(values), values.get, at_unix_us))


class ModbusCircuitsLink:
    """Circuits on Modbus TCP. ``clock``: µs since 1970."""

    def __init__(
        self, links: SharedLinks, circuits: Sequence[ModbusCircuit], *, clock: Callable[[], int]
    ) -> None:
        self._circuits = {
            circuit.points.circuit_id: _CircuitPoll(circuit, links.registers(circuit.device), clock)
            for circuit in circuits
        }

    @property
    def circuit_ids(self) -> frozenset[str]:
        """Those that this link tells or switches."""
        return frozenset(self._circuits)

    async def run(
        self, on_reading: Callable[[CircuitReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        async with asyncio.TaskGroup() as tasks:
            for circuit in self._circuits.values():
                tasks.create_task(circuit.run(on_reading, on_state))
        raise AssertionError("circuits are read for ever")

    async def command(self, command: CircuitCommand) -> None:
        """Switch a circuit: the lease first where it has one. Raises DeviceError."""
        circuit = self._circuits.get(command.circuit_id)
        if circuit is None:
            raise DeviceError(f"the settings name no switch for {command.circuit_id}")
        await circuit.command(command)


class _CircuitPoll:
    """One circuit."""

    def __init__(
        self, circuit: ModbusCircuit, registers: Registers, clock: Callable[[], int]
    ) -> None:
        self._points, self._registers, self._clock = circuit.points, registers, clock
        self._on_reading: Callable[[CircuitReading], None] | None = None
        self._poll = _Poll(f"circuit.{circuit.points.circuit_id}", circuit.poll_s, self._read)

    async def run(
        self, on_reading: Callable[[CircuitReading], None], on_state: OnState
    ) -> NoReturn:
        self._on_reading = on_reading
        try:
            await self._poll.run(on_state)
        finally:
            self._registers.close()

    async def command(self, command: CircuitCommand) -> None:
        points = self._points
        order = points.switch_on if command.on else points.switch_off
        if order is None:
            raise DeviceError(f"the settings name no switch for {command.circuit_id}")
        await _write(self._registers, (points.lease, order), command.lease_s)
        self._poll.again()

    async def _read(self) -> None:
        points = self._points
        energy = () if points.energy is None else (points.energy.where,)
        at_unix_us = self._clock()
        values = await self._registers.read((*points.places(), *energy))
        if self._on_reading is not None:
            self._on_reading(circuit_reading(points, _word(values), values.get, at_unix_us))


class ModbusBatteryLink:
    """A battery on Modbus TCP. ``clock``: µs since 1970."""

    def __init__(
        self, links: SharedLinks, battery: ModbusBattery, *, clock: Callable[[], int]
    ) -> None:
        self._soc, self._clock = battery.soc, clock
        self._registers = links.registers(battery.device)
        self._on_reading: Callable[[BatteryReading], None] | None = None
        self._poll = _Poll("home battery", battery.poll_s, self._read)

    async def run(
        self, on_reading: Callable[[BatteryReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        self._on_reading = on_reading
        try:
            await self._poll.run(on_state)
        finally:
            self._registers.close()

    async def _read(self) -> None:
        at_unix_us = self._clock()
        values = await self._registers.read((self._soc.where,))
        if self._on_reading is not None:
            soc = share(values[self._soc.where], self._soc.scale)
            self._on_reading(BatteryReading(at_unix_us, soc))


def _word(values: Values) -> Callable[[Address], str | None]:
    """What a flag's words are compared with: whole numbers."""

    def word(place: Address) -> str | None:
        value = values.get(place)
        return None if value is None or not value.is_integer() else str(int(value))

    return word


async def _write(registers: Registers, writes: Sequence[Write | None], lease_s: int) -> None:
    """Write these in their order. Raises DeviceError."""
    try:
        for write in writes:
            if write is not None:
                await registers.write(write, lease_s)
    except ModbusError as error:
        raise DeviceError(str(error)) from None
