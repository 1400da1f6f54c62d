"""The fold over the journal: from entries to what a settlement needs. Order and repetition of entries do not matter.

Of records about the same thing the one with the higher revision holds; of equal ones the one whose JSON sorts last, so that
every reader of the same entries decides alike.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from parkwatt.domain.fleet import record
from parkwatt.domain.fleet.record import (
    Amounts,
    BlockCleared,
    BlockPerformed,
    EnergyMetered,
    EnergyPriced,
    Enrolled,
    EventAnnounced,
    Left,
    OfferAnswered,
    PaymentMade,
    PowerOffered,
    ProgrammeRecord,
    ScheduleDeclared,
    TermsSet,
    WearCounted,
)
from parkwatt.domain.journal import Entry

T = TypeVar("T")
Key = tuple[str, ...]
Rank = tuple[int, ...]
# Which answer counts of several at once: the one that asks least of the car.
_SEVERITY: Final = {"accepted": 0, "snoozed": 1, "declined": 2, "opted_out": 3}
_AMOUNT_MAX: Final = Decimal(10) ** 12
_DIGITS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A record with its rank: the highest one is kept."""

    rank: Rank
    payload: bytes
    record: T


@dataclass(slots=True)
class SettleState:
    """All that is known. ``refused``: entries of these kinds that are no record, as text, by their number."""

    terms: dict[Key, Kept[TermsSet]] = field(default_factory=dict)
    enrolled: dict[Key, dict[bytes, Enrolled]] = field(default_factory=dict)
    left: dict[Key, set[int]] = field(default_factory=dict)
    events: dict[Key, Kept[EventAnnounced]] = field(default_factory=dict)
    answers: dict[Key, Kept[OfferAnswered]] = field(default_factory=dict)
    metered: dict[Key, dict[bytes, EnergyMetered]] = field(default_factory=dict)
    declared: dict[Key, dict[bytes, ScheduleDeclared]] = field(default_factory=dict)
    priced: dict[Key, dict[bytes, EnergyPriced]] = field(default_factory=dict)
    offered: dict[Key, dict[bytes, PowerOffered]] = field(default_factory=dict)
    cleared: dict[Key, Kept[BlockCleared]] = field(default_factory=dict)
    performed: dict[Key, Kept[BlockPerformed]] = field(default_factory=dict)
    wear: dict[Key, Kept[WearCounted]] = field(default_factory=dict)
    payments: dict[str, Kept[PaymentMade]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    last_unix_us: int = 0

    def apply(self, entry: Entry) -> None:
        """Take in one entry. Entries of other kinds, and thinned ones, change nothing."""
        self.last_unix_us = max(self.last_unix_us, entry.recorded_unix_us)
        if entry.kind not in record.KINDS or entry.payload is None:
            return
        try:
            found = record.decode(entry.payload)
        except ValueError as error:
            self.refused[entry.seq] = f"entry {entry.seq}: {error}"
            return
        fault = _fault(found)
        if fault is not None:
            self.refused[entry.seq] = f"entry {entry.seq}: {fault}"
            return
        self._keep(found, entry.payload)

    def _keep(self, found: ProgrammeRecord, payload: bytes) -> None:
        match found:
            case TermsSet():
                _highest(self.terms, (found.programme.name,), (found.revision,), payload, found)
            case Enrolled():
                self.enrolled.setdefault((found.programme, found.car), {})[payload] = found
            case Left():
                self.left.setdefault((found.programme, found.car), set()).add(found.from_unix_s)
            case PaymentMade():
                _highest(self.payments, found.statement, (), payload, found)
            case OfferAnswered():
                key = (found.programme, found.event, found.car)
                rank = (found.at_unix_s, _SEVERITY[found.answer])
                _highest(self.answers, key, rank, payload, found)
            case EventAnnounced():
                rank = (found.revision, int(found.cancelled))
                _highest(self.events, (found.programme, found.event), rank, payload, found)
            case _:
                self._keep_measured(found, payload)

    def _keep_measured(self, found: ProgrammeRecord, payload: bytes) -> None:
        match found:
            case EnergyMetered():
                self.metered.setdefault((found.point, found.meter), {})[payload] = found
            case ScheduleDeclared():
                self.declared.setdefault((found.programme, found.meter), {})[payload] = found
            case EnergyPriced():
                self.priced.setdefault((found.programme,), {})[payload] = found
            case PowerOffered():
                self.offered.setdefault((found.programme, found.car), {})[payload] = found
            case BlockCleared():
                key: Key = (found.programme, found.block)
                _highest(self.cleared, key, (found.revision,), payload, found)
            case BlockPerformed():
                key = (found.programme, found.block)
                _highest(self.performed, key, (found.revision,), payload, found)
            case WearCounted():
                key = (found.programme, found.unit, found.car)
                _highest(self.wear, key, (found.revision,), payload, found)
            case _:
                pass  # what was offered and commanded changes no money


def fold(entries: Iterable[Entry], state: SettleState | None = None) -> SettleState:
    """The state after the entries, from ``state`` on or from nothing."""
    told = SettleState() if state is None else state
    for entry in entries:
        told.apply(entry)
    return told


def _highest(kept: dict[Any, Any], key: object, rank: Rank, payload: bytes, found: object) -> None:
    known = kept.get(key)
    if known is None or (known.rank, known.payload) < (rank, payload):
        kept[key] = Kept(rank, payload, found)


def _fault(found: ProgrammeRecord) -> str | None:
    """Why a record cannot be settled with; None where it can."""
    if any(not _is_sound(amount) for amount in record.amounts(found)):
        return f"an amount is not finite, or has more than {_DIGITS_MAX} digits on a side"
    if isinstance(found, EventAnnounced | BlockCleared) and found.end_unix_s <= found.start_unix_s:
        return "must end after it begins"
    if isinstance(found, TermsSet) and not 0 <= found.pool_share <= 1:
        return "pool_share must lie from 0 to 1"
    if isinstance(found, EnergyMetered):
        return _metered_fault(found)
    if isinstance(found, ScheduleDeclared | EnergyPriced) and found.step_s <= 0:
        return "step_s must be above 0"
    if isinstance(found, BlockPerformed) and (found.available_s < 0 or found.score < 0):
        return "available_s and score must be at least 0"
    return None


def _metered_fault(found: EnergyMetered) -> str | None:
    if found.step_s <= 0:
        return "step_s must be above 0"
    for one, other in (
        (found.import_kwh, found.export_kwh),
        (found.import_register_kwh, found.export_register_kwh),
    ):
        if len(one) != len(other):
            return "import and export must have as many values"
    if any(v is not None and v < 0 for v in (*found.import_kwh, *found.export_kwh)):
        return "import and export must be at least 0"
    return None


def _is_sound(amount: Decimal) -> bool:
    if not amount.is_finite() or abs(amount) >= _AMOUNT_MAX:
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= _DIGITS_MAX


def differences(registers: Amounts) -> Amounts:
    """The energies between readings of a register; None beside an unknown one, and where it fell."""
    pairs = itertools.pairwise(registers)
    return tuple(
        None if one is None or other is None or other < one else other - one for one, other in pairs
    )
