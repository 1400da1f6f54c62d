"""What a charger is allowed and expected to do: its part of the site's settings, as the session needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EnterServiceUnit = Literal["percent", "volt", "off"]


@dataclass(frozen=True, slots=True)
class EnterService:
    """When the charger's inverter may return to the grid, and how fast: a grid code's numbers, of the nominal voltage."""

    grid_code: str
    voltage_pu_min: float
    voltage_pu_max: float
    frequency_hz_min: float
    frequency_hz_max: float
    delay_s: float
    ramp_s: float


@dataclass(frozen=True, slots=True)
class ChargerSettings:
    """One charger's settings.

    ``discharge``: its driver consented to discharging; without it no car is told that it may, and no set-point below 0 is sent.
    ``negative_limit``: this model is known to take a negative limit as discharging (rung 1), which others take for full power.
    ``tokens``: ids that may charge, compared without regard to case; None: every id. ``power_kw_max``: of one connection
    point. ``default_kw``: what it charges with at most when nobody tells it anything, None: ``power_kw_max``.
    ``power_kw_min``: the least that it charges or discharges with, None: not known. ``voltage_v``, ``phase_count``: to turn
    A into kW where the charger speaks in A. ``heartbeat_s``: asked interval; ``meter_interval_s``: asked interval of meter
    values in a transaction. ``meter_public_keys``: hex or base64, the keys of meters whose signed values are trusted.
    ``enter_service``: what is written to chargers of 2.1 that follow a grid code, None: nothing; ``enter_service_unit``: how
    this one reads its voltages, of which the standard names no unit: percent of the nominal voltage, or V.
    """

    discharge: bool = False
    negative_limit: bool = False
    tokens: frozenset[str] | None = None
    power_kw_max: float = 22.0
    power_kw_min: float | None = None
    default_kw: float | None = None
    voltage_v: float = 230.0
    phase_count: int = 3
    heartbeat_s: int = 300
    meter_interval_s: int = 10
    meter_public_keys: tuple[str, ...] = field(default=())
    enter_service: EnterService | None = None
    enter_service_unit: EnterServiceUnit = "percent"

    @property
    def default_limit_kw(self) -> float:
        """What a connection point charges with at most when nobody tells it anything."""
        if self.default_kw is None:
            return self.power_kw_max
        return min(self.default_kw, self.power_kw_max)
