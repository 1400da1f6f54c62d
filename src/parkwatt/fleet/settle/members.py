"""Who takes part, from when until when, and for how long they answered a call."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from parkwatt.domain.fleet.record import EventAnnounced
from parkwatt.fleet.settle.state import SettleState

ALWAYS_UNIX_S: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Member:
    """A car's enrolment, [from, until)."""

    car: str
    driver: str
    meter: str
    from_unix_s: int
    until_unix_s: int


def members(state: SettleState, programme: str) -> list[Member]:
    """Every enrolment, by car and time. One ends when the car leaves, or when the next one of the same car begins."""
    found = []
    for (name, car), enrolments in sorted(state.enrolled.items()):
        if name != programme:
            continue
        leaving = sorted(state.left.get((name, car), ()))
        in_order = sorted(enrolments.items(), key=lambda item: (item[1].from_unix_s, item[0]))
        for index, (_, enrolled) in enumerate(in_order):
            start, until = enrolled.from_unix_s, ALWAYS_UNIX_S
            if index + 1 < len(in_order):
                until = in_order[index + 1][1].from_unix_s
            until = min([until, *(at for at in leaving if at >= start)])
            if until > start:
                found.append(Member(car, enrolled.driver, enrolled.meter, start, until))
    return found


def counted_until(state: SettleState, event: EventAnnounced, car: str) -> int:
    """Until when a car counts in an event: all of it, or until its driver said no, snoozed or opted out."""
    answer = state.answers.get((event.programme, event.event, car))
    if answer is None or answer.record.answer == "accepted":
        return event.end_unix_s
    return min(event.end_unix_s, answer.record.at_unix_s)


def offered_kwh(
    state: SettleState, programme: str, member: Member, start_unix_s: int, end_unix_s: int
) -> Fraction:
    """What a car held ready over [start, end): power times hours. Where its spans overlap the larger power counts."""
    spans = []
    for found in state.offered.get((programme, member.car), {}).values():
        one = max(found.from_unix_s, start_unix_s, member.from_unix_s)
        other = min(found.until_unix_s, end_unix_s, member.until_unix_s)
        if other > one and found.power_kw > 0:
            spans.append((one, other, found.power_kw))
    borders = sorted({border for span in spans for border in span[:2]})
    total = Fraction(0)
    for one, other in itertools.pairwise(borders):
        powers = [power for start, end, power in spans if start <= one and end >= other]
        if powers:
            total += Fraction(max(powers)) * (other - one) / 3600
    return total
