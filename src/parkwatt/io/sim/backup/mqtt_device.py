"""The virtual home on MQTT: one device that says what it is like, and takes commands (docs/reference/virtual-home.md).

It says what changed at once, everything again every few seconds, and that it is alive every second. It takes no retained
command: what was asked before it listened is old, and closing a contact by an old message is not safe. When its link is cut it
says no goodbye; the broker does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import aiomqtt

from parkwatt.domain.home.gateway import TransferAction
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.backup.topics import discovery, gateway_state, gateway_topics, panel_topics


@dataclass(frozen=True, slots=True)
class MqttDeviceSettings:
    """``topic``: the base. ``discovery_prefix``: empty for none. ``again_s``: how often everything is said anew.

    ``alive_s``: between two heartbeats.
    """

    host: str = "localhost"
    port: int = 1883
    topic: str = "home"
    username: str | None = None
    password: str | None = None
    discovery_prefix: str = "homeassistant"
    nominal_v: float = 230.0
    again_s: float = 2.0
    alive_s: float = 1.0
    reconnect_s: float = 1.0
    keepalive_s: int = 5


class MqttDevice:
    """``on_state``: told in words when the link comes and goes. ``is_connected``: whether it is there now."""

    def __init__(
        self,
        life: Life,
        settings: MqttDeviceSettings,
        on_state: Callable[[str], None] | None = None,
    ) -> None:
        self.life, self.settings = life, settings
        self.is_connected = False
        self._on_state = on_state
        self._said: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._again_us = self._alive_us = 0
        life.listeners.append(self._changed.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Be on the broker until ``stop`` is set, and come back whenever the link ends."""
        told = ""
        while not stop.is_set():
            if not self._is_cut():
                try:
                    await self._session(stop)
                except aiomqtt.MqttError as error:
                    if told != str(error):
                        self._tell(f"no link to the broker: {error}")
                    told = str(error)
                else:
                    told = ""
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.settings.reconnect_s)

    def _is_cut(self) -> bool:
        return self.life.link_lost_until_us > self.life.now_us()

    def _tell(self, text: str) -> None:
        if self._on_state is not None:
            self._on_state(text)

    async def _session(self, stop: asyncio.Event) -> None:
        settings, base = self.settings, self.settings.topic
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            will=aiomqtt.Will(f"{base}/gateway/availability", "offline", qos=1, retain=True),
            keepalive=settings.keepalive_s,
            timeout=5.0,
        )
        try:
            async with client:
                await self._begin(client)
                await self._converse(client, stop)
        finally:
            self.is_connected = False
            ended = client._disconnected  # noqa: SLF001 else the event loop complains that nobody asked why it ended
            if ended.done() and not ended.cancelled():
                ended.exception()

    async def _begin(self, client: aiomqtt.Client) -> None:
        settings, base = self.settings, self.settings.topic
        for topic in ("gateway/+/set", "circuit/+/set", "circuit/+/lease/set", "generator/set"):
            await client.subscribe(f"{base}/{topic}", qos=1)
        if settings.discovery_prefix:
            configs = discovery(self.life.home, base, settings.discovery_prefix)
            for topic, payload in configs.items():
                await client.publish(topic, payload, qos=1, retain=True)
        self._said.clear()
        self._again_us = self._alive_us = 0
        await self._say(client)
        await client.publish(f"{base}/gateway/availability", "online", qos=1, retain=True)
        self.is_connected = True
        self._tell("linked to the broker")

    async def _converse(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        """Say and listen until the link is lost, cut or not wanted any more. Raises aiomqtt.MqttError."""
        listening = asyncio.create_task(self._listen(client))
        stopping = asyncio.create_task(stop.wait())
        try:
            while True:
                changing = asyncio.create_task(self._changed.wait())
                await asyncio.wait(
                    (listening, stopping, changing), return_when=asyncio.FIRST_COMPLETED
                )
                changing.cancel()
                self._changed.clear()
                if listening.done():
                    listening.result()
                if stopping.done():
                    await client.publish(
                        f"{self.settings.topic}/gateway/availability", "offline", 1, retain=True
                    )
                    return
                if self._is_cut():
                    self._tell("the link to the broker is cut")
                    _cut(client)
                    return
                await self._say(client)
        finally:
            for task in (listening, stopping):
                task.cancel()
            await asyncio.gather(listening, stopping, return_exceptions=True)

    async def _say(self, client: aiomqtt.Client) -> None:
        """Say what changed, and what is due to be said again."""
        home, settings = self.life.home, self.settings
        now_us = self.life.now_us()
        said = panel_topics(home)
        is_silent = home.gateway.faults.silent
        reading = home.reading()
        if not is_silent:
            said |= gateway_topics(home, reading, settings.nominal_v)
        again = now_us >= self._again_us
        changed = {
            topic: payload
            for topic, payload in said.items()
            if again or self._said.get(topic) != payload
        }
        alive = now_us >= self._alive_us and not is_silent
        if alive or (not is_silent and any(topic.startswith("gateway/") for topic in changed)):
            changed["gateway/state"] = gateway_state(home, reading)
        for topic, payload in changed.items():
            await client.publish(f"{settings.topic}/{topic}", payload, retain=True)
        self._said |= changed
        if alive:
            await client.publish(f"{settings.topic}/gateway/heartbeat", str(now_us // SECOND_US))
            self._alive_us = _next(now_us, settings.alive_s)
        if again:
            self._again_us = _next(now_us, settings.again_s)

    async def _listen(self, client: aiomqtt.Client) -> None:
        base = f"{self.settings.topic}/"
        async for message in client.messages:
            if message.retain:
                continue
            payload = bytes(message.payload).decode("utf-8", "replace").strip()
            result = obey(self.life, str(message.topic).removeprefix(base), payload)
            if result is not None:
                await client.publish(f"{base}gateway/result", json.dumps(result))


def obey(life: Life, topic: str, payload: str) -> dict[str, object] | None:
    """Do what a command says; returns what the gateway answers, None where it gives no answer."""
    action = next((one for one in get_args(TransferAction) if topic == f"gateway/{one}/set"), None)
    if action is not None or topic == "gateway/lease/set":
        if life.home.gateway.faults.deaf:
            return None
        if action is not None:
            answer = life.command(action)
        else:
            answer = life.renew_lease(int(payload) if re.fullmatch(r"\d{1,9}", payload) else 0)
        name = action or "lease"
        return {"action": name, "accepted": answer.accepted, "reason": answer.reason}
    parts = topic.split("/")
    if parts[0] == "circuit" and parts[2:] == ["set"] and payload in ("ON", "OFF"):
        life.switch(parts[1], on=payload == "ON")
    elif parts[0] == "circuit" and parts[2:] == ["lease", "set"] and payload.isdecimal():
        life.lease_circuit(parts[1], int(payload[:9]))
    elif topic == "generator/set" and payload in ("ON", "OFF"):
        life.run_generator(on=payload == "ON")
    return None


def _next(now_us: int, every_s: float) -> int:
    """The next whole multiple, so that what is said again is said at the same moments however often one looks."""
    every_us = max(round(every_s * SECOND_US), 1)
    return (now_us // every_us + 1) * every_us


def _cut(client: aiomqtt.Client) -> None:
    """Let the connection end without a goodbye, as a lost link does, so that the broker tells of it."""
    connection = client._client.socket()  # noqa: SLF001 aiomqtt only ever says goodbye
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
