"""A text that may stand in a CSV file which a person opens with a table calculator."""

from __future__ import annotations

from typing import Final

# What begins so is taken for a formula, and run (OWASP, CSV Injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_cell(value: object) -> object:
    """The value; a text that begins like a formula gets an apostrophe before it. Numbers are told as numbers, not as text."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
