"""What the house draws beside its cars, told from the grid meter and from what the cars were told.

The grid meter is quick, a charger's own meter slow. So the cars' power is taken from their set-points: where a charger
follows with
a small error the set-points then take that error up (integral action), and the exchange ends at what was meant. Two
things would
mislead: a reading taken while a change of power is under way, and a charger that does not follow. The first is left
out. The second
shows at the grid meter, which does not move with the set-point, and later at the charger's meter: then what is measured
counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.reading import SiteReading

_US: Final = 1_000_000
# From a set-point to the power that it asks for: the way to the charger, and its ramp.
SETTLE_US: Final = 1_200_000
# A charger's meter that contradicts its set-point by more than this is believed.
_OFF_KW: Final = 0.5
_OFF_SHARE: Final = 0.2
# A change of at least this much must show at the grid, at least in this part.
_SHOWN_KW: Final = 0.3
_SHOWN_SHARE: Final = 0.3
# How long a charger's own reading tells its power where nothing was changed since.
_READING_US: Final = 90 * _US


@dataclass(slots=True)
class _Told:
    """What one charger was told last, and what it is taken to do. ``before``: the grid's power just before the change."""

    power_kw: float
    at_unix_us: int
    actual_kw: float
    grid_kw_before: float | None
    settled: bool = False


@dataclass(slots=True)
class BaseFollower:
    """Estimates the base: load less sun. ``base_kw`` None: nothing fresh tells it."""

    meter_age_s: float
    base_kw: float | None = None
    base_unix_us: int = 0
    _told: dict[str, _Told] = field(default_factory=dict)
    _grid_unix_us: int = 0
    _grid_kw: float | None = None

    def told(self, key: str, power_kw: float | None, actual_kw: float, now_unix_us: int) -> None:
        """A charger was told a power (None: its own default holds). ``actual_kw``: what it was taken to do before."""
        if power_kw is None:
            self._told.pop(key, None)
            return
        known = self._told.get(key)
        if known is not None and abs(known.power_kw - power_kw) < 1e-9:
            return
        self._told[key] = _Told(power_kw, now_unix_us, actual_kw, self._grid_kw)

    def forget(self, key: str) -> None:
        """The car is gone."""
        self._told.pop(key, None)

    def power_kw(self, key: str, seen: ChargerSeen, now_unix_us: int) -> float | None:
        """What a car draws now, as far as it can be told; None where it cannot."""
        told, measured = self._told.get(key), _measured_kw(seen, now_unix_us)
        if not seen.plugged_in:
            return 0.0
        if told is None:
            return measured
        if measured is not None and (seen.power_unix_us or 0) >= told.at_unix_us + SETTLE_US:
            off_kw = abs(measured - told.power_kw)
            if off_kw > max(_OFF_KW, _OFF_SHARE * abs(told.power_kw)):
                told.actual_kw, told.settled = measured, True
                return measured
            told.actual_kw, told.settled = told.power_kw, True
        return told.actual_kw if told.settled else told.power_kw

    def follow(
        self, reading: SiteReading, seen: dict[str, ChargerSeen], now_unix_us: int
    ) -> float | None:
        """The base by the newest reading. ``seen``: the cars that are linked, by key."""
        if reading.load_kw is not None and self._is_fresh(reading.load_unix_us, now_unix_us):
            solar_kw = reading.solar_kw if reading.solar_kw is not None else 0.0
            self.base_kw, self.base_unix_us = reading.load_kw - solar_kw, now_unix_us
        elif reading.grid_kw is not None and reading.grid_unix_us > self._grid_unix_us:
            self._by_grid(reading.grid_kw, reading.grid_unix_us, seen)
        if not self._is_fresh(self.base_unix_us, now_unix_us):
            self.base_kw = None
        return self.base_kw

    def _by_grid(self, grid_kw: float, at_unix_us: int, seen: dict[str, ChargerSeen]) -> None:
        changing = [
            told for told in self._told.values() if at_unix_us < told.at_unix_us + SETTLE_US
        ]
        if changing and self.base_kw is not None:
            return  # the power is on its way: the next reading tells
        for told in self._told.values():
            if not told.settled:
                self._settle(told, grid_kw)
        total_kw = 0.0
        for key, charger in seen.items():
            power_kw = self.power_kw(key, charger, at_unix_us)
            if power_kw is None:
                return
            total_kw += power_kw
        self.base_kw, self.base_unix_us = grid_kw - total_kw, at_unix_us
        self._grid_kw, self._grid_unix_us = grid_kw, at_unix_us

    def _settle(self, told: _Told, grid_kw: float) -> None:
        """Whether the grid moved with the set-point; else the charger is taken to do what it did."""
        change_kw = told.power_kw - told.actual_kw
        if abs(change_kw) >= _SHOWN_KW and told.grid_kw_before is not None:
            moved_kw = grid_kw - told.grid_kw_before
            if moved_kw / change_kw < _SHOWN_SHARE:
                told.settled = True  # at what it did before, until its own meter says more
                return
        told.actual_kw, told.settled = told.power_kw, True

    def _is_fresh(self, at_unix_us: int, now_unix_us: int) -> bool:
        return -5 * _US <= now_unix_us - at_unix_us <= self.meter_age_s * _US


def _measured_kw(seen: ChargerSeen, now_unix_us: int) -> float | None:
    if seen.power_kw is None or seen.power_unix_us is None:
        return None
    return seen.power_kw if now_unix_us - seen.power_unix_us <= _READING_US else None
