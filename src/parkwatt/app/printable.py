"""Words of strangers on a terminal: what a charger says of itself must not move the cursor or forge a line."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with everything that cannot be printed written as an escape, line breaks too."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
