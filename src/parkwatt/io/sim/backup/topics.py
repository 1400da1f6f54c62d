"""A virtual home's topics and what is said there (docs/reference/virtual-home.md), and how Home Assistant finds them."""

from __future__ import annotations

import json
from typing import Any, Final, get_args

from parkwatt.domain.home.gateway import GatewayReading, TransferAction
from parkwatt.io.sim.backup.gateway import POLES
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.car import Car

UNKNOWN: Final = "unknown"


def gateway_topics(home: BackupHome, reading: GatewayReading, nominal_v: float) -> dict[str, str]:
    """What the gateway says of itself, without the base topic."""
    said: dict[str, str] = {
        **{str(name): getattr(reading, name) or UNKNOWN for name in POLES},
        "grid_frequency": _grid_frequency(reading),
        "grid_present": _yes(reading.grid_present),
        "output_voltage": _volts(reading.output_voltage_pu, nominal_v),
        "output_frequency": f"{home.frequency_hz:.2f}",
        "fault": reading.fault,
        "grid_voltage": UNKNOWN,
    }
    if reading.grid_voltage_pu is not None:
        said["grid_voltage"] = _volts(min(reading.grid_voltage_pu), nominal_v)
    for number in range(home.grid.phases):
        phases_pu = reading.grid_voltage_pu
        said[f"grid_voltage/l{number + 1}"] = _volts(
            None if phases_pu is None else phases_pu[number], nominal_v
        )
    return {f"gateway/{name}": payload for name, payload in said.items()}


def gateway_state(home: BackupHome, reading: GatewayReading) -> str:
    """All of the gateway at one moment, as JSON."""
    gateway = home.gateway
    until_us = gateway.lease_until_us
    return json.dumps(
        {
            **{name: getattr(reading, name) for name in reading.__struct_fields__},
            "lease_s": gateway.lease_s,
            "lease_left_s": None if until_us is None else (until_us - home.now_us) // SECOND_US,
        }
    )


def panel_topics(home: BackupHome) -> dict[str, str]:
    """What circuits, meter, sun and sources say."""
    said: dict[str, str] = {
        "meter/power": _watts(home.grid_kw),
        "solar/power": _watts(home.parts.solar.power_kw),
        "island/power": _watts(home.source.power_kw),
        "island/state": home.source.state,
    }
    for name, circuit in home.circuits.items():
        told = circuit.switch.auxiliary()
        said[f"circuit/{name}/state"] = _yes(None if told is None else told == "closed")
        said[f"circuit/{name}/power"] = _watts(circuit.power_kw)
        said[f"circuit/{name}/energy"] = f"{circuit.energy_kwh:.3f}"
    source, generator = home.source, home.parts.generator
    if source.car is not None and source.is_plugged:
        said |= _battery("island", source.car)
    if source.battery is not None:
        said |= _battery("battery", source.battery)
        said["battery/power"] = _watts(source.battery_kw)
    if generator is not None:
        said["generator/power"] = _watts(generator.power_kw)
        said["generator/state"] = generator.phase
    return said


def _battery(place: str, battery: Car) -> dict[str, str]:
    return {
        f"{place}/soc": f"{100.0 * battery.soc:.1f}",
        f"{place}/energy": f"{battery.energy_kwh:.3f}",
    }


def _grid_frequency(reading: GatewayReading) -> str:
    if reading.grid_voltage_pu is None:
        return UNKNOWN
    return f"{reading.grid_frequency_hz or 0.0:.2f}"


def _volts(voltage_pu: float | None, nominal_v: float) -> str:
    return UNKNOWN if voltage_pu is None else f"{voltage_pu * nominal_v:.1f}"


def _watts(power_kw: float) -> str:
    return str(round(1000.0 * power_kw))


def _yes(told: bool | None) -> str:
    return UNKNOWN if told is None else "ON" if told else "OFF"


# Home Assistant's discovery.

_MEASURED: Final = {
    "gateway/grid_voltage": ("Grid voltage", "voltage", "V"),
    "gateway/grid_frequency": ("Grid frequency", "frequency", "Hz"),
    "gateway/output_voltage": ("Home voltage", "voltage", "V"),
    "gateway/output_frequency": ("Home frequency", "frequency", "Hz"),
    "meter/power": ("Grid power", "power", "W"),
    "solar/power": ("Solar power", "power", "W"),
    "island/power": ("Island source power", "power", "W"),
    "island/soc": ("Car battery", "battery", "%"),
}


def discovery(home: BackupHome, base: str, prefix: str) -> dict[str, str]:
    """Configuration by topic, as Home Assistant's MQTT discovery expects it: one retained message for each entity."""
    node = base.replace("/", "_")
    found: dict[str, str] = {}

    def add(component: str, key: str, device: str, **fields: Any) -> None:
        found[f"{prefix}/{component}/{node}/{key}/config"] = json.dumps(
            {
                "unique_id": f"{node}_{key}",
                "availability_topic": f"{base}/gateway/availability",
                "device": {"identifiers": [f"{node}_{device}"], "name": f"Virtual {device}"},
                "origin": {"name": "Parkwatt virtual home"},
                **fields,
            }
        )

    for name, circuit in home.circuits.items():
        topic = f"{base}/circuit/{name}"
        add(
            "switch",
            f"circuit_{name}",
            "panel",
            name=circuit.circuit.name,
            state_topic=f"{topic}/state",
            command_topic=f"{topic}/set",
        )
        add(
            "sensor",
            f"circuit_{name}_power",
            "panel",
            name=f"{circuit.circuit.name} power",
            state_topic=f"{topic}/power",
            device_class="power",
            unit_of_measurement="W",
        )
    for pole in POLES:
        add(
            "binary_sensor",
            pole,
            "gateway",
            name=pole.replace("_", " ").capitalize(),
            state_topic=f"{base}/gateway/{pole}",
            payload_on="closed",
            payload_off="open",
        )
    for action in get_args(TransferAction):
        add(
            "button",
            action,
            "gateway",
            name=action.replace("_", " ").capitalize(),
            command_topic=f"{base}/gateway/{action}/set",
        )
    for place, (name, kind, unit) in _MEASURED.items():
        add(
            "sensor",
            place.replace("/", "_"),
            "gateway",
            name=name,
            state_topic=f"{base}/{place}",
            device_class=kind,
            unit_of_measurement=unit,
        )
    return found
