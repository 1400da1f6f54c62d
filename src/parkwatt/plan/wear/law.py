"""The forms that a loss of capacity takes, and the pieces that cells share.

Each law is a differential equation for a loss `y` driven by an exposure `x` (days, or full cycles).
A span changes `y` by the slope at its start times its exposure (explicit Euler, as the reference
has it).

A law integrates its loss as `s = y**(1/exponent)`, which grows evenly with exposure where `y`
follows `x**exponent`. What drives it, one row or more with one value a span, comes from the cell's
equations.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from parkwatt.plan.wear.spans import FloatArray, SampleArray
from parkwatt.plan.wear.stress import Stress, Terms

# Charge is looked up to 1/32768 of capacity; the tables below are exact to 5 digits at that step.
TABLE_STEPS = 32768


class Law(Protocol):
    """How one loss grows."""

    @property
    def exponent(self) -> float:
        """The power of exposure that the loss follows, roughly or exactly."""
        ...

    @property
    def initial(self) -> float:
        """The loss at the start."""
        ...

    @property
    def rows(self) -> int:
        """How many rows drive it; where the first is zero, nothing grows."""
        ...

    def growth(self, even: FloatArray, rows: FloatArray) -> FloatArray:
        """What each span adds to `s`, given `s` at its start and the rows that drive it."""
        ...


@dataclass(frozen=True)
class PowerLaw:
    """y = rate * x**exponent. Driven by what a span adds to `s` along the curve."""

    exponent: float
    initial: float = 0.0
    rows: int = 1

    def drive(self, rate: FloatArray, exposure: FloatArray) -> list[FloatArray]:
        """The driving row, of a rate >= 0 and an exposure."""
        return [rate ** (1 / self.exponent) * exposure]

    def growth(self, even: FloatArray, rows: FloatArray) -> FloatArray:
        """Slope at the start of the span; the first step from nothing follows the curve."""
        return _power_growth(even, rows[0], self.exponent)


@dataclass(frozen=True)
class BoundedPowerLaw:
    """A power law whose steps above `step_max` are replaced by `slope` times the exposure."""

    exponent: float
    step_max: float
    slope: float
    initial: float = 0.0
    rows: int = 2

    def drive(self, rate: FloatArray, exposure: FloatArray) -> list[FloatArray]:
        """The driving rows, of a rate >= 0 and an exposure."""
        return [rate ** (1 / self.exponent) * exposure, exposure]

    def growth(self, even: FloatArray, rows: FloatArray) -> FloatArray:
        """As a power law, unless the step is too large."""
        even_step, exposure = rows
        growth = _power_growth(even, even_step, self.exponent)
        loss = even**self.exponent
        too_large = (even + growth) ** self.exponent - loss > self.step_max
        if not too_large.any():
            return growth
        bounded = (loss + self.slope * exposure) ** (1 / self.exponent) - even
        return np.where(too_large, bounded, growth)


@dataclass(frozen=True)
class SigmoidLaw:
    """y = extent * tanh((scale * x)**curvature / 2); rows: exposure, extent, curvature.

    Where the loss has reached the extent it grows no more.
    """

    exponent: float
    scale: float
    initial: float = 0.0
    rows: int = 3

    def growth(self, even: FloatArray, rows: FloatArray) -> FloatArray:
        """Slope at the start of the span; the first step from nothing follows the curve."""
        exposure, extent, curvature = rows
        loss = even**self.exponent
        ratio = loss / np.where(extent > 0, extent, np.inf)
        rising = (ratio > 0) & (ratio < 1)
        ratio = np.where(rising, ratio, 0.5)
        z = 2 * np.arctanh(ratio)
        reached = z ** (1 / curvature) / self.scale
        step = extent * curvature * z / (2 * reached) * (1 - ratio * ratio) * exposure
        if not rising.all():
            first = extent * np.tanh((self.scale * exposure) ** curvature / 2)
            step = np.where(rising, step, np.where(loss > 0, 0.0, first))
        return np.asarray((loss + step) ** (1 / self.exponent) - even)


def _power_growth(even: FloatArray, even_step: FloatArray, exponent: float) -> FloatArray:
    ratio = even_step / np.where(even > 0, even, np.inf)
    growth = even * ((1 + exponent * ratio) ** (1 / exponent) - 1)
    return np.where(even > 0, growth, even_step)


class Equations(Terms, Protocol):
    """The ageing equations of one cell.

    A cell has one or more losses, the first by calendar time and the others by cycling, each with
    its law. Their sum is the capacity lost.
    """

    @property
    def laws(self) -> tuple[Law, ...]:
        """The law of each loss."""
        ...

    def drive(self, stress: Stress) -> list[FloatArray]:
        """The rows that drive the laws, one after the other, from the stress of each span.

        A calendar loss is driven by time spent at a temperature and charge, a cycling loss by full
        cycles: with no cycle there is no cycling loss.
        """
        ...


class CellEquations:
    """Defaults of `Terms`: nothing sampled."""

    direction = 0

    def time_terms(
        self,
        temperature_k: SampleArray,  # noqa: ARG002
        soc: SampleArray,  # noqa: ARG002
    ) -> list[SampleArray]:
        """None."""
        return []

    def sample_terms(self, soc: SampleArray) -> list[SampleArray]:  # noqa: ARG002
        """None."""
        return []

    def thermal_terms(self, temperature_k: SampleArray) -> list[SampleArray]:  # noqa: ARG002
        """None."""
        return []


class SocTable:
    """A function of charge, looked up: the dear part of a rate is taken 32769 times, not once a
    sample.

    Args:
        values: the function at charges 0, 1/32768, ..., 1.
    """

    def __init__(self, values: FloatArray) -> None:
        self._values = values.astype(np.float32)

    def __call__(self, soc: SampleArray) -> SampleArray:
        """The function at each charge (fraction 0..1)."""
        return self._values[(soc * TABLE_STEPS + 0.5).astype(np.int32)]


def soc_grid() -> FloatArray:
    """The charges at which tables hold values."""
    return np.linspace(0.0, 1.0, TABLE_STEPS + 1)


def anode_potential_v(soc: FloatArray) -> FloatArray:
    """Potential of a graphite anode against lithium in volts, by charge of the cell.

    Source: M. Safari, C. Delacourt, J. Electrochem. Soc. 158 (2011) A562, doi 10.1149/1.3567007,
    with the lithium content of the anode by charge from M. Schimpe et al., doi
    10.1149/2.1181714jes. The content is taken alike for all cells, as the fits below do.
    """
    x = 8.5e-3 + soc * (0.78 - 8.5e-3)
    return np.asarray(
        0.6379
        + 0.5416 * np.exp(-305.5309 * x)
        + 0.044 * np.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * np.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * np.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * np.tanh((x - 0.5692) / 0.0875)
    )


def anode_table(exponent: float, unit_v: float = 1.0) -> SocTable:
    """Table of (anode potential / unit_v) ** exponent."""
    return SocTable((anode_potential_v(soc_grid()) / unit_v) ** exponent)
