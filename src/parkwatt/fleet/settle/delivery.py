"""What each car delivered in each piece of a call, by a baseline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

import numpy as np

from parkwatt.domain.calendar import local_clock
from parkwatt.domain.fleet.programme import Programme
from parkwatt.domain.fleet.record import EventAnnounced
from parkwatt.fleet.proof.baseline import RULES, Window, window
from parkwatt.fleet.settle.energy import Series, series, with_schedule
from parkwatt.fleet.settle.members import Member, counted_until
from parkwatt.fleet.settle.state import SettleState

# A baseline is a quotient: it is told to a milliwatt-hour, halves to even. All else stays exact.
BASELINE_KWH: Final = Decimal("0.000001")
EXACT: Final = Context(prec=60)
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Delivered:
    """``kwh``: baseline less net of each piece; ``discharged_kwh``: exported meanwhile; ``unknown``: why a part is missing."""

    member: Member
    kwh: tuple[Fraction, ...]
    discharged_kwh: Decimal = Decimal(0)
    unknown: str = ""


@dataclass(slots=True)
class Meters:
    """The meters of a programme's members, each read from the records once."""

    state: SettleState
    programme: Programme
    _known: dict[str, Series | None] = field(default_factory=dict)

    def of(self, meter: str) -> Series | None:
        """What a meter read; None: nothing."""
        if meter not in self._known:
            self._known[meter] = series(
                self.state,
                self.programme.meter_point,
                meter,
                self.programme.meter_minutes * _MINUTE_S,
                export_counts=self.programme.export_counts,
            )
        return self._known[meter]


def standing_events(state: SettleState, programme: str) -> list[EventAnnounced]:
    """The events of a programme that were not taken back, by time and name."""
    found = [
        kept.record
        for (name, _), kept in state.events.items()
        if name == programme and not kept.record.cancelled
    ]
    return sorted(found, key=lambda event: (event.start_unix_s, event.event))


def local_days(programme: Programme, start_unix_s: int, end_unix_s: int) -> range:
    """The local days that [start, end) touches, as days since 1970-01-01."""
    clock = local_clock(np.array([start_unix_s, end_unix_s - 1], dtype=np.int64), programme.zone)
    return range(int(clock.day[0]), int(clock.day[1]) + 1)


def event_days(programme: Programme, events: list[EventAnnounced]) -> frozenset[int]:
    """The local days on which a programme called."""
    return frozenset(
        day
        for event in events
        for day in local_days(programme, event.start_unix_s, event.end_unix_s)
    )


def event_window(
    programme: Programme, start_unix_s: int, end_unix_s: int, called: frozenset[int]
) -> Window:
    """The window of a span, with the programme's own rules. ``called``: the days with an event."""
    holidays = frozenset(
        (date.fromisoformat(text) - date(1970, 1, 1)).days for text in programme.holidays
    )
    return window(
        start_unix_s,
        end_unix_s,
        programme.zone,
        called,
        holidays,
        programme.adjustment,
        programme.baseline_minutes,
    )


def piece_count(programme: Programme, event: EventAnnounced) -> int:
    """In how many pieces an event is settled; the last one may be shorter."""
    duration_s = event.end_unix_s - event.start_unix_s
    return -(-duration_s // (programme.settle_minutes * _MINUTE_S))


def event_delivery(
    meters: Meters,
    members: list[Member],
    event: EventAnnounced,
    span: Window,
    *,
    baseline: str | None = None,
) -> list[Delivered]:
    """What each member delivered in each piece of an event.

    A step counts while the car is enrolled and its driver has not said no. Members of one meter share what it shows equally,
    step by step, among those who count in it. An unknown step, and a meter without baseline, count nothing and are told.
    ``baseline``: by another rule than the programme's.
    """
    step_s = meters.programme.meter_minutes * _MINUTE_S
    steps = range(event.start_unix_s, event.end_unix_s - step_s + 1, step_s)
    counts: list[list[bool]] = []
    sharing: Counter[tuple[str, int]] = Counter()
    taking_part = [
        member
        for member in members
        if member.from_unix_s < event.end_unix_s and member.until_unix_s > event.start_unix_s
    ]
    for member in taking_part:
        until = min(member.until_unix_s, counted_until(meters.state, event, member.car))
        counts.append([at >= member.from_unix_s and at + step_s <= until for at in steps])
        for at, counted in zip(steps, counts[-1], strict=True):
            sharing[member.meter, at] += counted
    return [
        _delivered(meters, member, event, span, counted, sharing, baseline)
        for member, counted in zip(taking_part, counts, strict=True)
    ]


def _delivered(
    meters: Meters,
    member: Member,
    event: EventAnnounced,
    span: Window,
    counted: list[bool],
    sharing: Counter[tuple[str, int]],
    baseline: str | None,
) -> Delivered:
    programme = meters.programme
    pieces = [Fraction(0)] * piece_count(programme, event)
    if not any(counted):
        return Delivered(member, tuple(pieces))
    read = meters.of(member.meter)
    if read is None:
        return Delivered(member, tuple(pieces), unknown="nothing was metered")
    readings = with_schedule(
        meters.state, read.readings, programme.name, member.meter, event.start_unix_s
    )
    with localcontext(EXACT):
        told = RULES[baseline or programme.baseline](readings, span)
        if told.net_kwh is None:
            return Delivered(member, tuple(pieces), unknown=told.reason)
        expected = [
            Decimal(value).quantize(BASELINE_KWH, rounding=ROUND_HALF_EVEN)
            for value in told.net_kwh
        ]
    discharged, missing = Decimal(0), 0
    for index in np.flatnonzero(counted).tolist():
        at = event.start_unix_s + index * readings.step_s
        place = readings.steps(at, 1)
        if place is None or not readings.known[place.start]:
            missing += 1
            continue
        step = place.start
        piece = index * readings.step_s // (programme.settle_minutes * _MINUTE_S)
        share = sharing[member.meter, at]
        pieces[piece] += Fraction(expected[index] - readings.net_kwh[step]) / share
        discharged += read.export_kwh[step]
    unknown = f"{missing} steps were not metered" if missing else ""
    return Delivered(member, tuple(pieces), discharged, unknown)


def by_meter(delivered: list[Delivered]) -> list[Delivered]:
    """The same where a shortfall of one may not lessen another: each piece is at least 0."""
    return [
        replace(one, kwh=tuple(max(Fraction(0), value) for value in one.kwh)) for one in delivered
    ]
