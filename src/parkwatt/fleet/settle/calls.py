"""Claims of programmes that call: what was delivered in an event, or held on average over a season."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from parkwatt.domain.fleet.programme import Programme, season_end_unix_s, season_of
from parkwatt.domain.fleet.record import EventAnnounced
from parkwatt.fleet.settle.claim import HOUR_S, NOUGHT, Claim, by_driver, notes_of, told
from parkwatt.fleet.settle.delivery import (
    Delivered,
    Meters,
    by_meter,
    event_days,
    event_delivery,
    event_window,
    standing_events,
)
from parkwatt.fleet.settle.members import members
from parkwatt.fleet.settle.state import SettleState


def event_results(
    state: SettleState, programme: Programme, until_unix_s: int, baseline: str | None = None
) -> list[tuple[EventAnnounced, list[Delivered]]]:
    """Every event that is over, with what each member delivered, by the programme's baseline or another one."""
    events = standing_events(state, programme.name)
    called, meters = event_days(programme, events), Meters(state, programme)
    joined = members(state, programme.name)
    found = []
    for event in events:
        if event.end_unix_s > until_unix_s:
            continue
        span = event_window(programme, event.start_unix_s, event.end_unix_s, called)
        given = event_delivery(meters, joined, event, span, baseline=baseline)
        found.append((event, by_meter(given) if programme.level == "meter" else given))
    return found


def event_claims(state: SettleState, programme: Programme, until_unix_s: int) -> list[Claim]:
    """A claim for each event that is over; of a capacity programme one for each season that had any."""
    results = event_results(state, programme, until_unix_s)
    if programme.kind == "event":
        return [_event_claim(programme, event, given) for event, given in results]
    seasons: dict[int, list[tuple[EventAnnounced, list[Delivered]]]] = defaultdict(list)
    for event, given in results:
        day = datetime.fromtimestamp(event.start_unix_s, tz=programme.zone).date()
        seasons[season_of(programme, day)].append((event, given))
    return [
        _season_claim(state, programme, season, found, until_unix_s)
        for season, found in sorted(seasons.items())
    ]


def _event_claim(programme: Programme, event: EventAnnounced, given: list[Delivered]) -> Claim:
    price = Fraction(programme.price_per_kwh or 0)
    penalty = Fraction(programme.penalty_factor) * price
    most = programme.over_delivery_max
    piece_s = programme.settle_minutes * 60
    starts = range(event.start_unix_s, event.end_unix_s, piece_s)
    hours = [Fraction(min(piece_s, event.end_unix_s - at), HOUR_S) for at in starts]

    def pay(totals: Sequence[Fraction]) -> Fraction:
        amount = NOUGHT
        for total, piece_h in zip(totals, hours, strict=True):
            paid = max(NOUGHT, total)
            if event.asked_kw is not None:
                asked = Fraction(event.asked_kw) * piece_h
                if most is not None:
                    paid = min(paid, asked * Fraction(most))
                amount -= penalty * max(NOUGHT, asked - max(NOUGHT, total))
            amount += price * paid
        return amount

    delivered = sum((sum(one.kwh, NOUGHT) for one in given), NOUGHT)
    performance = None
    if event.asked_kw:
        performance = told(delivered / (Fraction(event.asked_kw) * sum(hours, NOUGHT)))
    counted = by_driver(given, [one.kwh for one in given], len(hours))
    return Claim(
        event.event,
        event.start_unix_s,
        event.end_unix_s,
        tuple(given),
        counted,
        pay,
        final=True,
        performance=performance,
        notes=notes_of(given),
    )


def _season_claim(
    state: SettleState,
    programme: Programme,
    season: int,
    results: list[tuple[EventAnnounced, list[Delivered]]],
    until_unix_s: int,
) -> Claim:
    """The mean over all events of a season of the kW that were held, a car that said no counting 0 in that event."""
    price = Fraction(programme.price_per_kw_year or 0) / len(results)
    given_all, rows = [], []
    for index, (event, given) in enumerate(results):
        hours = Fraction(event.end_unix_s - event.start_unix_s, HOUR_S)
        for one in given:
            row = [NOUGHT] * len(results)
            answer = state.answers.get((programme.name, event.event, one.member.car))
            said_no = (
                answer is not None
                and answer.record.answer != "accepted"
                and answer.record.at_unix_s < event.end_unix_s
            )
            if not said_no:
                row[index] = sum(one.kwh, NOUGHT) / hours
                if programme.level == "meter":
                    row[index] = max(NOUGHT, row[index])
            given_all.append(one)
            rows.append(row)

    def pay(pieces: Sequence[Fraction]) -> Fraction:
        return price * sum((max(NOUGHT, piece) for piece in pieces), NOUGHT)

    end = season_end_unix_s(programme, season)
    return Claim(
        str(season),
        results[0][0].start_unix_s,
        end,
        tuple(given_all),
        by_driver(given_all, rows, len(results)),
        pay,
        final=end <= until_unix_s,
        notes=notes_of(given_all),
    )
