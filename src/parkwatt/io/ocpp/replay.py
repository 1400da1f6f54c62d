"""Runs the decisions of a journal again: the same ladder over the same events must decide the same.

What came in (reports, answers, wishes, the clock where it mattered) is fed to a fresh state and ladder. What was decided
(commands, verdicts, rungs) is not fed but compared, in order. A difference means that the program decides otherwise today than it did
then, which is how a change of a rule is tried on the past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.command import ReleasePower
from parkwatt.domain.charger.event import (
    ChargerEvent,
    ClockTicked,
    CommandAnswered,
    CommandSent,
    RungChanged,
    SetpointAsked,
    SetpointJudged,
    SetpointReleased,
)
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import Entry
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.ladder import Ladder, LadderStep
from parkwatt.io.ocpp.session.settings import ChargerSettings

_LADDERS_PURPOSES = frozenset({"setpoint", "default", "check"})
# More decisions than that, announced and never recorded, are no longer looked for.
_EXPECTED_MAX = 64


@dataclass(frozen=True, slots=True)
class Replayed:
    """One entry, run again. ``decision``: it was decided, not reported; ``same``: None for what is no decision.

    ``instead``: what is decided today where that differs, None for nothing.
    """

    entry: Entry
    event: ChargerEvent
    decision: bool
    same: bool | None = None
    instead: ChargerEvent | None = None


@dataclass(slots=True)
class _Twin:
    """A charger as it was, and what its ladder announced but the journal has not shown yet."""

    state: ChargerState
    ladder: Ladder
    expected: list[ChargerEvent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    sent: dict[str, Call] = field(default_factory=dict)


class Replay:
    """Feed it the journal's entries in order, from the first one on."""

    def __init__(self, settings_of: Callable[[str], ChargerSettings]) -> None:
        self._settings_of = settings_of
        self._twins: dict[str, _Twin] = {}

    def take(self, entry: Entry) -> Replayed | None:
        """Run an entry; None where it is no charger's or was thinned out."""
        if entry.payload is None or entry.kind not in events.KINDS:
            return None
        event = events.decode(entry.payload)
        twin = self._twins.get(entry.subject)
        if twin is None:
            settings = self._settings_of(entry.subject)
            twin = self._twins[entry.subject] = _Twin(ChargerState(entry.subject), Ladder(settings))
        if isinstance(event, CommandSent) and event.purpose in _LADDERS_PURPOSES:
            return self._sent(twin, entry, event)
        if isinstance(event, SetpointJudged | RungChanged) or (
            isinstance(event, SetpointReleased) and _expects(twin, event)
        ):
            return _compare(twin, entry, event)
        self._happened(twin, event, entry.recorded_unix_us)
        return Replayed(entry, event, decision=False)

    def _happened(self, twin: _Twin, event: ChargerEvent, now_unix_us: int) -> None:
        """Feed what came in."""
        twin.state.apply(event, now_unix_us)
        ladder, state = twin.ladder, twin.state
        if isinstance(event, ClockTicked):
            self._announce(twin, ladder.tick(state, now_unix_us))
        elif isinstance(event, SetpointAsked):
            self._announce(twin, ladder.ask(state, event.command, now_unix_us))
        elif isinstance(event, SetpointReleased):
            command = ReleasePower(event.evse_id, event.reason)
            self._announce(twin, ladder.release(state, command, now_unix_us))
        else:
            self._announce(twin, ladder.observe(state, event, now_unix_us))
        if isinstance(event, CommandAnswered):
            call = _answered_call(twin, event)
            if call is not None:
                answer = _answer(call, event)
                self._announce(twin, ladder.answered(state, answer, now_unix_us))

    def _announce(self, twin: _Twin, step: LadderStep) -> None:
        """Remember what the ladder decides, to be found in the journal next."""
        twin.expected += [
            event for event in step.events if not isinstance(event, ClockTicked | SetpointAsked)
        ]
        twin.calls += step.calls
        del twin.expected[:-_EXPECTED_MAX]
        del twin.calls[:-_EXPECTED_MAX]

    def _sent(self, twin: _Twin, entry: Entry, event: CommandSent) -> Replayed:
        """A command that went out: was one like it announced?"""
        twin.state.apply(event, entry.recorded_unix_us)
        payload = msgspec.json.decode(bytes(event.payload))
        for place, call in enumerate(twin.calls):
            if call.action == event.action and _plain(call.payload) == payload:
                del twin.calls[: place + 1]
                twin.sent[event.message_id] = call
                self._announce(twin, twin.ladder.observe(twin.state, event, entry.recorded_unix_us))
                return Replayed(entry, event, decision=True, same=True)
        instead = next((call for call in twin.calls if call.action == event.action), None)
        told = None
        if instead is not None:
            twin.calls.remove(instead)
            twin.sent[event.message_id] = instead
            raw = msgspec.Raw(msgspec.json.encode(instead.payload))
            told = CommandSent("", instead.action, raw, instead.purpose, instead.reason)
        return Replayed(entry, event, decision=True, same=False, instead=told)


def _expects(twin: _Twin, event: SetpointReleased) -> bool:
    return event.lapsed or event in twin.expected


def _compare(twin: _Twin, entry: Entry, event: ChargerEvent) -> Replayed:
    """A recorded decision against what the ladder announced; the state follows what is decided today."""
    if event in twin.expected:
        del twin.expected[: twin.expected.index(event) + 1]
        twin.state.apply(event, entry.recorded_unix_us)
        return Replayed(entry, event, decision=True, same=True)
    instead = next((other for other in twin.expected if type(other) is type(event)), None)
    if instead is not None:
        twin.expected.remove(instead)
        twin.state.apply(instead, entry.recorded_unix_us)
    return Replayed(entry, event, decision=True, same=False, instead=instead)


def _answered_call(twin: _Twin, event: CommandAnswered) -> Call | None:
    """The ladder's call that was answered; one that was never sent is found by its action."""
    if event.message_id:
        return twin.sent.pop(event.message_id, None)
    for call in twin.calls:
        if call.action == event.action:
            twin.calls.remove(call)
            return call
    return None


def _answer(call: Call, event: CommandAnswered) -> Answer:
    error, _, description = event.error.partition(": ")
    return Answer(
        call,
        event.status,
        event.reason_code,
        error,
        description,
        msgspec.json.decode(bytes(event.payload), type=dict[str, Any]),
    )


def _plain(payload: object) -> object:
    """The payload as it reads once it has been JSON."""
    return msgspec.json.decode(msgspec.json.encode(payload))
