"""A virtual home that lives: its physics follow a clock, and whoever shows it to others is told when something changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from parkwatt.domain.home.gateway import TransferAction
from parkwatt.io.sim.backup.gateway import Answer
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.pole import SECOND_US


class Life:
    """``clock``: µs since 1970, and ``speed`` times as fast as the event loop's time. ``link_lost_until_us``: MQTT is cut.

    Every way to touch the home lets time come up to now first, and tells the listeners.
    """

    def __init__(self, home: BackupHome, clock: Callable[[], int], *, speed: float = 1.0) -> None:
        self.home = home
        self.clock = clock
        self.speed = speed
        self.link_lost_until_us = 0
        self.listeners: list[Callable[[], None]] = []
        self._woken = asyncio.Event()

    def now_us(self) -> int:
        """Let the physics come up to now."""
        self.home.pass_time(self.clock())
        return self.home.now_us

    def touched(self) -> None:
        """Something was done to the home: let it have its effect at once."""
        self.home.settle()
        self._woken.set()

    def command(self, action: TransferAction) -> Answer:
        """Ask the gateway for something."""
        self.now_us()
        answer = self.home.command(action)
        self._woken.set()
        return answer

    def renew_lease(self, lease_s: int) -> Answer:
        """The lease of the island source."""
        self.now_us()
        return self.home.gateway.renew_lease(lease_s)

    def switch(self, circuit_id: str, *, on: bool) -> bool:
        """Switch a circuit; False where there is none or it takes no command."""
        self.now_us()
        took = circuit_id in self.home.circuits and self.home.switch(circuit_id, on=on)
        self._woken.set()
        return took

    def lease_circuit(self, circuit_id: str, lease_s: int) -> bool:
        """How long an off lasts; False where there is no such circuit or it takes no command."""
        circuit = self.home.circuits.get(circuit_id)
        return circuit is not None and circuit.set_lease(lease_s, self.now_us())

    def run_generator(self, *, on: bool) -> bool:
        """Start or stop the generator; False where there is none."""
        self.now_us()
        generator = self.home.parts.generator
        if generator is not None:
            generator.command(on=on)
            self._woken.set()
        return generator is not None

    async def run(self, stop: asyncio.Event) -> None:
        """Live until ``stop`` is set: look whenever something moves, each second at least."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._woken.clear()
                now_us = self.now_us()
                for listener in self.listeners:
                    listener()
                wait_s = (self.home.next_us(now_us + SECOND_US) - now_us) / SECOND_US / self.speed
                waking = asyncio.create_task(self._woken.wait())
                # At a high speed the loop's timers cannot follow each movement of a contact.
                await asyncio.wait(
                    (waking, stopping),
                    timeout=max(wait_s, 0.002),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waking
        finally:
            stopping.cancel()
            self.now_us()
