"""Running a virtual home: physics, MQTT, Modbus and the control of it, until somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from parkwatt.io.sim.backup.control_server import ControlServer
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.modbus_device import ModbusDevice
from parkwatt.io.sim.backup.mqtt_device import MqttDevice, MqttDeviceSettings
from parkwatt.io.sim.backup.registers import Bank
from parkwatt.io.sim.backup.sunspec_models import EnterService


@dataclass(frozen=True, slots=True)
class Doors:
    """How the home is reached; None: not so. A port of 0 is any free one."""

    mqtt: MqttDeviceSettings | None = None
    modbus_port: int | None = None
    control_port: int | None = None
    host: str = "127.0.0.1"
    nominal_v: float = 230.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens; None: it does not."""

    modbus: int | None
    control: int | None


async def run_home(
    life: Life,
    doors: Doors,
    stop: asyncio.Event,
    *,
    on_start: Callable[[Ports], None] | None = None,
    on_link: Callable[[str], None] | None = None,
) -> None:
    """Let a home live behind its doors until ``stop`` is set. ``on_start``: told where it listens.

    Raises OSError where a port is taken.
    """
    enter_service = EnterService.around(life.home.grid.frequency_hz)
    modbus = ModbusDevice(bank=Bank(life, doors.nominal_v), enter_service=enter_service)
    control = ControlServer(life)
    try:
        modbus_port = control_port = None
        if doors.modbus_port is not None:
            modbus_port = await modbus.start(doors.host, doors.modbus_port)
        if doors.control_port is not None:
            control_port = await control.start(doors.control_port)
        if on_start is not None:
            on_start(Ports(modbus_port, control_port))
        async with asyncio.TaskGroup() as group:
            group.create_task(life.run(stop))
            if doors.mqtt is not None:
                group.create_task(MqttDevice(life, doors.mqtt, on_link).run(stop))
    finally:
        await control.stop()
        await modbus.stop()
