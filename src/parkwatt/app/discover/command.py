"""`parkwatt discover`: what describes itself on an MQTT broker as Home Assistant expects it, as settings for a site."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Final

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.domain.errors import InputError, InputFault, ParkwattError

_SECONDS_MAX: Final = 60.0

_DESCRIPTION = """\
Listens to an MQTT broker for what describes itself as Home Assistant expects it (MQTT discovery), and prints the tables
of a site's file: each switch as a circuit of the house's backup, with the power and energy of the same device, and
sensors that could be meters or a car's state of charge. Nothing is published and nothing switched.

exit code: 0 printed, 1 nothing describes itself there, 2 bad input, 3 no connection to the broker"""

_EXAMPLES = """\
  parkwatt discover homeassistant.local
  parkwatt discover 192.168.1.5:1883 --username parkwatt --password-file mqtt.password >> home.toml"""


def register(subparsers: Subparsers) -> None:
    """Add `discover` to the command line."""
    parser = add_command(
        subparsers,
        "discover",
        run,
        summary="find circuits and sensors on an MQTT broker, as settings",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("broker", metavar="HOST[:PORT]", help="the MQTT broker")
    add("--username", help="at the broker")
    add("--password-file", metavar="FILE", type=Path, help="holds the password alone")
    add("--tls", action="store_true", help="speak TLS (port 8883)")
    add("--ca-file", metavar="FILE", type=Path, help="PEM of the broker's own authority")
    add("--prefix", default="homeassistant", help="of discovery; default: homeassistant")
    add("--seconds", type=float, default=3.0, help="how long to listen; default: 3")


def run(arguments: argparse.Namespace) -> int:
    """Listen and print. Raises InputError for bad input, ParkwattError without a connection."""
    from parkwatt.app.discover.tables import tables
    from parkwatt.io.mqtt.connection import BrokerError
    from parkwatt.io.mqtt.discovery import listen
    from parkwatt.io.mqtt.settings import MqttSettings

    host, port = _address(arguments.broker, tls=arguments.tls or arguments.ca_file is not None)
    _check(arguments)
    broker = MqttSettings(
        host=host,
        port=port,
        username=arguments.username,
        password_file=arguments.password_file,
        tls=arguments.tls or arguments.ca_file is not None,
        ca_file=arguments.ca_file,
    )
    try:
        found = asyncio.run(listen(broker, arguments.prefix, arguments.seconds))
    except BrokerError as error:
        raise ParkwattError(str(error)) from None
    for line in tables(found, f"{broker.address}, {arguments.prefix}/…"):
        print(printable(line))
    return 0 if found else 1


def _address(text: str, *, tls: bool) -> tuple[str, int]:
    """Host and port of `host`, `host:port`, `[::1]:port`."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = text, "8883" if tls else "1883"
    number = int(port) if port.isascii() and port.isdigit() else 0
    host = host.removeprefix("[").removesuffix("]")
    if not host or not 1 <= number <= 65_535:
        rule = "must be HOST or HOST:PORT with a port from 1 to 65535"
        raise InputError([InputFault("broker", rule, text)])
    return host, number


def _check(arguments: argparse.Namespace) -> None:
    faults = []
    if not 0.1 <= arguments.seconds <= _SECONDS_MAX:
        rule = f"must be from 0.1 to {_SECONDS_MAX:g}"
        faults.append(InputFault("--seconds", rule, str(arguments.seconds)))
    if not arguments.prefix or set(arguments.prefix) & set("+#"):
        rule = "must be a topic without wildcards"
        faults.append(InputFault("--prefix", rule, arguments.prefix))
    if arguments.password_file is not None and arguments.username is None:
        faults.append(InputFault("--username", "is required with --password-file", None))
    if faults:
        raise InputError(faults)
