"""Settings of devices for tests, and a record of what a link told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from parkwatt.domain.home.gateway import ApprovedTransfer, TransferAction
from parkwatt.domain.record import Faults, Record
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.gateway.modbus_settings import ModbusGateway, read_modbus_gateway
from parkwatt.io.gateway.mqtt_settings import (
    MqttCircuit,
    MqttGateway,
    read_mqtt_circuit,
    read_mqtt_gateway,
)

Reading = TypeVar("Reading")


@dataclass
class Heard(Generic[Reading]):
    """All that a link told."""

    readings: list[Reading] = field(default_factory=list)
    states: list[SourceChanged] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_reading(self, reading: Reading) -> None:
        self.readings.append(reading)
        self.news.set()

    def on_state(self, state: SourceChanged) -> None:
        self.states.append(state)
        self.news.set()

    def oks(self, source: str) -> list[bool]:
        return [state.ok for state in self.states if state.source == source]

    async def until(self, condition: Callable[[], bool], within_s: float = 10.0) -> None:
        """Wait until something told makes the condition true."""
        async with asyncio.timeout(within_s):
            while not condition():
                self.news.clear()
                await self.news.wait()


def clock() -> int:
    """The wall's clock."""
    return time.time_ns() // 1000


def mqtt_gateway(table: dict[str, object]) -> MqttGateway:
    """A gateway from its table, without faults."""
    faults = Faults()
    record = Record(table, "backup.gateway", faults)
    gateway = read_mqtt_gateway(record, 230.0, 3)
    faults.raise_if_any()
    return gateway


def mqtt_circuit(circuit_id: str, table: dict[str, object]) -> MqttCircuit:
    """A circuit from its table, without faults."""
    faults = Faults()
    circuit = read_mqtt_circuit(Record(table, "backup.circuit[0]", faults), circuit_id)
    faults.raise_if_any()
    return circuit


def modbus_gateway(table: dict[str, object]) -> ModbusGateway:
    """A gateway from its table, without faults."""
    faults = Faults()
    gateway = read_modbus_gateway(Record(table, "backup.gateway", faults), 230.0)
    faults.raise_if_any()
    return gateway


def approved(action: TransferAction, lease_s: int = 15) -> ApprovedTransfer:
    """What the island machine would have approved."""
    return ApprovedTransfer(action, "a test asks", lease_s)
