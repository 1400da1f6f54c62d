"""One check of a site's set-up, and what the running server shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from parkwatt.app.api.client import Client, ServerRefusedError, ServerUnreachableError
from parkwatt.app.live_settings import LiveSettings
from parkwatt.domain.errors import InputError

Level = Literal["ok", "warning", "error", "skipped"]
SYMBOLS: Final[dict[Level, str]] = {"ok": "✓", "warning": "!", "error": "✗", "skipped": "–"}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one thing. ``remedy``: what to do about it, empty where nothing is to be done."""

    level: Level
    subject: str
    message: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """The check on one line."""
        remedy = f" → {self.remedy}" if self.remedy else ""
        return f"{SYMBOLS[self.level]} {self.subject}: {self.message}{remedy}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the running server shows: ``health``, the ``site`` and its ``chargers``; None where it does not.

    ``trouble``: why there is none, in words.
    """

    health: dict[str, Any] | None = None
    site: dict[str, Any] | None = None
    chargers: dict[str, dict[str, Any]] | None = None
    trouble: str = ""


def look(settings: LiveSettings) -> Seen:
    """Ask the server, if one runs."""
    try:
        client = Client(settings.serve)
        health = client.get("/health")
        chargers = {view["charger_id"]: view for view in client.pages("/v1/chargers")}
    except (ServerUnreachableError, ServerRefusedError, InputError) as error:
        return Seen(trouble=str(error))
    try:
        site = client.get("/v1/site")
    except (ServerUnreachableError, ServerRefusedError) as error:
        return Seen(health, None, chargers, str(error))
    return Seen(health, site, chargers)
