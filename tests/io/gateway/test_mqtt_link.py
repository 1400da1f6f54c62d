"""A gateway and circuits on a real broker: told, commanded, gone, back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pytest

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.io.gateway.link import BatteryReading, DeviceError
from parkwatt.io.gateway.mqtt_link import MqttBatteryLink, MqttCircuitsLink, MqttGatewayLink
from parkwatt.io.gateway.mqtt_settings import MqttBattery
from parkwatt.io.gateway.points import Quantity
from parkwatt.io.mqtt.connection import Timing
from parkwatt.io.mqtt.settings import MqttSettings, Place
from tests.io.gateway.devices import Heard, approved, clock, mqtt_circuit, mqtt_gateway
from tests.io.mqtt.broker import TestBroker, running

QUICK = Timing(backoff_s=(0.02, 0.1), answer_s=1.0)
GATEWAY = mqtt_gateway({"base_topic": "home/gateway", "reports_bond": True})
BASE = "home/gateway"
ON_GRID = (
    (f"{BASE}/grid_pole", "closed"),
    (f"{BASE}/island_source", "open"),
    (f"{BASE}/bond", "open"),
    *((f"{BASE}/grid_voltage/l{phase}", "230") for phase in (1, 2, 3)),
    (f"{BASE}/grid_frequency", "50"),
    (f"{BASE}/grid_present", "ON"),
)
HEARTBEAT = (f"{BASE}/heartbeat", "1")


def settings(broker: TestBroker) -> MqttSettings:
    """How to reach the broker."""
    return MqttSettings(host="127.0.0.1", port=broker.port, client_id="parkwatt")


async def with_gateway(
    broker: TestBroker,
    steps: Callable[[MqttGatewayLink, Heard[GatewayReading]], Awaitable[None]],
) -> None:
    """Take the steps while a gateway's link runs and is connected."""
    heard = Heard[GatewayReading]()
    link = MqttGatewayLink(settings(broker), GATEWAY, clock=clock, timing=QUICK)
    running_link = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
    try:
        await steps(link, heard)
    finally:
        running_link.cancel()
        await asyncio.gather(running_link, return_exceptions=True)


async def fresh(broker: TestBroker, heard: Heard[GatewayReading]) -> GatewayReading:
    """Publish a heartbeat until it is heard and all parts are known."""
    async with asyncio.timeout(10.0):
        while not heard.readings or heard.readings[-1].measured_unix_us == 0:
            await broker.publish(HEARTBEAT)
            await asyncio.sleep(0.05)
    return heard.readings[-1]


def test_a_gateway_is_read_by_the_layout(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:
            await broker.publish(*ON_GRID, retain=True)
            begun_us = clock()

            async def steps(_: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                reading = await fresh(broker, heard)
                assert begun_us <= reading.measured_unix_us <= clock()
                assert reading.grid_voltage_pu == (1.0, 1.0, 1.0)
                assert (reading.grid_frequency_hz, reading.grid_present) == (50.0, True)
                assert (reading.grid_pole, reading.island_source, reading.bond) == (
                    "closed",
                    "open",
                    "open",
                )
                await broker.publish((f"{BASE}/grid_pole", "open"))
                await heard.until(lambda: heard.readings[-1].grid_pole == "open")
                assert not heard.states

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_the_lease_goes_before_the_command(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(link: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                await broker.publish(*ON_GRID, retain=True)
                await fresh(broker, heard)
                async with aiomqtt.Client("127.0.0.1", broker.port) as device:
                    await device.subscribe(f"{BASE}/+/set")
                    await link.request(approved("close_island_source", lease_s=20))
                    await link.request(approved("open_grid_pole"))
                    told: list[tuple[str, bytes, bool]] = []
                    async with asyncio.timeout(5.0):
                        async for message in device.messages:
                            payload = message.payload
                            told.append((str(message.topic), payload, message.retain))
                            if len(told) == 4:
                                break
                assert told == [
                    (f"{BASE}/lease/set", b"20", False),
                    (f"{BASE}/close_island_source/set", b"ON", False),
                    (f"{BASE}/lease/set", b"15", False),
                    (f"{BASE}/open_grid_pole/set", b"ON", False),
                ]

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_only_what_was_approved_is_sent(tmp_path: Path) -> None:
    class Forged:
        action = "close_island_source"
        reason = "because"
        lease_s = 15

    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(link: MqttGatewayLink, _: Heard[GatewayReading]) -> None:
                with pytest.raises(TypeError, match="only an ApprovedTransfer"):
                    await link.request(cast("Any", Forged()))

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_what_the_settings_do_not_name_is_refused() -> None:
    watching = mqtt_gateway({"grid_present": {"topic": "grid"}})
    link = MqttGatewayLink(MqttSettings(host="127.0.0.1", port=1), watching, clock=clock)
    with pytest.raises(DeviceError, match="no command for open_bond"):
        asyncio.run(link.request(approved("open_bond")))


def test_without_a_connection_nothing_is_sent_and_nothing_kept_for_later(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:
            await broker.publish(*ON_GRID)

            async def steps(link: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                await asyncio.sleep(0.3)
                broker.stop()
                await heard.until(lambda: heard.oks("mqtt.gateway") == [False])
                with pytest.raises(DeviceError, match="no connection to the broker"):
                    await link.request(approved("close_island_source"))
                broker.start()
                async with aiomqtt.Client("127.0.0.1", broker.port) as device:
                    await device.subscribe(f"{BASE}/+/set")
                    await heard.until(lambda: heard.oks("mqtt.gateway") == [False, True])
                    await link.request(approved("open_island_source"))
                    async with asyncio.timeout(5.0):
                        message = await anext(aiter(device.messages))
                        assert str(message.topic) == f"{BASE}/lease/set"
                        message = await anext(aiter(device.messages))
                        assert str(message.topic) == f"{BASE}/open_island_source/set"

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_after_a_broken_connection_all_is_unknown_until_told_anew(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(_: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                await asyncio.sleep(0.3)
                await broker.publish(*ON_GRID)
                assert (await fresh(broker, heard)).grid_pole == "closed"
                broker.stop()
                await heard.until(lambda: heard.oks("mqtt.gateway") == [False])
                count = len(heard.readings)
                broker.start()
                await heard.until(lambda: heard.oks("mqtt.gateway") == [False, True])
                await broker.publish(HEARTBEAT)
                await heard.until(lambda: len(heard.readings) > count)
                assert heard.readings[-1].grid_pole is None
                assert heard.readings[-1].measured_unix_us == 0

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_a_frozen_broker_takes_no_command(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(link: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                await broker.publish(*ON_GRID, retain=True)
                await fresh(broker, heard)
                broker.freeze()
                with pytest.raises(DeviceError, match="did not take it on home/gateway/lease/set"):
                    await link.request(approved("open_island_source"))
                broker.thaw()

            await with_gateway(broker, steps)

    asyncio.run(main())


def test_circuits_are_told_and_switched(tmp_path: Path) -> None:
    fridge = mqtt_circuit("fridge", {"base_topic": "home/circuit/fridge"})
    shelly = mqtt_circuit(
        "dryer",
        {
            "state": {"topic": "shelly/status", "path": "output", "on": "true", "off": "false"},
            "power": {"topic": "shelly/status", "path": "apower"},
            "command_topic": "shelly/rpc",
            "payload_on": '{"on":true}',
            "payload_off": '{"on":false,"toggle_after":{lease_s}}',
        },
    )
    meter = mqtt_circuit("well", {"power": {"topic": "well/w"}})

    async def main() -> None:
        heard = Heard[CircuitReading]()
        with running(tmp_path) as broker:
            link = MqttCircuitsLink(
                settings(broker), (fridge, shelly, meter), clock=clock, timing=QUICK
            )
            assert link.circuit_ids == {"fridge", "dryer", "well"}
            task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
            await asyncio.sleep(0.3)
            await broker.publish(
                ("home/circuit/fridge/state", "ON"),
                ("shelly/status", '{"output":true,"apower":2000}'),
            )
            await heard.until(lambda: len(heard.readings) == 2)
            told = {reading.circuit_id: reading for reading in heard.readings}
            assert told["fridge"].on is True
            assert (told["dryer"].on, told["dryer"].power_kw) == (True, 2.0)
            async with aiomqtt.Client("127.0.0.1", broker.port) as device:
                await device.subscribe("#")
                await link.command(CircuitCommand("dryer", False, "outage", 300))
                await link.command(CircuitCommand("fridge", True, "outage", 300))
                messages: list[tuple[str, bytes]] = []
                async with asyncio.timeout(5.0):
                    async for message in device.messages:
                        messages.append((str(message.topic), message.payload))
                        if len(messages) == 3:
                            break
            assert messages == [
                ("shelly/rpc", b'{"on":false,"toggle_after":300}'),
                ("home/circuit/fridge/lease/set", b"300"),
                ("home/circuit/fridge/set", b"ON"),
            ]
            with pytest.raises(DeviceError, match="no switch for well"):
                await link.command(CircuitCommand("well", False, "outage", 300))
            with pytest.raises(DeviceError, match="no switch for nobody"):
                await link.command(CircuitCommand("nobody", False, "outage", 300))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_a_battery_tells_its_state_of_charge(tmp_path: Path) -> None:
    async def main() -> None:
        heard = Heard[BatteryReading]()
        with running(tmp_path) as broker:
            battery = MqttBattery(Quantity(Place("home/battery/soc"), 0.01))
            link = MqttBatteryLink(settings(broker), battery, clock=clock, timing=QUICK)
            task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
            await asyncio.sleep(0.3)
            await broker.publish(("home/battery/soc", "64"))
            await heard.until(lambda: bool(heard.readings))
            assert heard.readings[-1].soc == 0.64
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_a_gateway_that_dies_is_unknown_by_its_last_will(tmp_path: Path) -> None:
    async def main() -> None:
        with running(tmp_path) as broker:

            async def steps(_: MqttGatewayLink, heard: Heard[GatewayReading]) -> None:
                reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
                topic = f"{BASE}/availability".encode()
                writer.write(_connect(b"gateway", topic, b"offline"))
                await reader.readexactly(4)
                await broker.publish(*ON_GRID, retain=True)
                assert (await fresh(broker, heard)).grid_pole == "closed"
                writer.transport.abort()
                await heard.until(lambda: heard.readings[-1].grid_pole is None)
                assert heard.oks("gateway") == [False]
                assert "offline" in heard.states[-1].reason

            await with_gateway(broker, steps)

    asyncio.run(main())


def _connect(client_id: bytes, topic: bytes, will: bytes) -> bytes:
    """MQTT 3.1.1's CONNECT with a last will; aiomqtt says goodbye, so that no will is told."""
    parts = b"".join(len(part).to_bytes(2, "big") + part for part in (client_id, topic, will))
    rest = b"\x00\x04MQTT\x04\x06\x00\x3c" + parts
    return bytes((0x10, len(rest))) + rest
