"""What the house draws beside its cars, told from the grid meter and from what the cars were told.

The grid meter is quick, a charger's own meter slow. So the cars' power is taken from their set-points: where a charger
follows with a small error the set-points then take that error up (integral action), and the exchange ends at what was
meant. A reading taken while a change of power is under way would mislead: it is left out. How long a change takes is
learned for each charger from the grid meter, which moves with it. A charger that does not follow at all shows there too,
and later at its own meter: then what is measured counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.reading import SiteReading

_US: Final = 1_000_000
# From a set-point to the power that it asks for: the way to the charger, and its ramp. At least this long.
SETTLE_US: Final = 1_200_000
# A charger of which nothing is learned yet is given so much time before it is taken not to follow.
_PATIENCE_US: Final = 8_000_000
# What was learned is stretched by this.
_SPARE: Final = 1.5
# A charger's meter that contradicts its set-point by more than this is believed.
_OFF_KW: Final = 0.5
_OFF_SHARE: Final = 0.2
# A change of at least this much must show at the grid.
_SHOWN_KW: Final = 0.3
# In this part of it, at least and, where it comes late, at most.
_LATE_SHARE: Final = (0.6, 1.5)
# How long a charger's own reading tells its power where nothing was changed since.
_READING_US: Final = 90 * _US


@dataclass(slots=True)
class _Told:
    """What one charger was told last, and what it is taken to do. ``grid_kw_before``: the grid's power just before the change.

    ``guessed_unix_us``: since when it is taken to do ``actual_kw``, whatever it was told since.
    """

    power_kw: float
    at_unix_us: int
    actual_kw: float
    grid_kw_before: float | None
    guessed_unix_us: int
    settled: bool = False

    @property
    def change_kw(self) -> float:
        """How much it is still expected to change."""
        return self.power_kw - self.actual_kw


@dataclass(slots=True)
class BaseFollower:
    """Estimates the base: load less sun. ``base_kw`` None: nothing fresh tells it."""

    meter_age_s: float
    base_kw: float | None = None
    base_unix_us: int = 0
    _told: dict[str, _Told] = field(default_factory=dict)
    _takes_us: dict[str, int] = field(default_factory=dict)
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
        guessed_unix_us = now_unix_us
        if known is not None and known.settled and abs(known.change_kw) >= _SHOWN_KW:
            guessed_unix_us = known.guessed_unix_us
        self._told[key] = _Told(power_kw, now_unix_us, actual_kw, self._grid_kw, guessed_unix_us)

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
        by_then_unix_us = told.at_unix_us + self._patience_us(key, shows=True)
        if measured is not None and (seen.power_unix_us or 0) >= by_then_unix_us:
            off_kw = abs(measured - told.power_kw)
            if off_kw > max(_OFF_KW, _OFF_SHARE * abs(told.power_kw)):
                told.actual_kw, told.settled = measured, True
                return measured
            told.actual_kw, told.settled = told.power_kw, True
        elif (
            measured is not None
            and told.settled
            and abs(told.change_kw) >= _SHOWN_KW
            and (seen.power_unix_us or 0) >= told.guessed_unix_us + SETTLE_US
        ):
            # It is taken not to follow because the grid did not move as it should: the load may have moved just then.
            # Without this a wrong guess lives on for as long as set-points follow each other quickly. A reading may come too
            # soon after the last of them to tell what that one does; what was guessed before it, it does tell.
            told.actual_kw, told.guessed_unix_us = measured, seen.power_unix_us or 0
        return told.actual_kw if told.settled else told.power_kw

    def follow(
        self, reading: SiteReading, seen: dict[str, ChargerSeen], now_unix_us: int
    ) -> float | None:
        """The base by the newest reading. ``seen``: the cars that are linked, by key."""
        if self._grid_unix_us > now_unix_us + _PATIENCE_US:
            self._begin_anew(now_unix_us)
        if reading.load_kw is not None and self._is_fresh(reading.load_unix_us, now_unix_us):
            solar_kw = reading.solar_kw if reading.solar_kw is not None else 0.0
            self.base_kw, self.base_unix_us = reading.load_kw - solar_kw, now_unix_us
        elif reading.grid_kw is not None and reading.grid_unix_us > self._grid_unix_us:
            self._by_grid(reading.grid_kw, reading.grid_unix_us, seen)
        if not self._is_fresh(self.base_unix_us, now_unix_us):
            self.base_kw = None
        return self.base_kw

    def _begin_anew(self, now_unix_us: int) -> None:
        """The clock was put back: what was measured and told before was so by another one."""
        self._grid_unix_us = self.base_unix_us = 0
        for told in self._told.values():
            told.at_unix_us = min(told.at_unix_us, now_unix_us)
            told.guessed_unix_us = min(told.guessed_unix_us, now_unix_us)

    def _by_grid(self, grid_kw: float, at_unix_us: int, seen: dict[str, ChargerSeen]) -> None:
        for key, told in self._told.items():
            if told.settled:
                self._catch_up(told, grid_kw)
            elif not self._is_settled(key, told, grid_kw, at_unix_us) and self.base_kw is not None:
                return  # the power is on its way: the next reading tells
        total_kw = 0.0
        for key, charger in seen.items():
            power_kw = self.power_kw(key, charger, at_unix_us)
            if power_kw is None:
                return
            total_kw += power_kw
        self.base_kw, self.base_unix_us = grid_kw - total_kw, at_unix_us
        self._grid_kw, self._grid_unix_us = grid_kw, at_unix_us

    def _is_settled(self, key: str, told: _Told, grid_kw: float, at_unix_us: int) -> bool:
        """Whether the charger does what it was told, or is taken not to."""
        passed_us = at_unix_us - told.at_unix_us
        if passed_us < 0:
            return False
        shows = abs(told.change_kw) >= _SHOWN_KW and told.grid_kw_before is not None
        if shows and told.grid_kw_before is not None:
            share = (grid_kw - told.grid_kw_before) / told.change_kw
            if share >= _LATE_SHARE[0]:
                self._learn(key, passed_us)
                told.actual_kw, told.settled = told.power_kw, True
                return True
        if passed_us < self._patience_us(key, shows=shows):
            return False
        if not shows:
            told.actual_kw = told.power_kw
        # Else it is taken to do what it did, until its own meter or the grid says more.
        told.settled = True
        return True

    def _learn(self, key: str, took_us: int) -> None:
        """A change took so long: slower is believed at once, faster bit by bit."""
        known_us = self._takes_us.get(key, took_us)
        self._takes_us[key] = max(took_us, round(0.8 * known_us + 0.2 * took_us))

    def _patience_us(self, key: str, *, shows: bool) -> int:
        known_us = self._takes_us.get(key)
        if known_us is None:
            return _PATIENCE_US if shows else SETTLE_US
        return max(SETTLE_US, round(_SPARE * known_us))

    def _catch_up(self, told: _Told, grid_kw: float) -> None:
        """A charger that was taken not to follow does so late: the grid moves by just what it was told."""
        if abs(told.change_kw) >= _SHOWN_KW and self._grid_kw is not None:
            share = (grid_kw - self._grid_kw) / told.change_kw
            if _LATE_SHARE[0] <= share <= _LATE_SHARE[1]:
                told.actual_kw = told.power_kw

    def _is_fresh(self, at_unix_us: int, now_unix_us: int) -> bool:
        return -5 * _US <= now_unix_us - at_unix_us <= self.meter_age_s * _US


def _measured_kw(seen: ChargerSeen, now_unix_us: int) -> float | None:
    if seen.power_kw is None or seen.power_unix_us is None:
        return None
    return seen.power_kw if now_unix_us - seen.power_unix_us <= _READING_US else None
