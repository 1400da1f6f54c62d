"""From profiles to the power that the EVSE asks of its car: grid frequency, signals, disobedience, the pause below 6 A."""

from __future__ import annotations

import math
from random import Random

from parkwatt.io.sim.der import DerControls
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.profiles import Context, Electrical
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.smart_charging import ProfileStack, Reading, Target

# How fast a disturbed grid frequency returns to its mean: the time constant of the simulated process.
FREQUENCY_RETURN_S = 60.0


class PowerPath:
    """The EVSE's power electronics and what steers them."""

    def __init__(self, settings: StationSettings, random: Random) -> None:
        self.settings = settings
        self.electrical = Electrical(settings.voltage_v, settings.phases, settings.is_dc)
        discharge_kw = settings.discharge_kw_max
        self.stack = ProfileStack(
            Reading(settings.power_kw_max, discharge_kw, settings.negative_limit == "discharge")
        )
        self.der = DerControls(settings.discharge_kw_max)
        self.frequency_hz = settings.frequency_hz
        self.signal: float | None = None
        self.last_asked_kw = 0.0
        self.mode = "ChargingOnly"
        self.until_us = 0
        self._target: Target | None = None
        self._random = random
        self._mode_changed = False

    def changed(self) -> None:
        """Profiles, transaction or link changed: look at the stack again."""
        self._target = None
        self.until_us = 0

    def step_frequency(self, duration_s: float) -> None:
        """Let the grid frequency wander (Ornstein-Uhlenbeck) where the settings give it a deviation."""
        deviation = self.settings.frequency_hz_deviation
        if deviation <= 0:
            return
        kept = math.exp(-duration_s / FREQUENCY_RETURN_S)
        spread = deviation * math.sqrt(1.0 - kept * kept)
        away = self.frequency_hz - self.settings.frequency_hz
        self.frequency_hz = (
            self.settings.frequency_hz + away * kept + self._random.gauss(0.0, spread)
        )

    def take_mode_change(self) -> bool:
        """Whether the operation mode changed since the last call."""
        changed, self._mode_changed = self._mode_changed, False
        return changed

    def asked_kw(
        self, at_us: int, context: Context, soc: float, faults: Faults, allows_discharge: bool
    ) -> float:
        """The power that the EVSE asks for at a moment, in kW, negative to discharge."""
        target = self._target_at(at_us, context, soc, faults)
        wish_kw = target.power_kw(self.frequency_hz, self.signal)
        if target.mode != self.mode:
            self.mode = target.mode
            self._mode_changed = True
        wish_kw = disobeyed_kw(wish_kw, self.settings.power_kw_max, faults)
        if self.settings.protocol == "2.1" and self.settings.v2x:
            wish_kw = self.der.adjusted_kw(
                wish_kw, self.frequency_hz, at_us, can_discharge=allows_discharge
            )
        if not allows_discharge:
            wish_kw = max(wish_kw, 0.0)
        self.last_asked_kw = 0.0 if abs(wish_kw) < self.power_kw_min(target) else wish_kw
        return self.last_asked_kw

    def power_kw_min(self, target: Target) -> float:
        """Below this power the EVSE pauses: 6 A on each phase that is used (IEC 61851-1); none on DC."""
        if self.settings.is_dc:
            return 1e-9
        phases = None if target.period is None else target.period.number_phases
        return self.settings.current_a_min * self.electrical.kw_per_unit("A", phases) - 1e-9

    def _target_at(self, at_us: int, context: Context, soc: float, faults: Faults) -> Target:
        self.stack.age(at_us, context)
        at_soc = any(profile.limit_at_soc is not None for profile in self.stack.all())
        if self._target is None or at_us >= self.until_us or at_soc:
            limits_only = faults.disobey == "nothing"
            self._target = self.stack.target(at_us, context, soc, limits_only=limits_only)
            self.until_us = self.stack.next_change(at_us, context)
        return self._target


def disobeyed_kw(wish_kw: float, full_kw: float, faults: Faults) -> float:
    """What a disobedient station makes of the power it was asked for."""
    if faults.disobey == "ignores_limits":
        return full_kw
    if wish_kw < 0 and faults.disobey in ("full_power", "negative_as_maximum"):
        return full_kw
    if wish_kw < 0 and faults.disobey == "negative_as_zero":
        return 0.0
    return wish_kw
