"""What draws power behind a circuit's switch, if there is voltage.

``wanted_kw`` is what it draws with voltage, and starting to draw takes an inrush for a moment. ``missed_kw`` is what it would
draw on average and does not for want of voltage: a fridge that has been off for long wants to run all the time, but not because
it needs more each hour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.home.profile import StepProfile


class Appliance(Protocol):
    """One load."""

    inrush_kw: float

    def wanted_kw(self, now_us: int) -> float:
        """What it draws now with voltage."""

    def missed_kw(self, now_us: int) -> float:
        """What it misses without."""

    def pass_time(self, duration_s: float, *, powered: bool) -> None:
        """Let it live for at most a second."""


@dataclass(slots=True)
class Use:
    """What people use: a profile in steps of whole seconds, drawn when there is voltage and gone for ever when not."""

    profile: StepProfile
    inrush_kw: float = 0.0
    _kw: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A list is read faster, one value at a time."""
        self._kw = [float(power_kw) for power_kw in self.profile.power_kw]

    def wanted_kw(self, now_us: int) -> float:
        """The profile's power; before it begins its first value, after it its last."""
        step = (now_us // SECOND_US - self.profile.start_unix_s) // self.profile.step_s
        return self._kw[min(max(step, 0), len(self._kw) - 1)]

    def missed_kw(self, now_us: int) -> float:
        """The same."""
        return self.wanted_kw(now_us)

    def pass_time(self, duration_s: float, *, powered: bool) -> None:
        """People do not wait."""


@dataclass(slots=True)
class Compressor:
    """A fridge, a heat pump: it runs until it is cold enough, and rests until it is too warm.

    ``warmth``: from 0, cold enough, to 1, too warm; without power up to ``warmth_max``, so that after an outage it runs longer
    and all of them start at once. ``on_s``, ``off_s``: how long it takes from 1 to 0 while it runs, and back.
    """

    power_kw: float
    inrush_kw: float
    on_s: float = 900.0
    off_s: float = 1800.0
    warmth: float = 0.5
    warmth_max: float = 3.0
    is_on: bool = False

    def wanted_kw(self, now_us: int) -> float:  # noqa: ARG002 it goes by its warmth alone
        """Its power while it runs or should."""
        return self.power_kw if self.is_on or self.warmth >= 1.0 else 0.0

    def missed_kw(self, now_us: int) -> float:  # noqa: ARG002 likewise
        """Its power on average."""
        return self.power_kw * self.on_s / (self.on_s + self.off_s)

    def pass_time(self, duration_s: float, *, powered: bool) -> None:
        """Cool while it runs, else warm up."""
        self.is_on = powered and (self.is_on or self.warmth >= 1.0)
        if self.is_on:
            self.warmth -= duration_s / self.on_s
            self.is_on = self.warmth > 0.0
        else:
            self.warmth = min(self.warmth + duration_s / self.off_s, self.warmth_max)


@dataclass(slots=True)
class Steady:
    """Something that always draws the same, or does so from the moment that somebody sets it."""

    power_kw: float
    inrush_kw: float = 0.0

    def wanted_kw(self, now_us: int) -> float:  # noqa: ARG002 always the same
        """The power."""
        return self.power_kw

    def missed_kw(self, now_us: int) -> float:
        """The same."""
        return self.wanted_kw(now_us)

    def pass_time(self, duration_s: float, *, powered: bool) -> None:
        """Nothing changes."""
