"""All meters behind one Modbus TCP address, read in turn over one connection.

Many devices allow one connection only, so meters that share an address share it: the inverter and the meter behind it. What a
SunSpec device is gets found out once, and again when its model is no longer where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.meter_reading import MeterValues, Partial, Sign, partial
from parkwatt.io.modbus.link import ModbusError, ModbusLink
from parkwatt.io.modbus.models import measured, usual_sign
from parkwatt.io.modbus.plain import blocks, measured_plain
from parkwatt.io.modbus.settings import ModbusMeter
from parkwatt.io.modbus.survey import Model, choose, survey

# One poll that fails may be chance; what is told of has failed twice.
_FAILURES_TOLD: Final = 2
_BACKOFF_S_MAX: Final = 30.0
# Whoever reads more rarely than this may want to read often at any moment.
_OFTEN_S: Final = 5.0
_LOOK_S: Final = 0.5


class MeterPoll:
    """Reads one meter. ``model``: what it was found to be, None before that, or without SunSpec."""

    def __init__(self, meter: ModbusMeter, link: ModbusLink) -> None:
        self.meter = meter
        self.failures = 0
        self.model: Model | None = None
        self._link = link
        self._makers: tuple[str, ...] = ()

    async def read(self) -> MeterValues:
        """What the meter shows now. Raises ModbusError."""
        if self.meter.plain is not None:
            return await self._read_plain()
        if self.model is None:
            models = await survey(self._registers)
            self._makers = tuple(model.maker for model in models)
            self.model = choose(models, self.meter.role, self.meter.number)
        model, layout = self.model, self.model.layout
        if layout is None:
            raise ModbusError(f"SunSpec model {model.number} does not measure power")
        registers = await self._registers(model.address, layout.count)
        if registers[:2] != (model.number, model.length):
            self.model = None
            raise ModbusError("the device has changed its SunSpec models: they are looked for anew")
        sign = self.meter.sign or usual_sign(layout, self.meter.role, self._makers)
        return measured(layout, registers, sign, self.meter.phase_order)

    async def _read_plain(self) -> MeterValues:
        meter = self.meter
        assert meter.plain is not None  # noqa: S101 asked by the caller
        registers: dict[int, int] = {}
        for address, count in blocks(meter.plain):
            words = await self._link.read(
                meter.unit, meter.plain.function, address, count, timeout_s=meter.timeout_s
            )
            registers.update(enumerate(words, start=address))
        usual: Sign = "export_positive" if meter.role == "solar" else "import_positive"
        return measured_plain(meter.plain, registers, meter.sign or usual, meter.phase_order)

    async def _registers(self, address: int, count: int) -> tuple[int, ...]:
        meter = self.meter
        return await self._link.read(
            meter.unit, "holding", address, count, timeout_s=meter.timeout_s
        )


class ModbusSource:
    """Tells what the meters show, as often as ``poll_s()`` says.

    ``meters``: all at one address. ``clock``: µs since 1970. The time of a reading is that of its request, so that a slow
    device is not taken for fresher than it is.
    """

    def __init__(
        self,
        meters: Sequence[ModbusMeter],
        *,
        clock: Callable[[], int],
        poll_s: Callable[[], float],
    ) -> None:
        addresses = {(meter.host, meter.port) for meter in meters}
        if len(addresses) != 1:
            raise ValueError(f"meters of one address are read together, got {len(addresses)}")
        self._link = ModbusLink(*addresses.pop())
        self._polls = [MeterPoll(meter, self._link) for meter in meters]
        self._clock, self._poll_s = clock, poll_s

    async def run(
        self,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> NoReturn:
        """Read for ever. ``on_state``: once when a meter stops to answer, and once when it does again."""
        loop = asyncio.get_running_loop()
        read_s = loop.time()
        try:
            while True:
                for poll in self._polls:
                    await self._read(poll, on_reading, on_state)
                while (left_s := read_s + (wait_s := self._wait_s()) - loop.time()) > 0.0:
                    await asyncio.sleep(min(left_s, _LOOK_S) if wait_s > _OFTEN_S else left_s)
                read_s = max(read_s + wait_s, loop.time())
        finally:
            self._link.close()

    async def read_once(self) -> list[tuple[ModbusMeter, Partial | ModbusError]]:
        """One reading of each meter, or why there is none; for checking a set-up."""
        told: list[tuple[ModbusMeter, Partial | ModbusError]] = []
        try:
            for poll in self._polls:
                at_unix_us = self._clock()
                try:
                    values = await poll.read()
                except ModbusError as error:
                    told.append((poll.meter, error))
                else:
                    told.append((poll.meter, partial(poll.meter.role, values, at_unix_us)))
        finally:
            self._link.close()
        return told

    def _wait_s(self) -> float:
        """Until the next poll; longer while nothing answers, up to half a minute."""
        failures = min(poll.failures for poll in self._polls)
        wait_s = self._poll_s()
        if failures <= 1:
            return wait_s
        return max(wait_s, min(2.0 ** (failures - 2), _BACKOFF_S_MAX))

    async def _read(
        self,
        poll: MeterPoll,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> None:
        role, source = poll.meter.role, poll.meter.source
        at_unix_us = self._clock()
        try:
            told = partial(role, await poll.read(), at_unix_us)
        except ModbusError as error:
            reason = str(error)
        else:
            on_reading(told)
            reason = (
                "" if told[f"{role}_kw"] is not None else "the device answers, but shows no power"
            )
        if reason:
            poll.failures += 1
            if poll.failures == _FAILURES_TOLD:
                on_state(SourceChanged(source, ok=False, reason=reason))
            return
        if poll.failures >= _FAILURES_TOLD:
            on_state(SourceChanged(source, ok=True))
        poll.failures = 0
