"""Sharing a payment to the cent: parts that add up to it exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

CENT = Decimal("0.01")


def to_cents(amount: Fraction) -> int:
    """An exact amount in whole cents, halves away from 0."""
    doubled = abs(amount) * 200
    cents = (doubled.numerator // doubled.denominator + 1) // 2
    return cents if amount >= 0 else -cents


def money(cents: int) -> Decimal:
    """Cents as an amount with two digits."""
    return Decimal(cents).scaleb(-2)


def shared_cents(
    cents: int, weights: Mapping[str, Fraction], pool_share: Fraction
) -> tuple[dict[str, int], int]:
    """Each driver's part and the pool's, which add up to ``cents``.

    The pool's part is ``pool_share`` (0 … 1) of the payment, the rest goes by weights (≥ 0). Exact parts are cut to whole
    cents, and the cents that are left go to those that lost most (largest remainder); among equals to the driver whose name
    comes first, the pool last. A payment that is not above 0, and one without any weight, is the pool's: no driver ever owes.
    """
    total = sum(weights.values(), Fraction(0))
    names = sorted(weights)
    if cents <= 0 or total <= 0:
        return dict.fromkeys(names, 0), cents
    exact = [(1 - pool_share) * cents * weights[name] / total for name in names]
    exact.append(pool_share * cents)
    parts = [part.numerator // part.denominator for part in exact]
    left = cents - sum(parts)
    by_loss = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_loss[:left]:
        parts[index] += 1
    return dict(zip(names, parts, strict=False)), parts[-1]
