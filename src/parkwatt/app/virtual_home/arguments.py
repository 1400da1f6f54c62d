"""What the options of `parkwatt virtual-home` mean; all faults are told at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.domain.record import Faults
from parkwatt.io.sim.backup.build import HomeSettings
from parkwatt.io.sim.backup.gateway import GatewaySettings
from parkwatt.io.sim.backup.generator import GeneratorSettings
from parkwatt.io.sim.backup.mqtt_device import MqttDeviceSettings
from parkwatt.io.sim.backup.run import Doors
from parkwatt.io.sim.backup.source import SourceSettings
from parkwatt.io.sim.settings import CarSettings

_PORT_MAX = 65_535
_MQTT_PORT = 1883


def home_settings(arguments: argparse.Namespace) -> HomeSettings:
    """What the home is like. Raises InputError."""
    faults = Faults()
    for name in ("capacity", "power", "speed", "lease"):
        if not 0 < getattr(arguments, name) < float("inf"):
            faults.add(f"--{name}", "must be greater than 0", getattr(arguments, name))
    for name in ("battery", "generator", "solar", "seed"):
        if not 0 <= getattr(arguments, name) < float("inf"):
            faults.add(f"--{name}", "must be at least 0", getattr(arguments, name))
    if not 0 <= arguments.soc <= 1:
        faults.add("--soc", "must be from 0 to 1", arguments.soc)
    if not arguments.surge >= arguments.power:
        faults.add("--surge", "must be at least --power", arguments.surge)
    faults.raise_if_any()
    generator = None
    if arguments.generator > 0:
        generator = GeneratorSettings(power_kw_max=arguments.generator)
    nominal_hz = float(arguments.frequency)
    return HomeSettings(
        gateway=GatewaySettings(interlock=not arguments.no_interlock, lease_s=arguments.lease),
        source=SourceSettings(
            continuous_kw=arguments.power, surge_kw=arguments.surge, nominal_hz=nominal_hz
        ),
        car=CarSettings(capacity_kwh=arguments.capacity, soc=arguments.soc),
        battery_kwh=arguments.battery,
        solar_kw_peak=arguments.solar,
        generator=generator,
        nominal_hz=nominal_hz,
        # Two legs of 120 V in North America, three phases of 230 V elsewhere.
        phases=2 if arguments.frequency == 60 else 3,
        nominal_v=_nominal_v(arguments),
        seed=arguments.seed,
    )


def doors(arguments: argparse.Namespace) -> Doors:
    """How the home is reached. Raises InputError."""
    faults = Faults()
    for name in ("modbus_port", "control_port"):
        if not 0 <= getattr(arguments, name) <= _PORT_MAX:
            option = f"--{name.replace('_', '-')}"
            faults.add(option, f"must be from 0 to {_PORT_MAX}", getattr(arguments, name))
    mqtt = None if arguments.broker is None else _mqtt(arguments, faults)
    faults.raise_if_any()
    return Doors(
        mqtt=mqtt,
        modbus_port=arguments.modbus_port,
        control_port=arguments.control_port,
        host=arguments.host,
        nominal_v=_nominal_v(arguments),
    )


def _mqtt(arguments: argparse.Namespace, faults: Faults) -> MqttDeviceSettings | None:
    named = arguments.broker if ":" in arguments.broker else f"{arguments.broker}:{_MQTT_PORT}"
    host, _, port = named.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= _PORT_MAX:
        faults.add("--broker", "must be like localhost:1883", arguments.broker)
        return None
    topic = arguments.topic.strip("/")
    if not topic or any(sign in topic for sign in "+#\0"):
        faults.add("--topic", "must be a topic without wildcards", arguments.topic)
    password = None
    if arguments.password_file is not None:
        try:
            password = Path(arguments.password_file).read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError):
            faults.add(
                "--password-file", "must be a file that can be read", arguments.password_file
            )
    return MqttDeviceSettings(
        host=host,
        port=int(port),
        topic=topic,
        username=arguments.username,
        password=password,
        nominal_v=_nominal_v(arguments),
    )


def _nominal_v(arguments: argparse.Namespace) -> float:
    return 120.0 if arguments.frequency == 60 else 230.0
