"""A client that does what Home Assistant does on a broker: birth and last will, discovery, states, availability, commands.

As its source says (release 2026.2.3, homeassistant/components/mqtt): it subscribes to `<prefix>/device/+/config`, refuses
messages that break its schema (`tests.io.mqtt.home_assistant.schema`), takes away what names a platform alone, has an entity
unavailable until all (or the latest) of its availability topics say otherwise, ignores states that do not fit the entity, and
publishes commands with QoS 0. Then it says on `<prefix>/status` that it is online.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

from tests.io.mqtt.home_assistant import schema

PATIENCE_S = 10.0


@dataclass
class HassEntity:
    """An entity as Home Assistant knows it. ``state``: None is unknown. ``states``: all that it took, in order."""

    key: tuple[str, str]
    config: dict[str, Any]
    device: dict[str, Any]
    state: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    states: list[str | None] = field(default_factory=list)
    available_on: dict[str, bool] = field(default_factory=dict)
    latest: bool = False
    last_reset: str | None = None

    @property
    def platform(self) -> str:
        """Its platform."""
        return str(self.config["platform"])

    @property
    def available(self) -> bool:
        """Whether it can be used."""
        topics = [one["topic"] for one in self.config["availability"]]
        if self.config.get("availability_mode", "latest") == "all":
            return all(self.available_on.get(topic, False) for topic in topics)
        return self.latest

    def hear(self, topic: str, payload: str, complain: Callable[[str], None]) -> None:
        """A message on one of its topics."""
        for one in self.config["availability"]:
            if one["topic"] == topic:
                if payload in (one["payload_available"], one["payload_not_available"]):
                    self.latest = self.available_on[topic] = payload == one["payload_available"]
                return
        if topic == self.config.get("json_attributes_topic"):
            self.attributes = json.loads(payload)
            return
        template = self.config.get("value_template")
        if template is not None:
            match = schema.PLAIN_TEMPLATE.fullmatch(template)
            assert match is not None
            told = json.loads(payload)
            value = told[match[1]]
            self.last_reset = told.get("last_reset")
            payload = "None" if value is None else str(value)
        if payload == "None" and self.platform != "text":
            self._take(None)
        elif not self._fits(payload):
            complain(f"{self.key}: the state {payload!r} does not fit")
        else:
            self._take(payload)

    def _take(self, state: str | None) -> None:
        self.state = state
        self.states.append(state)

    def _fits(self, payload: str) -> bool:
        config = self.config
        if len(payload) > schema.STATE_LENGTH_MAX:
            return False
        if self.platform in ("binary_sensor", "switch"):
            return payload in ("ON", "OFF")
        if "options" in config:
            return payload in config["options"]
        if self.platform == "text":
            fits = config.get("min", 0) <= len(payload) <= config.get("max", 255)
            return bool(fits) and re.match(config["pattern"], payload) is not None
        if config.get("device_class") == "timestamp":
            return (
                re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", payload) is not None
            )
        if self.platform == "number":
            return bool(config["min"] <= float(payload) <= config["max"])
        if "unit_of_measurement" in config:
            return math.isfinite(float(payload))
        return True


class Hass:
    """One run of Home Assistant: it knows nothing but what the broker tells it."""

    def __init__(self, client: aiomqtt.Client, prefix: str) -> None:
        self._client, self._prefix = client, prefix
        self.entities: dict[tuple[str, str], HassEntity] = {}
        self.devices: dict[str, dict[str, Any]] = {}
        self.complaints: list[str] = []
        self.configs_heard = 0
        self._heard = asyncio.Event()

    def entity(self, device: str, key: str) -> HassEntity:
        """An entity by the identifier of its device."""
        return self.entities[device, key]

    async def listen(self) -> None:
        """Hear all for ever."""
        async for message in self._client.messages:
            topic, payload = str(message.topic), bytes(message.payload)
            if topic.startswith(f"{self._prefix}/device/"):
                await self._discover(topic, payload)
            elif payload:
                for entity in list(self.entities.values()):
                    if topic in _topics(entity.config):
                        entity.hear(topic, payload.decode(), self.complaints.append)
            self._heard.set()
            self._heard = asyncio.Event()

    async def _discover(self, topic: str, payload: bytes) -> None:
        self.configs_heard += 1
        told_on = topic.split("/")[-2]
        if not payload:
            self.devices.pop(told_on, None)
            self.entities = {key: one for key, one in self.entities.items() if key[0] != told_on}
            return
        found = schema.faults(topic, payload, self._prefix)
        if found:
            self.complaints += found
            return
        config = schema.expanded(payload)
        self.devices[told_on] = config["device"]
        shared: dict[str, Any] = {name: config[name] for name in schema.SHARED if name in config}
        for key, part in config["components"].items():
            if set(part) == {"platform"}:
                known = self.entities.get((told_on, key))
                if known is not None and known.platform == part["platform"]:
                    del self.entities[told_on, key]
                continue
            await self._add((told_on, key), {**shared, **part}, config["device"])

    async def _add(
        self, key: tuple[str, str], config: dict[str, Any], device: dict[str, Any]
    ) -> None:
        known = self.entities.get(key)
        if known is not None and known.config == config:
            return
        if known is not None and known.platform != config["platform"]:
            self.complaints.append(f"{key}: it is a {known.platform} already")
        others = [one for one in self.entities.values() if one.key != key]
        if any(one.config["unique_id"] == config["unique_id"] for one in others):
            self.complaints.append(f"{key}: its unique_id is another's, too")
        self.entities[key] = HassEntity(key, config, device)
        await self._client.subscribe([(topic, 0) for topic in sorted(_topics(config))])

    async def until(self, holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds; told anew with each message."""
        try:
            async with asyncio.timeout(patience_s):
                while not holds():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.2):
                            await self._heard.wait()
        except TimeoutError:
            states = {key: one.state for key, one in self.entities.items()}
            raise AssertionError(f"not so: {states}, {self.complaints}") from None

    async def shows(
        self, device: str, key: str, state: str, patience_s: float = PATIENCE_S
    ) -> None:
        """Wait until an entity's state is this one."""
        await self.until(lambda: self.entity(device, key).state == state, patience_s)

    async def says(self, device: str, key: str, words: str) -> None:
        """Wait until an entity's state holds these words."""
        await self.until(lambda: words in (self.entity(device, key).state or ""))

    async def tell(self, device: str, key: str, payload: str, *, retain: bool = False) -> None:
        """What a person does to an entity."""
        topic = self.entity(device, key).config["command_topic"]
        await self._client.publish(topic, payload, qos=0, retain=retain)


def _topics(config: dict[str, Any]) -> set[str]:
    named = {config.get("state_topic"), config.get("json_attributes_topic")} - {None}
    return {str(topic) for topic in named} | {one["topic"] for one in config["availability"]}


@asynccontextmanager
async def hass(port: int, prefix: str = "homeassistant") -> AsyncIterator[Hass]:
    """Home Assistant, from its start to its end."""
    birth = f"{prefix}/status"
    will = aiomqtt.Will(birth, "offline")
    async with aiomqtt.Client("127.0.0.1", port, identifier="hass", will=will) as client:
        running = Hass(client, prefix)
        listening = asyncio.create_task(running.listen())
        try:
            await client.subscribe(f"{prefix}/device/+/config", qos=0)
            await client.subscribe(f"{prefix}/device/+/+/config", qos=0)
            await client.publish(birth, "online", qos=0, retain=False)
            yield running
            await client.publish(birth, "offline", qos=0, retain=False)
        finally:
            while not listening.done():  # aiomqtt may swallow a cancellation
                listening.cancel()
                await asyncio.wait({listening}, timeout=0.2)
