"""From single readings to minutes: time-weighted means of what the meters and chargers said, for the journal.

A sample holds until the next one, but not longer than half a minute: a program that stood still, or a clock that was put
forward, makes up no energy. What nothing covers is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.site.event import CarMinute, Measured

_US: Final = 1_000_000
MINUTE_S: Final = 60
# Steps are at most this far apart while nothing is wrong.
_HOLDS_US: Final = 30 * _US


@dataclass(slots=True)
class _Mean:
    """A time-weighted mean of what was known."""

    sum_kws: float = 0.0
    known_s: float = 0.0

    def add(self, value: float | None, duration_s: float) -> None:
        if value is not None:
            self.sum_kws += value * duration_s
            self.known_s += duration_s

    @property
    def mean(self) -> float | None:
        return self.sum_kws / self.known_s if self.known_s > 0 else None


@dataclass(frozen=True, slots=True)
class CarSample:
    """A car now: power as far as it is known, its charger's registers, the battery's energy."""

    power_kw: float | None
    import_kwh: float | None
    export_kwh: float | None
    energy_kwh: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """All powers now; None where nothing fresh tells them."""

    grid_kw: float | None
    solar_kw: float | None
    load_kw: float | None
    cars: dict[str, CarSample]


@dataclass(slots=True)
class _CarSpan:
    power: _Mean = field(default_factory=_Mean)
    in_kwh: float = 0.0
    out_kwh: float = 0.0
    by_power_in_kwh: float = 0.0
    by_power_out_kwh: float = 0.0
    counted: bool = False


class MinuteMeter:
    """Collects samples; gives a `Measured` when a minute, cut at the clock's minutes, is over."""

    def __init__(self) -> None:
        self._start_unix_us: int | None = None
        self._at_unix_us = 0
        self._sampled_unix_us = 0
        self._last: Sample | None = None
        self._registers: dict[str, tuple[float | None, float | None]] = {}
        self._clear()

    def _clear(self) -> None:
        self._grid, self._export = _Mean(), _Mean()
        self._solar, self._load = _Mean(), _Mean()
        self._highest_kw: float | None = None
        self._lowest_kw: float | None = None
        self._cars: dict[str, _CarSpan] = {}

    def add(self, sample: Sample, now_unix_us: int) -> list[Measured]:
        """Note what is known now; returns the minutes that ended since the last sample."""
        done: list[Measured] = []
        if self._start_unix_us is None or now_unix_us < self._at_unix_us:
            # The first sample, or a clock that was put back: what was collected is dropped, nothing is counted twice.
            self._begin(now_unix_us)
        self._sampled_unix_us = min(self._sampled_unix_us, now_unix_us)
        while now_unix_us >= (end_unix_us := self._minute_end()):
            self._until(end_unix_us)
            measured = self._close(end_unix_us)
            if measured is not None:
                done.append(measured)
            self._begin(end_unix_us)
            if now_unix_us - end_unix_us > 15 * MINUTE_S * _US:
                self._last = None  # a clock that jumped ahead, or a program that stood still
                self._begin(now_unix_us)
        self._until(now_unix_us)
        self._count(sample)
        self._last, self._sampled_unix_us = sample, now_unix_us
        return done

    def _begin(self, at_unix_us: int) -> None:
        self._clear()
        self._start_unix_us = self._at_unix_us = at_unix_us

    def _minute_end(self) -> int:
        start_unix_us = self._start_unix_us or 0
        return (start_unix_us // (MINUTE_S * _US) + 1) * MINUTE_S * _US

    def _until(self, at_unix_us: int) -> None:
        held_until_unix_us = min(at_unix_us, self._sampled_unix_us + _HOLDS_US)
        duration_s = (held_until_unix_us - self._at_unix_us) / _US
        self._at_unix_us = at_unix_us
        last = self._last
        if last is None or duration_s <= 0:
            return
        self._grid.add(last.grid_kw, duration_s)
        if last.grid_kw is not None:
            self._export.add(max(-last.grid_kw, 0.0), duration_s)
            highest, lowest = self._highest_kw, self._lowest_kw
            self._highest_kw = last.grid_kw if highest is None else max(highest, last.grid_kw)
            self._lowest_kw = last.grid_kw if lowest is None else min(lowest, last.grid_kw)
        self._solar.add(last.solar_kw, duration_s)
        self._load.add(last.load_kw, duration_s)
        for car_id, car in last.cars.items():
            span = self._cars.setdefault(car_id, _CarSpan())
            span.power.add(car.power_kw, duration_s)
            energy_kwh = (car.power_kw or 0.0) * duration_s / 3600.0
            span.by_power_in_kwh += max(energy_kwh, 0.0)
            span.by_power_out_kwh += max(-energy_kwh, 0.0)

    def _count(self, sample: Sample) -> None:
        """Take the chargers' registers: what they moved since they were read last."""
        for car_id, car in sample.cars.items():
            span = self._cars.setdefault(car_id, _CarSpan())
            before = self._registers.get(car_id)
            if car.import_kwh is None and car.export_kwh is None:
                continue
            span.counted = True
            if before is not None:
                span.in_kwh += _grown(before[0], car.import_kwh)
                span.out_kwh += _grown(before[1], car.export_kwh)
            self._registers[car_id] = (car.import_kwh, car.export_kwh)
        for car_id in [known for known in self._registers if known not in sample.cars]:
            del self._registers[car_id]

    def _close(self, end_unix_us: int) -> Measured | None:
        start_unix_us = self._start_unix_us or 0
        duration_s = round((end_unix_us - start_unix_us) / _US)
        if duration_s < 1:
            return None
        cars = {}
        last = self._last
        for car_id, span in self._cars.items():
            now = None if last is None else last.cars.get(car_id)
            cars[car_id] = CarMinute(
                power_kw=_rounded(span.power.mean),
                energy_kwh=None if now is None else _rounded(now.energy_kwh),
                in_kwh=round(span.in_kwh if span.counted else span.by_power_in_kwh, 5),
                out_kwh=round(span.out_kwh if span.counted else span.by_power_out_kwh, 5),
            )
        return Measured(
            start_unix_s=end_unix_us // _US - duration_s,
            duration_s=duration_s,
            grid_kw=_rounded(self._grid.mean),
            export_kw=_rounded(self._export.mean),
            solar_kw=_rounded(self._solar.mean),
            load_kw=_rounded(self._load.mean),
            grid_kw_max=_rounded(self._highest_kw),
            grid_kw_min=_rounded(self._lowest_kw),
            coverage=round(min(max(self._grid.known_s, self._load.known_s) / duration_s, 1.0), 3),
            cars=cars,
        )


def _grown(before: float | None, now: float | None) -> float:
    """How far a register went on; one that went back was replaced, and says nothing of the time between."""
    return max(now - before, 0.0) if before is not None and now is not None else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
