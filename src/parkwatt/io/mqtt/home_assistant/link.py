"""The connection by which Home Assistant is told of the devices and tells them something.

On each connection, and whenever Home Assistant says that it is there (its birth message), everything is told: devices,
states, availability. After that once a second what changed. Configurations and states are retained, so that a Home Assistant
that starts later knows them at once; whether they still hold is told by the availability, which the broker sets to offline by
the last will. Devices and entities that an earlier run told of and that are no more are taken away.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

import aiomqtt

from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.mqtt.connection import USUAL, Backoff, BrokerError, Timing, connected
from parkwatt.io.mqtt.fold import Health
from parkwatt.io.mqtt.home_assistant import payload as payloads
from parkwatt.io.mqtt.home_assistant.command import CommandError, command_value
from parkwatt.io.mqtt.home_assistant.entity import Device, Entity, Value, state_text
from parkwatt.io.mqtt.home_assistant.inbox import Inbox
from parkwatt.io.mqtt.home_assistant.naming import Naming
from parkwatt.io.mqtt.home_assistant.payload import OFFLINE, ONLINE
from parkwatt.io.mqtt.home_assistant.settings import HomeAssistantSettings
from parkwatt.io.mqtt.settings import MqttSettings

SOURCE: Final = "home_assistant"
EVERY_S: Final = 1.0
# What the broker kept comes within this time after it was asked for.
_KEPT_S: Final = 1.0
_BREATH_S: Final = 0.02
_GOODBYE_S: Final = 1.0
_KEPT_MAX: Final = 262_144


@dataclass(frozen=True, slots=True)
class Look:
    """The devices' states now, by device and entity; what is not named stays as told. ``linked``: the chargers' links."""

    values: Mapping[tuple[str, str], Value]
    attributes: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    linked: Mapping[str, bool] = field(default_factory=dict)


class Told(Protocol):
    """What is told, and obeys."""

    def look(self) -> Look:
        """The states now."""

    async def obey(self, device: Device, entity: Entity, value: float | bool | str) -> None:
        """Do what an entity was told. Raises CommandError where that is not possible."""

    def refused(self, device: Device, entity: Entity, why: str) -> None:
        """Something was told that is not done."""

    def dropped(self, why: str) -> None:
        """Something was told and not looked at."""


class HomeAssistantLink:
    """Tells ``devices`` what ``told`` says of them, and it what they are told."""

    def __init__(
        self,
        broker: MqttSettings,
        settings: HomeAssistantSettings,
        devices: Sequence[Device],
        *,
        version: str,
        told: Told,
        timing: Timing = USUAL,
    ) -> None:
        self._broker, self._timing = broker, timing
        self._naming = Naming(settings.discovery_prefix, settings.topic_prefix)
        self._enabled = settings.enabled
        shown = devices if settings.enabled else ()
        self._configs = {
            self._naming.config(device.path): payloads.device_config(device, self._naming, version)
            for device in shown
        }
        self._entities = {
            (device.path, entity.key): (device, entity)
            for device in shown
            for entity in device.entities
        }
        self._commanded = {
            self._naming.command(device.path, entity.key): (device, entity)
            for device, entity in self._entities.values()
            if entity.accepts is not None
        }
        self._told = told
        self._inbox = Inbox(self._commanded)
        self._health = Health(SOURCE)
        self._client_id = f"{broker.client_id or f'parkwatt-{secrets.token_hex(4)}'}-home-assistant"
        self._said: dict[str, str] = {}
        self._announce = True
        self._heard = asyncio.Event()
        self._cleaned = False

    async def run(self, on_state: Callable[[SourceChanged], None]) -> NoReturn:
        """For ever. ``on_state``: told once when the broker fails, and once when it is well again."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(self._timing)
        while True:
            began_s = loop.time()
            try:
                await self._session(on_state)
            except BrokerError as error:
                for state in self._health.now(str(error)):
                    on_state(state)
            _end_if_asked()
            await backoff.rest(began_s)

    async def _session(self, on_state: Callable[[SourceChanged], None]) -> None:
        """From one connection to its end. Raises BrokerError."""
        topics = [*self._naming.births, *self._commanded] if self._enabled else []
        will = aiomqtt.Will(self._naming.availability, OFFLINE, qos=1, retain=True)
        async with connected(
            self._broker,
            topics,
            self._client_id,
            self._timing,
            will if self._enabled else None,
        ) as client:
            for state in self._health.now(""):
                on_state(state)
            if not self._cleaned:
                await self._take_away_gone(client)
                self._cleaned = True
            if not self._enabled:
                await asyncio.Event().wait()  # all that was told is taken away
            try:
                await self._talk(client)
            except asyncio.CancelledError:
                # A connection that is ended in order has no last will.
                with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                    async with asyncio.timeout(_GOODBYE_S):
                        await self._say(client, self._naming.availability, OFFLINE)
                raise

    async def _talk(self, client: aiomqtt.Client) -> None:
        """Obey at once, and tell what changed once a second."""
        loop = asyncio.get_running_loop()
        self._announce = True
        next_s = loop.time()
        listening = asyncio.create_task(self._listen(client))
        try:
            while True:
                _end_if_asked()
                if listening.done():
                    listening.result()  # raises what ended it
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(next_s):
                        await self._heard.wait()
                self._heard.clear()
                await self._obey_due()
                if loop.time() >= next_s:
                    next_s = loop.time() + EVERY_S
                    await self._tell(client)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Take in messages in a task of its own: a wait for one that is cut short could lose it. Raises aiomqtt.MqttError."""
        try:
            async for message in client.messages:
                self._take(message)
                self._heard.set()
                # A flood is looked at no faster than this; of each topic only the newest message waits meanwhile.
                await asyncio.sleep(_BREATH_S)
        finally:
            self._heard.set()

    def _take(self, message: aiomqtt.Message) -> None:
        topic, payload = str(message.topic), bytes(message.payload)
        if topic in self._naming.births:
            self._announce = self._announce or payload.strip() == ONLINE.encode()
            return
        now_s = asyncio.get_running_loop().time()
        self._inbox.take(topic, payload, retained=message.retain, now_s=now_s)

    async def _obey_due(self) -> None:
        taken = self._inbox.due(asyncio.get_running_loop().time())
        if taken.retained:
            self._told.dropped("commands that the broker had kept: publish them without retain")
        if taken.late:
            self._told.dropped("commands that waited too long: too much was said at once")
        for topic, payload in taken.messages:
            device, entity = self._commanded[topic]
            # Home Assistant is told again how it is, whatever comes of the command.
            self._said.pop(self._naming.state(device.path, entity.key), None)
            try:
                assert entity.accepts is not None  # noqa: S101 only those have a topic
                await self._told.obey(device, entity, command_value(entity.accepts, payload))
            except CommandError as error:
                self._told.refused(device, entity, str(error))

    async def _tell(self, client: aiomqtt.Client) -> None:
        if self._announce:
            self._announce, self._said = False, {}
            for topic, config in self._configs.items():
                await self._say(client, topic, payloads.encode(config))
            await self._say(client, self._naming.availability, ONLINE)
        for topic, text in self._texts(self._told.look()):
            if self._said.get(topic) != text:
                await self._say(client, topic, text, qos=0)
                self._said[topic] = text

    def _texts(self, look: Look) -> list[tuple[str, str]]:
        """Every topic with what is to be told on it."""
        naming = self._naming
        texts = [
            (naming.charger_availability(charger), ONLINE if linked else OFFLINE)
            for charger, linked in look.linked.items()
        ]
        for key, (device, entity) in self._entities.items():
            if key in look.values:
                text = state_text(entity, look.values[key])
                texts.append((naming.state(device.path, entity.key), text))
            if entity.attributes and key in look.attributes:
                more = payloads.encode(look.attributes[key]).decode()
                texts.append((naming.attributes(device.path, entity.key), more))
        return texts

    async def _take_away_gone(self, client: aiomqtt.Client) -> None:
        """Take away what an earlier run told of, and what is no more. It is known by what the broker kept."""
        for topic, payload in (await self._kept(client)).items():
            before = payloads.read_own(payload, self._naming)
            if before is None:
                continue
            now = self._configs.get(topic)
            taking = None if now is None else payloads.without_gone(before, now)
            if now is None or taking is not None:
                message = b"" if taking is None else payloads.encode(taking)
                await client.publish(topic, message, qos=1, timeout=self._timing.answer_s)
            for gone in payloads.topics_gone(before, self._configs.values()):
                await self._say(client, gone, "")
            if now is None:  # last, since it is the only record of all the rest
                await self._say(client, topic, "")

    async def _kept(self, client: aiomqtt.Client) -> dict[str, bytes]:
        """The devices that are told on the broker, everybody's."""
        found: dict[str, bytes] = {}
        await client.subscribe(self._naming.every_config, timeout=self._timing.answer_s)
        try:
            async with asyncio.timeout(_KEPT_S):
                async for message in client.messages:
                    topic, payload = str(message.topic), bytes(message.payload)
                    is_config = topic.endswith("/config")
                    # What a run before this one said last may come only now, and is then not marked as kept.
                    if is_config and payload and len(payload) <= _KEPT_MAX:
                        found[topic] = payload
                    elif not is_config:
                        self._take(message)
        except TimeoutError:
            pass
        await client.unsubscribe(self._naming.every_config, timeout=self._timing.answer_s)
        return found

    async def _say(
        self, client: aiomqtt.Client, topic: str, text: str | bytes, qos: int = 1
    ) -> None:
        await client.publish(topic, text, qos=qos, retain=True, timeout=self._timing.answer_s)


def _end_if_asked() -> None:
    """Raise what `asyncio.wait_for` may have swallowed, within aiomqtt: up to Python 3.11 a cancellation is lost where what was
    waited for comes at the same moment.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
