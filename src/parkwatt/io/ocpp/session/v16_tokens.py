"""Who may charge, by OCPP 1.6's idTag: a list in the settings, without expiry, parents or groups."""

from __future__ import annotations

from functools import lru_cache

from parkwatt.io.ocpp.session.settings import ChargerSettings


def accepted(settings: ChargerSettings, token: str) -> bool:
    """Whether the token may charge; an idTag is compared without regard to case (1.6 edition 2, 7.32)."""
    if settings.tokens is None or token in settings.tokens:
        return True
    return token.casefold() in _folded(settings.tokens)


def id_tag_info(settings: ChargerSettings, token: str) -> dict[str, str]:
    """The token's standing, as replies tell it."""
    return {"status": "Accepted" if accepted(settings, token) else "Invalid"}


@lru_cache(maxsize=256)
def _folded(tokens: frozenset[str]) -> frozenset[str]:
    """The tokens without case: sites share one list among their chargers."""
    return frozenset(token.casefold() for token in tokens)
