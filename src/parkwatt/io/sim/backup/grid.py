"""The utility's side: normal, sagging, dead, flickering, out of its frequency, coming back for a moment only.

It is a list of changes; a schedule is made ahead and may be added to at any time, by a person too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from parkwatt.io.sim.backup.gateway import Side
from parkwatt.io.sim.backup.pole import SECOND_US


@dataclass(frozen=True, slots=True)
class Change:
    """From a moment on the grid is like that; ``text`` in words."""

    at_us: int
    side: Side
    text: str


@dataclass(slots=True)
class VirtualGrid:
    """A grid that is normal until its first change."""

    frequency_hz: float = 50.0
    phases: int = 3
    _changes: list[Change] = field(default_factory=list)

    @property
    def normal(self) -> Side:
        """Nominal voltage and frequency."""
        return self.side(1.0)

    def side(self, voltage_pu: float, frequency_hz: float | None = None) -> Side:
        """All phases at a voltage; 0 is dead."""
        if voltage_pu <= 0.0:
            return Side((0.0,) * self.phases, None)
        return Side((voltage_pu,) * self.phases, frequency_hz or self.frequency_hz)

    def at(self, now_us: int) -> Side:
        """What the utility's side is like now."""
        change = self._last(now_us)
        return self.normal if change is None else change.side

    def words(self, now_us: int) -> str:
        """The same in words."""
        change = self._last(now_us)
        return "normal" if change is None else change.text

    def _last(self, now_us: int) -> Change | None:
        index = bisect_right(self._changes, now_us, key=lambda change: change.at_us)
        return self._changes[index - 1] if index else None

    def next_change_us(self, now_us: int) -> int | None:
        """When it changes next."""
        index = bisect_right(self._changes, now_us, key=lambda change: change.at_us)
        return self._changes[index].at_us if index < len(self._changes) else None

    def between(self, after_us: int, until_us: int) -> list[Change]:
        """The changes of (after, until], in their order."""
        return [change for change in self._changes if after_us < change.at_us <= until_us]

    def plan(self, changes: Iterable[Change]) -> None:
        """Let all that happen; what was planned from its first moment on is dropped."""
        added = sorted(changes, key=lambda change: change.at_us)
        if added:
            self._changes = [one for one in self._changes if one.at_us < added[0].at_us] + added

    # What may happen. Each ends as normal.

    def outage(self, start_us: int, duration_s: float) -> list[Change]:
        """No voltage for a while."""
        return [
            Change(start_us, self.side(0.0), "no voltage"),
            self.back(start_us + _us(duration_s)),
        ]

    def back(self, at_us: int) -> Change:
        """Normal from then on."""
        return Change(at_us, self.normal, "normal")

    def returning_with_gaps(
        self, start_us: int, duration_s: float, *, lasts_s: float = 20.0, gap_s: float = 10.0
    ) -> list[Change]:
        """An outage after which the grid is there for ``lasts_s``, gone for ``gap_s``, and then there for good."""
        again_us = start_us + _us(duration_s)
        gap_us = again_us + _us(lasts_s)
        return [*self.outage(start_us, duration_s), *self.outage(gap_us, gap_s)]

    def sag(self, start_us: int, duration_s: float, voltage_pu: float) -> list[Change]:
        """Less voltage (or more) for a while."""
        side = self.side(voltage_pu)
        return [
            Change(start_us, side, f"{voltage_pu:.0%} of its voltage"),
            self.back(start_us + _us(duration_s)),
        ]

    def lost_phase(self, start_us: int, duration_s: float) -> list[Change]:
        """The first phase is dead for a while."""
        side = Side((0.0,) + (1.0,) * (self.phases - 1), self.frequency_hz)
        return [Change(start_us, side, "one phase is dead"), self.back(start_us + _us(duration_s))]

    def off_frequency(self, start_us: int, duration_s: float, frequency_hz: float) -> list[Change]:
        """Another frequency for a while."""
        side = self.side(1.0, frequency_hz)
        return [
            Change(start_us, side, f"{frequency_hz:g} Hz"),
            self.back(start_us + _us(duration_s)),
        ]

    def flicker(
        self, start_us: int, times: int, *, off_s: float = 0.4, on_s: float = 1.5
    ) -> list[Change]:
        """Dead for a moment, many times."""
        every_us = _us(off_s + on_s)
        return [
            change
            for number in range(times)
            for change in self.outage(start_us + number * every_us, off_s)
        ]


def _us(seconds: float) -> int:
    return round(seconds * SECOND_US)
