"""What a virtual charger and its car are like, as facts that do not change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["1.6", "2.0.1", "2.1"]
NegativeLimit = Literal["reject", "discharge"]

# Efficiency by power, measured at the plug: (kW, fraction). Low powers lose most to the electronics' own use;
# the shape follows the laboratory measurements of bidirectional AC and DC wallboxes.
EFFICIENCY_CURVE = ((0.0, 0.50), (1.0, 0.80), (2.0, 0.87), (4.0, 0.92), (7.0, 0.94), (11.0, 0.95))


@dataclass(frozen=True, slots=True)
class Trip:
    """A daily trip: leaves and returns at seconds of the UTC day (a return before the departure is the next day's)."""

    departs_s: int
    returns_s: int
    energy_kwh: float

    def is_away(self, second_of_day: int) -> bool:
        """Whether the car is on the road at that second of the UTC day."""
        if self.departs_s <= self.returns_s:
            return self.departs_s <= second_of_day < self.returns_s
        return second_of_day >= self.departs_s or second_of_day < self.returns_s


@dataclass(frozen=True, slots=True)
class CarSettings:
    """One car: its battery, its charger and the driver's day.

    Charging power falls linearly from its maximum at ``taper_from_soc`` to ``taper_end_fraction`` of it when full.
    Below ``soc_floor`` the car does not discharge. Powers are at the plug.
    """

    capacity_kwh: float = 60.0
    soc: float = 0.5
    soc_floor: float = 0.05
    soc_target: float = 0.8
    charge_kw_max: float = 11.0
    discharge_kw_max: float = 10.0
    power_kw_min: float = 0.0
    taper_from_soc: float = 0.8
    taper_end_fraction: float = 0.1
    ramp_kw_per_s: float = 5.0
    charge_efficiency: tuple[tuple[float, float], ...] = EFFICIENCY_CURVE
    discharge_efficiency: tuple[tuple[float, float], ...] = EFFICIENCY_CURVE
    trips: tuple[Trip, ...] = ()
    plugged_in: bool = True


@dataclass(frozen=True, slots=True)
class StationSettings:
    """One charging station with one EVSE and one connector.

    ``v2x`` announces bidirectional charging on 2.1; ``negative_limit`` tells what a negative limit does (a vendor's
    convention before 2.1: ``discharge`` follows it as a set-point). ``strict_setpoint`` refuses a limit beside a
    set-point. ``strict_transfer`` follows the rule of 2.1 that a CSMS which names no allowed energy transfer
    allows charging only. ``link_time_factor`` stretches waits for the network: run time's clock factor.
    """

    id: str = "CP-1"
    protocol: Protocol = "2.1"
    car: CarSettings = field(default_factory=CarSettings)
    vendor: str = "Parkwatt"
    model: str = "Virtual charger"
    firmware: str = "1.0"
    power_kw_max: float = 11.0
    discharge_kw_max: float = 11.0
    phases: int = 3
    voltage_v: float = 230.0
    is_dc: bool = False
    current_a_min: float = 6.0
    v2x: bool = True
    dynamic_profiles: bool = True
    der: bool = True
    negative_limit: NegativeLimit = "reject"
    strict_setpoint: bool = True
    strict_transfer: bool = True
    stack_level_max: int = 10
    id_token: str | None = "VIRTUAL-CAR"  # noqa: S105 a driver's card, no secret
    auto_start: bool = True
    boot_on_reconnect: bool = False
    meter_interval_s: int = 60
    meter_noise: float = 0.0
    import_wh: float = 0.0
    export_wh: float = 0.0
    frequency_hz: float = 50.0
    frequency_hz_deviation: float = 0.0
    call_timeout_s: float = 30.0
    retry_interval_s: float = 10.0
    retry_attempts: int = 5
    retry_with_new_id: bool = False
    link_time_factor: float = 1.0
    seed: int = 1
