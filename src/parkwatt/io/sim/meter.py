"""The charger's meter: two registers that never go back, and what it shows of power, current and voltage.

The registers integrate exactly (Wh as floats, 53 bits); noise touches only what is shown of power, current and
voltage, never a register.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Sample:
    """What the meter shows at one moment. Power and current are signed: negative while discharging."""

    import_wh: float
    export_wh: float
    power_w: float
    current_a: float
    voltage_v: float
    frequency_hz: float
    soc: float | None


class Meter:
    """Registers in Wh; ``noise`` is the standard deviation of shown powers as a fraction."""

    def __init__(self, import_wh: float, export_wh: float, noise: float, random: Random) -> None:
        self.import_wh = import_wh
        self.export_wh = export_wh
        self.noise = noise
        self._random = random

    def add(self, power_kw: float, duration_s: float) -> None:
        """Count constant power for a while."""
        energy_wh = power_kw * duration_s / 3.6
        if energy_wh > 0:
            self.import_wh += energy_wh
        else:
            self.export_wh -= energy_wh

    def sample(
        self,
        power_kw: float,
        *,
        voltage_v: float,
        phases: int,
        frequency_hz: float,
        soc: float | None,
    ) -> Sample:
        """What is shown now; ``voltage_v`` is a phase's, and the current is that of one of ``phases`` phases."""
        factor = 1.0 + self._random.gauss(0.0, self.noise) if self.noise else 1.0
        power_w = power_kw * 1000.0 * factor
        wobble = 1.0 + self._random.gauss(0.0, self.noise / 4) if self.noise else 1.0
        shown_v = voltage_v * wobble
        return Sample(
            import_wh=self.import_wh,
            export_wh=self.export_wh,
            power_w=power_w,
            current_a=power_w / (shown_v * phases),
            voltage_v=shown_v,
            frequency_hz=frequency_hz,
            soc=soc,
        )
