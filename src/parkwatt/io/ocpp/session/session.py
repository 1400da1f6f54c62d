"""The OCPP-J conversation over one link: who may speak, what is awaited, what is answered. No I/O.

A session takes frames and the time, and returns a `Step`. What the charger calls is decoded (strictly, then tolerantly with
each deviation recorded), handed to the handler of its version and answered in the same step. What we call waits in a bounded
queue, because a charger is to be asked one thing at a time (Part 4, 4.1.1), and not before its boot was answered: some
chargers restart their boot when they are commanded earlier. A charger that is connected again need not boot (Part 4, 5.4),
so any other message counts as well where its boot is known, and half a minute of patience otherwise.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from parkwatt.domain.charger.event import CommandAnswered, CommandSent, DeviationSeen
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp import frame as wire
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.messages import Deviation, MessageFault
from parkwatt.io.ocpp.secrets import MAY_HOLD_SECRETS, without_secrets
from parkwatt.io.ocpp.session import v2, v16
from parkwatt.io.ocpp.session.inbound import CertificateOffice, DynamicUpdate, Inbound
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.version import Version

BOOT_PATIENCE_US = 30_000_000
CALLS_WAITING_MAX = 256
_NOBODYS_ID = "-1"  # Part 4, 4.2.3: the id of an error for a message whose own id could not be read


class Session:
    """One link's conversation with one charger.

    ``prefix``: makes message ids unique over links; ``office``: signs certificates, None where the site signs none;
    ``dynamic_update``: what a charger gets that pulls its dynamic profile. The session ends with `end`; a charger's next
    link gets a session of its own, and the same ``state``.
    """

    def __init__(
        self,
        state: ChargerState,
        version: Version,
        settings: ChargerSettings,
        *,
        now_unix_us: int,
        prefix: str,
        office: CertificateOffice | None = None,
        dynamic_update: DynamicUpdate | None = None,
    ) -> None:
        self.state = state
        self.version = version
        self.settings = settings
        self.ready = False
        self.commissioned = False
        self._office = office
        self._dynamic_update = dynamic_update
        self._prefix = prefix
        self._sent_count = 0
        self._patience_ends_unix_us = now_unix_us + BOOT_PATIENCE_US
        self._waiting: deque[Call] = deque()
        self._pending: tuple[str, Call, int] | None = None
        self._deviations: set[tuple[str, str, str]] = set()
        self._dialect = v2 if version.is_2 else v16

    @property
    def next_tick_unix_us(self) -> int | None:
        """When `tick` has something to do at the latest; None: nothing is awaited."""
        if self._pending is not None:
            return self._pending[2]
        return None if self.ready else self._patience_ends_unix_us

    @property
    def waiting_count(self) -> int:
        """How many calls wait, the one that is under way included."""
        return len(self._waiting) + (self._pending is not None)

    def receive(self, data: str | bytes, now_unix_us: int) -> Step:
        """Take in one frame."""
        step = Step()
        self.state.seen_unix_us = now_unix_us
        read = wire.read_frame(data)
        if isinstance(read, wire.CallFrame):
            self._called(read, now_unix_us, step)
        elif isinstance(read, wire.ResultFrame):
            self._result(read, now_unix_us, step)
        elif isinstance(read, wire.ErrorFrame):
            self._error(read, now_unix_us, step)
        elif isinstance(read, wire.SendFrame):
            self._told(read, now_unix_us, step)
        else:
            self._malformed(read, now_unix_us, step)
        self._pump(now_unix_us, step)
        return step

    def call(self, call: Call, now_unix_us: int) -> Step:
        """Ask the charger for something, now or when it is its turn.

        A call that its version has no message for, or whose payload breaks the schema, is answered `Unsendable` at once;
        that is journalled with an empty message id.
        """
        step = Step()
        self._enqueue(call, now_unix_us, step)
        self._pump(now_unix_us, step)
        return step

    def tick(self, now_unix_us: int) -> Step:
        """Give up on what was not answered in time, and on waiting for a boot."""
        step = Step()
        if self._pending is not None and now_unix_us >= self._pending[2]:
            message_id, call, _ = self._pending
            self._pending = None
            answer = Answer(
                call, error="Timeout", description=f"no answer in {call.timeout_s:.0f} s"
            )
            self._answered(message_id, answer, now_unix_us, step)
        if not self.ready and now_unix_us >= self._patience_ends_unix_us:
            self.ready = True
        self._pump(now_unix_us, step)
        return step

    def end(self, now_unix_us: int) -> Step:
        """The link is gone: all that was asked stays unanswered."""
        step = Step()
        if self._pending is not None:
            message_id, call, _ = self._pending
            self._pending = None
            self._answered(message_id, Answer(call, error="Disconnected"), now_unix_us, step)
        step.answers += [Answer(call, error="Disconnected") for call in self._waiting]
        self._waiting.clear()
        return step

    # What the charger says.

    def _inbound(self, now_unix_us: int) -> Inbound:
        return Inbound(
            self.state,
            self.settings,
            self.version,
            now_unix_us,
            self._office,
            dynamic_update=self._dynamic_update,
            deviations=self._deviations,
        )

    def _called(self, read: wire.CallFrame, now_unix_us: int, step: Step) -> None:
        action = read.action
        try:
            decoded = messages.decode_request(self.version, action, read.payload)
        except MessageFault as fault:
            self._deviates(
                Deviation(action, fault.description, fault.code), action, now_unix_us, step
            )
            step.frames.append(wire.write_error(read.message_id, fault.code, fault.description))
            return
        handler = self._dialect.HANDLERS.get(action)
        if handler is None:
            told = "this message is not sent to a back end"
            step.frames.append(wire.write_error(read.message_id, "NotSupported", told))
            return
        inbound = self._inbound(now_unix_us)
        if decoded.deviations:
            self._deviate(decoded.deviations, action, inbound)
        reply = handler(inbound, decoded.message)
        step.events += inbound.events
        step.frames.append(wire.write_result(read.message_id, messages.encode(reply)))
        if not self.ready:
            self._judge_ready(action)
        for call in inbound.calls:
            self._enqueue(call, now_unix_us, step)

    def _judge_ready(self, action: str) -> None:
        """Whether this message shows that the charger may be asked things."""
        boot = self.state.boot
        if boot is not None and (boot.accepted or action != "BootNotification"):
            self.ready = boot.accepted

    def _told(self, read: wire.SendFrame, now_unix_us: int, step: Step) -> None:
        """A message that asks for no answer (type 6 of 2.1)."""
        handler = v2.SEND_HANDLERS.get(read.action) if self.version is Version.V21 else None
        if handler is None:
            return  # unknown ones are to be ignored (2.1 Part 4)
        try:
            decoded = messages.decode_request(self.version, read.action, read.payload)
        except MessageFault as fault:
            deviation = Deviation(read.action, fault.description, fault.code)
            self._deviates(deviation, read.action, now_unix_us, step)
            return
        inbound = self._inbound(now_unix_us)
        self._deviate(decoded.deviations, read.action, inbound)
        handler(inbound, decoded.message)
        step.events += inbound.events

    def _malformed(self, read: wire.MalformedFrame, now_unix_us: int, step: Step) -> None:
        self._deviates(Deviation("frame", read.fault, ""), "", now_unix_us, step)
        code = "RpcFrameworkError" if self.version.is_2 else "FormationViolation"
        step.frames.append(wire.write_error(read.message_id or _NOBODYS_ID, code, read.fault))

    # What it answers.

    def _result(self, read: wire.ResultFrame, now_unix_us: int, step: Step) -> None:
        pending = self._pending
        if pending is None or pending[0] != read.message_id:
            return  # too late, or never asked
        self._pending = None
        call = pending[1]
        try:
            decoded = messages.decode_response(self.version, call.action, read.payload)
        except MessageFault as fault:
            answer = Answer(call, error=fault.code, description=fault.description)
            if self.version is Version.V21:
                step.frames.append(
                    wire.write_result_error(read.message_id, fault.code, fault.description)
                )
            self._answered(read.message_id, answer, now_unix_us, step)
            return
        inbound = self._inbound(now_unix_us)
        self._deviate(decoded.deviations, call.action, inbound)
        reader = self._dialect.ANSWERS.get(call.action)
        answer = _answer(call, msgspec.to_builtins(decoded.message))
        step.events += inbound.events
        self._answered(read.message_id, answer, now_unix_us, step)
        if reader is not None:
            inbound.events = []
            reader(inbound, call, decoded.message)
            step.events += inbound.events
        for follow_up in inbound.calls:
            self._enqueue(follow_up, now_unix_us, step)

    def _error(self, read: wire.ErrorFrame, now_unix_us: int, step: Step) -> None:
        pending = self._pending
        if read.of_result or pending is None or pending[0] not in {read.message_id, _NOBODYS_ID}:
            return  # it could not read a reply of ours, or it is too late
        self._pending = None
        answer = Answer(pending[1], error=read.code or "GenericError", description=read.description)
        inbound = self._inbound(now_unix_us)
        failed = self._dialect.FAILURES.get(pending[1].action)
        self._answered(pending[0], answer, now_unix_us, step)
        if failed is not None:
            failed(inbound, pending[1], read.code)
            step.events += inbound.events
            for follow_up in inbound.calls:
                self._enqueue(follow_up, now_unix_us, step)

    def _answered(self, message_id: str, answer: Answer, now_unix_us: int, step: Step) -> None:
        event = CommandAnswered(
            message_id,
            answer.call.action,
            answer.status,
            answer.reason_code,
            f"{answer.error}: {answer.description}" if answer.description else answer.error,
            msgspec.Raw(messages.encode(answer.payload)),
        )
        self.state.apply(event, now_unix_us)
        step.events.append(event)
        step.answers.append(answer)

    # What we ask.

    def _enqueue(self, call: Call, now_unix_us: int, step: Step) -> None:
        fault = self._unsendable(call)
        if fault is None and len(self._waiting) >= CALLS_WAITING_MAX:
            fault = f"{CALLS_WAITING_MAX} calls wait already"
        if fault is not None:
            answer = Answer(call, error="Unsendable", description=fault)
            self._answered("", answer, now_unix_us, step)
            return
        if call.key is not None:
            for place, other in enumerate(self._waiting):
                if other.key == call.key:
                    self._waiting[place] = call
                    step.answers.append(Answer(other, error="Replaced"))
                    return
        if call.urgent:
            self._waiting.appendleft(call)
        else:
            self._waiting.append(call)

    def _unsendable(self, call: Call) -> str | None:
        """Why the call cannot be sent in this version; None where it can."""
        if not messages.has_action(self.version, call.action):
            return f"{self.version.value} has no {call.action}"
        try:
            decoded = messages.decode_request(
                self.version, call.action, messages.encode(call.payload)
            )
            if decoded.deviations:
                messages.check_request(self.version, call.action, call.payload)
        except (MessageFault, InputError) as fault:
            return " ".join(str(fault).split())
        return None

    def _pump(self, now_unix_us: int, step: Step) -> None:
        """Send the next call if it is its turn."""
        if self._pending is not None or not self._waiting or not self.ready:
            return
        call = self._waiting.popleft()
        self._sent_count += 1
        message_id = f"{self._prefix}{self._sent_count}"
        payload = messages.encode(call.payload)
        kept = payload
        if call.action in MAY_HOLD_SECRETS:
            kept = messages.encode(without_secrets(call.payload))
        event = CommandSent(message_id, call.action, msgspec.Raw(kept), call.purpose, call.reason)
        self.state.apply(event, now_unix_us)
        step.events.append(event)
        step.frames.append(wire.write_call(message_id, call.action, payload))
        self._pending = (message_id, call, now_unix_us + int(call.timeout_s * 1e6))

    # What breaks the standard.

    def _deviates(self, deviation: Deviation, action: str, now_unix_us: int, step: Step) -> None:
        inbound = self._inbound(now_unix_us)
        self._deviate((deviation,), action, inbound)
        step.events += inbound.events

    def _deviate(self, deviations: tuple[Deviation, ...], action: str, inbound: Inbound) -> None:
        for deviation in deviations:
            inbound.emit(
                DeviationSeen(action, deviation.field, deviation.rule, str(deviation.value))
            )


def _answer(call: Call, payload: dict[str, Any]) -> Answer:
    payload = {name: value for name, value in payload.items() if value is not None}
    status = payload.get("status")
    info = payload.get("statusInfo")
    reason_code = info.get("reasonCode") if isinstance(info, dict) else None
    return Answer(
        call,
        status=status if isinstance(status, str) else "",
        reason_code=reason_code if isinstance(reason_code, str) else "",
        payload=payload,
    )
