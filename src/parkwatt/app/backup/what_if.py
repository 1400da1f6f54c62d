"""`parkwatt backup --what-if`: how long a battery carries a steady load, gross and with what stays and what is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.home.runtime import what_if

_WORDS: Final = re.compile(r"\s*([\d.]+)\s*kWh\s+at\s+([\d.]+)\s*(kW|W)\s*", re.IGNORECASE)
_QUANTITY: Final = re.compile(r"\s*([\d.]+)\s*([A-Za-z%]*)\s*")
_WEEK_H: Final = 168.0


def what_if_lines(words: str, reserve: str, efficiency: str) -> Iterator[str]:
    """The answer in lines. Raises InputError where the words or shares are none."""
    found = _WORDS.fullmatch(words)
    if found is None:
        rule = 'must be such as "13.5 kWh at 1.5 kW"'
        raise InputError([InputFault("--what-if", rule, words)])
    energy_kwh = _positive("--what-if", found[1])
    load_kw = _positive("--what-if", found[2]) / (1000.0 if found[3].lower() == "w" else 1.0)
    reserve_share = _share("--reserve", reserve, maximum=0.99)
    efficiency_share = _share("--efficiency", efficiency, minimum=0.01)
    answer = what_if(energy_kwh, load_kw, reserve_share, efficiency_share)
    yield f"{energy_kwh:g} kWh at {load_kw:g} kW"
    yield f"  gross    {_hours(answer.gross_h)}: all of it, without losses"
    yield (
        f"  net      {_hours(answer.hours)}: {reserve_share:.0%} stay in the battery, {efficiency_share:.0%} of the rest "
        f"reach the house ({answer.usable_kwh:.1f} kWh)"
    )
    week_w = answer.usable_kwh / _WEEK_H * 1000.0
    yield f"  a week   with circuits that use {week_w:.0f} W together on average"


def read_quantity(field: str, text: str, unit: str) -> float:
    """A positive number, with its unit or without. Raises InputError."""
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2].lower() not in ("", unit.lower()):
        raise InputError([InputFault(field, f"must be a number of {unit}", text)])
    return _positive(field, found[1])


def _positive(field: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise InputError([InputFault(field, "must hold numbers above 0", text)])
    return value


def _share(field: str, text: str, *, minimum: float = 0.0, maximum: float = 1.0) -> float:
    found = _QUANTITY.fullmatch(text)
    value = -1.0
    if found is not None and found[2] in ("", "%"):
        try:
            value = float(found[1]) / (100.0 if found[2] == "%" else 1.0)
        except ValueError:
            value = -1.0
    if not minimum <= value <= maximum:
        rule = f"must be a share from {minimum:.0%} to {maximum:.0%}, such as 20%"
        raise InputError([InputFault(field, rule, text)])
    return value


def _hours(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 100 else f"{hours / 24:.1f} days"
