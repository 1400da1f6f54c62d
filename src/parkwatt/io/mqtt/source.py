"""Meters and states of charge over one connection to a broker."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NoReturn

import aiomqtt

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.meter_reading import Partial
from parkwatt.io.mqtt.connection import USUAL, Backoff, BrokerError, Timing, connected
from parkwatt.io.mqtt.fold import Health, Message, MeterFold, SocFold
from parkwatt.io.mqtt.settings import MqttMeter, MqttSettings, SocTopic

SOURCE: Final = "mqtt"


class MqttSource:
    """Reads meters and states of charge from a broker. ``clock``: µs since 1970. ``on_soc``: told each state of charge."""

    def __init__(
        self,
        broker: MqttSettings,
        meters: Sequence[MqttMeter],
        soc_topics: Sequence[SocTopic] = (),
        *,
        clock: Callable[[], int],
        on_soc: Callable[[SocTold], None] | None = None,
        timing: Timing = USUAL,
    ) -> None:
        self._broker = broker
        self._folds = [MeterFold(meter) for meter in meters]
        self._socs = [SocFold(topic) for topic in soc_topics]
        self._clock, self._on_soc = clock, on_soc
        self._timing = timing
        self._health = Health(SOURCE)
        self._client_id = broker.client_id or f"parkwatt-{secrets.token_hex(4)}"

    @property
    def topics(self) -> list[str]:
        """All topics that are read."""
        topics = {topic for fold in self._folds for topic in fold.topics}
        return sorted(topics | {fold.topic.place.topic for fold in self._socs})

    async def run(
        self,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> NoReturn:
        """Read for ever. ``on_state``: once when the broker or a meter fails, and once when it is well again."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(self._timing)
        while True:
            began_s = loop.time()
            try:
                await self._session(on_reading, on_state)
            except BrokerError as error:
                for state in self._health.now(str(error)):
                    on_state(state)
            await backoff.rest(began_s)

    async def check(self) -> None:
        """Connect, subscribe and leave; for checking a set-up. Raises BrokerError with the reason."""
        async with self._connected():
            pass

    async def _session(
        self,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> None:
        """From one connection to its end. Raises BrokerError."""
        async with self._connected() as client:
            await self._listen(client, on_reading, on_state)

    def _connected(self) -> AbstractAsyncContextManager[aiomqtt.Client]:
        return connected(self._broker, self.topics, self._client_id, self._timing)

    async def _listen(
        self,
        client: aiomqtt.Client,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> None:
        for state in self._health.now(""):
            on_state(state)
        loop = asyncio.get_running_loop()
        since_s = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(self._look_again_s(loop.time(), since_s)):
                    async for received in client.messages:
                        self._take(received, on_reading, on_state)
            except TimeoutError:
                for fold in self._folds:
                    for state in fold.silent(loop.time(), since_s):
                        on_state(state)

    def _look_again_s(self, now_s: float, since_s: float) -> float | None:
        """When the next meter will have been silent for too long; those that are already say themselves when they are back."""
        due_s = [fold.due_s(since_s) for fold in self._folds]
        return min((one_s for one_s in due_s if one_s > now_s), default=None)

    def _take(
        self,
        received: aiomqtt.Message,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> None:
        message = Message(
            topic=str(received.topic),
            payload=bytes(received.payload),
            retained=received.retain,
            at_unix_us=self._clock(),
            at_s=asyncio.get_running_loop().time(),
        )
        told = [fold.take(message) for fold in self._folds if message.topic in fold.topics]
        told += [
            fold.take(message) for fold in self._socs if message.topic == fold.topic.place.topic
        ]
        for one in told:
            for state in one.states:
                on_state(state)
            for reading in one.readings:
                on_reading(reading)
            for soc in one.socs:
                if self._on_soc is not None:
                    self._on_soc(soc)
