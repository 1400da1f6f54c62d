"""What a programme owes for each event, block, month or season, and who gets which part of it.

Everything between the decimals of the journal and the cents of a payment is exact; each payment is rounded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from parkwatt.domain.fleet.programme import Programme
from parkwatt.domain.fleet.record import TermsSet
from parkwatt.fleet.settle.blocks import block_claims
from parkwatt.fleet.settle.calls import event_claims
from parkwatt.fleet.settle.claim import NOUGHT, Claim, told
from parkwatt.fleet.settle.members import members, offered_kwh
from parkwatt.fleet.settle.moved import energy_claims
from parkwatt.fleet.settle.split import money, shared_cents, to_cents
from parkwatt.fleet.settle.state import SettleState


@dataclass(frozen=True, slots=True)
class Part:
    """A driver's part: ``gross`` is paid; ``wear`` is what it cost their batteries, None where nobody counted it."""

    driver: str
    gross: Decimal
    wear: Decimal | None
    net: Decimal | None
    delivered_kwh: Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """What is settled as one: an event, a block, a month, a season. ``payment`` is the sum of ``pool`` and all parts.

    ``final``: over, and known; else nothing is paid yet. ``month``: that it stands in on a statement. ``performance``:
    delivered over asked, or a block's score; None: nothing was asked. ``notes``: what is not known, a line each.
    """

    programme: str
    unit: str
    month: str
    start_unix_s: int
    end_unix_s: int
    currency: str
    meter_point: str
    final: bool
    payment: Decimal
    pool: Decimal
    parts: tuple[Part, ...]
    delivered_kwh: Decimal
    performance: Decimal | None = None
    notes: tuple[str, ...] = ()


def settle(
    state: SettleState, until_unix_s: int, programmes: Sequence[str] | None = None
) -> list[Unit]:
    """Every unit of the programmes (all by default), by programme and time.

    ``until_unix_s``: what is not over by then is left out, or marked as not final.
    """
    found = []
    for (name,), kept in sorted(state.terms.items()):
        if programmes is None or name in programmes:
            claims = _claims(state, kept.record.programme, until_unix_s)
            found += [_unit(state, kept.record, claim) for claim in claims]
    return sorted(found, key=lambda unit: (unit.programme, unit.start_unix_s, unit.unit))


def _claims(state: SettleState, programme: Programme, until_unix_s: int) -> list[Claim]:
    if programme.kind in ("event", "capacity"):
        return event_claims(state, programme, until_unix_s)
    if programme.kind in ("frequency", "set_point"):
        return block_claims(state, programme, members(state, programme.name), until_unix_s)
    return energy_claims(state, programme, until_unix_s)


def _unit(state: SettleState, terms: TermsSet, claim: Claim) -> Unit:
    programme = terms.programme
    totals = _totals(claim)
    cents = to_cents(claim.pay(totals)) if totals else 0
    weights = _weights(state, terms, claim, totals)
    shares, pool = shared_cents(cents, weights, Fraction(terms.pool_share))
    wear = _wear(state, programme.name, claim)
    energies: dict[str, Fraction] = {}
    for one in claim.delivered:
        driver = one.member.driver
        energies[driver] = energies.get(driver, NOUGHT) + sum(one.kwh, NOUGHT)
    parts = tuple(
        Part(
            driver,
            money(part),
            wear.get(driver),
            None if wear.get(driver) is None else money(part) - wear[driver],
            told(energies.get(driver, NOUGHT)),
        )
        for driver, part in shares.items()
    )
    last = datetime.fromtimestamp(claim.end_unix_s - 1, tz=UTC).astimezone(programme.zone)
    return Unit(
        programme.name,
        claim.unit,
        last.strftime("%Y-%m"),
        claim.start_unix_s,
        claim.end_unix_s,
        programme.currency,
        programme.meter_point,
        claim.final,
        money(cents),
        money(pool),
        parts,
        told(sum(energies.values(), NOUGHT)),
        claim.performance,
        claim.notes,
    )


def _totals(claim: Claim) -> list[Fraction]:
    rows = list(claim.counted.values())
    return [sum(column, NOUGHT) for column in zip(*rows, strict=True)]


def _weights(
    state: SettleState, terms: TermsSet, claim: Claim, totals: Sequence[Fraction]
) -> dict[str, Fraction]:
    """What each driver's part goes by; never below 0.

    energy: the sum of the pieces that are above 0. availability: kW held ready times hours, in the unit's span. marginal: the
    payment less what it would be without this driver, with every cap and penalty (leave one out: one payment a driver).
    """
    if terms.split == "energy":
        return {
            driver: sum((max(NOUGHT, piece) for piece in row), NOUGHT)
            for driver, row in claim.counted.items()
        }
    if terms.split == "availability":
        return _availability(state, terms.programme.name, claim)
    whole = claim.pay(totals) if totals else NOUGHT
    return {
        driver: max(
            NOUGHT,
            whole - claim.pay([total - own for total, own in zip(totals, row, strict=True)]),
        )
        for driver, row in claim.counted.items()
    }


def _availability(state: SettleState, programme: str, claim: Claim) -> dict[str, Fraction]:
    found = dict.fromkeys(claim.counted, NOUGHT)
    for member in members(state, programme):
        if member.driver in found:
            found[member.driver] += offered_kwh(
                state, programme, member, claim.start_unix_s, claim.end_unix_s
            )
    return found


def _wear(state: SettleState, programme: str, claim: Claim) -> dict[str, Decimal]:
    """What was counted of each driver's cars in this unit."""
    found: dict[str, Decimal] = {}
    cars = {(one.member.car, one.member.driver) for one in claim.delivered}
    for car, driver in cars:
        kept = state.wear.get((programme, claim.unit, car))
        if kept is not None:
            found[driver] = found.get(driver, Decimal(0)) + kept.record.wear
    return found
