"""A gateway, circuits and a battery on an MQTT broker, each over a connection of its own.

A command goes out once, on the connection of now: none is kept for a later one, where it would come too late. With the broker
gone nothing is told and nothing sent; readings grow old, leases lapse.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Final, Generic, NoReturn, TypeVar

import aiomqtt

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.gateway.link import BatteryReading, DeviceError, OnState
from parkwatt.io.gateway.mqtt_fold import (
    SILENCE_S,
    BatteryFold,
    CircuitFold,
    DeviceFold,
    GatewayFold,
)
from parkwatt.io.gateway.mqtt_settings import MqttBattery, MqttCircuit, MqttGateway, Publication
from parkwatt.io.mqtt.connection import Backoff, BrokerError, Timing, connected
from parkwatt.io.mqtt.fold import Health, Message
from parkwatt.io.mqtt.settings import MqttSettings

FoldT = TypeVar("FoldT", bound=DeviceFold)

# An outage may run while the broker is gone: a connection is never tried more rarely than every 5 s.
SOON: Final = Timing(backoff_s=(1.0, 5.0))


class _Conversation(Generic[FoldT]):
    """A connection that opens itself anew, what is told on it, and what is said."""

    def __init__(
        self,
        broker: MqttSettings,
        folds: Sequence[FoldT],
        name: str,
        *,
        clock: Callable[[], int],
        timing: Timing,
        silence_s: float | None = None,
    ) -> None:
        self._broker, self._folds, self._clock, self._timing = broker, folds, clock, timing
        self._topics = sorted({topic for fold in folds for topic in fold.topics})
        # A broker ends the connection of one client where another comes with the same id.
        self._client_id = f"{broker.client_id or f'parkwatt-{secrets.token_hex(4)}'}-{name}"
        self._health = Health(f"mqtt.{name}")
        self._silence_s = silence_s
        self._client: aiomqtt.Client | None = None

    async def run(self, on_fold: Callable[[FoldT], None], on_state: OnState) -> NoReturn:
        """``on_fold``: told each device of which something was heard."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(self._timing)
        while True:
            began_s = loop.time()
            try:
                async with connected(
                    self._broker, self._topics, self._client_id, self._timing
                ) as client:
                    await self._listen(client, on_fold, on_state)
            except BrokerError as error:
                _tell(self._health.now(str(error)), on_state)
            finally:
                self._client = None
            await backoff.rest(began_s)

    async def say(self, *publications: Publication, lease_s: int) -> None:
        """Publish these in their order. Raises DeviceError."""
        client = self._client
        if client is None:
            raise DeviceError(f"there is no connection to the broker at {self._broker.address}")
        try:
            for publication in publications:
                await client.publish(
                    publication.topic,
                    publication.text(lease_s),
                    qos=1,
                    timeout=self._timing.answer_s,
                )
        except aiomqtt.MqttError as error:
            raise DeviceError(
                f"the broker did not take it on {publication.topic}: {error}"
            ) from None

    async def _listen(
        self, client: aiomqtt.Client, on_fold: Callable[[FoldT], None], on_state: OnState
    ) -> None:
        _tell(self._health.now(""), on_state)
        for fold in self._folds:
            fold.forget()
        self._client = client
        messages = aiter(client.messages)
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    received = await anext(messages)
            except TimeoutError:
                reason = f"nothing heard for {self._silence_s:g} s"
                for fold in self._folds:
                    _tell(fold.health.now(fold.health.reason or reason), on_state)
                continue
            self._take(received, on_fold, on_state)

    def _take(
        self, received: aiomqtt.Message, on_fold: Callable[[FoldT], None], on_state: OnState
    ) -> None:
        message = Message(
            topic=str(received.topic),
            payload=bytes(received.payload),
            retained=received.retain,
            at_unix_us=self._clock(),
            at_s=asyncio.get_running_loop().time(),
        )
        for fold in self._folds:
            if fold.take(message):
                on_fold(fold)
                _tell(fold.news(), on_state)


class MqttGatewayLink:
    """A gateway on a broker. ``clock``: µs since 1970."""

    def __init__(
        self,
        broker: MqttSettings,
        gateway: MqttGateway,
        *,
        clock: Callable[[], int],
        timing: Timing = SOON,
    ) -> None:
        self._gateway = gateway
        self._conversation = _Conversation(
            broker,
            (GatewayFold(gateway),),
            "gateway",
            clock=clock,
            timing=timing,
            silence_s=SILENCE_S,
        )

    async def run(
        self, on_reading: Callable[[GatewayReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        await self._conversation.run(lambda fold: on_reading(fold.reading()), on_state)

    async def request(self, transfer: ApprovedTransfer) -> None:
        """Ask for a transfer: the lease first, then the command. Raises TypeError, DeviceError."""
        if not isinstance(transfer, ApprovedTransfer):
            raise TypeError(f"only an ApprovedTransfer is sent, got {type(transfer).__name__}")
        command = self._gateway.commands.get(transfer.action)
        if command is None:
            raise DeviceError(f"the settings name no command for {transfer.action}")
        lease = () if self._gateway.lease is None else (self._gateway.lease,)
        await self._conversation.say(*lease, command, lease_s=transfer.lease_s)


class MqttCircuitsLink:
    """Circuits on a broker. ``clock``: µs since 1970."""

    def __init__(
        self,
        broker: MqttSettings,
        circuits: Sequence[MqttCircuit],
        *,
        clock: Callable[[], int],
        timing: Timing = SOON,
    ) -> None:
        self._circuits = {circuit.points.circuit_id: circuit.points for circuit in circuits}
        folds = [CircuitFold(circuit) for circuit in circuits]
        self._conversation = _Conversation(broker, folds, "circuits", clock=clock, timing=timing)

    @property
    def circuit_ids(self) -> frozenset[str]:
        """Those that this link tells or switches."""
        return frozenset(self._circuits)

    async def run(
        self, on_reading: Callable[[CircuitReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        await self._conversation.run(lambda fold: on_reading(fold.reading()), on_state)

    async def command(self, command: CircuitCommand) -> None:
        """Switch a circuit: the lease first where it has one. Raises DeviceError."""
        points = self._circuits.get(command.circuit_id)
        order = None if points is None else points.switch_on if command.on else points.switch_off
        if points is None or order is None:
            raise DeviceError(f"the settings name no switch for {command.circuit_id}")
        lease = () if points.lease is None else (points.lease,)
        await self._conversation.say(*lease, order, lease_s=command.lease_s)


class MqttBatteryLink:
    """A battery on a broker. ``clock``: µs since 1970."""

    def __init__(
        self,
        broker: MqttSettings,
        battery: MqttBattery,
        *,
        clock: Callable[[], int],
        timing: Timing = SOON,
    ) -> None:
        self._conversation = _Conversation(
            broker, (BatteryFold(battery),), "home-battery", clock=clock, timing=timing
        )

    async def run(
        self, on_reading: Callable[[BatteryReading], None], on_state: OnState
    ) -> NoReturn:
        """Tell readings for ever."""
        await self._conversation.run(lambda fold: on_reading(fold.reading()), on_state)


def _tell(states: Sequence[SourceChanged], on_state: OnState) -> None:
    for state in states:
        on_state(state)
