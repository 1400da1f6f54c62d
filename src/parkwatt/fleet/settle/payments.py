"""What is still to be paid: what is due less what was paid, so that nothing is paid twice and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from parkwatt.domain.fleet.record import PaymentMade
from parkwatt.fleet.settle.state import SettleState
from parkwatt.fleet.settle.units import Unit

_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Payments:
    """``due``: to be paid now. ``overpaid``: more was paid than is due by what is known now (such as after late readings): the
    pool carries it, nothing is taken back.
    """

    due: tuple[PaymentMade, ...]
    overpaid: tuple[PaymentMade, ...]


def paid(state: SettleState) -> dict[tuple[str, str, str], tuple[int, Decimal]]:
    """How often and how much was paid for each programme, unit and driver; a statement counts once."""
    found: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for kept in state.payments.values():
        made = kept.record
        key = (made.programme, made.unit, made.driver)
        count, amount = found.get(key, (0, _NOTHING))
        found[key] = (count + 1, amount + made.amount)
    return found


def payments_due(state: SettleState, units: Sequence[Unit]) -> Payments:
    """The payments that bring each driver to what is due for the final units.

    A payment's statement is `programme/unit/driver/n`, with n payments before it for the same: made again from the same journal
    it is the same one.
    """
    before = paid(state)
    due, overpaid = [], []
    for unit in units:
        if not unit.final:
            continue
        parts = {part.driver: part.gross for part in unit.parts}
        for programme, name, driver in before:
            if (programme, name) == (unit.programme, unit.unit):
                parts.setdefault(driver, _NOTHING)
        for driver, gross in sorted(parts.items()):
            count, amount = before.get((unit.programme, unit.unit, driver), (0, _NOTHING))
            open_amount = gross - amount
            statement = f"{unit.programme}/{unit.unit}/{driver}/{count}"
            made = PaymentMade(
                statement, unit.programme, unit.unit, driver, abs(open_amount), unit.currency
            )
            if open_amount > 0:
                due.append(made)
            elif open_amount < 0:
                overpaid.append(made)
    return Payments(tuple(due), tuple(overpaid))
