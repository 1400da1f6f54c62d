"""Powers, energies and times as a driver reads them."""

from __future__ import annotations


def kw(power_kw: float) -> str:
    """A power with its unit: two decimals below 1 kW."""
    text = f"{power_kw:.2f}" if abs(power_kw) < 1 else f"{power_kw:.1f}"
    return f"{text.replace('-', '−')} kW"


def kwh(energy_kwh: float) -> str:
    """An energy with its unit."""
    return f"{energy_kwh:.1f} kWh".replace("-", "−")


def hours(duration_h: float) -> str:
    """A duration in hours and minutes."""
    minutes = max(round(duration_h * 60), 0)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
