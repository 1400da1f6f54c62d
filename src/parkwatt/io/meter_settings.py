"""Where a running site's readings come from: the tables `[meter.grid]`, `[meter.solar]`, `[meter.load]`, `[meter.battery]`
and `[mqtt]` (docs/guides/meters.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from parkwatt.domain.record import Record
from parkwatt.io.meter_reading import ROLES, Role
from parkwatt.io.modbus.settings import ModbusMeter, read_modbus_meter
from parkwatt.io.mqtt.settings import MqttMeter, MqttSettings, read_mqtt, read_mqtt_meter

MeterSettings = ModbusMeter | MqttMeter


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """All meters of a site, and the broker where there is one."""

    meters: tuple[MeterSettings, ...] = ()
    broker: MqttSettings | None = None

    def has(self, *roles: Role) -> bool:
        """Whether something measures any of these."""
        return any(meter.role in roles for meter in self.meters)


def read_metering(record: Record, folder: Path) -> Metering:
    """All meters in a site's file, whose top is ``record``; ``folder``: what file names are relative to.

    After faults it must not be used.
    """
    tables = record.record("meter", required=False)
    read = [read_meter(tables.record(role), role) for role in ROLES if tables.has(role)]
    tables.finish()
    meters = tuple(meter for meter in read if meter is not None)
    broker = read_mqtt(record.record("mqtt"), folder) if record.has("mqtt") else None
    if broker is None and any(isinstance(meter, MqttMeter) for meter in meters):
        record.fault("mqtt", "is required by a meter that reads MQTT: name the broker's host")
    return Metering(meters=meters, broker=broker)


def read_meter(record: Record, role: Role) -> MeterSettings | None:
    """The meter in the table ``record``; None where its source is none. After faults it must not be used."""
    source = record.text("source", choices=("modbus", "mqtt", "none"))
    meter: MeterSettings | None = None
    if source == "modbus":
        meter = read_modbus_meter(record, role)
    elif source == "mqtt":
        meter = read_mqtt_meter(record, role)
    if source in ("modbus", "mqtt"):
        record.finish()
    return meter
