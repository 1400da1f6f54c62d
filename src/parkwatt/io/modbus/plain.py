"""Devices that do not speak SunSpec: power and currents from registers that the settings name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from parkwatt.io.meter_reading import MeterValues, Sign, factor
from parkwatt.io.modbus.link import COUNT_MAX
from parkwatt.io.modbus.models import in_order
from parkwatt.io.modbus.registers import SIZES, decode
from parkwatt.io.modbus.settings import PlainRegisters


def blocks(plain: PlainRegisters) -> list[tuple[int, int]]:
    """What to read: address and count of each run of registers without a gap, which a device may not have."""
    size = SIZES[plain.type]
    return runs((address, size) for address in (plain.register, *plain.current_registers))


def runs(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Address and count of each run without a gap, no longer than a request may be; ``spans``: address and count of each."""
    found: list[tuple[int, int]] = []
    for address, size in sorted(set(spans)):
        if found:
            begin, count = found[-1]
            end = max(begin + count, address + size)
            if address <= begin + count and end - begin <= COUNT_MAX:
                found[-1] = (begin, end - begin)
                continue
        found.append((address, size))
    return found


def measured_plain(
    plain: PlainRegisters,
    registers: Mapping[int, int],
    sign: Sign,
    phase_order: tuple[int, ...],
) -> MeterValues:
    """What the registers say, which are given by their address.

    Currents without a sign of their own are magnitudes; which direction they have is then not known, and each counts as
    import. Where exported power is positive that cannot be told apart, and all count as import.
    """
    size = SIZES[plain.type]

    def value(address: int) -> float | None:
        words = [registers[address + index] for index in range(size)]
        return decode(words, 0, plain.type, swap=plain.swap)

    power = value(plain.register)
    currents = [value(address) for address in plain.current_registers]
    scaled_a = [None if count is None else count * plain.current_scale for count in currents]
    if sign == "export_positive":
        scaled_a = [None if ampere is None else abs(ampere) for ampere in scaled_a]
    return MeterValues(
        power_kw=None if power is None else factor(sign) * power * plain.scale / 1000.0,
        phase_current_a=in_order(scaled_a, phase_order),
    )
