"""From the values of one moment, by quantity and phase, to a reading: whole from phases, net from two directions.

Values are kept in a list of slots, one for each quantity and phase, because this runs for every message of every charger:
slot `quantity + QUANTITY_COUNT * phase`, phase 0 being the whole.
"""

from __future__ import annotations

from collections.abc import Collection
from math import inf

from parkwatt.domain.charger.reading import MeterReading, Moment, SignedValue
from parkwatt.io.ocpp.measurand import QUANTITIES

Slots = list[float | None]
QUANTITY_COUNT = len(QUANTITIES)
SLOT_COUNT = 4 * QUANTITY_COUNT

_POWER_IMPORT = QUANTITIES.index("power_import_kw")
_POWER_EXPORT = QUANTITIES.index("power_export_kw")
_ENERGY_NET = QUANTITIES.index("energy_net_kwh")
_CURRENT_IMPORT = QUANTITIES.index("current_import_a")
_CURRENT_EXPORT = QUANTITIES.index("current_export_a")
_VOLTAGE = QUANTITIES.index("voltage_v")
_SOC = QUANTITIES.index("soc")
_ENERGY_IMPORT = QUANTITIES.index("energy_import_kwh")
_ENERGY_EXPORT = QUANTITIES.index("energy_export_kwh")
_ENERGIES = tuple(number for number, name in enumerate(QUANTITIES) if name.startswith("energy_"))
_SUMMED = frozenset(
    {
        *_ENERGIES,
        _POWER_IMPORT,
        _POWER_EXPORT,
        QUANTITIES.index("setpoint_kw"),
        QUANTITIES.index("power_offered_kw"),
    }
)
# What is never negative, and its most: by a charger's rounding, 100 % may come as a little more.
_BOUNDED = (
    (_SOC, 1.0 + 1e-9),
    *((number, inf) for number in _ENERGIES if number != _ENERGY_NET),
)
# Import and export this near to each other with opposite signs are one flow told twice.
_TWICE_KW = 0.02
_TWICE_SHARE = 0.02


def reading_of(
    values: Slots,
    phased: Collection[int],
    unix_us: int | None,
    moment: Moment,
    signed: tuple[SignedValue, ...],
    broken: list[tuple[str, object]],
) -> MeterReading:
    """The reading. ``values`` is used up.

    ``phased``: the quantities that were given by phase; ``broken`` takes what could not be used: rule and value.
    """
    for quantity in phased:
        if quantity in _SUMMED and values[quantity] is None:
            by_phase = _by_phase(values, quantity)
            values[quantity] = sum(by_phase.values())
    if values[_ENERGY_NET] is not None:
        _use_net(values)
    for quantity, most in _BOUNDED:
        value = values[quantity]
        if value is not None and not 0.0 <= value <= most:
            rule = "must be 0 to 100 %" if quantity == _SOC else "must not be negative"
            broken.append((f"{QUANTITIES[quantity]} {rule}; not used", value))
            values[quantity] = None
    (
        energy_import_kwh,
        energy_export_kwh,
        energy_import_interval_kwh,
        energy_export_interval_kwh,
        soc,
        _,
        voltage,
        setpoint_kw,
        power_offered_kw,
        frequency_hz,
        temperature_c,
        power_import_kw,
        power_export_kw,
        _,
        current_import_a,
        current_export_a,
    ) = values[:QUANTITY_COUNT]
    power_kw = power_import_kw
    if power_export_kw is not None:
        power_kw = _net_kw(power_import_kw, power_export_kw)
    current_a, voltage_v = None, None
    if phased:
        currents = _net_currents(values)
        voltages = _by_phase(values, _VOLTAGE)
        current_a = tuple(currents.values()) or None
        voltage_v = tuple(voltages.values()) or None
        if power_kw is None:
            power_kw = _power_kw(currents, voltages)
    else:
        if voltage is not None:
            voltage_v = (voltage,)
        if current_export_a is not None:
            current_a = ((current_import_a or 0.0) - current_export_a,)
        elif current_import_a is not None:
            current_a = (current_import_a,)
    return MeterReading(
        unix_us,
        moment,
        power_kw,
        energy_import_kwh,
        energy_export_kwh,
        energy_import_interval_kwh,
        energy_export_interval_kwh,
        soc,
        current_a,
        voltage_v,
        setpoint_kw,
        power_offered_kw,
        frequency_hz,
        temperature_c,
        signed,
    )


def _net_kw(import_kw: float | None, export_kw: float | None) -> float | None:
    if export_kw is None:
        return import_kw
    if import_kw is None:
        return -export_kw
    if import_kw * export_kw < 0.0 and abs(import_kw + export_kw) <= max(
        _TWICE_KW, _TWICE_SHARE * abs(import_kw)
    ):
        return import_kw
    return import_kw - export_kw


def _use_net(values: Slots) -> None:
    """Work out the register that was left out from the net and the other; a net alone says nothing of either."""
    net_kwh = values[_ENERGY_NET] or 0.0
    import_kwh, export_kwh = values[_ENERGY_IMPORT], values[_ENERGY_EXPORT]
    if import_kwh is not None and export_kwh is None:
        values[_ENERGY_EXPORT] = import_kwh - net_kwh
    elif export_kwh is not None and import_kwh is None:
        values[_ENERGY_IMPORT] = export_kwh + net_kwh


def _by_phase(values: Slots, quantity: int) -> dict[int, float]:
    """The values of the phases by their number; of the whole, as 0, where there is no other."""
    found: dict[int, float] = {}
    for phase in (1, 2, 3):
        value = values[quantity + QUANTITY_COUNT * phase]
        if value is not None:
            found[phase] = value
    whole = values[quantity]
    return {0: whole} if not found and whole is not None else found


def _net_currents(values: Slots) -> dict[int, float]:
    imports = _by_phase(values, _CURRENT_IMPORT)
    exports = _by_phase(values, _CURRENT_EXPORT)
    if not exports:
        return imports
    phases = sorted(imports.keys() | exports.keys())
    return {phase: imports.get(phase, 0.0) - exports.get(phase, 0.0) for phase in phases}


def _power_kw(currents: dict[int, float], voltages: dict[int, float]) -> float | None:
    """Power from current and voltage of the same named phases; None where a phase is not named or has no voltage."""
    if not currents or 0 in currents or not currents.keys() <= voltages.keys():
        return None
    return sum(current * voltages[phase] for phase, current in currents.items()) / 1000.0
