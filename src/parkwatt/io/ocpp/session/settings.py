"""What a charger is allowed and expected to do: its part of the site's settings, as the session needs it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChargerSettings:
    """One charger's settings.

    ``discharge``: its driver consented to discharging; without it no car is told that it may, and no set-point below 0 is sent.
    ``negative_limit``: this model is known to take a negative limit as discharging (rung 1), which others take for full power.
    ``tokens``: ids that may charge, compared without regard to case; None: every id. ``power_kw_max``: of one connection
    point, the default limit that the charger holds when nobody tells it anything. ``voltage_v``, ``phase_count``: to turn
    A into kW where the charger speaks in A. ``heartbeat_s``: asked interval; ``meter_interval_s``: asked interval of meter
    values in a transaction. ``meter_public_keys``: hex or base64, the keys of meters whose signed values are trusted.
    """

    discharge: bool = False
    negative_limit: bool = False
    tokens: frozenset[str] | None = None
    power_kw_max: float = 22.0
    voltage_v: float = 230.0
    phase_count: int = 3
    heartbeat_s: int = 300
    meter_interval_s: int = 10
    meter_public_keys: tuple[str, ...] = field(default=())
