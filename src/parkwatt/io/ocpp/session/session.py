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

from parkwatt.domain.charger.event import (
    ChargerEvent,
    CommandAnswered,
    CommandSent,
    DeviationSeen,
)
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.errors import InputError
from parkwatt.io.ocpp import frame as wire
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.messages import Decoded, Deviation, MessageFault
from parkwatt.io.ocpp.secrets import MAY_HOLD_SECRETS, without_secrets
from parkwatt.io.ocpp.session import v2, v16
from parkwatt.io.ocpp.session.inbound import (
    CertificateOffice,
    DynamicUpdate,
    Inbound,
    Witness,
)
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.version import Version
from parkwatt.io.ocpp.whole_call import WholeCall, call_reader

BOOT_PATIENCE_US = 30_000_000
# A charger that boots again and again without an answer to anything must not fill the queue without end.
CALLS_WAITING_MAX = 512
# Calls by hand must not keep Parkwatt's own waiting.
HAND_CALLS_WAITING_MAX = 32
# Refusals may bring other wishes, which may be refused as well; more of them at once than that would be a loop.
_WISHES_MAX = 64
# OCPP allows 50 for an error's code and 255 for its description.
_CODE_CHARACTERS_MAX = 50
_DESCRIPTION_CHARACTERS_MAX = 255
_NOBODYS_ID = "-1"  # Part 4, 4.2.3: the id of an error for a message whose own id could not be read


class Session:
    """One link's conversation with one charger.

    ``prefix``: makes message ids unique over links; ``office``: signs certificates, None where the site signs none;
    ``dynamic_update``: what a charger gets that pulls its dynamic profile; ``witness``: who is shown each event and answer as
    it comes. The session ends with `end`; a charger's next link gets a session of its own, and the same ``state``.
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
        witness: Witness | None = None,
    ) -> None:
        self.state = state
        self.version = version
        self.settings = settings
        self.ready = False
        self.commissioned = False
        self._witness = witness
        self._wishes: deque[Call] = deque() if witness is None else witness.calls
        self._prefix = prefix
        self._sent_count = 0
        self._patience_ends_unix_us = now_unix_us + BOOT_PATIENCE_US
        self._waiting: deque[Call] = deque()
        self._pending: tuple[str, Call, int] | None = None
        self._dialect = v2 if version.is_2 else v16
        self._read_call = call_reader(version).read
        # One for all messages: they come one at a time.
        self._inbound = Inbound(
            state,
            settings,
            version,
            now_unix_us,
            office,
            dynamic_update=dynamic_update,
            witness=witness,
        )

    @property
    def next_tick_unix_us(self) -> int | None:
        """When `tick` has something to do at the latest; None: nothing is awaited."""
        if self._pending is not None:
            return self._pending[2]
        return None if self.ready else self._patience_ends_unix_us

    @property
    def pending(self) -> tuple[str, Call] | None:
        """The call that is under way, with its message id."""
        return None if self._pending is None else self._pending[:2]

    @property
    def waiting(self) -> list[Call]:
        """The calls that wait for their turn, in order."""
        return list(self._waiting)

    def receive(self, data: str | bytes, now_unix_us: int) -> Step:
        """Take in one frame."""
        step = Step()
        self.state.seen_unix_us = now_unix_us
        read = self._read_call(data) or wire.read_frame(data)
        try:
            if isinstance(read, WholeCall):
                self._answer_call(read, Decoded(read.message), now_unix_us, step)
            elif isinstance(read, wire.CallFrame):
                self._called(read, now_unix_us, step)
            else:
                self._took(read, now_unix_us, step)
        except Exception as fault:  # noqa: BLE001 - the journal must have what the state has, whatever a handler does
            step.fault = fault
            if isinstance(read, wire.CallFrame | WholeCall):
                told = "Parkwatt has a fault; it is reported"
                step.frames.append(wire.write_error(read.message_id, "InternalError", told))
        if self._wishes or (self._waiting and self._pending is None):
            self.proceed(now_unix_us, step)
        return step

    def _took(self, read: wire.Frame, now_unix_us: int, step: Step) -> None:
        """Take in what is no call."""
        if isinstance(read, wire.ResultFrame):
            self._result(read, now_unix_us, step)
        elif isinstance(read, wire.ErrorFrame):
            self._error(read, now_unix_us, step)
        elif isinstance(read, wire.SendFrame):
            self._told(read, now_unix_us, step)
        elif isinstance(read, wire.MalformedFrame):
            self._malformed(read, now_unix_us, step)

    def call(self, call: Call, now_unix_us: int) -> Step:
        """Ask the charger for something, now or when it is its turn.

        A call that its version has no message for, or whose payload breaks the schema, is answered `Unsendable` at once;
        that is journalled with an empty message id.
        """
        step = Step()
        self.ask(call, now_unix_us, step)
        return step

    def ask(self, call: Call, now_unix_us: int, step: Step) -> None:
        """As `call`, as part of a step."""
        self._enqueue(call, now_unix_us, step)
        self.proceed(now_unix_us, step)

    def proceed(self, now_unix_us: int, step: Step) -> None:
        """Take up what the witness wants asked, also because of refusals that come at once, and send what may be sent."""
        for _ in range(_WISHES_MAX):
            if not self._wishes:
                break
            self._enqueue(self._wishes.popleft(), now_unix_us, step)
        else:
            self._wishes.clear()
        self._pump(now_unix_us, step)

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
        self.proceed(now_unix_us, step)
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

    def _inbound_of(self, now_unix_us: int, step: Step) -> Inbound:
        inbound = self._inbound
        inbound.now_unix_us = now_unix_us
        inbound.events = step.events
        return inbound

    def _called(self, read: wire.CallFrame, now_unix_us: int, step: Step) -> None:
        """Read a call that is not sound at first sight, and answer it."""
        action = read.action
        try:
            decoded = messages.decode_request(self.version, action, read.payload)
        except MessageFault as fault:
            self._deviates(
                action, Deviation(action, fault.description, fault.code), now_unix_us, step
            )
            step.frames.append(wire.write_error(read.message_id, fault.code, fault.description))
            return
        self._answer_call(read, decoded, now_unix_us, step)

    def _answer_call(
        self, read: wire.CallFrame | WholeCall, decoded: Decoded, now_unix_us: int, step: Step
    ) -> None:
        action = read.action
        handler = self._dialect.HANDLERS.get(action)
        if handler is None:
            told = "this message is not sent to a back end"
            step.frames.append(wire.write_error(read.message_id, "NotSupported", told))
            return
        inbound = self._inbound_of(now_unix_us, step)
        if decoded.deviations:
            _deviate(inbound, action, decoded.deviations)
        reply = handler(inbound, decoded.message)
        if decoded.deviations and (echo := self._echoes(action, reply)):
            frame = wire.write_error(read.message_id, "PropertyConstraintViolation", echo)
        else:
            frame = wire.write_result(read.message_id, messages.encode(reply))
        step.frames.append(frame)
        if not self.ready:
            self._judge_ready(action)
        if inbound.calls:
            self._ask_in_turn(inbound, now_unix_us, step)

    def _echoes(self, action: str, reply: dict[str, Any]) -> str | None:
        """What breaks the schema of a reply because it repeats what broke that of the request."""
        try:
            messages.check_response(self.version, action, reply)
        except InputError as fault:
            return " ".join(str(fault).split())
        return None

    def _judge_ready(self, action: str) -> None:
        """Whether this message shows that the charger may be asked things."""
        boot = self.state.boot
        if boot is not None and (boot.accepted or action != "BootNotification"):
            self.ready = boot.accepted

    def _told(self, read: wire.SendFrame, now_unix_us: int, step: Step) -> None:
        """A message that asks for no answer (type 6 of 2.1)."""
        if self.version is not Version.V21:
            self._unknown_type(read.message_id, 6, now_unix_us, step)
            return
        handler = v2.SEND_HANDLERS.get(read.action)
        if handler is None:
            return  # unknown ones are to be ignored (2.1 Part 4)
        try:
            decoded = messages.decode_request(self.version, read.action, read.payload)
        except MessageFault as fault:
            deviation = Deviation(read.action, fault.description, fault.code)
            self._deviates(read.action, deviation, now_unix_us, step)
            return
        inbound = self._inbound_of(now_unix_us, step)
        _deviate(inbound, read.action, decoded.deviations)
        handler(inbound, decoded.message)
        self._ask_in_turn(inbound, now_unix_us, step)

    def _malformed(self, read: wire.MalformedFrame, now_unix_us: int, step: Step) -> None:
        if read.unknown_type is not None:
            self._unknown_type(read.message_id, read.unknown_type, now_unix_us, step)
            return
        self._deviates("", Deviation("frame", read.fault, ""), now_unix_us, step)
        pending = self._pending
        code = "RpcFrameworkError" if self.version.is_2 else "FormationViolation"
        if pending is not None and pending[0] == read.message_id:
            # What cannot be read is the answer that is awaited, and an answer is not answered.
            self._pending = None
            answer = Answer(pending[1], error=code, description=read.fault)
            self._answered(pending[0], answer, now_unix_us, step)
        elif read.message_id is not None or self.version.is_2:
            message_id = _NOBODYS_ID if read.message_id is None else read.message_id
            step.frames.append(wire.write_error(message_id, code, read.fault))

    def _unknown_type(
        self, message_id: str | None, number: int, now_unix_us: int, step: Step
    ) -> None:
        """A type that the version does not have: 2.0.1 wants it refused (Part 4, 4.1.3), 1.6 and 2.1 want it ignored."""
        fault = f"there is no message type {number} in {self.version.value}"
        self._deviates("", Deviation("frame", fault, str(number)), now_unix_us, step)
        if self.version is Version.V201:
            message_id = _NOBODYS_ID if message_id is None else message_id
            step.frames.append(wire.write_error(message_id, "MessageTypeNotSupported", fault))

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
        inbound = self._inbound_of(now_unix_us, step)
        _deviate(inbound, call.action, decoded.deviations)
        answer = _answer(call, msgspec.to_builtins(decoded.message))
        self._answered(read.message_id, answer, now_unix_us, step)
        reader = self._dialect.ANSWERS.get(call.action)
        if reader is not None:
            reader(inbound, call, decoded.message)
            self._ask_in_turn(inbound, now_unix_us, step)

    def _error(self, read: wire.ErrorFrame, now_unix_us: int, step: Step) -> None:
        if read.of_result:
            if self.version is not Version.V21:
                self._unknown_type(read.message_id, 5, now_unix_us, step)
            return  # it could not read a reply of ours, and has it all the same
        pending = self._pending
        if pending is None or read.message_id not in {pending[0], _NOBODYS_ID}:
            return  # too late, or never asked
        self._pending = None
        code = read.code[:_CODE_CHARACTERS_MAX] or "GenericError"
        description = read.description[:_DESCRIPTION_CHARACTERS_MAX]
        answer = Answer(pending[1], error=code, description=description)
        self._answered(pending[0], answer, now_unix_us, step)
        failed = self._dialect.FAILURES.get(pending[1].action)
        if failed is not None:
            inbound = self._inbound_of(now_unix_us, step)
            failed(inbound, pending[1], read.code)
            self._ask_in_turn(inbound, now_unix_us, step)

    def _answered(self, message_id: str, answer: Answer, now_unix_us: int, step: Step) -> None:
        event = CommandAnswered(
            message_id,
            answer.call.action,
            answer.status,
            answer.reason_code,
            f"{answer.error}: {answer.description}" if answer.description else answer.error,
            msgspec.Raw(messages.encode(answer.payload)),
            answer.call.following,
        )
        self._note(event, now_unix_us, step)
        step.answers.append(answer)
        if self._witness is not None:
            self._witness.heard(answer, now_unix_us, step.events)

    def _note(self, event: ChargerEvent, now_unix_us: int, step: Step) -> None:
        self.state.apply(event, now_unix_us)
        step.events.append(event)
        if self._witness is not None:
            self._witness.saw(event, now_unix_us, step.events)

    # What we ask.

    def _ask_in_turn(self, inbound: Inbound, now_unix_us: int, step: Step) -> None:
        """Ask what a handler wants asked."""
        calls, inbound.calls = inbound.calls, []
        for call in calls:
            self._enqueue(call, now_unix_us, step)

    def _enqueue(self, call: Call, now_unix_us: int, step: Step) -> None:
        fault = self._unsendable(call)
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
        if len(self._waiting) >= CALLS_WAITING_MAX:
            told = f"{CALLS_WAITING_MAX} calls wait already"
            self._answered("", Answer(call, error="Timeout", description=told), now_unix_us, step)
        elif call.urgent:
            self._waiting.appendleft(call)
        else:
            self._waiting.append(call)

    def _unsendable(self, call: Call) -> str | None:
        """Why the call cannot be sent in this version, or now; None where it can."""
        if call.purpose == "hand":
            by_hand = sum(other.purpose == "hand" for other in self._waiting)
            if by_hand >= HAND_CALLS_WAITING_MAX:
                return f"{HAND_CALLS_WAITING_MAX} calls by hand wait already"
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
        event = CommandSent(
            message_id, call.action, msgspec.Raw(kept), call.purpose, call.reason, call.following
        )
        self._note(event, now_unix_us, step)
        step.frames.append(wire.write_call(message_id, call.action, payload))
        self._pending = (message_id, call, now_unix_us + int(call.timeout_s * 1e6))

    # What breaks the standard.

    def _deviates(self, action: str, deviation: Deviation, now_unix_us: int, step: Step) -> None:
        _deviate(self._inbound_of(now_unix_us, step), action, (deviation,))


def _deviate(inbound: Inbound, action: str, deviations: tuple[Deviation, ...]) -> None:
    for deviation in deviations:
        value = str(deviation.value)
        inbound.emit(DeviationSeen(action, deviation.field, deviation.rule, value))


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
