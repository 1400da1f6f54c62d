"""What the grid's operator wants to be told of a pool, and when."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from parkwatt.domain.grid.event import FOREVER_US, GridEvent

Quantity = Literal[
    "energy_kwh",
    "power_kw",
    "target_kw",
    "planned_kw",
    "up_kw",
    "down_kw",
    "soc",
    "usable_kwh",
    "charge_kw_max",
    "discharge_kw_max",
    "operating",
]
_US: Final = 1_000_000


class ReportWanted(msgspec.Struct, frozen=True, gc=False):
    """One report on an event. ``name``: as who wants it calls it. ``at_interval``: it is made at the beginning of this
    interval, -1: at the end of the last. ``count``: over so many intervals, -1: all; ``historical``: those before it, else
    those after.
    ``every``: again after so many intervals, -1: after ``count``; ``times``: so often in all, -1: as long as the event lasts.
    """

    name: str
    quantity: Quantity
    at_interval: int = -1
    count: int = -1
    historical: bool = True
    every: int = -1
    times: int = 1


class ReportDue(msgspec.Struct, frozen=True, gc=False):
    """A report that is to be made now: the ``number``-th of its kind, over these spans (begin, end)."""

    event_id: str
    wanted: ReportWanted
    number: int
    spans_unix_us: tuple[tuple[int, int], ...]


def due(event: GridEvent, wanted: ReportWanted, now_unix_us: int, open_s: float) -> list[ReportDue]:
    """The reports on an event that are to have been made by now, oldest first.

    ``open_s``: an interval without an end is reported in parts of so many seconds, of which the last day counts.
    """
    spans = [
        (one.begin_unix_us, min(one.end_unix_us, event.cut_unix_us)) for one in event.intervals
    ]
    if not spans:
        return []
    if spans[-1][1] >= FOREVER_US:
        return _open(event, wanted, spans[-1][0], now_unix_us, open_s)
    count = len(spans) if wanted.count < 0 else max(wanted.count, 1)
    every = count if wanted.every < 0 else max(wanted.every, 1)
    first = len(spans) if wanted.at_interval < 0 else min(wanted.at_interval, len(spans))
    found = []
    number, at = 0, first
    while at <= len(spans) and (wanted.times < 0 or number < wanted.times):
        made_at = spans[at][0] if at < len(spans) else spans[-1][1]
        if made_at > now_unix_us:
            break
        some = spans[max(0, at - count) : at] if wanted.historical else spans[at : at + count]
        if some:
            found.append(ReportDue(event.event_id, wanted, number, tuple(some)))
        number, at = number + 1, at + every
    return found


def _open(
    event: GridEvent, wanted: ReportWanted, begin: int, now_unix_us: int, open_s: float
) -> list[ReportDue]:
    part_us = round(open_s * _US)
    number = (now_unix_us - begin) // part_us - 1
    if number < 0 or (0 <= wanted.times <= number and wanted.times != 1):
        return []
    start = begin + number * part_us
    return [ReportDue(event.event_id, wanted, int(number), ((start, start + part_us),))]
