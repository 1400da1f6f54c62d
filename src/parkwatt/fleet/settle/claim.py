"""What a unit of settlement rests on before it is money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from parkwatt.fleet.settle.delivery import EXACT, Delivered

NOUGHT = Fraction(0)
HOUR_S = 3600
_TOLD = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a unit rests on before it is money: ``pay`` turns the drivers' summed ``counted`` pieces into an exact amount."""

    unit: str
    start_unix_s: int
    end_unix_s: int
    delivered: tuple[Delivered, ...]
    counted: dict[str, list[Fraction]]
    pay: Callable[[Sequence[Fraction]], Fraction]
    final: bool
    performance: Decimal | None = None
    notes: tuple[str, ...] = ()


def by_driver(
    given: Sequence[Delivered], rows: Iterable[Sequence[Fraction]], count: int
) -> dict[str, list[Fraction]]:
    """The pieces of each driver: the sum of those of their cars."""
    found: dict[str, list[Fraction]] = {}
    for one, row in zip(given, rows, strict=True):
        known = found.setdefault(one.member.driver, [NOUGHT] * count)
        found[one.member.driver] = [a + b for a, b in zip(known, row, strict=True)]
    return found


def told(value: Fraction) -> Decimal:
    """A number to show, with three digits; money never goes through here."""
    quotient = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return quotient.quantize(_TOLD, rounding=ROUND_HALF_EVEN)


def notes_of(given: Sequence[Delivered]) -> tuple[str, ...]:
    """What is not known of a delivery, a line a car."""
    return tuple(f"{one.member.car}: {one.unknown}" for one in given if one.unknown)
