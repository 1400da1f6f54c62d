"""Claims of reserves that are sold by the block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from parkwatt.domain.fleet.programme import Programme
from parkwatt.domain.fleet.record import BlockCleared, BlockPerformed
from parkwatt.fleet.settle.claim import HOUR_S, NOUGHT, Claim, by_driver
from parkwatt.fleet.settle.delivery import Delivered
from parkwatt.fleet.settle.members import Member, offered_kwh
from parkwatt.fleet.settle.state import SettleState

_KW_PER_MW = 1000


def block_claims(
    state: SettleState, programme: Programme, joined: list[Member], until_unix_s: int
) -> list[Claim]:
    """A claim for each cleared block that is over."""
    found = []
    for (name, block), kept in state.cleared.items():
        cleared = kept.record
        if name != programme.name or cleared.end_unix_s > until_unix_s:
            continue
        judged = state.performed.get((name, block))
        hours = Fraction(cleared.end_unix_s - cleared.start_unix_s, HOUR_S)
        held = [
            (m, offered_kwh(state, name, m, cleared.start_unix_s, cleared.end_unix_s) / hours)
            for m in joined
        ]
        given = [Delivered(member, (NOUGHT,)) for member, power in held if power > 0]
        rows = [[power] for _, power in held if power > 0]
        counted = by_driver(given, rows, 1)
        pay = _block_pay(programme, cleared, None if judged is None else judged.record, counted)
        notes = () if judged is not None else ("the block's performance is not known yet",)
        found.append(
            Claim(
                block,
                cleared.start_unix_s,
                cleared.end_unix_s,
                tuple(given),
                counted,
                pay,
                final=judged is not None,
                performance=None if judged is None else judged.record.score,
                notes=notes,
            )
        )
    return found


def _block_pay(
    programme: Programme,
    cleared: BlockCleared,
    judged: BlockPerformed | None,
    counted: dict[str, list[Fraction]],
) -> Callable[[Sequence[Fraction]], Fraction]:
    """Reserve · hours · price · (available share · factor of the score − penalty · missing share).

    Without some of the drivers a smaller share of the reserve would have been held: that, and no more, lessens it.
    """
    duration_s = cleared.end_unix_s - cleared.start_unix_s
    worth = Fraction(cleared.reserve_kw) / _KW_PER_MW * Fraction(cleared.price_per_mw_h)
    worth *= Fraction(duration_s, HOUR_S)
    available, factor = NOUGHT, NOUGHT
    if judged is not None:
        available = min(Fraction(1), Fraction(judged.available_s, duration_s))
        factor = _factor(programme, judged.score)
    penalty = Fraction(programme.penalty_factor)
    whole = sum((row[0] for row in counted.values()), NOUGHT)
    reserve = Fraction(cleared.reserve_kw)

    def covered(power: Fraction) -> Fraction:
        return min(Fraction(1), power / reserve) if reserve > 0 else NOUGHT

    def pay(totals: Sequence[Fraction]) -> Fraction:
        share = available
        if totals[0] != whole and covered(whole) > 0:
            share = available * covered(totals[0]) / covered(whole)
        return worth * (share * factor - penalty * (1 - share)) if judged is not None else NOUGHT

    return pay


def _factor(programme: Programme, score: Decimal) -> Fraction:
    """The paid fraction of the highest step that the score reaches; 1 without steps, 0 below the lowest."""
    if not programme.performance_factors:
        return Fraction(1)
    reached = [paid for least, paid in programme.performance_factors if score >= least]
    return Fraction(reached[-1]) if reached else NOUGHT
