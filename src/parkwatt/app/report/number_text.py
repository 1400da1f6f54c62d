"""Numbers as a reader expects them: thousands apart, a true minus sign, the unit behind, never "−0"."""

from __future__ import annotations

import math

MINUS = "−"
UNKNOWN = "–"

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "NOK": "kr", "SEK": "kr", "DKK": "kr"}


def number_text(value: float, digits: int = 0) -> str:
    """``value`` with ``digits`` decimals; an unknown one (NaN) as a dash."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    is_zero = not any(character in "123456789" for character in text)
    return f"{MINUS}{text}" if value < 0 and not is_zero else text


def currency_symbol(currency: str) -> str:
    """€ for EUR and the like; a currency without a known symbol keeps its code."""
    return _SYMBOLS.get(currency, currency)


def money_text(value: float, currency: str, digits: int | None = None) -> str:
    """Money as in "412 €"; without ``digits``, cents are shown below 100."""
    if digits is None:
        digits = money_digits(value)
    return f"{number_text(value, digits)}\N{NO-BREAK SPACE}{currency_symbol(currency)}"


def money_digits(*values: float) -> int:
    """Decimals for amounts that are read together: cents where all are below 100."""
    return 0 if any(abs(value) >= 100 for value in values) else 2


def percent_text(fraction: float, digits: int = 0) -> str:
    """A fraction 0–1 as a percentage."""
    return f"{number_text(100 * fraction, digits)}\N{NO-BREAK SPACE}%"
