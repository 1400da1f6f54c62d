"""The conversation of a charger with its back end, without I/O: boot, requests one at a time, answers, and their faults.

`VirtualStation` builds on it. A request of the back end goes to the handler of its action; what has no handler is answered
with NotImplemented, what breaks its schema with the RPC error of the version.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.frames import (
    Frame,
    Payload,
    PayloadError,
    call_text,
    check_payload,
    error_text,
    result_text,
)
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.outbox import Answered, Outbox, Outgoing
from parkwatt.io.sim.profiles import SECOND_US, time_text
from parkwatt.io.sim.settings import StationSettings

Handler = Callable[[Any, Payload], Payload]


class RefusedError(Exception):
    """A request that is answered with a CALLERROR of that code."""

    def __init__(self, code: str, description: str) -> None:
        self.code = code
        super().__init__(description)


class Conversation(ABC):
    """What goes over the wire, and whether the back end has accepted the station."""

    format_error = "FormatViolation"
    not_accepted_error = "SecurityError"

    def __init__(
        self, settings: StationSettings, now_unix_us: int, handlers: Mapping[str, Handler]
    ) -> None:
        self.settings = settings
        self.random = Random(settings.seed)  # noqa: S311 a simulation must be repeatable
        self.faults = Faults()
        factor = settings.link_time_factor
        self.outbox = Outbox(
            self.random,
            patience_us=round(settings.call_timeout_s * factor * SECOND_US),
            retry_us=round(settings.retry_interval_s * factor * SECOND_US),
            attempts_max=settings.retry_attempts,
            new_id=settings.retry_with_new_id,
        )
        self.now_us = now_unix_us
        self.registration: str | None = None
        self.is_connected = False
        self.heartbeat_s = 300
        self.boot_reason = "PowerUp"
        self._handlers = handlers
        self._notes: deque[Note] = deque(maxlen=100_000)
        self._out: list[str] = []
        self._late_answers: list[tuple[int, str]] = []
        self._booted_us = now_unix_us
        self._offline_since_us: int | None = now_unix_us
        self._heartbeat_us = 0
        self._boot_due_us: int | None = None

    @property
    def is_online(self) -> bool:
        """Connected and accepted."""
        return self.is_connected and self.registration == "Accepted"

    def take_notes(self) -> list[Note]:
        """What happened since the last call."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def clock(self) -> str:
        """The station's own time, as it writes it, with its faults."""
        at_us = self.now_us + round(self.faults.clock_skew_s * SECOND_US)
        if self.faults.clock_1970 and self.registration != "Accepted":
            at_us = max(self.now_us - self._booted_us, 0)
        return time_text(at_us)

    def note(self, kind: str, text: str, **data: Any) -> None:
        """Tell what happened."""
        self._notes.append(Note(self.now_us, self.settings.id, kind, text, data))

    def call(
        self,
        action: str,
        payload: Payload | Callable[[], Payload],
        answered: Answered | None = None,
        *,
        truth: dict[str, Any] | None = None,
        is_boot: bool = False,
    ) -> None:
        """Queue a request; with ``truth`` it is about a transaction, and durable."""
        if truth is None and not self.is_connected:
            if answered is not None:
                answered(None)
            return
        self.outbox.add(
            Outgoing(
                action,
                payload,
                self.outbox.new_id(),
                is_durable=truth is not None,
                is_boot=is_boot,
                answered=answered,
                truth=truth or {},
            )
        )

    def push(self, frame: str) -> None:
        """Send a frame that is no CALL."""
        if self.is_connected:
            self._out.append(frame)

    def set_heartbeat(self, interval_s: int) -> None:
        """Send a heartbeat so often from now on."""
        self.heartbeat_s = max(interval_s, 1)
        self._heartbeat_us = self.now_us + self.heartbeat_s * SECOND_US

    def boot(self) -> None:
        """Send a BootNotification."""
        self._boot_due_us = None
        self.call("BootNotification", self.boot_payload(), self._boot_answered, is_boot=True)

    @abstractmethod
    def boot_payload(self) -> Payload:
        """The BootNotification."""

    @abstractmethod
    def accepted(self) -> None:
        """The boot was accepted just now."""

    def _boot_answered(self, answer: Payload | None) -> None:
        status = "Rejected" if answer is None else str(answer.get("status"))
        interval_s = 0 if answer is None else int(answer.get("interval") or 0)
        self.note("boot", f"boot: {status if answer is not None else 'no answer'}")
        if status != "Accepted":
            self.registration = status
            wait_s = interval_s or 10 * self.settings.link_time_factor
            self._boot_due_us = self.now_us + round(wait_s * SECOND_US)
            return
        self.registration = status
        self._offline_since_us = None
        self.heartbeat_s = interval_s or self.heartbeat_s
        self._heartbeat_us = self.now_us + self.heartbeat_s * SECOND_US
        self.accepted()

    def _answer(self, frame: Frame) -> None:
        """Answer a request from the back end."""
        action = frame.name
        self.note("received", f"asked: {action}", payload=frame.payload)
        if self.faults.mute:
            return
        try:
            answer = self._answer_to(action, frame.payload)
            text = result_text(frame.message_id, answer)
        except (RefusedError, PayloadError) as error:
            text = error_text(frame.message_id, error.code, str(error))
            self.note("refused", f"refused {action}: {error.code} {error}")
        if self.faults.answer_delay_s:
            due_us = self.now_us + round(self.faults.answer_delay_s * SECOND_US)
            self._late_answers.append((due_us, text))
        else:
            self._out.append(text)

    def _answer_to(self, action: str, payload: Payload) -> Payload:
        handler = self._handlers.get(action)
        if handler is None or self.faults.refuses(action):
            raise RefusedError("NotImplemented", f"{action} is not implemented")
        check_payload(self.settings.protocol, action, payload)
        if self.registration not in ("Accepted", "Pending"):
            raise RefusedError(self.not_accepted_error, "not accepted by the back end yet")
        answer = handler(self, payload)
        status = answer.get("status")
        reason = (answer.get("statusInfo") or {}).get("reasonCode")
        told = " ".join(str(part) for part in (status, reason) if part is not None)
        self.note("answered", f"answered {action}: {told or 'done'}", payload=answer)
        return answer

    def _take_answer(self, frame: Frame) -> None:
        message = self.outbox.take(frame.message_id)
        if message is None:
            return
        if frame.kind == 4:
            self._give_up_or_retry(message, f"{frame.name} {frame.payload.get('description', '')}")
            return
        if message.is_durable:
            self.note(
                "acknowledged",
                f"{message.action} was acknowledged",
                message_id=message.message_id,
                action=message.action,
                **message.truth,
            )
        if message.answered is not None:
            message.answered(frame.payload)

    def _give_up_or_retry(self, message: Outgoing, why: str) -> None:
        self.note("failed", f"{message.action}: {why}")
        if self.outbox.failed(message, self.now_us):
            if message.is_durable:
                self.note(
                    "dropped",
                    f"{message.action} was given up",
                    message_id=message.message_id,
                    action=message.action,
                    **message.truth,
                )
            if message.answered is not None:
                message.answered(None)

    def _frames(self) -> list[str]:
        """What goes out now: answers first, then the next request."""
        if not self.is_connected:
            return []
        ready = [text for at_us, text in self._late_answers if at_us <= self.now_us]
        self._late_answers = [late for late in self._late_answers if late[0] > self.now_us]
        frames = self._out + ready
        self._out = []
        message = self.outbox.next_call(self.now_us, may_send_all=self.registration == "Accepted")
        if message is not None:
            payload = message.payload() if callable(message.payload) else message.payload
            frames.append(call_text(message.message_id, message.action, payload))
            told = {"message_id": message.message_id, "action": message.action, **message.truth}
            kind = "sent" if message.is_durable else "told"
            self.note(kind, f"sent {message.action}", **told)
        return self._spoiled(frames)

    def _spoiled(self, frames: list[str]) -> list[str]:
        if not self.faults.duplicate and not self.faults.malformed:
            return frames
        spoiled: list[str] = []
        for frame in frames:
            broken = self.faults.malformed and self.random.random() < self.faults.malformed
            spoiled.append(frame[: max(len(frame) // 2, 1)] if broken else frame)
            if self.faults.duplicate and self.random.random() < self.faults.duplicate:
                spoiled.append(frame)
        return spoiled
