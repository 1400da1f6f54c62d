"""What ages a battery, span by span, and how it changes as the battery fades.

A pack that has lost capacity moves further through its charge for the same kilowatt-hours. At
health q the charge within a span is stretched around the span's first sample,

    soc_q = clip(soc_first + (soc - soc_first) / q, 0, 1)

(as the reference does with energy throughput conserved). Every stress is therefore a function of
health.

What is held for every sample is in single precision, enough for the digits that matter and faster;
what is held for every span is in double precision.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from parkwatt.plan.wear.spans import FloatArray, SampleArray, Spans

ZERO_CELSIUS_K = 273.15
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86400.0

# Charge moving slower than this (fraction of capacity per hour) is standing, not cycling.
RATE_PER_H_MIN = 1e-2


@dataclass(frozen=True)
class Stress:
    """What acts on the battery in each span; every array has one value a span.

    `full_cycles` counts charge through the cell in units of its nominal capacity; `depth` is the
    range of charge; `rate_per_h` the mean speed of charge over the whole span;
    `temperature_k_spread` the standard deviation. `means` and `thermal_means` hold one row for each
    mean that the cell's equations ask for.
    """

    duration_days: FloatArray
    full_cycles: FloatArray
    depth: FloatArray
    rate_per_h: FloatArray
    soc_mean: FloatArray
    temperature_k_mean: FloatArray
    temperature_k_spread: FloatArray
    means: list[FloatArray]
    thermal_means: list[FloatArray]


class Terms(Protocol):
    """The part of a cell's equations that looks at single samples.

    The means of what it asks for come back as `Stress.means`, in this order: the speed (1/h) while
    charging (`direction` 1) or discharging (`direction` -1; not for 0), the time terms, the sample
    terms.
    """

    @property
    def direction(self) -> int:
        """Whether a speed is needed: 1 while charging, -1 while discharging, 0 not."""
        ...

    def time_terms(self, temperature_k: SampleArray, soc: SampleArray) -> list[SampleArray]:
        """Terms of temperature and charge whose mean over time is needed."""
        ...

    def sample_terms(self, soc: SampleArray) -> list[SampleArray]:
        """Terms of charge whose plain mean over samples is needed."""
        ...

    def thermal_terms(self, temperature_k: SampleArray) -> list[SampleArray]:
        """Terms of temperature whose mean over time is needed (`Stress.thermal_means`)."""
        ...


class StressHistory:
    """The stress of one history, for any health.

    Args:
        spans: the cut of the history.
        time_s, soc, temperature_c: the history, one value a sample.
        terms: the cell's equations.
    """

    def __init__(
        self,
        spans: Spans,
        time_s: FloatArray,
        soc: FloatArray,
        temperature_c: FloatArray,
        terms: Terms,
    ) -> None:
        first, last = spans.first, spans.last
        self.count = len(first)
        self._first, self._terms, self._soc = first, terms, soc
        self._temperature_k = (temperature_c + ZERO_CELSIUS_K).astype(np.float32)
        self._soc_first = soc[first]
        self._soc_low = np.minimum.reduceat(soc, first)
        self._soc_high = np.maximum.reduceat(soc, first)
        self._samples = (last - first + 1).astype(np.float64)
        self._span_of_sample = np.repeat(np.arange(self.count), last - first + 1)
        start = np.repeat(self._soc_first, last - first + 1)
        self._start = start.astype(np.float32)
        self._departure = (soc - start).astype(np.float32)

        self.duration_days = (time_s[last] - time_s[first]) / SECONDS_PER_DAY
        # Steps across a cut belong to no span: they weigh nothing. One more ends the array.
        self._step_s = np.append(np.diff(time_s), 0.0).astype(np.float32)
        self._step_s[last] = 0.0
        self._inside = self._step_s > 0
        self._per_step_h = SECONDS_PER_HOUR / np.where(
            self._inside, self._step_s, np.float32(np.inf)
        )
        zero = np.zeros(1, np.float32)
        before = np.concatenate((zero, self._step_s[:-1]))
        after = np.concatenate((self._step_s[1:], zero))
        span_s = np.where(self.duration_days > 0, self.duration_days * SECONDS_PER_DAY, 1.0)
        per_span_s = np.repeat((1.0 / span_s).astype(np.float32), last - first + 1)
        self._weight = (before + self._step_s) / 2 * per_span_s
        # The rate of a step stands at its end: trapezoid over the ends of the span's steps.
        own = self._step_s * (before > 0)
        self._rate_weight = (own + after) * self._inside / 2 * per_span_s
        self._thermal_means = self._thermal_rows()

    def at(self, health: float) -> Stress:
        """The stress of every span when the battery has this health (1 = as new)."""
        rows = self._rows(health)
        low, high = (
            np.clip(self._soc_first + (edge - self._soc_first) / health, 0.0, 1.0)
            for edge in (self._soc_low, self._soc_high)
        )
        mean, spread, *thermal_means = self._thermal_means
        return Stress(
            duration_days=self.duration_days,
            full_cycles=rows[0],
            depth=high - low,
            rate_per_h=rows[1],
            soc_mean=rows[2],
            temperature_k_mean=mean,
            temperature_k_spread=spread,
            means=rows[3:],
            thermal_means=thermal_means,
        )

    def _rows(self, health: float) -> list[FloatArray]:
        """The stresses that depend on health."""
        soc = self._departure / health
        soc += self._start
        np.clip(soc, 0.0, 1.0, out=soc)
        moved = np.empty_like(soc)
        moved[-1] = 0.0
        np.subtract(soc[1:], soc[:-1], out=moved[:-1])
        moved *= self._inside
        distance = np.abs(moved)
        speed = distance * self._per_step_h
        speed[speed < RATE_PER_H_MIN] = 0.0
        rows = [
            self._sum(distance) * (health / 2),
            self._sum(speed * self._rate_weight) * health,
            self._sum(soc) / self._samples,
        ]
        if self._terms.direction:
            active = (speed > 0) & (moved * self._terms.direction > 0)
            rows.append(self._mean_while(active, speed) * health)
        time_terms = self._terms.time_terms(self._temperature_k, soc)
        rows.extend(self._sum(term * self._weight) for term in time_terms)
        rows.extend(self._sum(term) / self._samples for term in self._terms.sample_terms(soc))
        return rows

    def _thermal_rows(self) -> list[FloatArray]:
        temperature_k = self._temperature_k
        mean = self._sum(temperature_k) / self._samples
        away = temperature_k - mean.astype(np.float32)[self._span_of_sample]
        rows = [mean, np.sqrt(self._sum(away * away * self._weight))]
        rows += [
            self._sum(term * self._weight) for term in self._terms.thermal_terms(temperature_k)
        ]
        return rows

    def _mean_while(self, active: NDArray[np.bool_], speed: SampleArray) -> FloatArray:
        """Trapezoid mean of the speed over a span's active steps; 0 where none is."""
        steps = np.flatnonzero(active)
        span = self._span_of_sample[steps]
        speeds = speed[steps]
        same = span[1:] == span[:-1]
        joint, width = span[1:][same], self._step_s[steps[1:]][same]
        area = (speeds[1:] + speeds[:-1])[same] * (width / 2)
        total = np.bincount(joint, area, self.count)
        length = np.bincount(joint, width, self.count)
        mean = np.zeros(self.count)
        mean[span] = speeds  # holds for a single active step
        return np.divide(total, length, out=mean, where=length > 0)

    def _sum(self, values: SampleArray) -> FloatArray:
        return np.add.reduceat(values, self._first).astype(np.float64)
