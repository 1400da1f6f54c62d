"""Prices that are the same at all times, that follow a series, or that are a share of another
price; and their sum.

    price = (sum of components) × (1 + tax)          a day-ahead component is spot × factor + adder

A day-ahead price is not known for ever: tomorrow's prices appear today at a local time, all 23, 24
or 25 hours of them at once. `DayAheadPublication` says up to when prices are known at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeArray


class PriceComponent(Protocol):
    """One part of a price."""

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] currency per kWh, the time-weighted mean between two edges; NaN where
        unknown.
        """
        ...

    def known_until_unix_s(self, now_unix_s: int) -> int | None:
        """Up to when prices are published at ``now``; None where they are known for all time."""
        ...

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> PriceComponent:
        """The same part with what was received, by the names of the feeds."""
        ...


@dataclass(frozen=True, slots=True)
class FlatPrice:
    """The same at all times: a flat tariff, a fee or an energy tax per kWh; may be negative."""

    price_per_kwh: float

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] the price."""
        return np.full(len(edges_unix_s) - 1, self.price_per_kwh)

    def known_until_unix_s(self, now_unix_s: int) -> int | None:  # noqa: ARG002 - at all times
        """None: known for all time."""
        return None

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> PriceComponent:  # noqa: ARG002 - has none
        """Itself: it has no feed."""
        return self


@dataclass(frozen=True, slots=True)
class DayAheadPublication:
    """Each day at ``published_at_s`` seconds after local midnight, by the clock, the whole next
    local day appears.
    """

    published_at_s: int
    time_zone: ZoneInfo

    def known_until_unix_s(self, now_unix_s: int) -> int:
        """The local midnight at which the last published day ends: tonight's, or from publication
        on tomorrow's.
        """
        today = day_number(datetime.fromtimestamp(now_unix_s, tz=self.time_zone).date())
        published = now_unix_s >= local_time_unix_s(today, self.published_at_s, self.time_zone)
        return local_time_unix_s(today + (2 if published else 1), 0, self.time_zone)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesPrice:
    """value × ``factor`` + ``adder_per_kwh``, of a series in currency per kWh.

    ``publication`` None: the whole series is known beforehand. ``feed``: the name under which a running site receives
    the series; then it is known as far as it goes, and ``publication`` counts for nothing.
    """

    series: IntervalSeries
    factor: float = 1.0
    adder_per_kwh: float = 0.0
    publication: DayAheadPublication | None = None
    feed: str | None = None

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] the mean price; NaN where the series is not wholly known."""
        return self.series.mean_over(edges_unix_s) * self.factor + self.adder_per_kwh

    def known_until_unix_s(self, now_unix_s: int) -> int | None:
        """The end of the last published day; of a feed the first time from ``now`` on that it has no price for."""
        if self.feed is not None:
            return _gap_after(self.series, now_unix_s)
        if self.publication is None:
            return None
        return self.publication.known_until_unix_s(now_unix_s)

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> PriceComponent:
        """The same with the series of its feed, where ``series`` has it."""
        received = None if self.feed is None else series.get(self.feed)
        return self if received is None else replace(self, series=received)


@dataclass(frozen=True, slots=True, eq=False)
class Price:
    """The sum of its components, and ``tax`` on the sum (0.21 is 21 %). Without components: 0."""

    components: tuple[PriceComponent, ...]
    tax: float = 0.0

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] currency per kWh, the time-weighted mean between two edges; NaN where
        unknown.
        """
        total = np.zeros(len(edges_unix_s) - 1)
        for component in self.components:
            total += component.over(edges_unix_s)
        return total * (1.0 + self.tax)

    def known_until_unix_s(self, now_unix_s: int) -> int | None:
        """The earliest of the components' ends; None where all are known for all time."""
        return earliest([part.known_until_unix_s(now_unix_s) for part in self.components])

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> Price:
        """The same price with what was received, by the names of the feeds."""
        return replace(self, components=tuple(part.with_feeds(series) for part in self.components))


@dataclass(frozen=True, slots=True, eq=False)
class ShareOfPrice:
    """``share`` of another price: net metering, or a feed-in price tied to the import price."""

    price: Price
    share: float

    def over(self, edges_unix_s: TimeArray) -> FloatArray:
        """[len(edges) − 1] the share."""
        return self.price.over(edges_unix_s) * self.share

    def known_until_unix_s(self, now_unix_s: int) -> int | None:
        """As long as the other price."""
        return self.price.known_until_unix_s(now_unix_s)

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> PriceComponent:
        """The share of the other price with what was received."""
        return replace(self, price=self.price.with_feeds(series))


def _gap_after(series: IntervalSeries, now_unix_s: int) -> int:
    """The first time from ``now`` on at which the series has no value."""
    until = now_unix_s
    known = np.isfinite(series.values) & (series.end_unix_s > now_unix_s)
    for start, end in zip(
        series.start_unix_s[known].tolist(), series.end_unix_s[known].tolist(), strict=True
    ):
        if start > until:
            break
        until = end
    return until


def earliest(times_unix_s: list[int | None]) -> int | None:
    """The earliest of the times, where None is never; None where all are."""
    return min((time for time in times_unix_s if time is not None), default=None)
