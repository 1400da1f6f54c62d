"""One connection to a broker: opened with its topics subscribed, ended with the reason in words.

Sessions are clean: what was said while nobody listened is old, and only retained messages tell of it. Of each topic only the
newest message waits, so that a flood costs no memory and delays nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from parkwatt.io.mqtt.settings import MqttSettings

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


USUAL: Final = Timing()


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


class Backoff:
    """How long to wait between two attempts to connect: longer each time, short again after a connection that held."""

    def __init__(self, timing: Timing) -> None:
        self._shortest_s, self._longest_s = timing.backoff_s
        self._wait_s = self._shortest_s

    async def rest(self, began_s: float) -> None:
        """Wait. ``began_s``: when the attempt that ended now had begun, by the loop's clock."""
        if asyncio.get_running_loop().time() - began_s >= _STEADY_S:
            self._wait_s = self._shortest_s
        await asyncio.sleep(self._wait_s)
        self._wait_s = min(2.0 * self._wait_s, self._longest_s)


@contextlib.asynccontextmanager
async def connected(
    broker: MqttSettings,
    topics: Sequence[str],
    client_id: str,
    timing: Timing,
    will: aiomqtt.Will | None = None,
) -> AsyncIterator[aiomqtt.Client]:
    """A connection with all topics subscribed. Raises BrokerError, also where it ends within the context.

    ``will``: what the broker says for us where the connection ends without a word.
    """
    client = await _client(broker, client_id, timing, will)
    try:
        async with client:
            await _subscribe(client, broker, topics)
            yield client
    except aiomqtt.MqttError as error:
        closed = client._client.socket() is None  # noqa: SLF001 aiomqtt does not tell
        raise BrokerError(_reason(error, broker, closed=closed)) from None
    finally:
        # aiomqtt leaves its socket and timers where a broker takes the connection and never answers.
        client._client.disconnect()  # noqa: SLF001


async def _client(
    broker: MqttSettings, client_id: str, timing: Timing, will: aiomqtt.Will | None
) -> aiomqtt.Client:
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
        identifier=client_id,
        queue_type=_Newest,
        clean_session=True,
        timeout=timing.answer_s,
        keepalive=timing.keepalive_s,
        tls_context=context,
        will=will,
    )


async def _subscribe(client: aiomqtt.Client, broker: MqttSettings, topics: Sequence[str]) -> None:
    if not topics:
        return
    answers = await client.subscribe([(topic, 0) for topic in topics])
    refused = [
        topic
        for topic, answer in zip(topics, answers, strict=False)
        if isinstance(answer, ReasonCode) and answer.is_failure
    ]
    if refused:
        raise BrokerError(
            f"the broker does not allow to read {', '.join(refused)}: give {broker.username or 'this client'}"
            " the right to"
        )


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
