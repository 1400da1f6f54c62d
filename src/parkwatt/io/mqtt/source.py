"""One connection to a broker for everything that is read from it: meters and states of charge.

Sessions are clean: what was said while nobody listened is old, and only retained messages tell of it. Of each topic only the
newest message waits, so that a flood costs no memory and delays nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.meter_reading import Partial
from parkwatt.io.mqtt.fold import Health, Message, MeterFold, SocFold
from parkwatt.io.mqtt.settings import MqttMeter, MqttSettings, SocTopic

SOURCE: Final = "mqtt"
# A connection that held so long was a good one: the next attempt follows soon.
_STEADY_S: Final = 60.0
_CHECK_USER: Final = "check username and password_file"


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a source is. ``backoff_s``: the shortest and the longest time between two attempts to connect.

    ``answer_s``: how long a broker may take for an answer. ``keepalive_s``: one that is gone without a word is noticed after
    twice this, by the wall's clock.
    """

    backoff_s: tuple[float, float] = (1.0, 60.0)
    answer_s: float = 10.0
    keepalive_s: int = 15


class _Newest(asyncio.Queue[aiomqtt.Message]):
    """Keeps the newest message of each topic. What the broker had kept does not take the place of what was just said."""

    def _init(self, maxsize: int) -> None:  # noqa: ARG002 never bounded: there are only so many topics
        self._queue: dict[str, aiomqtt.Message] = {}

    def _put(self, item: aiomqtt.Message) -> None:
        topic = str(item.topic)
        waiting = self._queue.get(topic)
        if waiting is None or waiting.retain or not item.retain:
            self._queue[topic] = item

    def _get(self) -> aiomqtt.Message:
        return self._queue.pop(next(iter(self._queue)))


class BrokerError(Exception):
    """There is no connection to the broker; the text says why."""


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
        timing: Timing = Timing(),
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
        shortest_s, longest_s = self._timing.backoff_s
        wait_s = shortest_s
        while True:
            began_s = loop.time()
            try:
                await self._session(on_reading, on_state)
            except BrokerError as error:
                for state in self._health.now(str(error)):
                    on_state(state)
            if loop.time() - began_s >= _STEADY_S:
                wait_s = shortest_s
            await asyncio.sleep(wait_s)
            wait_s = min(2.0 * wait_s, longest_s)

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

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiomqtt.Client]:
        """A connection with all topics subscribed. Raises BrokerError, also where it ends within the context."""
        client = await self._client()
        try:
            async with client:
                await self._subscribe(client)
                yield client
        except aiomqtt.MqttError as error:
            closed = client._client.socket() is None  # noqa: SLF001 aiomqtt does not tell
            raise BrokerError(_reason(error, self._broker, closed=closed)) from None
        finally:
            # aiomqtt leaves its socket and timers where a broker takes the connection and never answers.
            client._client.disconnect()  # noqa: SLF001

    async def _client(self) -> aiomqtt.Client:
        broker = self._broker
        try:
            password = await asyncio.to_thread(_password, broker)
            context = await asyncio.to_thread(_tls_context, broker)
        except (OSError, ValueError) as error:
            raise BrokerError(f"a file for the broker cannot be read: {error}") from None
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=password,
            identifier=self._client_id,
            queue_type=_Newest,
            clean_session=True,
            timeout=self._timing.answer_s,
            keepalive=self._timing.keepalive_s,
            tls_context=context,
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        topics = self.topics
        answers = await client.subscribe([(topic, 0) for topic in topics])
        refused = [
            topic
            for topic, answer in zip(topics, answers, strict=False)
            if isinstance(answer, ReasonCode) and answer.is_failure
        ]
        if refused:
            raise BrokerError(
                f"the broker does not allow to read {', '.join(refused)}: give {self._broker.username or 'this client'}"
                " the right to"
            )

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


def _password(broker: MqttSettings) -> str | None:
    if broker.password_file is None:
        return None
    return broker.password_file.read_text(encoding="utf-8").strip("\r\n")


def _tls_context(broker: MqttSettings) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    return ssl.create_default_context(cafile=broker.ca_file)


def _reason(error: aiomqtt.MqttError, broker: MqttSettings, *, closed: bool) -> str:
    """Why there is no connection, and what to do, in words. ``closed``: by the broker."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, MqttConnectError):
        return f"the broker refuses: {_refusal(error)}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted ({cause.verify_message}): name its authority with ca_file"
    if isinstance(cause, ssl.SSLError):
        return f"{broker.address} does not speak TLS as it should: is this the port for it?"
    if isinstance(cause, socket.gaierror):
        return f"the name {broker.host} is not known in this network"
    if isinstance(cause, ConnectionRefusedError):
        return f"nothing listens at {broker.address}: is the broker on, and this its port?"
    if "timed out" in str(error) and closed:
        return f"{broker.address} closes the connection instead of an answer: {_CHECK_USER}"
    if isinstance(cause, TimeoutError) or "timed out" in str(error):
        return f"{broker.address} does not answer"
    return f"the connection to {broker.address} ended: {cause or error}"


def _refusal(error: MqttConnectError) -> str:
    said = str(error).partition("] ")[2] or str(error)
    if any(word in said.lower() for word in ("password", "authori")):
        return f"{said.lower()}: {_CHECK_USER}"
    return said.lower()
