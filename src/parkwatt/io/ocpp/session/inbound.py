"""What a handler of one message gets, and where it leaves what it found."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from parkwatt.domain.charger.event import ChargerEvent, DeviationSeen
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

DEVIATIONS_REMEMBERED_MAX = 256
# Of the words of a deviation, which may be a charger's own and as long as a message.
TEXT_CHARACTERS_MAX = 200

# From a charging profile's id and the time to the `scheduleUpdate` of 2.1; None where there is nothing to hold.
DynamicUpdate = Callable[[int, int], dict[str, Any] | None]


class CertificateOffice(Protocol):
    """Who signs certificates for chargers (the site's own authority), reached without waiting."""

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        """The certificate chain for a request, PEM; None where the request is not the charger's to make."""


class Witness(Protocol):
    """Who is shown what happens the moment it happens, before what follows from it: in the order in which it is journalled.

    ``events`` is the step's list, which holds the event already: what the witness decides goes behind it. ``calls``: what it
    wants asked; they are taken out once the message at hand is answered, and before anything else is sent.
    """

    calls: deque[Call]

    def saw(self, event: ChargerEvent, now_unix_us: int, events: list[ChargerEvent]) -> None:
        """The state has just taken in ``event``."""

    def heard(self, answer: Answer, now_unix_us: int, events: list[ChargerEvent]) -> None:
        """A call was answered; its `CommandAnswered` was seen before."""


@dataclass(slots=True)
class Inbound:
    """One message's surroundings.

    ``calls``: what should be sent after the reply; ``office``: None where the site signs nothing; ``dynamic_update``:
    what to answer to a charger that pulls its dynamic profile; ``deviations``: those that were noted on this link.
    """

    state: ChargerState
    settings: ChargerSettings
    version: Version
    now_unix_us: int
    office: CertificateOffice | None = None
    events: list[ChargerEvent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    dynamic_update: DynamicUpdate | None = None
    deviations: set[tuple[str, str, str]] = field(default_factory=set)
    witness: Witness | None = None

    def emit(self, event: ChargerEvent) -> None:
        """Note what happened: it changes the state at once and is journalled before the reply goes out.

        A deviation is noted once a link: a charger that is wrong is wrong in every message.
        """
        if type(event) is DeviationSeen:
            event = _shortened(event)
            if not self._is_news(event):
                return
        self.state.apply(event, self.now_unix_us)
        self.events.append(event)
        if self.witness is not None:
            self.witness.saw(event, self.now_unix_us, self.events)

    def _is_news(self, event: DeviationSeen) -> bool:
        key = (event.action, event.field, event.rule)
        if key in self.deviations or len(self.deviations) >= DEVIATIONS_REMEMBERED_MAX:
            return False
        self.deviations.add(key)
        return True

    def call(self, call: Call) -> None:
        """Send a call once the reply is out."""
        self.calls.append(call)


def _shortened(event: DeviationSeen) -> DeviationSeen:
    """The event without the length that a charger gives to names and values of its own making."""
    texts = (event.action, event.field, event.rule, event.value)
    if all(len(text) <= TEXT_CHARACTERS_MAX for text in texts):
        return event
    return DeviationSeen(*(text[:TEXT_CHARACTERS_MAX] for text in texts))


Handler = Callable[[Inbound, Any], dict[str, Any]]
AnswerReader = Callable[[Inbound, Call, Any], None]
