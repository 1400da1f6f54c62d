"""One step of the ladder: what it looks at, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Call, Purpose
from parkwatt.io.ocpp.ladder.memory import EvseMemory, LadderState
from parkwatt.io.ocpp.ladder.offered import Offer, offer
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

# A set-point that takes longer to be answered is no help within a check.
TIMEOUT_S = 10.0
# Ids of our profiles: small, fixed, and apart from those that people choose by hand.
_DEFAULT_PROFILE_ID = 100
_TRANSACTION_PROFILE_ID = 200
_VERSIONS = {version.value: version for version in Version}


@dataclass(slots=True)
class LadderStep:
    """What the ladder decided: events to write down, then calls to send, in order."""

    events: list[ChargerEvent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True)
class Turn:
    """A step in the making. ``state`` is read only; ``asked``: somebody asks just now.

    ``offers``: what each connection point offers, as long as nothing was heard that could change it.
    """

    settings: ChargerSettings
    memory: LadderState
    state: ChargerState
    now_unix_us: int
    offers: dict[int, Offer]
    asked: bool = False
    step: LadderStep = field(default_factory=LadderStep)

    @property
    def version(self) -> Version:
        """What the charger speaks."""
        return _VERSIONS.get(self.state.protocol, Version.V16)

    def offer(self, evse_id: int) -> Offer:
        """The rungs that a connection point offers now."""
        found = self.offers.get(evse_id)
        if found is None:
            found = offer(self.state, self.settings, self.version, evse_id)
            self.offers[evse_id] = found
        return found

    def emit(self, event: ChargerEvent) -> None:
        """Write something down."""
        self.step.events.append(event)

    def call(
        self,
        action: str,
        payload: dict[str, Any],
        purpose: Purpose,
        reason: str,
        tag: str,
        *,
        key: str | None = None,
        urgent: bool = False,
        following: bool = False,
    ) -> None:
        """Ask the charger for something; `tag` comes back with the answer."""
        call = Call(action, payload, purpose, reason, key, urgent, tag, TIMEOUT_S, following)
        self.step.calls.append(call)


def default_profile_id(evse_id: int) -> int:
    """The id of the default for a connection point; 0: of all."""
    return _DEFAULT_PROFILE_ID + evse_id


def profile_id(evse_id: int) -> int:
    """The id of the profile that drives a connection point: one for all rungs, so that each takes the place of the other."""
    return _TRANSACTION_PROFILE_ID + evse_id


def tag(evse: EvseMemory, kind: str) -> str:
    """Names a call: its connection point, its kind, and the set-point it belongs to."""
    return f"{evse.evse_id}:{kind}:{evse.serial}"
