"""The part of a station in the test cases of OCPP 2.0.1 Part 6 (edition 2, 2023-06-30), over frames.

The methods named as states are the reusable states of section 3.18 there. What a test case calls configured is a constant here.
"""

from __future__ import annotations

import json
from typing import Any

from parkwatt.domain.charger.event import ChargingState, NoticeReceived, TransactionReported
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.by_hand import check_by_hand
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.session.inbound import CertificateOffice
from parkwatt.io.ocpp.session.session import Session
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.made_v2 import Talk

VALID, VALID_2, INVALID = "VALID-1", "VALID-2", "INVALID-1"
PLACE = {"id": 1, "connectorId": 1}
OTHER_PLACES = ((1, 2), (2, 1))
DURATION_S = 60.0


class Octt(Talk):
    """A station in a session of its own; ``asked``: calls that it got and has yet to answer."""

    def __init__(
        self, version: Version = Version.V201, office: CertificateOffice | None = None
    ) -> None:
        self._links = 0
        self._told = 0
        self._seq_no = 0
        self._transactions = 0
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.asks_by_hand = False
        self.answers: list[Answer] = []
        self.authorized = self.plugged_in = self.stop_authorized = False
        super().__init__(version, ChargerSettings(tokens=frozenset({VALID, VALID_2})), office)

    def connect(self) -> None:
        """A new link, and a new session with it."""
        super().connect()
        self._links += 1
        self.session = Session(
            self.state,
            self.version,
            self.settings,
            now_unix_us=self.now_unix_us,
            prefix=f"csms-{self._links}-",
            office=self.office,
        )

    def tell(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a CALL; returns the payload of its CALLRESULT."""
        messages.check_request(self.version, action, payload)
        reply = self.tell_freely(action, payload)
        assert reply[0] == 3, reply
        answer: dict[str, Any] = reply[2]
        messages.check_response(self.version, action, answer)
        return answer

    def tell_freely(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """Send a CALL, whatever is in it; returns the frame that answers it."""
        self._told += 1
        message_id = f"octt-{self._told}"
        self._reply: list[Any] = []
        self._receive([2, message_id, action, payload])
        assert self._reply[1] == message_id
        return self._reply

    def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The manual action: have the back end send a call, checked as one by hand; returns what the station got."""
        check_by_hand(self.version, self.settings, action, payload)
        self.asks_by_hand = True
        step = self.session.call(Call(action, payload, "hand", "by hand"), self.now_unix_us)
        self._take_step(step)
        self.asks_by_hand = False
        got, _, sent = self.asked[-1]
        assert got == action
        messages.check_request(self.version, action, sent)
        return sent

    def respond(self, payload: dict[str, Any]) -> Answer:
        """Answer the call that the station got last; returns what the back end made of it."""
        action, message_id, _ = self.asked.pop()
        messages.check_response(self.version, action, payload)
        self._receive([3, message_id, payload])
        return self.answers[-1]

    def got(self) -> tuple[str, dict[str, Any]]:
        """The call that the station got last, which the back end sent of its own."""
        action, _, payload = self.asked[-1]
        messages.check_request(self.version, action, payload)
        return action, payload

    @property
    def notices(self) -> list[NoticeReceived]:
        """What the back end kept, oldest first."""
        return self.heard(NoticeReceived)

    def kept(self, action: str) -> list[Any]:
        """What the back end kept of a kind of message, oldest first, as JSON."""
        return [
            json.loads(bytes(notice.payload)) for notice in self.notices if notice.action == action
        ]

    def tell_without_answer(self, action: str, payload: dict[str, Any]) -> None:
        """Send a SEND of 2.1 (type 6): nothing comes back."""
        messages.check_request(self.version, action, payload)
        self._told += 1
        self._reply = []
        self._receive([6, f"octt-{self._told}", action, payload])
        assert self._reply == []

    def _receive(self, frame: list[Any]) -> None:
        self._take_step(self.session.receive(json.dumps(frame), self.now_unix_us))

    def _take_step(self, step: Step) -> None:
        self.events += step.events
        self.answers += step.answers
        for data in step.frames:
            frame = json.loads(data)
            if frame[0] != 2:
                self._reply = frame
            elif frame[2] == "GetVariables" and not self.asks_by_hand:
                self._knows_nothing(frame)
            else:
                self.asked.append((frame[2], frame[1], frame[3]))

    def _knows_nothing(self, frame: list[Any]) -> None:
        """Answer what the back end asks of its own: a device model without anything in it."""
        results = [
            {"attributeStatus": "UnknownComponent", **item} for item in frame[3]["getVariableData"]
        ]
        step = self.session.receive(
            json.dumps([3, frame[1], {"getVariableResult": results}]), self.now_unix_us
        )
        self._take_step(step)

    # Transactions.

    @property
    def transaction_id(self) -> str:
        """The transaction that the station is in."""
        return f"tx-{self._transactions}"

    @property
    def known(self) -> Transaction:
        """What the back end knows of it."""
        return self.state.transactions[self.transaction_id]

    @property
    def charging_state(self) -> ChargingState:
        """What the back end knows of the configured place."""
        return self.state.evse(1).charging_state

    @property
    def last(self) -> TransactionReported:
        """The newest report that the back end took in."""
        return self.heard(TransactionReported)[-1]

    def started(self, trigger: str, **more: Any) -> dict[str, Any]:
        """TransactionEvent, Started, with a new id and number 0."""
        self._transactions += 1
        self._seq_no = 0
        return self.transaction("Started", trigger, 0, transaction_id=self.transaction_id, **more)

    def updated(self, trigger: str, **more: Any) -> dict[str, Any]:
        """TransactionEvent, Updated, a second later."""
        return self._next("Updated", trigger, more)

    def ended(self, trigger: str, **more: Any) -> dict[str, Any]:
        """TransactionEvent, Ended, a second later."""
        reply = self._next("Ended", trigger, more)
        self.authorized = self.plugged_in = self.stop_authorized = False
        return reply

    def skip_numbers(self, count: int) -> None:
        """Leave numbers out."""
        self._seq_no += count

    def _next(self, phase: str, trigger: str, more: dict[str, Any]) -> dict[str, Any]:
        self.pass_s(1)
        self._seq_no += 1
        seq_no = more.pop("seq_no", self._seq_no)
        return self.transaction(phase, trigger, seq_no, transaction_id=self.transaction_id, **more)

    # Reusable states (3.18).

    def booted(self, reason: str = "PowerUp") -> None:
        """Table 390."""
        reply = self.boot(reason)
        assert reply["status"] == "Accepted"
        assert reply["interval"] > 0
        for evse_id, connector_id in ((1, 1), *OTHER_PLACES):
            self.status("Available", evse_id=evse_id, connector_id=connector_id)

    def ev_connected_pre_session(self, **more: Any) -> None:
        """Table 393."""
        self.status("Occupied")
        told = self.updated if self.authorized else self.started
        assert told("CablePluggedIn", state="EVConnected", evse=PLACE, **more) == {}
        self.plugged_in = True

    def authorized_locally(self, card: str = VALID) -> None:
        """Table 394."""
        assert self.authorize(card)["idTokenInfo"]["status"] == "Accepted"
        told = self.updated if self.plugged_in else self.started
        assert told("Authorized", card=card)["idTokenInfo"]["status"] == "Accepted"
        self.authorized = True

    def energy_transfer_started(self) -> None:
        """Table 395."""
        if not self.authorized:
            self.authorized_locally()
        if not self.plugged_in:
            self.ev_connected_pre_session()
        assert self.updated("ChargingStateChanged", state="Charging") == {}
        assert self.charging_state == "charging"

    def energy_transfer_suspended(self) -> None:
        """Table 396."""
        self.energy_transfer_started()
        self.pass_s(DURATION_S)
        assert self.updated("ChargingStateChanged", state="SuspendedEV") == {}

    def stopped_by_driver(self, card: str = VALID) -> None:
        """Table 397, StopAuthorized."""
        if self.charging_state != "charging":
            self.energy_transfer_started()
        self.pass_s(DURATION_S)
        reply = self.updated("StopAuthorized", card=card)
        assert reply["idTokenInfo"]["status"] == "Accepted"
        self.stop_authorized = True

    def ev_connected_post_session(self) -> None:
        """Table 398."""
        if not self.stop_authorized:
            self.stopped_by_driver()
        assert self.updated("ChargingStateChanged", state="EVConnected") == {}

    def ev_disconnected(self, **more: Any) -> None:
        """Table 399."""
        if self.charging_state != "car_connected":
            self.ev_connected_post_session()
        self.status("Available")
        reply = self.ended("EVCommunicationLost", state="Idle", stopped="EVDisconnected", **more)
        assert reply == {}
        assert not self.known.open
        assert self.state.evses[1].transaction_id is None
