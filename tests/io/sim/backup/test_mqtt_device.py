"""The virtual home on MQTT, over a real broker, as a client that is not ours sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from parkwatt.io.sim.backup.build import HomeSettings
from parkwatt.io.sim.backup.generator import GeneratorSettings
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.mqtt_device import MqttDevice, MqttDeviceSettings
from parkwatt.io.sim.backup.pole import SECOND_US
from tests.io.mqtt.broker import TestBroker, running
from tests.io.sim.backup.homes import a_life

PATIENCE_S = 10.0


@dataclass
class Bystander:
    """Hears everything, and has the home at hand. ``said``: the newest of each topic; ``heard``: all, in order."""

    client: aiomqtt.Client
    life: Life
    port: int
    said: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)
    retained: set[str] = field(default_factory=set)

    async def listen(self) -> None:
        async for message in self.client.messages:
            topic, payload = str(message.topic), bytes(message.payload).decode()
            self.said[topic] = payload
            self.heard.append((topic, payload))
            if message.retain:
                self.retained.add(topic)

    async def until(self, topic: str, *payloads: str) -> None:
        """Wait until that is what was said last."""
        await until(lambda: self.said.get(f"home/{topic}") in payloads)

    async def tell(self, topic: str, payload: str = "PRESS", *, retain: bool = False) -> None:
        await self.client.publish(f"home/{topic}", payload, qos=1, retain=retain)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def bystander(life: Life, port: int) -> AsyncIterator[Bystander]:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#", qos=1)
        found = Bystander(client, life, port)
        listening = asyncio.create_task(found.listen())
        try:
            yield found
        finally:
            listening.cancel()


Steps = Callable[[Bystander], Coroutine[Any, Any, None]]


def on_a_broker(folder: Path, steps: Steps, home: HomeSettings | None = None) -> None:
    """A home that lives in real time on a broker, and somebody who takes the steps."""

    async def main(broker: TestBroker) -> None:
        life, clock = a_life(home)
        loop = asyncio.get_running_loop()
        begun_us, begun_s = clock.now_us, loop.time()
        life.clock = lambda: begun_us + round((loop.time() - begun_s) * SECOND_US)
        device = MqttDevice(
            life, MqttDeviceSettings("127.0.0.1", broker.port, reconnect_s=0.05, nominal_v=230.0)
        )
        stop = asyncio.Event()
        async with bystander(life, broker.port) as other:
            tasks = [
                asyncio.create_task(life.run(stop)),
                asyncio.create_task(device.run(stop)),
            ]
            try:
                await other.until("gateway/availability", "online")
                await steps(other)
            finally:
                stop.set()
                await asyncio.gather(*tasks)

    with running(folder) as broker:
        asyncio.run(main(broker))


def test_it_says_what_it_is_like(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.until("gateway/grid_pole", "closed")
        said = other.said
        assert said["home/gateway/island_source"] == said["home/gateway/bond"] == "open"
        assert said["home/gateway/grid_voltage"] == "230.0"
        assert said["home/gateway/grid_voltage/l3"] == "230.0"
        assert said["home/gateway/grid_frequency"] == "50.00"
        assert said["home/gateway/grid_present"] == "ON"
        assert said["home/circuit/fridge/state"] == "ON"
        assert said["home/island/soc"] == "50.0"
        state = json.loads(said["home/gateway/state"])
        assert state["grid_voltage_pu"] == [1.0, 1.0, 1.0]
        assert state["grid_pole"] == "closed"
        assert state["lease_left_s"] is None
        assert int(said["home/meter/power"]) == pytest.approx(
            1000 * other.life.home.grid_kw, abs=50
        )

    on_a_broker(tmp_path, steps)


def test_what_it_said_waits_for_who_comes_later(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.until("gateway/grid_pole", "closed")
        async with bystander(other.life, other.port) as late:
            await late.until("gateway/availability", "online")
            await until(lambda: "home/circuit/hob/state" in late.retained)
            assert "home/gateway/state" in late.retained
            assert "home/gateway/heartbeat" not in late.retained

    on_a_broker(tmp_path, steps)


def test_it_is_led_into_an_island_and_back(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        grid = other.life.home.grid
        grid.plan(grid.outage(other.life.now_us(), 1e6))
        other.life.touched()
        await other.until("gateway/grid_voltage", "0.0")
        await other.until("gateway/output_voltage", "0.0")
        assert other.said["home/gateway/grid_present"] == "OFF"
        assert other.said["home/gateway/grid_frequency"] == "0.00"
        await other.tell("gateway/open_grid_pole/set")
        await other.until("gateway/grid_pole", "open")
        await other.tell("gateway/close_bond/set")
        await other.until("gateway/bond", "closed")
        await other.tell("gateway/lease/set", "30")
        await other.tell("gateway/close_island_source/set")
        await other.until("gateway/island_source", "closed")
        await other.until("island/state", "forming")
        await other.until("gateway/output_voltage", "230.0")
        state = json.loads(other.said["home/gateway/state"])
        assert 20 <= state["lease_left_s"] <= 30
        await other.tell("gateway/open_island_source/set")
        await other.until("gateway/island_source", "open")
        await other.until("gateway/output_voltage", "0.0")
        grid.plan([grid.back(other.life.now_us())])
        other.life.touched()
        await other.tell("gateway/close_grid_pole/set")
        await other.until("gateway/grid_pole", "closed")
        await other.until("gateway/output_voltage", "230.0")
        assert other.life.home.gateway.counters.both_closed_s == 0.0

    on_a_broker(tmp_path, steps)


def test_it_tells_what_came_of_a_command(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.tell("gateway/close_island_source/set")
        await until(lambda: "home/gateway/result" in other.said)
        result = json.loads(other.said["home/gateway/result"])
        assert result["action"] == "close_island_source"
        assert not result["accepted"]
        assert "grid_pole" in result["reason"]
        await other.tell("gateway/lease/set", "soon")
        await until(lambda: "lease" in other.said["home/gateway/result"])
        assert not json.loads(other.said["home/gateway/result"])["accepted"]

    on_a_broker(tmp_path, steps)


def test_circuits_and_the_generator_are_switched(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.tell("circuit/network/lease/set", "1")
        await other.tell("circuit/network/set", "OFF")
        await other.until("circuit/network/state", "OFF")
        await other.until("circuit/network/power", "0")
        await other.until("circuit/network/state", "ON")
        await other.until("circuit/network/power", "40")
        await other.tell("circuit/unknown/set", "OFF")
        await other.tell("circuit/hob/set", "perhaps")
        await other.tell("generator/set", "ON")
        await other.until("generator/state", "warming_up")
        assert other.life.home.circuits["hob"].is_on

    on_a_broker(tmp_path, steps, HomeSettings(generator=GeneratorSettings()))


def test_home_assistant_finds_its_switches(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        topic = "homeassistant/switch/home/circuit_hob/config"
        await until(lambda: topic in other.said)
        config = json.loads(other.said[topic])
        assert config["command_topic"] == "home/circuit/hob/set"
        assert config["state_topic"] == "home/circuit/hob/state"
        assert config["availability_topic"] == "home/gateway/availability"
        assert config["unique_id"] == "home_circuit_hob"
        configs = [json.loads(said) for found, said in other.said.items() if "/config" in found]
        ids = [one["unique_id"] for one in configs]
        assert len(set(ids)) == len(ids) == 10 * 2 + 3 + 6 + 8

    on_a_broker(tmp_path, steps)


def test_an_old_command_is_not_done(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.tell("gateway/open_grid_pole/set", retain=True)
        await other.until("gateway/grid_pole", "open")
        other.life.command("close_grid_pole")
        await other.until("gateway/grid_pole", "closed")
        other.life.link_lost_until_us = other.life.now_us() + SECOND_US // 5
        other.life.touched()
        await other.until("gateway/availability", "offline")
        await other.until("gateway/availability", "online")
        await asyncio.sleep(0.5)
        assert other.life.home.gateway.is_closed("grid_pole")

    on_a_broker(tmp_path, steps)


def test_a_link_that_is_cut_is_told_by_the_broker(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await other.until("gateway/grid_pole", "closed")
        other.life.link_lost_until_us = other.life.now_us() + SECOND_US
        other.life.touched()
        await other.until("gateway/availability", "offline")
        other.life.command("open_grid_pole")
        await asyncio.sleep(0.3)
        assert other.said["home/gateway/grid_pole"] == "closed", "nobody hears it"
        await other.until("gateway/availability", "online")
        await other.until("gateway/grid_pole", "open")

    on_a_broker(tmp_path, steps)


def test_a_silent_gateway_says_nothing_and_its_panel_goes_on(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        await until(lambda: "home/gateway/heartbeat" in other.said)
        other.life.home.gateway.faults.silent = True
        other.life.touched()
        other.life.switch("hob", on=False)
        await other.until("circuit/hob/state", "OFF")
        other.heard.clear()
        other.life.command("open_grid_pole")
        await other.until("circuit/network/power", "0")
        await until(lambda: ("home/circuit/hob/state", "OFF") in other.heard)
        topics = {topic for topic, _ in other.heard}
        assert not {topic for topic in topics if topic.startswith("home/gateway")}

    on_a_broker(tmp_path, steps)


def test_a_deaf_gateway_does_nothing_and_answers_nothing(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        other.life.home.gateway.faults.deaf = True
        await other.tell("gateway/open_grid_pole/set")
        await asyncio.sleep(0.5)
        assert "home/gateway/result" not in other.said
        assert other.life.home.gateway.is_closed("grid_pole")

    on_a_broker(tmp_path, steps)


def test_a_heartbeat_each_second(tmp_path: Path) -> None:
    async def steps(other: Bystander) -> None:
        def beats() -> list[int]:
            said = [said for topic, said in other.heard if topic == "home/gateway/heartbeat"]
            return [int(one) for one in said]

        await until(lambda: len(beats()) >= 3)
        assert beats() == sorted(set(beats())), "never twice in a second"
        assert abs(beats()[-1] - other.life.now_us() // SECOND_US) <= 1

    on_a_broker(tmp_path, steps)


def test_it_comes_back_when_the_broker_does(tmp_path: Path) -> None:
    async def main() -> None:
        broker = TestBroker(tmp_path)
        life, clock = a_life()
        told: list[str] = []
        device = MqttDevice(
            life,
            MqttDeviceSettings("127.0.0.1", broker.port, reconnect_s=0.05),
            told.append,
        )
        stop = asyncio.Event()
        running_device = asyncio.create_task(device.run(stop))
        await until(lambda: bool(told))
        assert "no link" in told[0]
        broker.start()
        await until(lambda: device.is_connected)
        broker.stop()
        await until(lambda: not device.is_connected)
        broker.start()
        await until(lambda: device.is_connected)
        stop.set()
        await running_device
        broker.stop()
        clock.wait(1.0)

    asyncio.run(main())
