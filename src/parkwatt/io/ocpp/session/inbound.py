"""What a handler of one message gets, and where it leaves what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version


class CertificateOffice(Protocol):
    """Who signs certificates for chargers (the site's own authority), reached without waiting."""

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        """The certificate chain for a request, PEM; None where the request is not the charger's to make."""


@dataclass(slots=True)
class Inbound:
    """One message's surroundings.

    ``calls``: what should be sent after the reply; ``office``: None where the site signs nothing.
    """

    state: ChargerState
    settings: ChargerSettings
    version: Version
    now_unix_us: int
    office: CertificateOffice | None = None
    events: list[ChargerEvent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def emit(self, event: ChargerEvent) -> None:
        """Note what happened: it changes the state at once and is journalled before the reply goes out."""
        self.state.apply(event, self.now_unix_us)
        self.events.append(event)

    def call(self, call: Call) -> None:
        """Send a call once the reply is out."""
        self.calls.append(call)


Handler = Callable[[Inbound, Any], dict[str, Any]]
AnswerReader = Callable[[Inbound, Call, Any], None]
