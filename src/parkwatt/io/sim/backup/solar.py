"""A roof behind a solar inverter that follows the grid: off without voltage, back after a while, less at a high frequency.

From `SHIFT_FROM_HZ` to `SHIFT_UNTIL_HZ` above the nominal frequency it gives proportionally less, and beyond it is off, as
grid-following inverters do; a grid-forming one uses this to push the sun down where nothing takes it (52 Hz in OpenEMS's
off-grid control, up to 66 Hz in 60 Hz systems by a battery's installer's guide).
"""

from __future__ import annotations

from dataclasses import dataclass

SHIFT_FROM_HZ = 0.2
SHIFT_UNTIL_HZ = 1.9


@dataclass(frozen=True, slots=True)
class SolarSettings:
    """``reconnect_s``: how long voltage and frequency must be normal before it begins again."""

    reconnect_s: float = 60.0
    nominal_hz: float = 50.0


class SolarInverter:
    """``power_kw``: what it gives. ``available_kw``: what the sun would give."""

    def __init__(self, settings: SolarSettings) -> None:
        self.settings = settings
        self.power_kw = 0.0
        self._waits_s = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether it gives what it can."""
        return self._waits_s <= 0.0

    def pass_time(self, duration_s: float, *, live: bool, frequency_hz: float) -> None:
        """Wait while the bus is not as it should be, and then for its reconnection."""
        away_hz = frequency_hz - self.settings.nominal_hz
        if not live or away_hz >= SHIFT_UNTIL_HZ:
            self._waits_s = self.settings.reconnect_s
        elif away_hz < SHIFT_FROM_HZ:
            self._waits_s = max(self._waits_s - duration_s, 0.0)

    def follow(self, available_kw: float, *, live: bool, frequency_hz: float) -> float:
        """What it gives now."""
        if not live or not self.is_connected:
            self.power_kw = 0.0
        else:
            self.power_kw = available_kw * share(frequency_hz - self.settings.nominal_hz)
        return self.power_kw


def share(away_hz: float) -> float:
    """The share of its power that a solar inverter gives at so much above the nominal frequency."""
    return min(max(1.0 - (away_hz - SHIFT_FROM_HZ) / (SHIFT_UNTIL_HZ - SHIFT_FROM_HZ), 0.0), 1.0)


def shift_hz(wanted_share: float) -> float:
    """By how much to raise the frequency so that a solar inverter gives that share; 0 for all of it, 2 for nothing."""
    if wanted_share >= 1.0:
        return 0.0
    if wanted_share <= 0.0:
        return 2.0
    return SHIFT_FROM_HZ + (1.0 - wanted_share) * (SHIFT_UNTIL_HZ - SHIFT_FROM_HZ)
