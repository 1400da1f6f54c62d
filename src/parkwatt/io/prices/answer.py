"""From the quotes of a source to prices on a regular grid, checked alike for every source.

    quotes -> within the time asked for -> ends filled in -> painted on the finest grid they need -> notes

What is sound is kept and what is odd is noted, so that one odd hour does not cost the others. In particular:

- Quotes of different lengths may follow each other: the grid takes the finest, and an hour among quarters is four of them.
- A quote without an end lasts to the next, but no longer than is usual on that day of the market: where a quarter is
  missing the one before it does not stretch over it, and a change from hours to quarters at midnight is no hole.
- Where quotes overlap with the same price nothing is said; with different prices the later in the answer counts, noted.
- What is not a number is a hole. A price that is implausible is kept and noted; one that cannot be a price at all (a
  thousand a kilowatt-hour, in euros) is a hole.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.calendar import local_clock
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.domain.site.event import PricesReceived
from parkwatt.io.download import SourceError

QUOTES_MAX: Final = 50_000
_STEP_S_MIN: Final = 60
_STEP_S_MAX: Final = 3600
_EARLIEST_S: Final = 946_684_800  # 2000
_LATEST_S: Final = 4_102_444_800  # 2100
_NOTES_MAX: Final = 12

# European day-ahead auctions are bounded at −0.5 and 4 EUR/kWh (SDAC's harmonised limits); other currencies by their order
# of magnitude. Beyond the first a price is told as odd, beyond 200 times that it is none.
_ODD_PER_KWH: Final = 4.0
_ODD_OTHER_PER_KWH: Final = {
    **dict.fromkeys(("DKK", "NOK", "SEK", "PLN", "RON", "BGN", "CZK", "UAH", "RSD"), 100.0),
    **dict.fromkeys(("HUF", "JPY"), 2_000.0),
}
_ABSURD: Final = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a source is asked for: prices of [from, until), on midnights of the market's ``time_zone``.

    ``zone``: the bidding zone in words, ``area``: as the source calls it; ``currency``: in which the prices are wanted.
    """

    from_unix_s: int
    until_unix_s: int
    time_zone: ZoneInfo
    currency: str
    zone: str = ""
    area: str = ""


class Quote(NamedTuple):
    """One price as a source tells it. ``end_unix_s`` None: the source names starts only."""

    start_unix_s: int
    end_unix_s: int | None
    price_per_kwh: float | None


@dataclass(slots=True)
class Quotes:
    """What a source told. ``layers``: where two tell the same time, the later layer counts without a word.

    ``final``: False where the source says itself that other prices will follow.
    """

    layers: list[list[Quote]] = field(default_factory=lambda: [[]])
    notes: list[str] = field(default_factory=list)
    final: bool = True


@dataclass(frozen=True, slots=True)
class PriceAnswer:
    """Prices on a grid, [N] steps from ``start_unix_s`` on, None where the source has a hole."""

    start_unix_s: int
    step_s: int
    price_per_kwh: tuple[float | None, ...]
    notes: tuple[str, ...] = ()
    final: bool = True

    def known_until_unix_s(self, from_unix_s: int) -> int:
        """The end of what is known without a gap from ``from_unix_s`` on; that time itself where nothing is."""
        first = (from_unix_s - self.start_unix_s) // self.step_s
        if not 0 <= first < len(self.price_per_kwh):
            return from_unix_s
        for step in range(first, len(self.price_per_kwh)):
            if self.price_per_kwh[step] is None:
                return max(from_unix_s, self.start_unix_s + step * self.step_s)
        return self.start_unix_s + len(self.price_per_kwh) * self.step_s

    def received(self, feed: str, source: str) -> PricesReceived:
        """The event that tells it."""
        return PricesReceived(
            feed, source, self.start_unix_s, self.step_s, self.price_per_kwh, self.notes
        )


def assemble(quotes: Quotes, ask: Ask, who: str) -> PriceAnswer:
    """The prices in ``quotes`` within the time asked for.

    Raises SourceError where none is left, or there are more than can be meant.
    """
    if sum(map(len, quotes.layers)) > QUOTES_MAX:
        raise SourceError(f"{who} answers with more than {QUOTES_MAX} prices", "broken")
    notes = list(quotes.notes)
    layers = [_within(_ended(layer, ask, notes), ask, notes) for layer in quotes.layers]
    every = [quote for layer in layers for quote in layer]
    if not every:
        raise SourceError(f"{who} has no prices for {_span(ask)}", "absent")
    start = min(quote.start_unix_s for quote in every)
    end = max(quote.end_unix_s or 0 for quote in every)
    step_s = math.gcd(
        _STEP_S_MAX,
        *(quote.start_unix_s - start for quote in every),
        *((quote.end_unix_s or 0) - start for quote in every),
    )
    prices = np.full((end - start) // step_s, np.nan)
    for layer in layers:
        _paint(prices, layer, start, step_s, notes)
    known = np.flatnonzero(np.isfinite(prices))
    if not len(known):
        raise SourceError(f"{who} has no prices for {_span(ask)}", "absent")
    _tell_holes(prices[: known[-1] + 1], start, step_s, int(known[0]), notes)
    inner = prices[known[0] : known[-1] + 1].tolist()
    return PriceAnswer(
        start + int(known[0]) * step_s,
        step_s,
        tuple(None if math.isnan(price) else price for price in inner),
        tuple(notes[:_NOTES_MAX]),
        quotes.final,
    )


def _ended(layer: list[Quote], ask: Ask, notes: list[str]) -> list[Quote]:
    """The quotes with an end each, in the order of the answer; those with no sense are left out, noted."""
    sound = [quote for quote in layer if _is_sound(quote)]
    _note(notes, len(layer) - len(sound), "times that cannot be meant, left out")
    starts = [quote.start_unix_s for quote in sound]
    rising = sum(after > before for before, after in itertools.pairwise(starts))
    falling = sum(after < before for before, after in itertools.pairwise(starts))
    _note(notes, min(rising, falling), "out of order")
    if all(quote.end_unix_s is not None for quote in sound):
        return sound
    ends = _ends(np.unique(np.array(starts, dtype=np.int64)), ask.time_zone)
    return [
        quote if quote.end_unix_s is not None else quote._replace(end_unix_s=ends[quote[0]])
        for quote in sound
    ]


def _is_sound(quote: Quote) -> bool:
    end = quote.start_unix_s + _STEP_S_MIN if quote.end_unix_s is None else quote.end_unix_s
    return (
        _EARLIEST_S <= quote.start_unix_s < end <= _LATEST_S
        and quote.start_unix_s % _STEP_S_MIN == 0
        and end % _STEP_S_MIN == 0
    )


def _ends(starts: np.typing.NDArray[np.int64], zone: ZoneInfo) -> dict[int, int]:
    """The end of each of the [N] rising starts: the next, but no later than is usual on that day."""
    gaps = np.diff(starts)
    days = local_clock(starts, zone).day
    usual = _most_common(gaps.tolist(), 3600)
    ends: dict[int, int] = {}
    for day in np.unique(days).tolist():
        of_day = np.flatnonzero(days == day)
        # The gap behind the day's last quote leads to another day, which may have another length.
        step_s = _most_common(gaps[of_day[:-1]].tolist(), usual)
        for index in of_day.tolist():
            start = int(starts[index])
            next_start = int(starts[index + 1]) if index + 1 < len(starts) else start + step_s
            ends[start] = min(next_start, start + step_s)
    return ends


def _most_common(lengths: Sequence[int], otherwise: int) -> int:
    counts = Counter(lengths)
    # Of equally common lengths the shorter: a price that reaches too far is wrong, a hole is only a hole.
    return min(counts, key=lambda length: (-counts[length], length)) if counts else otherwise


def _within(layer: Iterable[Quote], ask: Ask, notes: list[str]) -> list[Quote]:
    """The quotes cut to the time asked for, with None for what is no price; what is odd is noted."""
    odd_per_kwh = _ODD_OTHER_PER_KWH.get(ask.currency, _ODD_PER_KWH)
    kept: list[Quote] = []
    absurd: list[int] = []
    odd: list[int] = []
    for quote in layer:
        start = max(quote.start_unix_s, ask.from_unix_s)
        end = min(quote.end_unix_s or 0, ask.until_unix_s)
        price_per_kwh = quote.price_per_kwh
        if start >= end:
            continue
        if price_per_kwh is not None and not abs(price_per_kwh) <= odd_per_kwh * _ABSURD:
            absurd.append(start)
            price_per_kwh = None
        elif price_per_kwh is not None and abs(price_per_kwh) > odd_per_kwh:
            odd.append(start)
        kept.append(Quote(start, end, price_per_kwh))
    _note(notes, len(absurd), "no price at all, left out", min(absurd, default=0))
    words = f"beyond ±{odd_per_kwh:g} {ask.currency}/kWh, kept"
    _note(notes, len(odd), words, min(odd, default=0))
    return kept


def _paint(
    prices: FloatArray, layer: list[Quote], start: int, step_s: int, notes: list[str]
) -> None:
    """Write a layer over the grid, the later quotes over the earlier."""
    painted = np.full(len(prices), np.nan)
    clashes = 0
    first_clash = 0
    for quote in layer:
        if quote.price_per_kwh is None:
            continue
        first = (quote.start_unix_s - start) // step_s
        steps = painted[first : ((quote.end_unix_s or 0) - start) // step_s]
        if np.any(np.isfinite(steps) & (steps != quote.price_per_kwh)):
            first_clash = first_clash or quote.start_unix_s
            clashes += 1
        steps[:] = quote.price_per_kwh
    _note(
        notes,
        clashes,
        "told twice with different prices, the later in the answer counts",
        first_clash,
    )
    known = np.isfinite(painted)
    prices[known] = painted[known]


def _tell_holes(
    prices: FloatArray, start: int, step_s: int, first_known: int, notes: list[str]
) -> None:
    holes = first_known + np.flatnonzero(np.isnan(prices[first_known:]))
    if len(holes):
        hours = len(holes) * step_s / 3600
        first = _clock(start + int(holes[0]) * step_s)
        notes.append(f"missing: {hours:g} h, the first at {first}")


def _note(notes: list[str], count: int, words: str, first_unix_s: int = 0) -> None:
    if count > 0:
        place = f", the first at {_clock(first_unix_s)}" if first_unix_s else ""
        notes.append(f"{words}: {count}{place}")


def _span(ask: Ask) -> str:
    of = f" in {ask.zone}" if ask.zone else ""
    return f"{_clock(ask.from_unix_s)} to {_clock(ask.until_unix_s)}{of}"


def _clock(time_unix_s: int) -> str:
    return f"{utc(time_unix_s):%Y-%m-%d %H:%M} UTC"
