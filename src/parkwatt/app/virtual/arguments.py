"""The options of `parkwatt virtual`, and the settings that they make; all faults are told at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.sim.faults import DISOBEDIENCES, Faults, set_fault
from parkwatt.io.sim.settings import CarSettings, StationSettings, Trip

if TYPE_CHECKING:
    from parkwatt.domain.record import Faults as InputFaults
    from parkwatt.io.sim.link import LinkSettings

COUNT_MAX = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add every option."""
    add = parser.add_argument
    add(
        "--url",
        metavar="URL",
        required=True,
        help="ws:// or wss:// address, without the charger's id",
    )
    add("--id", metavar="ID", default="CP-1", help="the charger's id; default: CP-1")
    add(
        "--protocol",
        choices=("1.6", "2.0.1", "2.1"),
        default="2.1",
        help="OCPP version; default: 2.1",
    )
    add("--count", metavar="N", type=int, default=1, help="so many chargers: ID, ID-2, ID-3 …")
    add(
        "--speed", metavar="X", type=float, default=1.0, help="its clock runs so many times as fast"
    )
    add("--seed", metavar="N", type=int, default=1, help="decides all chance; default: 1")
    add("--password", metavar="WORD", help="basic authentication (security profiles 1 and 2)")
    add("--ca", metavar="FILE", help="the root certificate to trust")
    add("--certificate", metavar="FILE", help="the charger's own certificate (security profile 3)")
    add("--key", metavar="FILE", help="the key of that certificate")
    _add_power(parser)
    _add_behaviour(parser)
    add("--truth", metavar="FILE", help="append what really happened, as JSON lines")
    add("--control", action="store_true", help="read lines from standard input that change things")
    add("--json", action="store_true", help="print JSON lines instead of words")
    add("--quiet", action="store_true", help="print nothing")


def _add_power(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--power", metavar="KW", type=float, default=11.0, help="most charging power; default: 11")
    add(
        "--discharge-power",
        metavar="KW",
        type=float,
        default=10.0,
        help="0: a one-way car; default: 10",
    )
    add(
        "--phases", type=int, choices=(1, 3), default=3, help="phases of the connection; default: 3"
    )
    add("--dc", action="store_true", help="a DC charger")
    add(
        "--capacity", metavar="KWH", type=float, default=60.0, help="the car's battery; default: 60"
    )
    add("--soc", metavar="FRACTION", type=float, default=0.5, help="state of charge; default: 0.5")
    add(
        "--soc-floor",
        metavar="FRACTION",
        type=float,
        default=0.05,
        help="no discharge below it; default: 0.05",
    )
    add(
        "--ramp", metavar="KW/S", type=float, default=5.0, help="how fast power changes; default: 5"
    )
    add(
        "--trip",
        metavar="HH:MM-HH:MM=KWH",
        action="append",
        default=[],
        help="a daily trip in UTC and its energy; may be repeated",
    )
    add("--away", action="store_true", help="no car is plugged in at the start")


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--token",
        metavar="ID",
        default="VIRTUAL-CAR",
        help="the driver's card; empty: free charging",
    )
    add("--remote-start", action="store_true", help="wait to be started by the back end")
    add(
        "--meter-interval",
        metavar="S",
        type=int,
        default=60,
        help="between meter values; default: 60",
    )
    add(
        "--meter-noise",
        metavar="FRACTION",
        type=float,
        default=0.0,
        help="of shown powers; default: 0",
    )
    add("--negative-limit", choices=("reject", "discharge"), default="reject", help="what it means")
    add("--no-v2x", action="store_true", help="announce no bidirectional charging on 2.1")
    add("--no-dynamic", action="store_true", help="take no dynamic profiles on 2.1")
    add(
        "--lenient",
        action="store_true",
        help="discharge without an allowed energy transfer, and limits beside set-points",
    )
    add("--boot-always", action="store_true", help="a BootNotification on each connection")
    add("--new-id", action="store_true", help="a repeated message gets a new id")
    add(
        "--call-timeout",
        metavar="S",
        type=float,
        default=30.0,
        help="wait for an answer; default: 30",
    )
    add(
        "--disobey", choices=DISOBEDIENCES, default="none", help="what becomes of accepted profiles"
    )
    add(
        "--fault",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a fault; may be repeated",
    )


def station_settings(arguments: argparse.Namespace) -> list[StationSettings]:
    """The settings of every charger. Raises InputError with all faults of the options."""
    from parkwatt.domain.record import Faults as InputFaults

    faults = InputFaults()
    _check_numbers(arguments, faults)
    trips = tuple(trip for text in arguments.trip if (trip := _trip(text, faults)) is not None)
    faults.raise_if_any()
    car = CarSettings(
        capacity_kwh=arguments.capacity,
        soc=arguments.soc,
        soc_floor=arguments.soc_floor,
        charge_kw_max=arguments.power,
        discharge_kw_max=arguments.discharge_power,
        ramp_kw_per_s=arguments.ramp,
        trips=trips,
        plugged_in=not arguments.away,
    )
    return [
        StationSettings(
            id=arguments.id if number == 0 else f"{arguments.id}-{number + 1}",
            protocol=arguments.protocol,
            car=car,
            power_kw_max=arguments.power,
            discharge_kw_max=arguments.discharge_power,
            phases=arguments.phases,
            voltage_v=400.0 if arguments.dc else 230.0,
            is_dc=arguments.dc,
            v2x=not arguments.no_v2x,
            dynamic_profiles=not arguments.no_dynamic,
            negative_limit=arguments.negative_limit,
            strict_setpoint=not arguments.lenient,
            strict_transfer=not arguments.lenient,
            id_token=arguments.token or None,
            auto_start=not arguments.remote_start,
            boot_on_reconnect=arguments.boot_always,
            meter_interval_s=arguments.meter_interval,
            meter_noise=arguments.meter_noise,
            call_timeout_s=arguments.call_timeout,
            retry_with_new_id=arguments.new_id,
            seed=arguments.seed + number,
        )
        for number in range(arguments.count)
    ]


def station_faults(arguments: argparse.Namespace) -> Faults:
    """The faults on demand. Raises InputError with all that cannot be read."""
    faults = Faults(disobey=arguments.disobey)
    found: list[InputFault] = []
    for text in arguments.fault:
        try:
            set_fault(faults, text)
        except InputError as error:
            found += error.faults
    if found:
        raise InputError(found)
    return faults


def link_settings(arguments: argparse.Namespace) -> LinkSettings:
    """Where and how to connect. Raises InputError."""
    from parkwatt.domain.record import Faults as InputFaults
    from parkwatt.io.sim.link import LinkSettings

    faults = InputFaults()
    if not arguments.url.startswith(("ws://", "wss://")):
        faults.add("--url", "must start with ws:// or wss://", arguments.url)
    files: dict[str, Path | None] = {}
    for name in ("ca", "certificate", "key"):
        value = getattr(arguments, name)
        files[name] = None if value is None else Path(value)
        if value is not None and not Path(value).is_file():
            faults.add(f"--{name}", "must be a file", value)
    faults.raise_if_any()
    settings = LinkSettings(
        arguments.url,
        password=arguments.password,
        ca=files["ca"],
        certificate=files["certificate"],
        key=files["key"],
    )
    try:
        settings.tls()
    except OSError as error:  # ssl.SSLError is one
        faults.add("--ca, --certificate, --key", f"cannot be used ({error.strerror or error})")
    faults.raise_if_any()
    return settings


def _check_numbers(arguments: argparse.Namespace, faults: InputFaults) -> None:
    def demand(option: str, rule: str, value: float, *, holds: bool) -> None:
        if not holds:
            faults.add(option, rule, value)

    demand(
        "--count",
        f"must be from 1 to {COUNT_MAX}",
        arguments.count,
        holds=1 <= arguments.count <= COUNT_MAX,
    )
    for option in ("speed", "power", "capacity", "ramp", "call_timeout"):
        value = getattr(arguments, option)
        demand(f"--{option.replace('_', '-')}", "must be greater than 0", value, holds=value > 0)
    for option in ("discharge_power", "meter_interval", "meter_noise", "seed"):
        value = getattr(arguments, option)
        demand(f"--{option.replace('_', '-')}", "must be at least 0", value, holds=value >= 0)
    for option in ("soc", "soc_floor"):
        value = getattr(arguments, option)
        demand(f"--{option.replace('_', '-')}", "must be from 0 to 1", value, holds=0 <= value <= 1)
    if not arguments.id or not arguments.id.isprintable() or "/" in arguments.id:
        faults.add("--id", "must be text without a slash", arguments.id)


def _trip(text: str, faults: InputFaults) -> Trip | None:
    span, _, energy = text.partition("=")
    begin, _, end = span.partition("-")
    try:
        departs_s, returns_s, energy_kwh = _second(begin), _second(end), float(energy)
    except ValueError:
        faults.add("--trip", "must be like 07:30-17:15=8.5", text)
        return None
    if departs_s == returns_s or not 0 <= energy_kwh < float("inf"):
        faults.add("--trip", "must last some time and use an energy of at least 0", text)
        return None
    return Trip(departs_s, returns_s, energy_kwh)


def _second(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if not (0 <= hours < 24 and 0 <= minutes < 60):
        raise ValueError(text)
    return hours * 3600 + minutes * 60
