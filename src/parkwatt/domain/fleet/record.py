"""What a pool's money rests on, as it is written to the journal: terms, members, events, answers, energy, payments.

All amounts are decimals, written as text. Times are whole seconds since 1970 UTC, spans half open. Each record says the same
however often it is written; of two that contradict each other the one with the higher ``revision`` holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal

import msgspec

from parkwatt.domain.fleet.programme import MeterPoint, Programme, SplitRule

SUBJECT: Final = "programme"
Answer = Literal["accepted", "declined", "snoozed", "opted_out"]
Quality = Literal["measured", "estimated"]
Amounts = tuple[Decimal | None, ...]


class _Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What all records share: a tag, defaults left out."""


class Caps(msgspec.Struct, frozen=True, omit_defaults=True):
    """The most that a car may be used for a year; None: no such cap. ``source``: who says so (consent, a warranty)."""

    source: str
    events: int | None = None
    discharged_kwh: Decimal | None = None
    discharging_h: Decimal | None = None
    cycles: Decimal | None = None
    virtual_km: Decimal | None = None


class TermsSet(_Record, frozen=True, tag="terms.set"):
    """A programme's rules and how its money is shared, as agreed. ``pool_share``: what the pool keeps, 0 … 1."""

    programme: Programme
    split: SplitRule
    pool_share: Decimal
    revision: int = 0


class Enrolled(_Record, frozen=True, tag="enrolment.made"):
    """A car takes part from ``from_unix_s`` on. ``meter``: what measures it, a charger or a site as the programme says.

    ``consent``: what the driver agreed to, by name or hash. ``caps``: consent's and the warranty's, the tightest holds.
    ``capacity_kwh``, ``kwh_per_km``: what cycles and virtual kilometres are counted with.
    """

    programme: str
    car: str
    driver: str
    meter: str
    from_unix_s: int
    consent: str
    caps: tuple[Caps, ...] = ()
    capacity_kwh: Decimal | None = None
    kwh_per_km: Decimal | None = None


class Left(_Record, frozen=True, tag="enrolment.ended"):
    """A car takes part no longer, from ``from_unix_s`` on."""

    programme: str
    car: str
    from_unix_s: int


class EventAnnounced(_Record, frozen=True, tag="event.announced"):
    """A programme calls, or changes a call (a higher ``revision``), or takes it back (``cancelled``).

    ``asked_kw``: what the pool is to deliver, where the programme says it.
    """

    programme: str
    event: str
    start_unix_s: int
    end_unix_s: int
    revision: int = 0
    cancelled: bool = False
    asked_kw: Decimal | None = None
    reason: str = ""


class OfferMade(_Record, frozen=True, tag="offer.made"):
    """A driver was asked. ``pay_expected``: what they were told it may bring."""

    programme: str
    event: str
    car: str
    power_kw: Decimal
    at_unix_s: int
    pay_expected: Decimal | None = None


class OfferAnswered(_Record, frozen=True, tag="offer.answered"):
    """A driver's answer; the last one counts, and of two at once the one that asks less of the car."""

    programme: str
    event: str
    car: str
    answer: Answer
    at_unix_s: int


class EnergyMetered(_Record, frozen=True, tag="energy.metered"):
    """A run of a meter's steps from ``from_unix_s`` on. None in a series: unknown, never 0.

    Either energies [N] of each step, or registers [N+1] at their borders, which are preferred where both are given: a
    step between two readings is their difference, and one over which a register falls is unknown.
    """

    point: MeterPoint
    meter: str
    from_unix_s: int
    step_s: int
    import_kwh: Amounts = ()
    export_kwh: Amounts = ()
    import_register_kwh: Amounts = ()
    export_register_kwh: Amounts = ()
    quality: Quality = "measured"
    revision: int = 0


class ScheduleDeclared(_Record, frozen=True, tag="schedule.declared"):
    """What a meter would show without being called: net kWh of each step, declared at ``at_unix_s``."""

    programme: str
    meter: str
    at_unix_s: int
    from_unix_s: int
    step_s: int
    net_kwh: Amounts


class EnergyPriced(_Record, frozen=True, tag="energy.priced"):
    """What a kWh that was moved is worth, in each step. None: no price is known."""

    programme: str
    from_unix_s: int
    step_s: int
    price_per_kwh: Amounts
    revision: int = 0


class PowerOffered(_Record, frozen=True, tag="power.offered"):
    """A car was plugged in and could have answered with ``power_kw`` over [from, until)."""

    programme: str
    car: str
    from_unix_s: int
    until_unix_s: int
    power_kw: Decimal


class BlockCleared(_Record, frozen=True, tag="block.cleared"):
    """The market took ``reserve_kw`` for a block, at a price for a MW and hour."""

    programme: str
    block: str
    start_unix_s: int
    end_unix_s: int
    reserve_kw: Decimal
    price_per_mw_h: Decimal
    revision: int = 0


class BlockPerformed(_Record, frozen=True, tag="block.performed"):
    """How the pool did in a block: seconds in which it could answer in full, and a score, 0 … 1."""

    programme: str
    block: str
    available_s: int
    score: Decimal = Decimal(1)
    revision: int = 0


class CarDispatched(_Record, frozen=True, tag="car.dispatched"):
    """Cars were told to follow a target, and why."""

    programme: str
    event: str
    at_unix_s: int
    power_kw: Decimal
    cars: tuple[str, ...]
    reason: str = ""


class WearCounted(_Record, frozen=True, tag="wear.counted"):
    """What an event (or a block, a period) cost a car's battery, by the wear model, in the programme's currency."""

    programme: str
    unit: str
    car: str
    wear: Decimal
    revision: int = 0


class PaymentMade(_Record, frozen=True, tag="payment.made"):
    """A driver was credited. ``statement``: follows from programme, unit, driver and the number of the payment, so that the
    same payment always has the same one, and counts once.
    """

    statement: str
    programme: str
    unit: str
    driver: str
    amount: Decimal
    currency: str


ProgrammeRecord = (
    TermsSet
    | Enrolled
    | Left
    | EventAnnounced
    | OfferMade
    | OfferAnswered
    | EnergyMetered
    | ScheduleDeclared
    | EnergyPriced
    | PowerOffered
    | BlockCleared
    | BlockPerformed
    | CarDispatched
    | WearCounted
    | PaymentMade
)
KINDS: Final = frozenset(str(m.__struct_config__.tag) for m in ProgrammeRecord.__args__)
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(ProgrammeRecord)


def kind(record: ProgrammeRecord) -> str:
    """The record's tag."""
    return str(record.__struct_config__.tag)


def encode(record: ProgrammeRecord) -> bytes:
    """A record as JSON."""
    return _encoder.encode(record)


def decode(payload: bytes) -> ProgrammeRecord:
    """A record from the journal's JSON. Raises ValueError where it is none."""
    try:
        record: ProgrammeRecord = _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    return record


def amounts(value: object) -> Iterable[Decimal]:
    """Every decimal in a record, at any depth."""
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from amounts(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from amounts(getattr(value, name))
