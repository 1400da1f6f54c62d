"""A charger of 2.0.1 or 2.1 to talk with: what it says is decoded, handled and answered, and all of it checked by schema."""

from __future__ import annotations

from typing import Any, TypeVar

from parkwatt.domain.charger.event import ChargerEvent, Connected
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.session import v2
from parkwatt.io.ocpp.session.inbound import CertificateOffice, DynamicUpdate, Inbound
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

START_UNIX_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
ANYBODY = ChargerSettings()
_Kind = TypeVar("_Kind")


class Talk:
    """A charger with a link, and a clock that moves only when told. ``events``: all there were, oldest first.

    ``calls``: what it is asked, a newer one in place of an older one with the same key, as a session does.
    """

    def __init__(
        self,
        version: Version = Version.V201,
        settings: ChargerSettings = ANYBODY,
        office: CertificateOffice | None = None,
    ) -> None:
        self.version = version
        self.settings = settings
        self.office = office
        self.dynamic_update: DynamicUpdate | None = None
        self.state = ChargerState("box")
        self.now_unix_us = START_UNIX_US
        self.events: list[ChargerEvent] = []
        self.calls: list[Call] = []
        self.connect()

    def connect(self) -> None:
        """A new link."""
        self.state.apply(Connected(self.version.value, 2, "10.0.0.2"), self.now_unix_us)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now_unix_us += int(seconds * SECOND_US)

    def clock(self, offset_s: float = 0.0) -> str:
        """The time that the charger writes."""
        return rfc3339(self.now_unix_us + int(offset_s * SECOND_US))

    def inbound(self) -> Inbound:
        """What a handler would get now."""
        return Inbound(
            self.state,
            self.settings,
            self.version,
            self.now_unix_us,
            self.office,
            dynamic_update=self.dynamic_update,
        )

    def tell(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Say something by the schema; returns the reply, which is by the schema too."""
        messages.check_request(self.version, action, payload)
        reply = self.say(action, payload)
        messages.check_response(self.version, action, reply)
        return reply

    def say(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Say something; returns the reply."""
        inbound = self.inbound()
        decoded = messages.decode_request(self.version, action, messages.encode(payload))
        reply = v2.HANDLERS[action](inbound, decoded.message)
        self._take(inbound)
        return reply

    def send(self, action: str, payload: dict[str, Any]) -> None:
        """Say something that gets no reply."""
        messages.check_request(self.version, action, payload)
        inbound = self.inbound()
        decoded = messages.decode_request(self.version, action, messages.encode(payload))
        v2.SEND_HANDLERS[action](inbound, decoded.message)
        self._take(inbound)

    def answer(self, call: Call, payload: dict[str, Any]) -> None:
        """Answer a call, both by the schema."""
        messages.check_request(self.version, call.action, call.payload)
        messages.check_response(self.version, call.action, payload)
        inbound = self.inbound()
        reader = v2.ANSWERS.get(call.action)
        if reader is not None:
            decoded = messages.decode_response(self.version, call.action, messages.encode(payload))
            reader(inbound, call, decoded.message)
        self._take(inbound)

    def refuse(self, call: Call, code: str) -> None:
        """Answer a call with an error."""
        inbound = self.inbound()
        failed = v2.FAILURES.get(call.action)
        if failed is not None:
            failed(inbound, call, code)
        self._take(inbound)

    def commission(self) -> list[Call]:
        """What the charger is asked once it is ready."""
        inbound = self.inbound()
        calls = v2.commissioning_calls(inbound)
        for call in calls:
            messages.check_request(self.version, call.action, call.payload)
        return calls

    def _take(self, inbound: Inbound) -> None:
        for call in inbound.calls:
            messages.check_request(self.version, call.action, call.payload)
            self.calls = [one for one in self.calls if call.key is None or one.key != call.key]
            self.calls.append(call)
        self.events += inbound.events

    def heard(self, kind: type[_Kind]) -> list[_Kind]:
        """All events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    # What chargers say most.

    def boot(self, reason: str = "PowerUp") -> dict[str, Any]:
        """BootNotification."""
        station = {"vendorName": "Maker", "model": "Box", "serialNumber": "S1"}
        return self.tell("BootNotification", {"reason": reason, "chargingStation": station})

    def status(self, status: str, *, evse_id: int = 1, connector_id: int = 1) -> dict[str, Any]:
        """The state of a connector, in both of the ways that there are."""
        event = {
            "eventId": 1,
            "timestamp": self.clock(),
            "trigger": "Delta",
            "actualValue": status,
            "eventNotificationType": "HardWiredNotification",
            "component": {
                "name": "Connector",
                "evse": {"id": evse_id, "connectorId": connector_id},
            },
            "variable": {"name": "AvailabilityState"},
        }
        told = {"generatedAt": self.clock(), "seqNo": 0, "eventData": [event]}
        assert self.tell("NotifyEvent", told) == {}
        place = {"evseId": evse_id, "connectorId": connector_id}
        return self.tell(
            "StatusNotification",
            {"timestamp": self.clock(), "connectorStatus": status, **place},
        )

    def authorize(self, card: str) -> dict[str, Any]:
        """Authorize."""
        return self.tell("Authorize", {"idToken": {"idToken": card, "type": "ISO14443"}})

    def transaction(
        self,
        phase: str,
        trigger: str,
        seq_no: int,
        *,
        transaction_id: str = "t-1",
        evse: dict[str, int] | None = None,
        card: str | None = None,
        card_kind: str = "ISO14443",
        state: str | None = None,
        stopped: str | None = None,
        meter_value: list[dict[str, Any]] | None = None,
        offline: bool | None = None,
        timestamp: str | None = None,
        remote_start_id: int | None = None,
    ) -> dict[str, Any]:
        """TransactionEvent."""
        info: dict[str, Any] = {"transactionId": transaction_id}
        payload: dict[str, Any] = {
            "eventType": phase,
            "timestamp": self.clock() if timestamp is None else timestamp,
            "triggerReason": trigger,
            "seqNo": seq_no,
            "transactionInfo": info,
        }
        optional = {
            "evse": evse,
            "idToken": None if card is None else {"idToken": card, "type": card_kind},
            "meterValue": meter_value,
            "offline": offline,
        }
        payload |= {name: value for name, value in optional.items() if value is not None}
        told = {
            "chargingState": state,
            "stoppedReason": stopped,
            "remoteStartId": remote_start_id,
        }
        info |= {name: value for name, value in told.items() if value is not None}
        return self.tell("TransactionEvent", payload)

    def meter(
        self, register_wh: float, context: str, *, power_w: float | None = None, **more: Any
    ) -> dict[str, Any]:
        """An element of `meterValue` as of now."""
        register = {
            "value": register_wh,
            "context": context,
            "measurand": "Energy.Active.Import.Register",
            "unitOfMeasure": {"unit": "Wh"},
            **more,
        }
        sampled = [register]
        if power_w is not None:
            flow = "Import" if power_w >= 0 else "Export"
            sampled.append(
                {
                    "value": abs(power_w),
                    "context": context,
                    "measurand": f"Power.Active.{flow}",
                    "unitOfMeasure": {"unit": "W"},
                }
            )
        return {"timestamp": self.clock(), "sampledValue": sampled}
