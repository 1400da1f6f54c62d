"""What stands in `[meter.*]` with `source = "modbus"`."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.io.modbus.settings import ModbusMeter, PlainRegisters, read_modbus_meter


def read(**fields: Any) -> tuple[ModbusMeter, list[str]]:
    """The meter, and what was wrong."""
    faults = Faults()
    record = Record(fields, "meter.grid", faults)
    meter = read_modbus_meter(record, "grid")
    record.finish()
    return meter, [str(fault) for fault in faults.found]


def test_a_host_is_enough() -> None:
    assert read(host="192.168.1.20") == (ModbusMeter(role="grid", host="192.168.1.20"), [])


def test_everything_of_sunspec() -> None:
    meter, faults = read(
        host="fe80::1",
        port=1502,
        unit=240,
        number=2,
        sign="export_positive",
        phase_order=[2, 3, 1],
        timeout_s=5,
    )
    assert not faults
    assert meter == ModbusMeter(
        role="grid",
        host="fe80::1",
        port=1502,
        unit=240,
        number=2,
        sign="export_positive",
        phase_order=(2, 3, 1),
        timeout_s=5.0,
    )


def test_everything_of_plain_registers() -> None:
    meter, faults = read(
        host="meter.local",
        register=52,
        type="float32 swap",
        function="input",
        scale=-1,
        current_registers=[6, 8, 10],
        current_scale=0.001,
    )
    assert not faults
    assert meter.plain == PlainRegisters(
        register=52,
        type="float32",
        swap=True,
        scale=-1.0,
        function="input",
        current_registers=(6, 8, 10),
        current_scale=0.001,
    )


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "meter.grid.host: is required"),
        ({"host": "http://meter"}, "meter.grid.host: must be a name or an address alone"),
        ({"host": "meter:502"}, "meter.grid.host: must be a name or an address alone"),
        ({"host": "m", "port": 0}, "meter.grid.port: must be at least 1"),
        ({"host": "m", "unit": 256}, "meter.grid.unit: must be at most 255"),
        ({"host": "m", "sign": "import"}, "meter.grid.sign: must be one of import_positive"),
        ({"host": "m", "phase_order": [1, 1, 2]}, "meter.grid.phase_order: must hold 1, 2 and 3"),
        ({"host": "m", "phase_order": ["a"]}, "meter.grid.phase_order: must hold 1, 2 and 3"),
        ({"host": "m", "timeout_s": 0}, "meter.grid.timeout_s: must be at least 0.1"),
        ({"host": "m", "type": "int16"}, "meter.grid.type: needs register"),
        ({"host": "m", "register": 5}, "meter.grid.type: is required"),
        ({"host": "m", "register": 5, "type": "int8"}, "meter.grid.type: must be one of int16"),
        (
            {"host": "m", "register": 5, "type": "int32 little"},
            "got 'int32 little'",
        ),
        ({"host": "m", "register": 5, "type": "int16", "scale": 0}, "scale: must not be 0"),
        (
            {"host": "m", "register": 5, "type": "int16", "current_registers": [1, -2]},
            "meter.grid.current_registers[1]: must be from 0 to 65535",
        ),
        (
            {"host": "m", "register": 5, "type": "int16", "current_registers": 7},
            "meter.grid.current_registers: must be a list",
        ),
        ({"host": "m", "hots": "x"}, "meter.grid.hots: is not a known field"),
    ],
)
def test_each_fault_is_told_with_its_field(fields: dict[str, Any], fault: str) -> None:
    _, faults = read(**fields)
    assert len(faults) == 1
    assert fault in faults[0]
