"""The fold of one charger's journal: the same events give the same state and the same ladder, live, restored and replayed.

What came in (reports, answers, wishes, the clock where it mattered) is shown to the ladder as `Station` showed it then. What
was decided is compared with what the ladder decides now. Where the two differ (the program or its settings have changed since)
the record stands, for that is what the charger was told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from parkwatt.domain.charger.command import ReleasePower
from parkwatt.domain.charger.event import (
    ChargerEvent,
    ClockTicked,
    CommandAnswered,
    CommandSent,
    Disconnected,
    EnterServiceJudged,
    RungChanged,
    RungForgotten,
    SetpointAsked,
    SetpointJudged,
    SetpointReleased,
)
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.ladder import Ladder, LadderStep

LADDERS_PURPOSES = frozenset({"setpoint", "default", "check", "grid_code"})
# More decisions than that, announced and never recorded, are no longer looked for.
_EXPECTED_MAX = 64


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision. ``same``: it is taken now too; ``instead``: what is, None for nothing."""

    same: bool
    instead: ChargerEvent | None = None


class Fold:
    """A charger as it was. ``calls``: what its ladder asked for and was not sent; ``pending``: what was, by its message id."""

    def __init__(
        self,
        state: ChargerState,
        ladder: Ladder,
        calls: Iterable[Call] = (),
        pending: tuple[str, Call] | None = None,
    ) -> None:
        self.state = state
        self.ladder = ladder
        self._calls = list(calls)
        self._pending = pending
        self._expected: list[ChargerEvent] = []

    def take(self, event: ChargerEvent, now_unix_us: int) -> Decision | None:
        """Take in the next event, received at ``now_unix_us``; None where it is none of the ladder's decisions."""
        kind = type(event)
        if kind is CommandSent and event.purpose in LADDERS_PURPOSES:  # type: ignore[union-attr]
            return self._sent(event, now_unix_us)  # type: ignore[arg-type]
        if _is_decision(event):
            return self._decided(event, now_unix_us)
        self._happened(event, now_unix_us)
        return None

    def _happened(self, event: ChargerEvent, now_unix_us: int) -> None:
        """What came in."""
        ladder, state = self.ladder, self.state
        if isinstance(event, SetpointAsked):
            self._announced(ladder.ask(state, event.command, now_unix_us))
        elif isinstance(event, SetpointReleased):
            command = ReleasePower(event.evse_id, event.reason)
            self._announced(ladder.release(state, command, now_unix_us))
        elif isinstance(event, RungForgotten):
            self._announced(ladder.forget(state, event.evse_id, now_unix_us))
        elif isinstance(event, ClockTicked):
            self._announced(ladder.tick(state, now_unix_us))
        else:
            state.apply(event, now_unix_us)
            self._announced(ladder.observe(state, event, now_unix_us))
            if isinstance(event, CommandAnswered):
                self._answered(event, now_unix_us)
            elif isinstance(event, Disconnected):
                self._calls.clear()
                self._pending = None

    def _announced(self, step: LadderStep) -> None:
        """Remember what the ladder decides, to be found in the journal next."""
        if step.events:
            self._expected += [event for event in step.events if _is_decision(event)]
            del self._expected[:-_EXPECTED_MAX]
        if step.calls:
            keys = {call.key for call in step.calls if call.key is not None}
            self._calls = [call for call in self._calls if call.key not in keys] + step.calls
            del self._calls[:-_EXPECTED_MAX]

    def _decided(self, event: ChargerEvent, now_unix_us: int) -> Decision:
        """A recorded decision against what the ladder announced."""
        if event in self._expected:
            del self._expected[: self._expected.index(event) + 1]
            self.state.apply(event, now_unix_us)
            return Decision(same=True)
        instead = next((other for other in self._expected if type(other) is type(event)), None)
        if instead is not None:
            self._expected.remove(instead)
        self.state.apply(event, now_unix_us)
        self._announced(self.ladder.observe(self.state, event, now_unix_us))
        return Decision(same=False, instead=instead)

    def _sent(self, event: CommandSent, now_unix_us: int) -> Decision:
        """A command that went out: was one like it announced?"""
        self.state.apply(event, now_unix_us)
        self._announced(self.ladder.observe(self.state, event, now_unix_us))
        payload = msgspec.json.decode(event.payload)
        alike = [call for call in self._calls if call.action == event.action]
        for call in alike:
            if _plain(call.payload) == payload:
                self._calls.remove(call)
                self._pending = (event.message_id, call)
                return Decision(same=True)
        if not alike:
            return Decision(same=False)
        call = alike[0]
        self._calls.remove(call)
        self._pending = (event.message_id, call)
        raw = msgspec.Raw(msgspec.json.encode(call.payload))
        instead = CommandSent("", call.action, raw, call.purpose, call.reason)
        return Decision(same=False, instead=instead)

    def _answered(self, event: CommandAnswered, now_unix_us: int) -> None:
        """Show the ladder the answer to its call; one that was never sent is found by its action."""
        call = None
        if event.message_id:
            if self._pending is not None and self._pending[0] == event.message_id:
                call, self._pending = self._pending[1], None
        else:
            call = next((one for one in self._calls if one.action == event.action), None)
            if call is not None:
                self._calls.remove(call)
        if call is not None:
            answer = _answer(call, event)
            self._announced(self.ladder.answered(self.state, answer, now_unix_us))


def _is_decision(event: ChargerEvent) -> bool:
    """Whether the ladder decided it. A set-point that did not lapse was released from outside."""
    kind = type(event)
    if kind is SetpointReleased:
        return event.lapsed  # type: ignore[union-attr]
    return kind in {SetpointJudged, RungChanged, EnterServiceJudged}


def _answer(call: Call, event: CommandAnswered) -> Answer:
    error, _, description = event.error.partition(": ")
    payload = msgspec.json.decode(event.payload, type=dict[str, Any])
    return Answer(call, event.status, event.reason_code, error, description, payload)


def _plain(payload: object) -> object:
    """The payload as it reads once it has been JSON."""
    return msgspec.json.decode(msgspec.json.encode(payload))
