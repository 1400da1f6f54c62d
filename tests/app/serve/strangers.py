"""Chargers that are not of this project: the `ocpp` package's `ChargePoint` of each version, over real sockets.

What they do is what the package makes of them: its messages, its checks of schemas, its order. Each has one connection point
with a car that follows what it is told at once. Time is real, so energies are small; the meter's registers are in Wh.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from ocpp.charge_point import ChargePoint
from ocpp.routing import on
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.app.serve.running import RunningServer

REPORT_S = 0.25
CARD = "04A2B3C4"
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def answers(action: str) -> Callable[[_Handler], _Handler]:
    """The package's `on`, which has no types."""
    registers: Callable[[_Handler], _Handler] = on(action)
    return registers


def now() -> str:
    """The time as chargers write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Meter:
    """A meter with a register for each direction, which goes on by the clock. Positive ``power_w`` charges."""

    def __init__(self, power_w: float) -> None:
        self.power_w = power_w
        self.import_wh, self.export_wh = 1000.0, 500.0
        self._read_s = time.monotonic()

    def read(self) -> None:
        """Let the registers catch up."""
        moment_s = time.monotonic()
        energy_wh = self.power_w * (moment_s - self._read_s) / 3600.0
        self._read_s = moment_s
        self.import_wh += max(energy_wh, 0.0)
        self.export_wh += max(-energy_wh, 0.0)


class Stranger(ChargePoint):  # type: ignore[misc]  # the package has no types
    """What strangers of all versions do alike. ``received``: every CALL of the server, as it came: action and payload."""

    protocol: ClassVar[str]
    full_power_w = 7000.0

    def __init__(self, charger_id: str, connection: ClientConnection, patience_s: float) -> None:
        super().__init__(charger_id, connection, response_timeout=patience_s)
        self.patience_s = patience_s
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.meter = Meter(0.0)
        self.transaction_id: Any = None
        self.start_wh = (0.0, 0.0)
        self.unsent: list[Any] = []
        self._heard = asyncio.Condition()
        self.quiet = asyncio.Lock()

    async def route_message(self, raw_msg: str) -> None:
        """Note a CALL, then leave it to the package."""
        kind, _, *rest = json.loads(raw_msg)
        await super().route_message(raw_msg)
        if kind == 2:
            async with self._heard:
                self.received.append((rest[0], rest[1]))
                self._heard.notify_all()

    async def heard(
        self, action: str, holds: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The newest payload of an action for which ``holds``, as soon as there is one.

        Raises TimeoutError where none comes within ``patience_s``.
        """

        def found() -> list[dict[str, Any]]:
            return [body for name, body in self.received if name == action and holds(body)]

        async with self._heard:
            await asyncio.wait_for(self._heard.wait_for(lambda: bool(found())), self.patience_s)
        return found()[-1]

    def follow(self, power_w: float) -> None:
        """The car does what it is told."""
        self.meter.read()
        self.meter.power_w = min(power_w, self.full_power_w)

    @property
    def energy_kwh(self) -> tuple[float, float]:
        """What the meter counted in the transaction: import, export."""
        import_wh, export_wh = self.start_wh
        meter = self.meter
        return (meter.import_wh - import_wh) / 1000.0, (meter.export_wh - export_wh) / 1000.0

    async def begin(self) -> None:
        """A car comes, its driver shows a card, it charges."""
        self.meter.read()
        self.start_wh = (self.meter.import_wh, self.meter.export_wh)
        self.follow(self.full_power_w)
        await self.started()

    async def report(self) -> None:
        """Tell the meter's values once."""
        async with self.quiet:
            self.meter.read()
            await self.updated()

    async def reporting(self) -> None:
        """Tell them again and again, until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(REPORT_S)

    async def end(self) -> None:
        """The driver takes the car away."""
        async with self.quiet:
            self.follow(0.0)
            await self.stopped()

    def take_over(self, before: Stranger) -> None:
        """Go on where the same charger was when it lost its link."""
        self.meter, self.start_wh = before.meter, before.start_wh
        self.transaction_id, self.unsent = before.transaction_id, before.unsent

    async def say(self, message: Any) -> Any:
        """Send a call of the package; an error as the answer is raised."""
        return await self.call(message, suppress=False)

    @abstractmethod
    async def boot(self) -> None:
        """Tell who it is and that nothing is plugged in."""

    @abstractmethod
    async def started(self) -> None:
        """Tell that a transaction began."""

    @abstractmethod
    async def updated(self) -> None:
        """Tell the meter's values."""

    @abstractmethod
    async def stopped(self) -> None:
        """Tell that the transaction ended."""

    @abstractmethod
    async def deliver(self) -> None:
        """Send what could not be told when it happened (`unsent`)."""


@asynccontextmanager
async def connected(
    kind: type[Stranger],
    server: RunningServer,
    charger_id: str,
    *,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Any]:
    """A stranger with a link. Raises InvalidStatus where the server refuses it."""
    headers = {}
    if password is not None:
        secret = base64.b64encode(f"{charger_id}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {secret}"
    async with connect(
        f"{server.ocpp_url}/{charger_id}",
        subprotocols=[Subprotocol(kind.protocol)],
        additional_headers=headers,
        ssl=tls,
        proxy=None,
    ) as connection:
        assert connection.subprotocol == kind.protocol
        stranger = kind(charger_id, connection, server.patience_s)
        listening = asyncio.create_task(_listen(stranger))
        try:
            yield stranger
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def _listen(stranger: Stranger) -> None:
    with suppress(ConnectionClosed):
        await stranger.start()
