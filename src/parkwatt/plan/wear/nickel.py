"""Ageing equations of cells with a nickel cathode (NMC, NCA) and of one manganese cell.

Parameters and forms are published fits; the source of each is given with its class. Symbols: T
temperature in kelvin, U anode potential in volts, s charge, d depth, c rate in 1/h, N full cycles,
t days.
"""

from collections.abc import Callable

import numpy as np

from parkwatt.plan.wear.law import (
    BoundedPowerLaw,
    CellEquations,
    PowerLaw,
    SocTable,
    anode_table,
    soc_grid,
)
from parkwatt.plan.wear.spans import FloatArray, SampleArray
from parkwatt.plan.wear.stress import Stress

ANODE_HALF_V = 0.123  # anode potential at about half charge
GAS_J_PER_MOL_K = 8.3144
REFERENCE_K = 298.15
REFERENCE_WARM_K = 308.15

# Open-circuit voltage (V) of the Sanyo cell, read off figure 1 of the paper and, near empty, from
# M. Ecker et al., 10.1016/j.jpowsour.2013.09.143: empty, then 55 evenly spaced charges, then 0.9982
# and full.
OPEN_CIRCUIT_V = [
    3.331,
    3.345,
    3.379,
    3.412,
    3.441,
    3.466,
    3.49,
    3.511,
    3.53,
    3.547,
    3.562,
    3.575,
    3.586,
    3.597,
    3.606,
    3.613,
    3.62,
    3.626,
    3.632,
    3.637,
    3.642,
    3.647,
    3.652,
    3.658,
    3.663,
    3.67,
    3.677,
    3.687,
    3.696,
    3.708,
    3.721,
    3.734,
    3.75,
    3.765,
    3.781,
    3.798,
    3.815,
    3.833,
    3.85,
    3.867,
    3.884,
    3.901,
    3.918,
    3.935,
    3.953,
    3.972,
    3.991,
    4.012,
    4.032,
    4.052,
    4.071,
    4.088,
    4.104,
    4.12,
    4.136,
    4.153,
    4.161,
    4.162,
]
OPEN_CIRCUIT_SOC = [0.0, *np.linspace(0.008637153, 0.988324653, 55), 0.998220486, 1.0]


class SanyoNmc111(CellEquations):
    """Sanyo UR18650E. J. Schmalstieg et al., J. Power Sources 257 (2014) 325,
    10.1016/j.jpowsour.2014.02.012.

    Calendar: (7.543 V - 23.75) 1e6 exp(-6976 / T) t**0.75, V the open-circuit voltage.
    Cycling: (7.348e-3 (V_rms - 3.667)**2 + 7.6e-4 + 4.081e-3 d) Q**0.5, Q throughput in
    ampere-hours.
    """

    calendar, cycling = PowerLaw(0.75), PowerLaw(0.5)
    laws = (calendar, cycling)
    throughput_ah_per_full_cycle = 2 * 2.15

    def __init__(self) -> None:
        volts = np.interp(soc_grid(), OPEN_CIRCUIT_SOC, OPEN_CIRCUIT_V)
        self._volts = SocTable(volts)
        self._volts_squared = SocTable(volts**2)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        return [(7.543 * self._volts(soc) - 23.75) * 1e6 * np.exp(-6976 / temperature_k)]

    def sample_terms(self, soc: SampleArray) -> list[SampleArray]:
        return [self._volts_squared(soc)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        calendar, volts_squared = stress.means
        cycling = (
            7.348e-3 * (np.sqrt(volts_squared) - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * stress.depth
        )
        throughput_ah = stress.full_cycles * self.throughput_ah_per_full_cycle
        return [
            *self.calendar.drive(calendar, stress.duration_days),
            *self.cycling.drive(cycling, throughput_ah),
        ]


class DensoNmc622(CellEquations):
    """DENSO 50 Ah. K. Smith et al., J. Electrochem. Soc. 168 (2021) 100530,
    10.1149/1945-7111/ac2ebd.

    Both losses follow a square root; the cycling rate is the calendar rate times a factor of depth
    and charging rate. Without the break-in terms, as the reference runs it. A step of cycling loss
    above one hundredth (a large cycle after almost none) is held to 5e-4 a full cycle, as there.
    """

    calendar, cycling = PowerLaw(0.5), BoundedPowerLaw(0.5, step_max=1e-2, slope=5e-4)
    laws = (calendar, cycling)
    direction = 1

    def drive(self, stress: Stress) -> list[FloatArray]:
        temperature_k, soc, depth = stress.temperature_k_mean, stress.soc_mean, stress.depth
        charge_rate = stress.means[0]
        speed = np.where(charge_rate == 0, stress.rate_per_h, charge_rate)
        strain = np.sqrt(depth * speed)
        calendar = arrhenius(temperature_k, 37000) * (
            -1.97e-4
            + soc * (0.0101 + soc * (-0.0157 + soc * 0.00835))
            - 4.06e-6 * soc * temperature_k
            + 3.32e-5 * np.maximum(0, temperature_k - 328.15)
        )
        factor = (
            np.maximum(
                0, 3.24 * arrhenius(temperature_k, -58000) * strain * (1 + 2.1 * soc) - 0.099
            )
            + 1.44 * arrhenius(temperature_k, -13000) * depth**6
        )
        calendar = np.maximum(calendar, 0)
        return [
            *self.calendar.drive(calendar, stress.duration_days),
            *self.cycling.drive(calendar * factor * 0.985, stress.full_cycles),
        ]


class LgM50Nmc811(CellEquations):
    """LG M50 5 Ah, NMC811 with a graphite-silicon anode. Data: T. M. N. Bui et al., IEEE VPPC 2021,
    ieeexplore 9617644; chemistry: K. O'Regan et al., Electrochim. Acta 425 (2022) 140700.
    """

    calendar, cycling = PowerLaw(0.651697743905278), PowerLaw(0.441996792536332)
    laws = (calendar, cycling)
    direction = -1

    def __init__(self) -> None:
        soc = soc_grid()
        self._anode_third = anode_table(-1 / 3, ANODE_HALF_V)
        self._anode_half = anode_table(-0.5, ANODE_HALF_V)
        self._soc_root = SocTable(np.sqrt(soc))
        self._high_charge = SocTable(-2.39156628786525 - 0.185337797906876 * np.exp(soc**3))

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        relative = temperature_k / REFERENCE_WARM_K
        square = relative * relative
        cube = square * relative
        return [
            self._high_charge(soc)
            + 2.44205317834185 * np.exp(cube * self._anode_third(soc))
            - 4.45998246136905 * cube * self._anode_half(soc)
            + 0.448140062203916 * np.exp(self._soc_root(soc) / square)
        ]

    def drive(self, stress: Stress) -> list[FloatArray]:
        discharge_rate, calendar = stress.means[0], np.maximum(stress.means[1], 0)
        root = 1.24459541295018 * np.sqrt(discharge_rate)
        fast = 0.181235015387132 * np.exp(-0.123779206033993 * discharge_rate**3)

        def cycling(relative: FloatArray) -> FloatArray:
            return np.asarray(fast * np.exp(root * relative**3))

        return [
            *self.calendar.drive(calendar, stress.duration_days / 1e4),
            *self.cycling.drive(mean_over_warmth(cycling, stress), stress.full_cycles / 1e4),
        ]


class LgMj1Nmc811(CellEquations):
    """LG MJ1 3.5 Ah, NMC811. Data: EU project EVERLASTING, report D2.3 (2020)."""

    calendar, cycling = PowerLaw(0.743), PowerLaw(0.695)
    laws = (calendar, cycling)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        return [0.0353 * np.exp((57.7 * soc - 1.03e3) / temperature_k)]

    def thermal_terms(self, temperature_k: SampleArray) -> list[SampleArray]:
        return [np.exp(2.25e3 / temperature_k) + np.exp(-1.14e4 / temperature_k)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        cycling = 1.77e-7 + 8.08e-13 * stress.rate_per_h + 2.21e-7 * stress.depth
        return [
            *self.calendar.drive(stress.means[0], stress.duration_days),
            *self.cycling.drive(cycling * stress.thermal_means[0], stress.full_cycles),
        ]


class PanasonicNca(CellEquations):
    """Panasonic 18650B 3.2 Ah. Calendar data: P. Keil et al., J. Electrochem. Soc. 163 (2016)
    A1872, 10.1149/2.0411609jes; cycling data: Y. Preger et al., 10.1149/1945-7111/abae37.

    The fitted temperature terms of cycling (3.34e-11 / T and 2.81e-9 / T) are 1 to ten digits:
    cycling does not depend on temperature.
    """

    calendar, cycling = PowerLaw(0.512), PowerLaw(0.699)
    laws = (calendar, cycling)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        return [75.4 * np.exp((353 * soc - 3.34e3) / temperature_k)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        cycling = 2 * (1.86e-6 + 4.74e-11 * stress.rate_per_h + 1.77e-4 * stress.depth)
        return [
            *self.calendar.drive(stress.means[0], stress.duration_days),
            *self.cycling.drive(cycling, stress.full_cycles),
        ]


class PouchNmcA(CellEquations):
    """Pouch cell 'NMC-Gr A', 75 Ah. P. Gasper et al. (2023), 10.1016/j.est.2023.109042."""

    calendar, cycling = PowerLaw(0.578), PowerLaw(1.11)
    laws = (calendar, cycling)

    def __init__(self) -> None:
        self._anode = anode_table(-1 / 3, ANODE_HALF_V)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        relative = temperature_k / REFERENCE_WARM_K
        return [8.71e-7 * np.exp(10 * relative * relative * relative * self._anode(soc))]

    def drive(self, stress: Stress) -> list[FloatArray]:
        depth_root, rate = np.sqrt(stress.depth), stress.rate_per_h
        rate_root = np.sqrt(rate)

        def cycling(relative: FloatArray) -> FloatArray:
            warmth = 1.64 * relative**3 * depth_root
            speed = 0.011 * np.exp(rate * rate / np.sqrt(relative))
            relief = -0.44 * np.exp(depth_root * relative * relative * rate_root)
            return np.abs(0.0267 + warmth + speed + relief)

        return [
            *self.calendar.drive(stress.means[0], stress.duration_days / 1e3),
            *self.cycling.drive(mean_over_warmth(cycling, stress), stress.full_cycles / 1e4),
        ]


class PouchNmcB1(CellEquations):
    """Pouch cell 'NMC-Gr B1', 50 Ah, of the same paper as A."""

    calendar, cycling = PowerLaw(0.708), PowerLaw(0.467)
    laws = (calendar, cycling)

    def __init__(self) -> None:
        self._anode = anode_table(1 / 3, ANODE_HALF_V)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        inverse = REFERENCE_WARM_K / temperature_k
        return [36.2 * np.exp(-4.4 * inverse * inverse * inverse * self._anode(soc))]

    def thermal_terms(self, temperature_k: SampleArray) -> list[SampleArray]:
        return [(temperature_k / REFERENCE_WARM_K) ** (3 * 0.458)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        cycling = 0.844 * (stress.depth**2 * np.sqrt(stress.rate_per_h)) ** 0.458
        cycling = cycling * stress.thermal_means[0]
        return [
            *self.calendar.drive(stress.means[0], stress.duration_days / 1e4),
            *self.cycling.drive(cycling, stress.full_cycles / 1e5),
        ]


class PouchNmcB2(CellEquations):
    """Pouch cell 'NMC-Gr B2', 50 Ah, of the same paper as A."""

    calendar, cycling = PowerLaw(0.584), PowerLaw(0.907)
    laws = (calendar, cycling)

    def __init__(self) -> None:
        self._anode = anode_table(1 / 3, ANODE_HALF_V)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        inverse = REFERENCE_WARM_K / temperature_k
        return [12.0 * np.exp(-3.91 * inverse * inverse * inverse * self._anode(soc))]

    def drive(self, stress: Stress) -> list[FloatArray]:
        depth, rate = stress.depth, stress.rate_per_h
        rate_root = np.sqrt(rate)

        def cycling(relative: FloatArray) -> FloatArray:
            first = (depth / relative**3 * rate_root) ** 11.9
            second = -35.7 * depth / relative**2 * rate_root
            third = 13.7 * depth**2 / relative**3 * rate
            return np.asarray(2.2e9 * first * np.exp(second + third))

        return [
            *self.calendar.drive(stress.means[0], stress.duration_days / 1e4),
            *self.cycling.drive(mean_over_warmth(cycling, stress), stress.full_cycles / 1e4),
        ]


class LeafLmo(CellEquations):
    """Nissan Leaf modules in second life, 66 Ah. E. Braco et al., 10.1016/j.est.2020.101695
    (cycling) and 10.1109/EEEIC/ICPSEurope54979.2022.9854784 (calendar).

    Capacity is relative to the start of the second life (about 70 % of new). Cycling was tested at
    one
    condition: it counts throughput alone.
    """

    calendar, cycling = PowerLaw(0.464), PowerLaw(1.08)
    laws = (calendar, cycling)

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        return [3.25e8 * np.exp((162 * soc - 7.58e3) / temperature_k)]

    def drive(self, stress: Stress) -> list[FloatArray]:
        cycling = np.full_like(stress.full_cycles, 7.58e-5)
        return [
            *self.calendar.drive(stress.means[0], stress.duration_days),
            *self.cycling.drive(cycling, stress.full_cycles),
        ]


def arrhenius(temperature_k: FloatArray, energy_j_per_mol: float) -> FloatArray:
    """Arrhenius factor, 1 at 25 C."""
    factor = -energy_j_per_mol / GAS_J_PER_MOL_K * (1 / temperature_k - 1 / REFERENCE_K)
    return np.asarray(np.exp(factor))


def mean_over_warmth(rate: Callable[[FloatArray], FloatArray], stress: Stress) -> FloatArray:
    """Mean over each span of a rate that depends on temperature (given over 308.15 K).

    Taken at the two temperatures with the span's mean and spread: exact to third order in the
    spread, for rates that do not split into a factor of temperature and one of cycling.
    """
    mean, spread = stress.temperature_k_mean, stress.temperature_k_spread
    return (rate((mean + spread) / REFERENCE_WARM_K) + rate((mean - spread) / REFERENCE_WARM_K)) / 2
