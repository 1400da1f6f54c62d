"""Ageing equations of cells with an iron phosphate cathode (LFP). Symbols as in `nickel`."""

from math import erf, sqrt

import numpy as np

from parkwatt.plan.wear.law import (
    CellEquations,
    PowerLaw,
    SigmoidLaw,
    SocTable,
    anode_potential_v,
    anode_table,
    soc_grid,
)
from parkwatt.plan.wear.spans import FloatArray, SampleArray
from parkwatt.plan.wear.stress import Stress

# The break-in of the Sony-Murata cell was seen in tests of more than this many full cycles a day.
BREAK_IN_CYCLES_PER_DAY_MIN = 3.0


class PrismaticLfp(CellEquations):
    """Prismatic LFP cell of 250 Ah. P. Gasper et al. (2023), 10.1016/j.est.2023.109042."""

    calendar, cycling = PowerLaw(0.526), PowerLaw(0.828)
    laws = (calendar, cycling)

    def __init__(self) -> None:
        self._anode = anode_table(1.0)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        return [8.37e4 * np.exp((-5.21e3 - 3.56e3 * self._anode(soc)) / temperature_k)]

    def thermal_terms(self, temperature_k: SampleArray) -> list[SampleArray]:
        return [np.exp(2.19e3 / temperature_k) + np.exp(-1.55e5 / temperature_k)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        cycling = 4.38e-8 + 1.55e-8 * stress.depth + 1.68e-7 * stress.rate_per_h
        return [
            *self.calendar.drive(stress.means[0], stress.duration_days),
            *self.cycling.drive(cycling * stress.thermal_means[0], stress.full_cycles),
        ]


class SonyMurataLfp(CellEquations):
    """Sony-Murata 3 Ah. Data: M. Naumann et al., 10.1016/j.est.2018.01.019 (calendar) and
    10.1016/j.jpowsour.2019.227666 (cycling); fit: P. Gasper et al., 10.1149/1945-7111/ac86a8.

    The calendar loss is a sigmoid of time whose extent and curvature depend on temperature and
    anode potential. Cycling does not depend on temperature. A third loss, the break-in, grows only
    above three full cycles a day.
    """

    calendar = SigmoidLaw(exponent=0.5, scale=0.000130510034211874)
    cycling = PowerLaw(1.12847759334355)
    break_in = SigmoidLaw(exponent=1.43752162947637, scale=0.00303553871631028, initial=1e-10)
    laws = (calendar, cycling, break_in)

    def __init__(self) -> None:
        self._anode_half = anode_table(1 / 2)
        self._anode_third = anode_table(1 / 3)
        self._anode_quarter = SocTable(anode_potential_v(soc_grid()) ** 0.25)
        self._middle = SocTable(skew_normal(soc_grid(), 0.0583128906965484, 0.208738181522897))
        self._depth = SocTable(skew_normal(soc_grid(), -3.80744333129564, 1.1612626042821))

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        inverse = 1 / temperature_k
        inverse_cube = inverse * inverse * inverse
        square = temperature_k * temperature_k
        extent_slope = inverse * (8742.06309157261 - 2881067.56019324 * inverse)
        third_slope = inverse_cube * (734553185711.369 * inverse - 3284991315.45121)
        quarter_slope = square * (0.0012722759365729 - 2.8216157562078e-06 * temperature_k)
        return [
            0.98968715129359 * np.exp(extent_slope * self._anode_half(soc)),
            0.000332850281062177
            * np.exp(
                third_slope * self._anode_third(soc) + quarter_slope * self._anode_quarter(soc)
            ),
            self._middle(soc),
        ]

    def drive(self, stress: Stress) -> list[FloatArray]:
        extent, curvature, middle = stress.means
        depth, rate = stress.depth, stress.rate_per_h
        days, full_cycles = stress.duration_days, stress.full_cycles
        cycling = np.abs(
            -6.81260579372875e-06
            + 2.59615973160844e-05 * depth
            + 2.11559710307295e-06 * np.exp(depth * depth * rate * rate * rate)
        )
        height = np.tanh(25.4130804598602 * depth / 2)
        break_in_extent = (
            0.582258029148225 * middle * self._depth(depth.astype(np.float32)) * height
        )
        fast = full_cycles > BREAK_IN_CYCLES_PER_DAY_MIN * days
        break_in_cycles = np.where(fast, full_cycles, 0.0)
        break_in_curvature = np.full_like(depth, self.break_in.exponent)
        # The published cycling law is (rate * x)**p, the rate within the power.
        return [
            *(days, extent, curvature),
            cycling * full_cycles,
            *(break_in_cycles, break_in_extent, break_in_curvature),
        ]


def skew_normal(x: FloatArray, skew: float, width: float) -> FloatArray:
    """Skewed normal density around one half, without its 1/width."""
    z = (x - 0.5) / width
    density = np.exp(-z * z / 2) / sqrt(2 * np.pi)
    return np.asarray(density * np.array([1 + erf(skew * value / sqrt(2)) for value in z.tolist()]))
