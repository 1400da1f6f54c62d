"""Events of the grid, in words of the domain: no protocol's names, units or signs.

An event has intervals, each with signals. It may repeat its intervals, or end before they are over (``lasts_s``). Of events
that overlap, for each kind of signal the one with the highest priority holds, of equal ones the one that was changed last.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

Kind = Literal[
    "power_kw",
    "change_kw",
    "simple_level",
    "import_price_per_kwh",
    "export_price_per_kwh",
    "ghg_g_per_kwh",
    "import_limit_kw",
    "export_limit_kw",
    "import_subscription_kw",
    "export_subscription_kw",
    "import_reservation_kw",
    "export_reservation_kw",
    "soc",
    "alert",
    "other",
]
# What has no end ends here: later than any clock shows.
FOREVER_US: Final = 1 << 62
_LOWEST: Final = 1 << 30


class Signal(msgspec.Struct, frozen=True, gc=False):
    """One kind of value over an interval, in equal parts of it where there are several. Powers are from the grid positive.

    ``name``: as the sender calls it; ``text``: of an alert, or of what is not known (`other`); ``currency``: of prices.
    """

    kind: Kind
    name: str
    values: tuple[float, ...] = ()
    text: str = ""
    currency: str = ""


class EventInterval(msgspec.Struct, frozen=True, gc=False):
    """``begin_unix_us`` to ``end_unix_us``, half-open (`FOREVER_US`: no end), with its signals."""

    begin_unix_us: int
    end_unix_us: int
    signals: tuple[Signal, ...]


class GridEvent(msgspec.Struct, frozen=True, gc=False):
    """One event. ``priority``: 0 is the highest, None the lowest. ``changed_unix_us``: by the sender's clock.

    ``repeat_unix_us``: until then the intervals begin again as soon as they are over, 0: they do not. ``cut_unix_us``: nothing
    holds from then on. ``remarks``: what of it was not understood, and why.
    """

    event_id: str
    program_id: str
    program: str
    name: str
    priority: int | None
    changed_unix_us: int
    intervals: tuple[EventInterval, ...]
    repeat_unix_us: int = 0
    cut_unix_us: int = FOREVER_US
    remarks: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True, gc=False):
    """A signal that holds at a moment: ``value`` (None for texts), since and until when, of which event."""

    event: GridEvent
    signal: Signal
    value: float | None
    begin_unix_us: int
    end_unix_us: int


def holds(event: GridEvent, at_unix_us: int) -> list[Held]:
    """The signals of one event at a moment."""
    if at_unix_us >= event.cut_unix_us:
        return []
    at, shift = _in_first_round(event, at_unix_us)
    found = []
    for interval in event.intervals:
        if not interval.begin_unix_us <= at < interval.end_unix_us:
            continue
        found += [_held(event, interval, signal, at, shift) for signal in interval.signals]
    return found


def in_force(events: Iterable[GridEvent], at_unix_us: int) -> dict[str, Held]:
    """What holds at a moment, by kind; alerts and unknown kinds by the sender's name."""
    found: dict[str, Held] = {}
    for event in events:
        for held in holds(event, at_unix_us):
            kind = held.signal.kind
            key = held.signal.name if kind in ("alert", "other") else kind
            if key not in found or _rank(held) < _rank(found[key]):
                found[key] = held
    return found


def _rank(held: Held) -> tuple[int, int, str]:
    event = held.event
    priority = _LOWEST if event.priority is None else event.priority
    return priority, -event.changed_unix_us, event.event_id


def _in_first_round(event: GridEvent, at_unix_us: int) -> tuple[int, int]:
    """The moment as if the intervals were not repeated, and by how much it was moved for that."""
    if not event.repeat_unix_us or not event.intervals or at_unix_us >= event.repeat_unix_us:
        return at_unix_us, 0
    begin = event.intervals[0].begin_unix_us
    round_us = event.intervals[-1].end_unix_us - begin
    if at_unix_us < begin or round_us <= 0:
        return at_unix_us, 0
    shift = (at_unix_us - begin) // round_us * round_us
    return at_unix_us - shift, shift


def _held(event: GridEvent, interval: EventInterval, signal: Signal, at: int, shift: int) -> Held:
    begin, end = interval.begin_unix_us, interval.end_unix_us
    value = None
    if signal.values:
        part = 0
        if end < FOREVER_US:
            count = len(signal.values)
            part = (at - begin) * count // (end - begin)
            begin, end = (
                begin + (end - begin) * part // count,
                begin + (end - begin) * (part + 1) // count,
            )
        value = signal.values[part]
    end = min(end + shift if end < FOREVER_US else end, event.cut_unix_us)
    return Held(event, signal, value, begin + shift, end)
