"""From what a meter tells to the fields of a `SiteReading`: one sign, one unit, nothing impossible.

A meter's role says which fields it fills: `grid` the connection with its phases and registers, `solar`, `load` and
`battery` one power each. What is unknown stays None, and so does what cannot be true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Role = Literal["grid", "solar", "load", "battery"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
# What a positive value means: power that flows in (bought, used, charged) or out (fed in, produced, discharged).
Sign = Literal["import_positive", "export_positive"]
SIGNS: Final[tuple[Sign, ...]] = get_args(Sign)

# Fields of `SiteReading` by name, as far as a meter tells them.
Partial = dict[str, Any]

# Above this a value is a fault of the meter, not a power: more than any site has.
POWER_KW_MAX: Final = 10_000.0
CURRENT_A_MAX: Final = 20_000.0
VOLTAGE_V_MAX: Final = 1500.0
ENERGY_KWH_MAX: Final = 1e10


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterValues:
    """What a meter shows at one moment, import positive; None where it does not tell.

    ``phase_current_a``, ``voltage_v``: [1..3] phases in the order of the connection. ``import_kwh``, ``export_kwh``: its
    registers.
    """

    power_kw: float | None = None
    phase_current_a: tuple[float | None, ...] = ()
    voltage_v: tuple[float | None, ...] = ()
    import_kwh: float | None = None
    export_kwh: float | None = None


def factor(sign: Sign) -> float:
    """What to multiply a value with to have import positive."""
    return 1.0 if sign == "import_positive" else -1.0


def sensible(value: float | None, most: float) -> float | None:
    """The value; None where it is unknown, not finite, or larger than ``most`` in either direction."""
    if value is None or not math.isfinite(value) or abs(value) > most:
        return None
    return value


def sensible_all(values: Sequence[float | None], most: float) -> tuple[float, ...] | None:
    """All phases up to the first that the meter does not have; None where there is none, or a hole among them."""
    known = [sensible(value, most) for value in values]
    while known and known[-1] is None:
        known.pop()
    told = tuple(value for value in known if value is not None)
    return told if told and len(told) == len(known) else None


def partial(role: Role, values: MeterValues, at_unix_us: int) -> Partial:
    """The fields that a meter of that role fills. ``at_unix_us``: when it was measured; 0: nobody knows."""
    power_kw = sensible(values.power_kw, POWER_KW_MAX)
    if role == "solar":
        # At night an inverter draws a few watts, which are no negative sun.
        produced_kw = None if power_kw is None else max(-power_kw, 0.0)
        return {"solar_kw": produced_kw, "solar_unix_us": at_unix_us}
    if role == "load":
        return {"load_kw": power_kw, "load_unix_us": at_unix_us}
    if role == "battery":
        return {"battery_kw": power_kw, "battery_unix_us": at_unix_us}
    told: Partial = {"grid_kw": power_kw, "grid_unix_us": at_unix_us}
    told["phase_current_a"] = sensible_all(values.phase_current_a, CURRENT_A_MAX)
    told["voltage_v"] = sensible_all(values.voltage_v, VOLTAGE_V_MAX)
    told["import_kwh"] = sensible(values.import_kwh, ENERGY_KWH_MAX)
    told["export_kwh"] = sensible(values.export_kwh, ENERGY_KWH_MAX)
    return told
