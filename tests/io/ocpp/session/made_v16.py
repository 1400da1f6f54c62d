"""A 1.6 charger in words: what it sends is decoded as a session would, and what came of it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.event import ChargerEvent, Connected, TransactionReported
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session import v16
from parkwatt.io.ocpp.session.inbound import CertificateOffice, Inbound
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def unix_us(minutes: float) -> int:
    """Minutes after the charger connected, in µs since 1970."""
    return int(START.timestamp()) * 1_000_000 + round(minutes * 60e6)


def stamp(minutes: float) -> str:
    """The same as a charger writes it."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Charger:
    """A charger with a link since `START`. ``journal``: all that was emitted, with the time it came."""

    settings: ChargerSettings = field(default_factory=ChargerSettings)
    office: CertificateOffice | None = None
    state: ChargerState = field(default_factory=lambda: ChargerState("C1"))
    journal: list[tuple[int, ChargerEvent]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(Connected("ocpp1.6", 1, "192.0.2.1"), unix_us(0))

    def says(self, action: str, minutes: float = 1.0, **payload: Any) -> dict[str, Any]:
        """Send a message, `minutes` after the link began; returns the reply, which is checked."""
        inbound = self._inbound(minutes)
        encoded = json.dumps(payload).encode()
        message = messages.decode_request(Version.V16, action, encoded).message
        reply = v16.HANDLERS[action](inbound, message)
        messages.check_response(Version.V16, action, reply)
        self._take(inbound)
        return reply

    def answers(self, call: Call, **payload: Any) -> None:
        """Answer one of our calls, after its payload was checked."""
        messages.check_request(Version.V16, call.action, call.payload)
        inbound = self._inbound(1.0)
        decoded = messages.decode_response(Version.V16, call.action, json.dumps(payload).encode())
        if call.action in v16.ANSWERS:
            v16.ANSWERS[call.action](inbound, call, decoded.message)
        self._take(inbound)

    def fails(self, call: Call, code: str) -> None:
        """Answer one of our calls with an error."""
        inbound = self._inbound(1.0)
        if call.action in v16.FAILURES:
            v16.FAILURES[call.action](inbound, call, code)
        self._take(inbound)

    def commissioning(self) -> list[Call]:
        """What it is asked when it is ready."""
        return v16.commissioning_calls(self._inbound(0.5))

    def restarted(self) -> Charger:
        """The same charger after a crash of the back end: state is what its journal says, and it connects again."""
        other = Charger(self.settings, self.office)
        other.state, other.journal = ChargerState("C1"), []
        for now_unix_us, event in self.journal:
            other._keep(events.decode(events.encode(event)), now_unix_us)
        return other

    def reports(self) -> list[TransactionReported]:
        """The transaction reports in the journal."""
        return [event for _, event in self.journal if isinstance(event, TransactionReported)]

    def of(self, kind: type[msgspec.Struct]) -> list[Any]:
        """The events of one kind in the journal."""
        return [event for _, event in self.journal if isinstance(event, kind)]

    def transaction(self, transaction_id: str) -> Transaction:
        """One transaction of its state."""
        return self.state.transactions[transaction_id]

    def starts(self, minutes: float = 1.0, **payload: Any) -> int:
        """Start a transaction on connector 1 at 1000 Wh unless told otherwise; returns its number."""
        given = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": stamp(minutes)}
        number: int = self.says("StartTransaction", minutes, **{**given, **payload})[
            "transactionId"
        ]
        return number

    def stops(
        self, number: int, minutes: float, register_wh: int, **payload: Any
    ) -> dict[str, Any]:
        """Stop a transaction."""
        given = {"transactionId": number, "meterStop": register_wh, "timestamp": stamp(minutes)}
        return self.says("StopTransaction", minutes, **{**given, **payload})

    def measures(
        self, minutes: float, register_wh: float, *, now: float | None = None, **payload: Any
    ) -> None:
        """Send the register of connector 1; ``now``: when it arrives, if later."""
        sampled = {"value": f"{register_wh:g}", "unit": "Wh", **payload.pop("sampled", {})}
        value = {"timestamp": stamp(minutes), "sampledValue": [sampled]}
        given = {"connectorId": 1, "meterValue": [value]}
        self.says("MeterValues", minutes if now is None else now, **{**given, **payload})

    def _inbound(self, minutes: float) -> Inbound:
        return Inbound(self.state, self.settings, Version.V16, unix_us(minutes), self.office)

    def _take(self, inbound: Inbound) -> None:
        self.journal += [(inbound.now_unix_us, event) for event in inbound.events]
        self.calls += inbound.calls

    def _keep(self, event: ChargerEvent, now_unix_us: int) -> None:
        self.state.apply(event, now_unix_us)
        self.journal.append((now_unix_us, event))
