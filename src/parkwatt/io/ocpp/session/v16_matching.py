"""Which transaction an OCPP 1.6 message means.

A 1.6 transaction is a number that the back end gives. Chargers lose it (a reset before the reply came), repeat what they
could not deliver, and bring numbers from another back end. What is made of that:

- A StartTransaction with connector, time, register and token of one that is known is the same one, ended or not: it gets
  its number again and nothing is journalled. Where the charger's clock is not set, only a transaction that is still open
  can be the same.
- Meter values belong to the transaction they name. Without a number of ours they belong to the connector's open
  transaction. With a number that was never ours and none open, they open a transaction ``unknown-<number>``, so that its
  energy is counted from then on. Otherwise they are values outside a transaction. An ended transaction takes in what was
  measured before its end or within a minute of it: some chargers keep naming the last one.
- A StopTransaction is always acknowledged. Without a number of ours it ends the open transaction that it fits alone (by
  time, register and token), or else is a transaction of its own. Its register is the last of its readings. One that
  ended so long ago that it is forgotten is kept as a notice and counted no more.
- A boot, or a new start where another is open, ends nothing: the end may yet come from the charger's queue.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.charger.transaction import Transaction

_MINUTE_US = 60_000_000
# Registers in messages are whole Wh, in meter values often finer.
_REGISTER_TOLERANCE_KWH = 0.0011


def started_alike(
    state: ChargerState,
    connector_id: int,
    token: str,
    measured_unix_us: int | None,
    register_kwh: float | None,
) -> Transaction | None:
    """The transaction that this start began already.

    One that ended without moving anything is none: another may begin in the same second, with the same register, and to count
    nothing twice does no harm.
    """
    for known in state.transactions.values():
        if (
            known.evse_id == connector_id
            and known.heard_start
            and known.token == token
            and known.start_register_kwh == register_kwh
            and (known.open or known.imported_kwh or known.exported_kwh)
            and (
                known.started_unix_us == measured_unix_us
                or (measured_unix_us is None and known.open)
            )
        ):
            return known
    return None


def next_number(state: ChargerState) -> int:
    """A number that no transaction of this charger has, nor had, nor claims to have from elsewhere."""
    number = state.last_transaction_number + 1
    while _foreign(number) in state.transactions:
        number += 1
    return number


def _foreign(number: int) -> str:
    """The id of a transaction with a number that is not ours: no decimal, so that it never counts as given."""
    return f"unknown-{number}"


def _named(state: ChargerState, number: int | None) -> Transaction | None:
    """The transaction of that number, of our giving or not."""
    if number is None or number <= 0:
        return None
    known = state.transactions.get(str(number))
    return state.transactions.get(_foreign(number)) if known is None else known


def measured_transaction(
    state: ChargerState, message: Any, measured_unix_us: int | None, *, late: bool
) -> str | None:
    """The transaction that meter values belong to; None: to none."""
    number: int | None = message.transactionId
    named = _named(state, number)
    if named is not None and _takes(named, measured_unix_us):
        return named.transaction_id
    current = state.open_transaction(message.connectorId)
    if current is not None:
        before = late and (measured_unix_us or 0) < current.started_unix_us
        return None if before else current.transaction_id
    if number is not None and named is None and number > state.last_transaction_number:
        return _foreign(number) if message.connectorId > 0 else None
    return None


def _takes(transaction: Transaction, measured_unix_us: int | None) -> bool:
    """Whether values that name the transaction can be its own."""
    if transaction.ended_unix_us is None:
        return True
    return (
        measured_unix_us is not None and measured_unix_us <= transaction.ended_unix_us + _MINUTE_US
    )


def stopped_transaction(
    state: ChargerState,
    message: Any,
    measured_unix_us: int | None,
    register_kwh: float | None,
    now_unix_us: int,
) -> str | None:
    """The transaction that a stop ends or ended; None: one of ours that is forgotten."""
    number: int | None = message.transactionId
    named = _named(state, number)
    if named is not None:
        return named.transaction_id
    if number is not None and 0 < number <= state.last_transaction_number:
        return None
    for known in state.transactions.values():
        if not known.open and _ended_alike(known, measured_unix_us, register_kwh):
            return known.transaction_id
    fitting = _fitting(state, message, measured_unix_us, register_kwh)
    if fitting is not None:
        return fitting.transaction_id
    if number is not None and number > 0:
        return _foreign(number)
    at_unix_us = now_unix_us if measured_unix_us is None else measured_unix_us
    return f"unknown-at-{at_unix_us}"


def _ended_alike(
    known: Transaction, measured_unix_us: int | None, register_kwh: float | None
) -> bool:
    """Whether a stop without a usable number is the one that ended this transaction, repeated."""
    time_known = measured_unix_us is not None
    if time_known and known.ended_unix_us != measured_unix_us:
        return False
    if not time_known and (-1, -1, "ended") not in known.keys:
        return False
    last_kwh = known.import_register.last_kwh
    if register_kwh is None or last_kwh is None:
        return register_kwh is last_kwh
    return abs(last_kwh - register_kwh) <= _REGISTER_TOLERANCE_KWH


def _fitting(
    state: ChargerState, message: Any, measured_unix_us: int | None, register_kwh: float | None
) -> Transaction | None:
    """The one transaction in progress that a stop without a number of ours can mean; None where there is doubt."""
    current = [known for evse_id in state.evses if (known := state.open_transaction(evse_id))]
    fits = [
        known
        for known in current
        if measured_unix_us is None or measured_unix_us >= known.started_unix_us
    ]
    if not sole_connector(state):
        token = (message.idTag or "").casefold()
        unnumbered = message.transactionId is None or message.transactionId <= 0
        fits = [
            known
            for known in fits
            if (known.token.casefold() == token if token else unnumbered)
            and _continues(known, register_kwh)
        ]
    return fits[0] if len(fits) == 1 else None


def _continues(known: Transaction, register_kwh: float | None) -> bool:
    last_kwh = known.import_register.last_kwh
    if register_kwh is None or last_kwh is None:
        return True
    return register_kwh >= last_kwh - _REGISTER_TOLERANCE_KWH


def sole_connector(state: ChargerState) -> int:
    """The charger's only connector; 0 where it has several or none is known."""
    connectors = [evse_id for evse_id in state.evses if evse_id > 0]
    return connectors[0] if len(connectors) == 1 else 0
