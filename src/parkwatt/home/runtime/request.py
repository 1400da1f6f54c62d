"""What a forecast of how long it lasts is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S
from parkwatt.home.learning import LearnedUse
from parkwatt.home.runtime.battery import Generator, IslandBattery, Mobility, battery_faults

HORIZON_S_MAX: Final = 14 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRequest:
    """A home without the grid from ``at_unix_s`` on, in an outage or before one.

    ``use``: what its circuits use. ``off``: circuits that are off and stay so. ``running_kw``: what circuits that are on drew
    in the last hour. ``solar_kw`` [S, T]: courses of what the roof can give in steps of ``solar_step_s`` from ``at_unix_s``
    on; none after the last step. ``standby_kw``: what inverter and gateway take at the home's side. ``restart_kwh``: kept
    back at the home's side to start again from (12 V, gateway). ``horizon_s``: how far is looked, at most 14 days.
    Raises ValueError with all faults, field by field.
    """

    at_unix_s: int
    batteries: tuple[IslandBattery, ...]
    use: LearnedUse
    solar_kw: FloatArray | None = None
    solar_step_s: int = 900
    standby_kw: float = 0.0
    restart_kwh: float = 0.0
    mobility: Mobility | None = None
    off: frozenset[str] = frozenset()
    generator: Generator | None = None
    running_kw: Mapping[str, float] = field(default_factory=dict)
    horizon_s: int = 7 * DAY_S

    def __post_init__(self) -> None:
        """All faults at once."""
        faults = battery_faults(self.batteries)
        if not self.batteries:
            faults.append("batteries must name at least one: without one nothing carries the home")
        ids = {one.battery_id for one in self.batteries}
        if self.mobility is not None and self.mobility.battery_id not in ids:
            faults.append(
                f"mobility.battery_id must be one of the batteries, got {self.mobility.battery_id!r}"
            )
        if not HOUR_S <= self.horizon_s <= HORIZON_S_MAX:
            faults.append(f"horizon_s must be from 1 hour to 14 days, got {self.horizon_s}")
        if self.standby_kw < 0:
            faults.append(f"standby_kw must be at least 0, got {self.standby_kw}")
        if self.restart_kwh < 0:
            faults.append(f"restart_kwh must be at least 0, got {self.restart_kwh}")
        faults += self._solar_faults()
        if faults:
            raise ValueError("; ".join(faults))

    def _solar_faults(self) -> list[str]:
        if self.solar_kw is None:
            return []
        faults = []
        if self.solar_kw.ndim != 2 or 0 in self.solar_kw.shape:
            faults.append(f"solar_kw must be courses by steps, got shape {self.solar_kw.shape}")
        elif not (np.isfinite(self.solar_kw).all() and (self.solar_kw >= 0).all()):
            faults.append("solar_kw must be known and at least 0")
        if self.solar_step_s <= 0:
            faults.append(f"solar_step_s must be above 0, got {self.solar_step_s}")
        return faults
