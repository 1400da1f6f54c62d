"""What the settings say of a meter on Modbus TCP: `[meter.*]` with `source = "modbus"`.

host = "192.168.1.20"        the device, or a gateway to it
port = 502
unit = 1                     the device's number behind that address
number = 1                   which of the device's meters, where SunSpec finds several of that kind
sign = "import_positive"     what a positive value means, where the device differs from its kind
phase_order = [1, 2, 3]      which phase of the connection the meter's A, B and C are on
timeout_s = 3.0

A device that does not speak SunSpec, by its manual:
register = 52                address of the power, as it goes over the wire (from 0)
type = "float32"             int16, uint16, int32, uint32, float32; "… swap": the low word first
scale = 1.0                  watts for each count
function = "input"           or "holding"
current_registers = [6, 8, 10], current_scale = 1.0     amperes of the phases, of the same type
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from parkwatt.domain.record import Record
from parkwatt.io.host_name import read_host
from parkwatt.io.meter_reading import SIGNS, Role, Sign

Function = Literal["holding", "input"]
RegisterType = Literal["int16", "uint16", "int32", "uint32", "float32"]

_ADDRESS_MAX: Final = 65_535
_PORT_MAX: Final = 65_535
_UNIT_MAX: Final = 255
_PHASES: Final = (1, 2, 3)
_PLAIN_FIELDS: Final = ("type", "scale", "function", "current_registers", "current_scale")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRegisters:
    """Where a device that does not speak SunSpec has its power and currents. ``scale``: W a count; ``swap``: low word first.

    ``current_registers``: of the phases, none where it has none, of the same type; ``current_scale``: A a count.
    """

    register: int
    type: RegisterType
    swap: bool = False
    scale: float = 1.0
    function: Function = "holding"
    current_registers: tuple[int, ...] = ()
    current_scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusMeter:
    """One meter. ``sign``: None for what its kind of device means. ``plain``: None for SunSpec. ``number``: from 1."""

    role: Role
    host: str
    port: int = 502
    unit: int = 1
    number: int = 1
    sign: Sign | None = None
    phase_order: tuple[int, ...] = _PHASES
    timeout_s: float = 3.0
    plain: PlainRegisters | None = None

    @property
    def source(self) -> str:
        """What the meter is called where its health is told."""
        return f"meter.{self.role}"


def read_modbus_meter(record: Record, role: Role) -> ModbusMeter:
    """The meter in the table ``record``. After faults it must not be used."""
    sign = record.optional_text("sign")
    if sign is not None and sign not in SIGNS:
        record.fault("sign", f"must be one of {', '.join(SIGNS)}", sign)
    return ModbusMeter(
        role=role,
        host=read_host(record),
        port=record.integer("port", 502, minimum=1, maximum=_PORT_MAX),
        unit=record.integer("unit", 1, minimum=0, maximum=_UNIT_MAX),
        number=record.integer("number", 1, minimum=1, maximum=10),
        sign=next((known for known in SIGNS if known == sign), None),
        phase_order=_read_phase_order(record),
        timeout_s=record.number("timeout_s", 3.0, minimum=0.1, maximum=30.0),
        plain=_read_plain(record),
    )


def _read_phase_order(record: Record) -> tuple[int, ...]:
    order = record.value("phase_order")
    if order is None:
        return _PHASES
    if not isinstance(order, list) or sorted(order, key=str) != list(_PHASES):
        record.fault(
            "phase_order", "must hold 1, 2 and 3, each once, such as [2, 3, 1]", str(order)
        )
        return _PHASES
    return tuple(order)


def _read_plain(record: Record) -> PlainRegisters | None:
    if not record.has("register"):
        for name in _PLAIN_FIELDS:
            if record.has(name):
                record.value(name)
                record.fault(name, "needs register: without it the device is read by SunSpec")
        return None
    kind, _, order = record.text("type").partition(" ")
    known = next((one for one in get_args(RegisterType) if one == kind), None)
    if kind and (known is None or order not in ("", "swap")):
        kinds = ", ".join(get_args(RegisterType))
        rule = f"must be one of {kinds}, with swap behind it where the low word comes first"
        record.fault("type", rule, f"{kind} {order}".strip())
    function = record.text("function", "holding", choices=get_args(Function))
    return PlainRegisters(
        register=record.integer("register", minimum=0, maximum=_ADDRESS_MAX),
        type=known or "int16",
        swap=order == "swap",
        scale=_read_scale(record, "scale"),
        function="input" if function == "input" else "holding",
        current_registers=_read_current_registers(record),
        current_scale=_read_scale(record, "current_scale"),
    )


def _read_scale(record: Record, name: str) -> float:
    scale = record.number(name, 1.0, minimum=-1e6, maximum=1e6)
    if scale == 0.0:
        record.fault(name, "must not be 0", scale)
    return scale


def _read_current_registers(record: Record) -> tuple[int, ...]:
    values = record.value("current_registers")
    if values is None:
        return ()
    if not isinstance(values, list) or not 1 <= len(values) <= len(_PHASES):
        record.fault("current_registers", "must be a list of 1 to 3 addresses")
        return ()
    for index, value in enumerate(values):
        if type(value) is not int or not 0 <= value <= _ADDRESS_MAX:
            record.fault(f"current_registers[{index}]", f"must be from 0 to {_ADDRESS_MAX}", value)
    return tuple(values)
