"""The requests of a charger on their way: one CALL at a time, and a queue that outlives the link.

Messages about transactions are durable: they stay, in order, until they are answered, and are sent again after a
time without an answer or an error, at most ``attempts_max`` times. A message whose answer was lost with the link is
sent again as it was (or with a new id). All others are dropped when the link goes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from parkwatt.io.sim.frames import Payload

Answered = Callable[[Payload | None], None]


@dataclass(slots=True)
class Outgoing:
    """A request. ``payload`` may be made when it is sent, since 1.6 learns a transaction's id late.

    ``answered`` gets the answer, or None where there was an error or none will come.
    """

    action: str
    payload: Payload | Callable[[], Payload]
    message_id: str
    is_durable: bool = False
    is_boot: bool = False
    answered: Answered | None = None
    truth: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    not_before_us: int = 0


class Outbox:
    """The queue of one charger; times are µs of the charger's simulated time."""

    def __init__(
        self, random: Random, *, patience_us: int, retry_us: int, attempts_max: int, new_id: bool
    ) -> None:
        self.patience_us = patience_us
        self.retry_us = retry_us
        self.attempts_max = attempts_max
        self._new_id = new_id
        self._random = random
        self._queue: deque[Outgoing] = deque()
        self.in_flight: Outgoing | None = None
        self._sent_us = 0

    def new_id(self) -> str:
        """A message id, unique for all practical purposes."""
        return f"{self._random.getrandbits(128):032x}"

    def add(self, message: Outgoing) -> None:
        """Put a request at the end of the queue; a boot notification goes first."""
        if message.is_boot:
            self._queue.appendleft(message)
        else:
            self._queue.append(message)

    @property
    def durable_count(self) -> int:
        """Messages about transactions that wait for an answer or to be sent."""
        waiting = sum(message.is_durable for message in self._queue)
        return waiting + (self.in_flight is not None and self.in_flight.is_durable)

    def next_call(self, now_us: int, *, may_send_all: bool) -> Outgoing | None:
        """The request to send now, then in flight; None where there is none or one is still unanswered."""
        if self.in_flight is not None:
            return None
        is_blocked = False
        for message in self._queue:
            if not may_send_all and not message.is_boot:
                continue
            if message.is_durable and is_blocked:
                continue
            if message.not_before_us > now_us:
                is_blocked = is_blocked or message.is_durable
                continue
            self._queue.remove(message)
            message.attempts += 1
            self.in_flight = message
            self._sent_us = now_us
            return message
        return None

    def take(self, message_id: str) -> Outgoing | None:
        """The request in flight if it has that id: its answer is here."""
        message = self.in_flight
        if message is None or message.message_id != message_id:
            return None
        self.in_flight = None
        return message

    def failed(self, message: Outgoing, now_us: int) -> bool:
        """No answer, or an error: a durable message waits for its next attempt; whether it was given up."""
        if message.is_durable and message.attempts < self.attempts_max:
            # Transaction messages wait longer after each attempt (OCPP 1.6, 3.7.1; 2.x, E13).
            message.not_before_us = now_us + self.retry_us * message.attempts
            self._again(message)
            return False
        return True

    def overdue(self, now_us: int) -> Outgoing | None:
        """The request in flight if its answer is too late; it is in flight no more."""
        message = self.in_flight
        if message is None or now_us < self._sent_us + self.patience_us:
            return None
        self.in_flight = None
        return message

    def disconnected(self) -> list[Outgoing]:
        """The link is lost: durable messages stay, the others are returned as dropped."""
        message, self.in_flight = self.in_flight, None
        if message is not None:
            message.attempts -= 1
            message.not_before_us = 0
            self._again(message)
        dropped = [m for m in self._queue if not m.is_durable]
        self._queue = deque(m for m in self._queue if m.is_durable)
        return dropped

    def hold(self, until_us: int) -> None:
        """Let the durable messages wait until a time."""
        for message in self._queue:
            if message.is_durable:
                message.not_before_us = max(message.not_before_us, until_us)

    def shuffle(self) -> None:
        """Bring the durable messages out of order."""
        messages = list(self._queue)
        self._random.shuffle(messages)
        self._queue = deque(messages)

    def next_due_us(self, now_us: int) -> int | None:
        """When something is due: a time-out, or a message that may go then."""
        if self.in_flight is not None:
            return self._sent_us + self.patience_us
        waits = [m.not_before_us for m in self._queue if m.not_before_us > now_us]
        return min(waits, default=None)

    def _again(self, message: Outgoing) -> None:
        if self._new_id:
            message.message_id = self.new_id()
        self._queue.appendleft(message)
