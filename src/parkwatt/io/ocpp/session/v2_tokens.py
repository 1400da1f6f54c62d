"""Who may charge, in the words of 2.0.1 and 2.1."""

from __future__ import annotations

from functools import lru_cache

from parkwatt.io.ocpp.session.settings import ChargerSettings

ACCEPTED = "Accepted"


def token_status(settings: ChargerSettings, token: str) -> str:
    """The AuthorizationStatus of a token: Accepted, or Invalid where it is not on the list.

    Invalid, not Unknown: who is taken off the list was blocked or has expired, and Part 6 (C_06, C_07) allows no Unknown there.
    Without a list everybody may charge, also with the empty token of a station that asks nobody (type NoAuthorization).
    """
    if settings.tokens is None or token.casefold() in _folded(settings.tokens):
        return ACCEPTED
    return "Invalid"


@lru_cache(maxsize=4096)
def _folded(tokens: frozenset[str]) -> frozenset[str]:
    """The tokens without regard to case (2.1: "IdToken is case insensitive")."""
    return frozenset(token.casefold() for token in tokens)
