"""How long so much energy lasts at so much power: the sum that everybody does, with reserve and efficiency shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """``gross_h``: energy by load. ``usable_kwh``: above the reserve, at the home's side. ``hours``: of that by load."""

    energy_kwh: float
    load_kw: float
    reserve_soc: float
    efficiency: float
    gross_h: float
    usable_kwh: float
    hours: float
    words: str


def what_if(
    energy_kwh: float,
    load_kw: float,
    reserve_soc: float = 0.0,
    efficiency: float = 1.0,
    standby_kw: float = 0.0,
) -> WhatIf:
    """``energy_kwh``: a full battery; ``reserve_soc``: the fraction that stays in it; ``efficiency``: of discharge.

    ``standby_kw``: what inverter and gateway take beside the load. Raises ValueError with all faults.
    """
    checks = (
        (energy_kwh >= 0, "energy_kwh must be at least 0", energy_kwh),
        (load_kw > 0, "load_kw must be above 0", load_kw),
        (0 <= reserve_soc < 1, "reserve_soc must be at least 0 and below 1", reserve_soc),
        (0 < efficiency <= 1, "efficiency must be above 0 and at most 1", efficiency),
        (standby_kw >= 0, "standby_kw must be at least 0", standby_kw),
    )
    faults = [f"{rule}, got {value}" for good, rule, value in checks if not good]
    if faults:
        raise ValueError("; ".join(faults))
    gross_h = energy_kwh / load_kw
    usable_kwh = energy_kwh * (1.0 - reserve_soc) * efficiency
    hours = usable_kwh / (load_kw + standby_kw)
    words = f"{energy_kwh:g} kWh at {load_kw:g} kW: {gross_h:.1f} h"
    if reserve_soc or efficiency < 1 or standby_kw:
        words += (
            f" gross; {hours:.1f} h with {reserve_soc:.0%} kept, {efficiency:.0%} efficiency"
            f" and {1000 * standby_kw:.0f} W standby ({usable_kwh:.1f} kWh usable)"
        )
    return WhatIf(
        energy_kwh=energy_kwh,
        load_kw=load_kw,
        reserve_soc=reserve_soc,
        efficiency=efficiency,
        gross_h=gross_h,
        usable_kwh=usable_kwh,
        hours=hours,
        words=words,
    )
