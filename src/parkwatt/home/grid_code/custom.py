"""A grid code with the user's own numbers, refused where a number cannot be meant.

At 60 Hz the numbers must lie within what IEEE 1547-2018 lets a utility set (4.10.2 and 4.10.3). At 50 Hz there is no such
table for all countries; there the bounds only catch a wrong unit (230 for 1.0) or exchanged numbers.
"""

from __future__ import annotations

from typing import Final

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.home.grid_code.profiles import GridCode

_Ranges = dict[str, tuple[float, float]]

_IEEE_1547_2018: Final[_Ranges] = {
    "voltage_pu_min": (0.88, 0.95),
    "voltage_pu_max": (1.05, 1.06),
    "frequency_hz_min": (59.0, 59.9),
    "frequency_hz_max": (60.1, 61.0),
    "delay_s": (0.0, 600.0),
    "ramp_s": (1.0, 1000.0),
}
_AT_50_HZ: Final[_Ranges] = {
    "voltage_pu_min": (0.8, 0.99),
    "voltage_pu_max": (1.01, 1.2),
    "frequency_hz_min": (47.0, 49.99),
    "frequency_hz_max": (50.01, 52.0),
    "delay_s": (0.0, 3600.0),
    "ramp_s": (0.0, 3600.0),
}


def custom_grid_code(
    *,
    name: str,
    voltage_pu_min: float,
    voltage_pu_max: float,
    frequency_hz_min: float,
    frequency_hz_max: float,
    delay_s: float,
    ramp_s: float,
    source: str,
    nominal_hz: float,
    field: str = "grid_code",
) -> GridCode:
    """A grid code of the user's own. ``field``: what it is called in the settings, for the errors.

    ``source``: where the numbers are from (a utility's letter, an inverter's manual); it is shown beside them.

    Raises InputError with all faults: a nominal frequency other than 50 or 60 Hz, a number outside its range (module
    docstring), a name or source that is empty.
    """
    numbers = {
        "voltage_pu_min": voltage_pu_min,
        "voltage_pu_max": voltage_pu_max,
        "frequency_hz_min": frequency_hz_min,
        "frequency_hz_max": frequency_hz_max,
        "delay_s": delay_s,
        "ramp_s": ramp_s,
    }
    faults = [
        InputFault(f"{field}.{key}", "must not be empty", text)
        for key, text in (("name", name), ("source", source))
        if not text.strip()
    ]
    if nominal_hz not in (50.0, 60.0):
        faults.append(InputFault(f"{field}.nominal_hz", "must be 50 or 60", nominal_hz))
    else:
        faults += _range_faults(numbers, nominal_hz, field)
    if faults:
        raise InputError(faults)
    return GridCode(name=name, source=source, nominal_hz=nominal_hz, **numbers)


def _range_faults(numbers: dict[str, float], nominal_hz: float, field: str) -> list[InputFault]:
    ranges, by = (_AT_50_HZ, "") if nominal_hz == 50.0 else (_IEEE_1547_2018, " (IEEE 1547-2018)")
    return [
        InputFault(f"{field}.{key}", f"must be {low:g} to {high:g}{by}", numbers[key])
        for key, (low, high) in ranges.items()
        if not low <= numbers[key] <= high
    ]
