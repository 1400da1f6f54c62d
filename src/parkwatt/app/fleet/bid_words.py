"""What `parkwatt fleet bid` found, in words and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.report.number_text import number_text
from parkwatt.domain.fleet.programme import Programme
from parkwatt.fleet.bids.bid import Bid, Terms
from parkwatt.fleet.flexibility.forecast import PROBABILITIES, DayForecast
from parkwatt.fleet.flexibility.recorded import CarKind

FloatArray = NDArray[np.float64]
_SURE: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class BidOptions:
    """What the command line says, checked but for what only the file can tell."""

    sessions: Path
    programme: Programme
    day: date | None
    confidence: float
    cars: int | None
    seed: int
    terms: Terms
    power_factor: float
    kind: CarKind
    zone: ZoneInfo
    test_days: int
    output: Path | None
    series_output: Path | None
    report: Path | None


class Judged(NamedTuple):
    """Bids of past days [D, B] in kW, and what was held; ``days``: [D] of delivery."""

    days: list[date]
    bid_kw: FloatArray
    held_kw: FloatArray

    @property
    def sold(self) -> int:
        """Blocks with a bid."""
        return int((self.bid_kw > 0.0).sum())

    @property
    def delivered(self) -> int:
        """Of these, those in which it was held."""
        return int(((self.bid_kw > 0.0) & (self.held_kw >= self.bid_kw - 1e-6)).sum())

    @property
    def used_share(self) -> float:
        """Of all that was held, what had been bid, by energy."""
        held = float(self.held_kw.sum())
        return float(np.minimum(self.bid_kw, self.held_kw).sum()) / held if held > 0.0 else 0.0


class BidShown(NamedTuple):
    """All that was found. ``blocks``: begin and end of each; ``judged``: None: nothing was tested."""

    options: BidOptions
    day: date
    known_until: date
    cars: int
    users: int
    left_out: int
    blocks: list[tuple[datetime, datetime]]
    bids: list[Bid]
    forecast: DayForecast | None
    judged: Judged | None


def told(shown: BidShown) -> Iterator[str]:
    """The bids in words, a line each."""
    options, zone = shown.options, shown.options.zone
    currency = options.programme.currency
    behind = f" that are {shown.users} recorded users" if shown.cars != shown.users else ""
    yield (
        f"{shown.day}, {options.programme.name}: {shown.cars:,} cars{behind}; known until {shown.known_until} at the gate; "
        f"confidence {100 * options.confidence:g} %"
    )
    if shown.left_out:
        yield f"{shown.left_out:,} sessions say too little and were left out"
    if shown.forecast is None:
        yield "too few days are known: no bid"
    for (begin, end), bid, held in zip(shown.blocks, shown.bids, _expected(shown), strict=True):
        span = f"{begin.astimezone(zone):%H:%M} to {end.astimezone(zone):%H:%M}"
        if bid.power_kw <= 0.0:
            yield f"  {span}  no bid: {bid.reason}"
            continue
        yield (
            f"  {span}  {number_text(bid.power_kw)} kW of {number_text(held)} kW expected; revenue "
            f"{bid.revenue:,.2f} {currency}, wear and losses {bid.cost:,.2f}, net {bid.net:,.2f} ({bid.reason})"
        )
    net = sum(bid.net for bid in shown.bids)
    yield f"net of the day: {net:,.2f} {currency}"
    if shown.judged is not None:
        yield from _told_test(shown.judged)


def _expected(shown: BidShown) -> list[float]:
    if shown.forecast is None:
        return [0.0] * len(shown.blocks)
    return [float(one) for one in shown.forecast.block_expected_kw]


def _told_test(judged: Judged) -> Iterator[str]:
    if not judged.sold:
        yield f"test: no block of {len(judged.days)} days had a bid"
        return
    low, high = wilson(judged.delivered, judged.sold)
    span = f"test of {len(judged.days)} days, {judged.days[0]} to {judged.days[-1]}"
    held = f"{judged.delivered:,} of {judged.sold:,} blocks with a bid were held"
    share = f"{100 * judged.delivered / judged.sold:.1f} %"
    interval = f"95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    yield f"{span}: {held}, {share} ({interval}); bids used {100 * judged.used_share:.0f} % of what was there"


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The interval of a share at 95 % (Wilson 1927, Journal of the American Statistical Association 22)."""
    share, square = hits / count, _SURE**2
    middle = share + square / (2 * count)
    spread = _SURE * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    scale = 1 + square / count
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def figures(shown: BidShown) -> dict[str, Any]:
    """The same as data."""
    forecast = shown.forecast
    envelope = {} if forecast is None else {
        name: {f"{probability:g}": row.round(3).tolist() for probability, row in zip(PROBABILITIES, rows, strict=True)}
        for name, rows in forecast.quantiles.items()
    }  # fmt: skip
    judged = shown.judged
    return {
        "programme": shown.options.programme.name,
        "day": shown.day.isoformat(),
        "known_until": shown.known_until.isoformat(),
        "confidence": shown.options.confidence,
        "cars": shown.cars,
        "recorded_users": shown.users,
        "blocks": [
            {
                "start": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                "bid_kw": bid.power_kw,
                "expected_kw": round(held, 3),
                "delivered_share_of_past": round(bid.delivered_share, 4),
                "revenue": round(bid.revenue, 4),
                "cost": round(bid.cost, 4),
                "net": round(bid.net, 4),
                "reason": bid.reason,
            }
            for (begin, end), bid, held in zip(
                shown.blocks, shown.bids, _expected(shown), strict=True
            )
        ],
        "envelope_step_minutes": 15,
        "envelope": envelope,
        "test": None
        if judged is None
        else {
            "days": [one.isoformat() for one in judged.days],
            "blocks_with_a_bid": judged.sold,
            "delivered": judged.delivered,
            "used_share": round(judged.used_share, 4),
            "bid_kw": judged.bid_kw.round(3).tolist(),
            "held_kw": judged.held_kw.round(3).tolist(),
        },
    }
