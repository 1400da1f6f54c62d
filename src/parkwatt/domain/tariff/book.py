"""The prices that a running site has received, feed by feed.

Each answer of a source takes the place of what was known for the same times, whatever the lengths of their steps: a
stretch that only half covers an hour leaves the rest of that hour as it was. A hole in an answer tells nothing, so
what was known there stays known. The book is folded from the journal and is itself plain data, fit for a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.site.event import PricesReceived

# The guess of prices ahead learns from weeks, not from months.
KEPT_S: Final = 60 * 86_400


@dataclass(frozen=True, slots=True)
class PriceRun:
    """Known prices of equal steps without a hole: [N] from ``start_unix_s`` on, in currency per kWh."""

    start_unix_s: int
    step_s: int
    price_per_kwh: tuple[float, ...]

    @property
    def end_unix_s(self) -> int:
        """The end of the last step."""
        return self.start_unix_s + self.step_s * len(self.price_per_kwh)

    def within(self, from_unix_s: int, until_unix_s: int) -> Iterator[PriceRun]:
        """The part that lies in [from, until): up to three runs, as a step that is cut becomes a shorter one."""
        start, end = max(from_unix_s, self.start_unix_s), min(until_unix_s, self.end_unix_s)
        if end <= start:
            return
        first, into_first_s = divmod(start - self.start_unix_s, self.step_s)
        last, into_last_s = divmod(end - self.start_unix_s, self.step_s)
        prices = self.price_per_kwh
        if first == last:
            yield PriceRun(start, end - start, (prices[first],))
            return
        if into_first_s:
            yield PriceRun(start, self.step_s - into_first_s, (prices[first],))
            first += 1
        if last > first:
            whole_from = self.start_unix_s + first * self.step_s
            yield PriceRun(whole_from, self.step_s, prices[first:last])
        if into_last_s:
            yield PriceRun(end - into_last_s, into_last_s, (prices[last],))


@dataclass(frozen=True, slots=True)
class PriceBook:
    """``runs``: by feed, in order of time and not overlapping."""

    runs: Mapping[str, tuple[PriceRun, ...]] = field(default_factory=dict)

    def with_prices(self, received: PricesReceived, now_unix_s: int) -> PriceBook:
        """The book after ``received``; what ended more than 60 days before ``now`` is dropped from this feed."""
        runs = self.runs.get(received.feed, ())
        for new in _stretches(received):
            before = [
                part for run in runs for part in run.within(run.start_unix_s, new.start_unix_s)
            ]
            after = [part for run in runs for part in run.within(new.end_unix_s, run.end_unix_s)]
            runs = (*before, new, *after)
        kept_from = now_unix_s - KEPT_S
        kept = [
            part for run in runs for part in run.within(kept_from, max(run.end_unix_s, kept_from))
        ]
        return PriceBook({**self.runs, received.feed: tuple(_joined(kept))})

    def series(self, feed: str) -> IntervalSeries:
        """All known prices of a feed, one interval for each step; empty where nothing was received."""
        runs = self.runs.get(feed, ())
        starts = [run.start_unix_s + run.step_s * np.arange(len(run.price_per_kwh)) for run in runs]
        lengths = [np.full(len(run.price_per_kwh), run.step_s) for run in runs]
        start_unix_s = np.concatenate([np.zeros(0), *starts]).astype(np.int64)
        length_s = np.concatenate([np.zeros(0), *lengths]).astype(np.int64)
        prices = np.concatenate([np.zeros(0), *(run.price_per_kwh for run in runs)])
        return IntervalSeries(start_unix_s, start_unix_s + length_s, prices)

    def all_series(self) -> dict[str, IntervalSeries]:
        """`series` of every feed, as `Tariff.with_feeds` takes them."""
        return {feed: self.series(feed) for feed in self.runs}

    def known_until_unix_s(self, feed: str, now_unix_s: int) -> int | None:
        """The end of the prices that are known without a gap from ``now`` on; None where none is known for ``now``."""
        until: int | None = None
        for run in self.runs.get(feed, ()):
            if run.start_unix_s <= (now_unix_s if until is None else until) < run.end_unix_s:
                until = run.end_unix_s
        return until


def _stretches(received: PricesReceived) -> Iterator[PriceRun]:
    """The runs between the holes of an answer."""
    prices: list[float] = []
    for index, price in enumerate((*received.price_per_kwh, None)):
        if price is not None:
            prices.append(price)
        elif prices:
            first = index - len(prices)
            start = received.start_unix_s + first * received.step_s
            yield PriceRun(start, received.step_s, tuple(prices))
            prices = []


def _joined(runs: list[PriceRun]) -> Iterator[PriceRun]:
    """The runs, where those that follow each other with the same step are one."""
    group: list[PriceRun] = []
    for run in runs:
        if group and (group[-1].end_unix_s, group[-1].step_s) != (run.start_unix_s, run.step_s):
            yield _one(group)
            group = []
        group.append(run)
    if group:
        yield _one(group)


def _one(group: list[PriceRun]) -> PriceRun:
    prices = tuple(price for run in group for price in run.price_per_kwh)
    return PriceRun(group[0].start_unix_s, group[0].step_s, prices)
