"""Random grids as a home's gateway sees them: voltages and frequencies that fail, sag, hover at the bounds and come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from parkwatt.home.grid_code import GridCode

NOMINAL_V = 240.0


@dataclass(frozen=True)
class Trace:
    """Samples every ``step_s``: volts and hertz. It begins without a grid."""

    grid_code: GridCode
    step_s: float
    volts: tuple[float, ...]
    hertz: tuple[float, ...]


def random_code(random: np.random.Generator) -> GridCode:
    """A code with settings anywhere in what IEEE 1547-2018 allows; every third is the default one."""
    if random.random() < 1 / 3:
        settings = (0.917, 1.05, 59.5, 60.1, 300.0, 300.0)
    else:
        delay_s = float(random.choice([0.0, 1.0, 15.0, 60.0, random.uniform(0.0, 600.0)]))
        settings = (
            random.uniform(0.88, 0.95),
            random.uniform(1.05, 1.06),
            random.uniform(59.0, 59.9),
            random.uniform(60.1, 61.0),
            delay_s,
            float(random.integers(1, 1001)),
        )
    low_pu, high_pu, low_hz, high_hz, delay_s, ramp_s = settings
    return GridCode(
        name="random",
        voltage_pu_min=low_pu,
        voltage_pu_max=high_pu,
        frequency_hz_min=low_hz,
        frequency_hz_max=high_hz,
        delay_s=delay_s,
        ramp_s=ramp_s,
        source="a test",
        nominal_hz=60.0,
    )


def random_trace(seed: int, step_count: int = 300) -> Trace:
    """A trace of its own for every seed. Steps are powers of two, or whole, seconds, so that sums of them are exact."""
    random = np.random.default_rng(seed)
    code = random_code(random)
    step_s = float(random.choice([0.25, 0.5, 1.0, 2.0, 5.0]))
    if code.delay_s > step_count * step_s / 2:
        step_s = 5.0
    kinds = _kinds(code, random)
    volts, hertz = [0.0], [0.0]
    while len(volts) < step_count:
        spell = kinds[int(random.choice(len(kinds), p=(0.5, 0.1, 0.1, 0.1, 0.2)))]
        for _ in range(int(random.geometric(0.02 if spell is kinds[0] else 0.3))):
            pu, hz = spell()
            volts.append(pu * NOMINAL_V)
            hertz.append(hz)
    return Trace(code, step_s, tuple(volts[:step_count]), tuple(hertz[:step_count]))


def _kinds(
    code: GridCode, random: np.random.Generator
) -> tuple[Callable[[], tuple[float, float]], ...]:
    """How a grid may be: well, sagging or swelling, off frequency, gone, just at (or a hair beyond) a bound."""
    low_pu, high_pu = code.voltage_pu_min, code.voltage_pu_max
    low_hz, high_hz = code.frequency_hz_min, code.frequency_hz_max

    def at_a_bound() -> tuple[float, float]:
        hair = float(random.choice([0.0, 1e-9, -1e-9]))
        if random.random() < 0.5:
            return float(random.choice([low_pu, high_pu])) + hair, 60.0
        return 1.0, float(random.choice([low_hz, high_hz])) + hair

    return (
        lambda: (random.uniform(low_pu + 1e-6, high_pu - 1e-6), random.uniform(low_hz, high_hz)),
        lambda: (float(random.choice([random.uniform(0.0, 0.95), random.uniform(1.0, 1.3)])), 60.0),
        lambda: (1.0, random.uniform(57.0, 63.0)),
        lambda: (0.0, 0.0),
        at_a_bound,
    )
