"""Parkwatt's own links lead the virtual home into an island and back: two writings of one layout, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.io.gateway.link import GatewayLink
from parkwatt.io.gateway.modbus_link import ModbusGatewayLink
from parkwatt.io.gateway.mqtt_link import MqttCircuitsLink, MqttGatewayLink
from parkwatt.io.gateway.registers import SharedLinks
from parkwatt.io.mqtt.settings import MqttSettings
from parkwatt.io.sim.backup.build import HomeSettings, build_parts
from parkwatt.io.sim.backup.control import apply_control
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.modbus_device import ModbusDevice
from parkwatt.io.sim.backup.mqtt_device import MqttDevice, MqttDeviceSettings
from parkwatt.io.sim.backup.registers import Bank
from tests.io.gateway.devices import (
    Heard,
    approved,
    clock,
    modbus_gateway,
    mqtt_circuit,
    mqtt_gateway,
)
from tests.io.mqtt.broker import running

BY_LAYOUT: dict[str, object] = {
    "base_topic": "home/gateway",
    "reports_bond": True,
    "reports_output_voltage": True,
}
ON_MODBUS: dict[str, object] = {
    "host": "127.0.0.1",
    "grid_voltage": [{"register": 120 + phase, "scale": 0.1} for phase in range(3)],
    "grid_frequency": {"register": 123, "scale": 0.01},
    "grid_pole": {"function": "discrete", "register": 1, "opposite": 0},
    "island_source": {"function": "discrete", "register": 3, "opposite": 2},
    "bond": {"function": "discrete", "register": 5, "opposite": 4},
    "output_voltage": {"register": 124, "scale": 0.1},
    "alive": {"register": 115},
    "lease": {"register": 103},
    "poll_s": 0.2,
    "commands": {
        "open_grid_pole": {"function": "coil", "register": 0, "value": 0},
        "close_grid_pole": {"function": "coil", "register": 0, "value": 1},
        "close_bond": {"function": "coil", "register": 2, "value": 1},
        "open_bond": {"function": "coil", "register": 2, "value": 0},
        "open_island_source": {"function": "coil", "register": 1, "value": 0},
        "close_island_source": {"function": "coil", "register": 1, "value": 1},
    },
}


@asynccontextmanager
async def living() -> AsyncIterator[Life]:
    """A home in real time."""
    begun_us = clock()
    life = Life(BackupHome(begun_us, build_parts(HomeSettings(), begun_us)), clock)
    stop = asyncio.Event()
    task = asyncio.create_task(life.run(stop))
    try:
        yield life
    finally:
        stop.set()
        await task


async def there_and_back(life: Life, link: GatewayLink) -> None:
    heard = Heard[GatewayReading]()
    task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))

    async def until(holds: Callable[[GatewayReading], bool]) -> GatewayReading:
        await heard.until(lambda: bool(heard.readings) and holds(heard.readings[-1]), 20.0)
        return heard.readings[-1]

    try:
        reading = await until(lambda told: abs(told.measured_unix_us - clock()) < 2_500_000)
        assert (reading.grid_pole, reading.island_source, reading.bond) == (
            "closed",
            "open",
            "open",
        )
        assert reading.grid_voltage_pu == (1.0, 1.0, 1.0)
        assert reading.grid_frequency_hz == 50.0
        apply_control(life, "outage for 1h")
        reading = await until(lambda told: told.grid_voltage_pu == (0.0, 0.0, 0.0))
        await until(lambda told: told.output_voltage_pu == 0.0)
        await link.request(approved("open_grid_pole"))
        await until(lambda told: told.grid_pole == "open")
        await link.request(approved("close_bond"))
        await until(lambda told: told.bond == "closed")
        await link.request(approved("close_island_source", lease_s=7))
        await until(lambda told: told.island_source == "closed")
        assert life.home.gateway.lease_s == 7
        await until(lambda told: told.output_voltage_pu == 1.0)
        await until(lambda told: told.island_source == "open")
        assert life.home.gateway.counters.leases_expired == 1
        apply_control(life, "outage stop")
        await until(lambda told: told.grid_voltage_pu == (1.0, 1.0, 1.0))
        await link.request(approved("open_bond"))
        await link.request(approved("close_grid_pole"))
        await until(lambda told: told.grid_pole == "closed" and told.output_voltage_pu == 1.0)
        assert life.home.gateway.counters.both_closed_s == 0.0
        assert life.home.gateway.counters.interlock_blocks == 0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def on_mqtt(folder: Path, steps: Callable[[Life, MqttSettings], Awaitable[None]]) -> None:
    async def main() -> None:
        with running(folder) as broker:
            async with living() as life:
                stop = asyncio.Event()
                device = MqttDevice(life, MqttDeviceSettings("127.0.0.1", broker.port))
                task = asyncio.create_task(device.run(stop))
                try:
                    await steps(life, MqttSettings(host="127.0.0.1", port=broker.port))
                finally:
                    stop.set()
                    await task

    asyncio.run(main())


def test_by_the_layout_on_mqtt(tmp_path: Path) -> None:
    async def steps(life: Life, broker: MqttSettings) -> None:
        link = MqttGatewayLink(broker, mqtt_gateway(BY_LAYOUT), clock=clock)
        await there_and_back(life, link)

    on_mqtt(tmp_path, steps)


def test_a_circuit_by_the_layout_on_mqtt(tmp_path: Path) -> None:
    async def steps(life: Life, broker: MqttSettings) -> None:
        circuit = mqtt_circuit("network", {"base_topic": "home/circuit/network"})
        link = MqttCircuitsLink(broker, (circuit,), clock=clock)
        heard = Heard[CircuitReading]()
        task = asyncio.create_task(link.run(heard.on_reading, heard.on_state))
        await heard.until(lambda: bool(heard.readings) and heard.readings[-1].power_kw == 0.04)
        assert heard.readings[-1].on
        await link.command(CircuitCommand("network", False, "a test asks", 600))
        await heard.until(lambda: heard.readings[-1].on is False)
        await heard.until(lambda: heard.readings[-1].power_kw == 0.0)
        assert not life.home.circuits["network"].is_on
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    on_mqtt(tmp_path, steps)


def test_by_registers_on_modbus() -> None:
    async def main() -> None:
        async with living() as life:
            device = ModbusDevice(bank=Bank(life))
            port = await device.start()
            gateway = modbus_gateway({**ON_MODBUS, "port": port})
            try:
                await there_and_back(life, ModbusGatewayLink(SharedLinks(), gateway, clock=clock))
            finally:
                await device.stop()

    asyncio.run(main())
