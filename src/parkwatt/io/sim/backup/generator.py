"""A generator that joins the island: it warms up before it takes load, and cools down after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GeneratorPhase = Literal["off", "warming_up", "running", "cooling_down"]
PHASES: tuple[GeneratorPhase, ...] = ("off", "warming_up", "running", "cooling_down")


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """``warm_up_s``, ``cool_down_s``: 5 s and a minute are usual in homes. ``fuel_kwh``: what its fuel is good for."""

    power_kw_max: float = 5.0
    warm_up_s: float = 5.0
    cool_down_s: float = 60.0
    fuel_kwh: float = 50.0


class Generator:
    """``commanded``: whether it is asked to run. ``power_kw``: what it gives."""

    def __init__(self, settings: GeneratorSettings) -> None:
        self.settings = settings
        self.phase: GeneratorPhase = "off"
        self.commanded = False
        self.power_kw = 0.0
        self.fuel_kwh = settings.fuel_kwh
        self._left_s = 0.0

    def command(self, *, on: bool) -> None:
        """Ask it to run or to stop."""
        self.commanded = on

    def offered_kw(self) -> float:
        """The most that it can give now."""
        return self.settings.power_kw_max if self.phase == "running" else 0.0

    def pass_time(self, duration_s: float) -> None:
        """Warm up, run, cool down."""
        self.fuel_kwh = max(self.fuel_kwh - self.power_kw * duration_s / 3600.0, 0.0)
        runs = self.commanded and self.fuel_kwh > 0.0
        self._left_s = max(self._left_s - duration_s, 0.0)
        if runs and self.phase == "off":
            self._enter("warming_up", self.settings.warm_up_s)
        elif runs and self.phase == "cooling_down":
            self._enter("running", 0.0)
        elif self.phase == "warming_up" and (not runs or self._left_s <= 0.0):
            self._enter("running" if runs else "off", 0.0)
        elif self.phase == "running" and not runs:
            self._enter("cooling_down", self.settings.cool_down_s)
        elif self.phase == "cooling_down" and self._left_s <= 0.0:
            self._enter("off", 0.0)

    def _enter(self, phase: GeneratorPhase, lasts_s: float) -> None:
        self.phase, self._left_s = phase, lasts_s
        if phase != "running":
            self.power_kw = 0.0
