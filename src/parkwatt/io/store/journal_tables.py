"""A journal as tables: its entries, and its transactions, a row each, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from parkwatt.domain.charger.event import TransactionReported, decode
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.domain.journal import Entry

ColumnType = Literal["integer", "real", "text", "time", "flag"]
Cell = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column; a ``time`` is whole microseconds since 1970 UTC. None is an empty cell in any of them."""

    name: str
    type: ColumnType


ENTRY_COLUMNS = (
    Column("seq", "integer"),
    Column("recorded_at", "time"),
    Column("kind", "text"),
    Column("subject", "text"),
    Column("payload", "text"),
)
TRANSACTION_COLUMNS = (
    Column("charger", "text"),
    Column("transaction_id", "text"),
    Column("evse_id", "integer"),
    Column("connector_id", "integer"),
    Column("token", "text"),
    Column("started_at", "time"),
    Column("ended_at", "time"),
    Column("imported_kwh", "real"),
    Column("exported_kwh", "real"),
    Column("end_reason", "text"),
    Column("heard_start", "flag"),
)
# What a transaction is folded from.
TRANSACTION_KINDS = ("transaction.reported", "meter.read")


def entry_rows(entries: Iterator[Entry]) -> Iterator[Sequence[Cell]]:
    """A row for each entry; the payload is None where retention thinned it."""
    for entry in entries:
        payload = entry.payload
        text = None if payload is None else payload.decode("utf-8", "backslashreplace")
        yield entry.seq, entry.recorded_unix_us, entry.kind, entry.subject, text


def transaction_rows(entries: Iterator[Entry]) -> Iterator[Sequence[Cell]]:
    """A row for each transaction, those that ended first first, open ones at the end with an empty end.

    The fold is the server's own (`ChargerState`): it remembers the newest transactions of each charger, so that late reports
    still count, and a row is complete when its transaction is forgotten there. ``entries``: those of `TRANSACTION_KINDS`.
    """
    states: dict[str, ChargerState] = {}
    for entry in entries:
        if entry.payload is None:
            continue
        try:
            event = decode(entry.payload)
        except msgspec.DecodeError:
            continue
        state = states.setdefault(entry.subject, ChargerState(entry.subject))
        is_new = (
            isinstance(event, TransactionReported)
            and event.transaction_id not in state.transactions
        )
        before = dict(state.transactions) if is_new else {}
        state.apply(event, entry.recorded_unix_us)
        for key, transaction in before.items():
            if key not in state.transactions:
                yield _row(entry.subject, transaction)
    for subject, state in states.items():
        for transaction in sorted(state.transactions.values(), key=lambda t: t.open):
            yield _row(subject, transaction)


def _rounded(energy_kwh: float | None) -> float | None:
    """To a milliwatt-hour: a difference of two registers has digits that no meter gave."""
    return None if energy_kwh is None else round(energy_kwh, 6)


def _row(charger: str, transaction: Transaction) -> Sequence[Cell]:
    return (
        charger,
        transaction.transaction_id,
        transaction.evse_id,
        transaction.connector_id,
        transaction.token,
        transaction.started_unix_us,
        transaction.ended_unix_us,
        _rounded(transaction.imported_kwh),
        _rounded(transaction.exported_kwh),
        transaction.end_reason,
        transaction.heard_start,
    )
