"""What the settings say of a gateway, circuits and a battery on Modbus TCP (docs/guides/backup-devices.md).

A value is a table: ``{ register = 3, function = "discrete", closed = 1, open = 0 }``, or a SunSpec model's value by its name:
``{ sunspec = "701.Hz" }``. A command is ``{ register = 0, function = "coil", value = 1 }``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from parkwatt.domain.home.gateway import TransferAction
from parkwatt.domain.record import Record
from parkwatt.io.gateway.points import (
    ACTIONS,
    FLAGS,
    CircuitPoints,
    Flag,
    FlagName,
    GatewayPoints,
    Quantity,
)
from parkwatt.io.gateway.sunspec import POINTS, WORDS
from parkwatt.io.host_name import read_host
from parkwatt.io.modbus.settings import RegisterType

ReadFunction = Literal["holding", "input", "coil", "discrete"]
WriteFunction = Literal["holding", "coil"]

_ADDRESS_MAX: Final = 65_535
_VALUE_MAX: Final = 65_535
_PORT_MAX: Final = 65_535
_UNIT_MAX: Final = 255
_BIT_MAX: Final = 15
_PHASES_MAX: Final = 3
_SCALE_MAX: Final = 1e6
_NAMES: Final[Mapping[FlagName, tuple[str, str]]] = {
    "grid_present": ("present", "absent"),
    "grid_pole": ("closed", "open"),
    "island_source": ("closed", "open"),
    "bond": ("closed", "open"),
}
_PLAIN: Final = ("register", "function", "type", "bit", "opposite")


@dataclass(frozen=True, slots=True)
class ModbusDevice:
    """Where a device is."""

    host: str
    port: int = 502
    unit: int = 1
    timeout_s: float = 3.0

    @property
    def address(self) -> tuple[str, int]:
        """Of the connection."""
        return self.host, self.port


@dataclass(frozen=True, slots=True)
class RegisterPlace:
    """A coil, a discrete input, or a register with its type; ``bit``: only that of it, from 0. ``swap``: low word first.

    ``opposite``: of a coil or input, where its contrary is told: where both are the same, nobody knows.
    """

    register: int
    function: ReadFunction = "holding"
    type: RegisterType = "uint16"
    swap: bool = False
    bit: int | None = None
    opposite: int | None = None


@dataclass(frozen=True, slots=True)
class PointPlace:
    """A value of the device's first SunSpec model of that number."""

    model: int
    point: str


Address = RegisterPlace | PointPlace


@dataclass(frozen=True, slots=True)
class Write:
    """What to write. ``value``: None for the lease in whole seconds."""

    register: int
    function: WriteFunction = "holding"
    value: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusGateway:
    """A gateway on Modbus TCP. ``lease``: written before each command. ``poll_s``: how often it is read.

    ``alive``: a counter that moves on as long as the device works: what stands still with it is old.
    """

    device: ModbusDevice
    points: GatewayPoints[Address]
    commands: Mapping[TransferAction, Write] = field(default_factory=dict)
    lease: Write | None = None
    alive: Address | None = None
    poll_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusCircuit:
    """A circuit on Modbus TCP."""

    device: ModbusDevice
    points: CircuitPoints[Address, Write]
    poll_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusBattery:
    """A battery on Modbus TCP. ``soc``: its scale gives 0 to 1."""

    device: ModbusDevice
    soc: Quantity[Address]
    poll_s: float = 10.0


def read_modbus_gateway(record: Record, nominal_voltage_v: float) -> ModbusGateway:
    """The gateway in the table ``record``, whose own fields remain to be finished. After faults it must not be used."""
    flags: dict[FlagName, Flag[Address]] = {}
    for name in FLAGS:
        flag = _read_flag(record, name, _NAMES[name])
        if flag is not None:
            flags[name] = flag
    points: GatewayPoints[Address] = GatewayPoints(
        flags=flags,
        grid_voltage=_read_voltages(record),
        grid_frequency=_read_quantity(record, "grid_frequency"),
        output_voltage=_read_quantity(record, "output_voltage"),
        nominal_voltage_v=nominal_voltage_v,
        fault=_read_place(record, "fault"),
        measured_at=_read_quantity(record, "measured_at"),
    )
    table = record.record("commands", required=False)
    commands: dict[TransferAction, Write] = {}
    for action in ACTIONS:
        write = _read_write(table, action)
        if write is not None:
            commands[action] = write
    table.finish()
    return ModbusGateway(
        device=read_device(record, None),
        points=points,
        commands=commands,
        lease=_read_lease(record),
        alive=_read_place(record, "alive"),
        poll_s=record.number("poll_s", 1.0, minimum=0.1, maximum=60.0),
    )


def read_modbus_circuit(
    record: Record, circuit_id: str, gateway: ModbusDevice | None
) -> ModbusCircuit:
    """The circuit in the table ``record``, whose own fields remain to be finished; ``gateway``: where it is unless it says.

    After faults it must not be used.
    """
    switch = _read_switch(record)
    points: CircuitPoints[Address, Write] = CircuitPoints(
        circuit_id=circuit_id,
        state=_read_flag(record, "state", ("on", "off")),
        power=_read_quantity(record, "power"),
        energy=_read_quantity(record, "energy"),
        switch_on=switch[0],
        switch_off=switch[1],
        lease=_read_lease(record),
    )
    return ModbusCircuit(
        device=read_device(record, gateway),
        points=points,
        poll_s=record.number("poll_s", 2.0, minimum=0.1, maximum=60.0),
    )


def read_modbus_battery(record: Record) -> ModbusBattery:
    """The battery in the table ``record``, whose own fields remain to be finished: by default SunSpec 713's.

    After faults it must not be used.
    """
    soc = _read_quantity(record, "soc", 0.01)
    return ModbusBattery(
        device=read_device(record, None),
        soc=soc or Quantity(PointPlace(713, "SoC"), 0.01),
        poll_s=record.number("poll_s", 10.0, minimum=0.1, maximum=60.0),
    )


def read_device(record: Record, default: ModbusDevice | None) -> ModbusDevice:
    """``host``, ``port``, ``unit``, ``timeout_s``; those of ``default`` where no host is given."""
    known = default if default is not None and not record.has("host") else None
    return ModbusDevice(
        host=read_host(record) if known is None else known.host,
        port=record.integer("port", known.port if known else 502, minimum=1, maximum=_PORT_MAX),
        unit=record.integer("unit", known.unit if known else 1, minimum=0, maximum=_UNIT_MAX),
        timeout_s=record.number(
            "timeout_s", known.timeout_s if known else 3.0, minimum=0.1, maximum=30.0
        ),
    )


def _read_flag(record: Record, name: str, names: tuple[str, str]) -> Flag[Address] | None:
    if not record.has(name):
        return None
    table = record.record(name)
    place = _read_address(table)
    default = WORDS.get((place.model, place.point)) if isinstance(place, PointPlace) else None
    yes, no = default or (1, 0)
    flag = Flag(
        place,
        str(table.integer(names[0], yes, minimum=0, maximum=_VALUE_MAX)),
        str(table.integer(names[1], no, minimum=0, maximum=_VALUE_MAX)),
    )
    if flag.yes == flag.no:
        table.fault(names[1], f"must differ from {names[0]}", int(flag.no))
    table.finish()
    return flag


def _read_quantity(record: Record, name: str, scale: float = 1.0) -> Quantity[Address] | None:
    return _quantity(record.record(name), scale) if record.has(name) else None


def _quantity(table: Record, scale: float) -> Quantity[Address]:
    place = _read_address(table)
    quantity = Quantity(place, table.number("scale", scale, above=0.0, maximum=_SCALE_MAX))
    if isinstance(place, RegisterPlace) and place.function in ("coil", "discrete"):
        table.fault("function", "must be holding or input for a number", place.function)
    table.finish()
    return quantity


def _read_voltages(record: Record) -> tuple[Quantity[Address], ...]:
    if not isinstance(record.value("grid_voltage"), list):
        one = _read_quantity(record, "grid_voltage")
        return () if one is None else (one,)
    tables = record.records("grid_voltage")
    if not 1 <= len(tables) <= _PHASES_MAX:
        record.fault("grid_voltage", "must be a table, or 1 to 3 of them, one for each phase")
    return tuple(_quantity(table, 1.0) for table in tables)


def _read_place(record: Record, name: str) -> Address | None:
    if not record.has(name):
        return None
    table = record.record(name)
    place = _read_address(table)
    table.finish()
    return place


def _read_address(table: Record) -> Address:
    name = table.optional_text("sunspec")
    if name is not None:
        for other in _PLAIN:
            if table.has(other):
                table.value(other)
                table.fault(other, "must be absent with sunspec, which says where the value is")
        return _read_point(table, name)
    function = table.text("function", "holding", choices=get_args(ReadFunction))
    kind, _, order = table.text("type", "uint16").partition(" ")
    known = next((one for one in get_args(RegisterType) if one == kind), None)
    if known is None or order not in ("", "swap"):
        kinds = ", ".join(get_args(RegisterType))
        rule = f"must be one of {kinds}, with swap behind it where the low word comes first"
        table.fault("type", rule, f"{kind} {order}".strip())
    bit = table.integer("bit", minimum=0, maximum=_BIT_MAX) if table.has("bit") else None
    if bit is not None and (function in ("coil", "discrete") or known != "uint16"):
        table.fault("bit", "must be of a register of the type uint16", bit)
    opposite = None
    if table.has("opposite"):
        opposite = table.integer("opposite", minimum=0, maximum=_ADDRESS_MAX)
        if function not in ("coil", "discrete"):
            table.fault("opposite", "must be of a coil or a discrete input", opposite)
    return RegisterPlace(
        register=table.integer("register", minimum=0, maximum=_ADDRESS_MAX),
        function=next((one for one in get_args(ReadFunction) if one == function), "holding"),
        type=known or "uint16",
        swap=order == "swap",
        bit=bit,
        opposite=opposite,
    )


def _read_point(table: Record, name: str) -> PointPlace:
    model, _, point = name.partition(".")
    place = PointPlace(int(model) if model.isdecimal() else 0, point)
    if (place.model, place.point) not in POINTS:
        known = ", ".join(f"{number}.{label}" for number, label in POINTS)
        table.fault("sunspec", f"must be one of {known}", name)
    return place


def _read_switch(record: Record) -> tuple[Write | None, Write | None]:
    """``switch``: a place with the values that switch on and off."""
    if not record.has("switch"):
        return None, None
    table = record.record("switch")
    register, function = _read_target(table)
    on = table.integer("on", 1, minimum=0, maximum=_VALUE_MAX)
    off = table.integer("off", 0, minimum=0, maximum=_VALUE_MAX)
    if on == off:
        table.fault("off", "must differ from on", off)
    table.finish()
    return Write(register, function, on), Write(register, function, off)


def _read_write(record: Record, name: str) -> Write | None:
    if not record.has(name):
        return None
    table = record.record(name)
    register, function = _read_target(table)
    value = table.integer("value", 1, minimum=0, maximum=_VALUE_MAX)
    table.finish()
    return Write(register, function, value)


def _read_lease(record: Record) -> Write | None:
    if not record.has("lease"):
        return None
    table = record.record("lease")
    write = Write(table.integer("register", minimum=0, maximum=_ADDRESS_MAX))
    table.finish()
    return write


def _read_target(table: Record) -> tuple[int, WriteFunction]:
    function = table.text("function", "holding", choices=get_args(WriteFunction))
    register = table.integer("register", minimum=0, maximum=_ADDRESS_MAX)
    return register, "coil" if function == "coil" else "holding"
