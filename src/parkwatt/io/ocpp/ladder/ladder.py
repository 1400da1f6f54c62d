"""The ladder: drives each connection point of a charger on the highest rung that it proves.

Pure: what happens comes in as calls with the time, what is decided goes out as a `LadderStep`. For each connection point:

1. A safe default is installed (`safe_default`), once the charger is ready.
2. A set-point that is asked for is sent on the highest rung offered and trusted (`offered`, `drive`), for as long as its lease.
3. The first set-point of each direction is checked (`check`, `watch`): the answer, the composite schedule, the meter.
4. What a grid code asks of the return to the grid is written and read back (`enter_service`), for the whole charger.
5. What is refused, ignored or opposed goes down a rung, and the next one is tried at once (`answers`, `demote`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.charger.event import (
    ChargerEvent,
    ClockTicked,
    RungForgotten,
    SetpointAsked,
    SetpointReleased,
)
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.ladder import answers, enter_service, events, safe_default, watch
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.drive import clear, drive, renew_unix_us, settle
from parkwatt.io.ocpp.ladder.memory import EvseMemory, LadderState, forget_proofs
from parkwatt.io.ocpp.ladder.offered import Offer
from parkwatt.io.ocpp.ladder.rate import wire_rate
from parkwatt.io.ocpp.ladder.turn import LadderStep, Turn, profile_id
from parkwatt.io.ocpp.session.settings import ChargerSettings

_POINTS_MAX = 20
# What could not be done when it was due is not tried again sooner.
_TICK_US = 100_000


class Ladder:
    """One charger's ladder. ``memory`` is all it knows; `export` and `restore` carry it over a restart."""

    def __init__(self, settings: ChargerSettings) -> None:
        self.settings = settings
        self.memory = LadderState()
        self.next_tick_unix_us: int | None = None
        self._offers: dict[int, Offer] = {}

    def export(self) -> bytes:
        """What the ladder knows, as JSON."""
        return msgspec.json.encode(self.memory)

    def restore(self, payload: bytes) -> None:
        """Take over what `export` gave. Raises msgspec.ValidationError where it is something else."""
        self.memory = msgspec.json.decode(payload, type=LadderState)
        self.next_tick_unix_us = 0 if self.memory.evses else None
        self._offers.clear()

    def ask(self, state: ChargerState, command: SetPower, now_unix_us: int) -> LadderStep:
        """Hold a power. Without a transaction it is kept, and sent when one begins within the lease.

        Raises InputError where the command itself cannot be meant.
        """
        faults = list(_faults(command))
        if faults:
            raise InputError(faults)
        turn = Turn(self.settings, self.memory, state, now_unix_us, self._offers, asked=True)
        evse = self.memory.evse(command.evse_id)
        command = _shortened(command, evse)
        turn.emit(SetpointAsked(command))
        evse.wanted = command
        evse.lease_ends_unix_us = now_unix_us + command.lease_s * SECOND_US
        safe_default.install(turn)
        drive(turn, evse)
        return self._end(turn)

    def release(self, state: ChargerState, command: ReleasePower, now_unix_us: int) -> LadderStep:
        """End what was asked for: the charger's default holds."""
        turn = self._turn(state, now_unix_us)
        evse = self.memory.evse(command.evse_id)
        if evse.wanted is not None:
            _release(turn, evse, command.reason, lapsed=False)
        return self._end(turn)

    def observe(self, state: ChargerState, event: ChargerEvent, now_unix_us: int) -> LadderStep:
        """Take in what happened, also from the journal after a restart. ``state`` holds the event already."""
        if self.memory.ready and not self.memory.evses and type(event) in events.REPORTS:
            self._offers.clear()
            self.next_tick_unix_us = self.memory.enter_service.due_unix_us
            return LadderStep()  # nothing is driven here and nothing awaited
        turn = self._turn(state, now_unix_us)
        if not events.take_in(turn, event):
            return turn.step
        return self._end(turn)

    def answered(self, state: ChargerState, answer: Answer, now_unix_us: int) -> LadderStep:
        """Take in the answer to a call; answers to the calls of others are no matter here."""
        turn = self._turn(state, now_unix_us)
        parts = answer.call.tag.split(":")
        if answer.call.purpose == "grid_code":
            enter_service.answered(turn, answer)
            return self._end(turn)
        if len(parts) != 3 or answer.call.purpose not in {"setpoint", "check", "default"}:
            return turn.step
        evse_id, kind, serial = parts
        if kind == "default":
            if safe_default.answered(turn, answer):
                self._drive_all(turn)
            return self._end(turn)
        evse = self.memory.evses.get(int(evse_id))
        if evse is None or str(evse.serial) != serial:
            return turn.step
        if kind in {"set", "update"}:
            answers.setpoint_answered(turn, evse, kind, answer)
        elif kind == "schedule":
            answers.schedule_answered(turn, evse, answer)
        elif kind == "trigger":
            answers.trigger_answered(turn, evse, answer)
        return self._end(turn)

    def tick(self, state: ChargerState, now_unix_us: int) -> LadderStep:
        """Let time pass. Where something is decided, `ClockTicked` comes first, so that a replay decides the same."""
        if self.next_tick_unix_us is None or now_unix_us < self.next_tick_unix_us:
            return LadderStep()
        turn = self._turn(state, now_unix_us)
        ready = events.ready_in_time(turn)
        enter_service.tick(turn)
        for evse in list(self.memory.evses.values()):
            if evse.wanted is not None and now_unix_us >= evse.lease_ends_unix_us:
                reason = f"nobody renewed it within {evse.wanted.lease_s} s"
                _release(turn, evse, reason, lapsed=True)
            drive(turn, evse)
            watch.tick(turn, evse)
        step = self._end(turn)
        if ready or step.events or step.calls:
            step.events.insert(0, ClockTicked())
        return step

    def forget(self, state: ChargerState, evse_id: int, now_unix_us: int) -> LadderStep:
        """Let a connection point prove anew what it can."""
        turn = self._turn(state, now_unix_us)
        turn.emit(RungForgotten(evse_id))
        evse = self.memory.evse(evse_id)
        forget_proofs(evse)
        evse.sent = evse.check = None
        settle(turn, evse, "what it had shown was forgotten by hand")
        drive(turn, evse)
        return self._end(turn)

    def dynamic_update(
        self, state: ChargerState, profile: int, now_unix_us: int
    ) -> dict[str, Any] | None:
        """The answer's `scheduleUpdate` when a charger pulls its dynamic profile; None where there is nothing to hold."""
        for evse in self.memory.evses.values():
            sent = evse.sent
            if sent is None or not sent.dynamic or profile_id(evse.evse_id) != profile:
                continue
            runs = state.open_transaction(evse.evse_id) is not None
            if runs and evse.wanted is not None and now_unix_us < evse.lease_ends_unix_us:
                return {"setpoint": wire_rate(sent.power_kw, sent.form.rate_unit, self.settings)}
        return None

    def _turn(self, state: ChargerState, now_unix_us: int) -> Turn:
        return Turn(self.settings, self.memory, state, now_unix_us, self._offers)

    def _drive_all(self, turn: Turn) -> None:
        for evse in list(self.memory.evses.values()):
            drive(turn, evse)

    def _end(self, turn: Turn) -> LadderStep:
        times: list[int] = []
        if not self.memory.ready and self.memory.ready_unix_us is not None:
            times.append(self.memory.ready_unix_us)
        if self.memory.enter_service.due_unix_us is not None:
            times.append(self.memory.enter_service.due_unix_us)
        for evse in self.memory.evses.values():
            if evse.wanted is not None or evse.sent is not None:
                times += _wakes(turn, evse)
        soonest_unix_us = turn.now_unix_us + _TICK_US
        self.next_tick_unix_us = max(min(times), soonest_unix_us) if times else None
        return turn.step


def _wakes(turn: Turn, evse: EvseMemory) -> Iterator[int]:
    if evse.wanted is not None:
        yield evse.lease_ends_unix_us
        if evse.held_unix_us:
            yield evse.held_unix_us
    if evse.sent is not None:
        renew = renew_unix_us(evse, asked=False)
        if renew is not None:
            yield renew
        wake = watch.wake_unix_us(turn, evse)
        if wake is not None:
            yield wake


def _release(turn: Turn, evse: EvseMemory, reason: str, *, lapsed: bool) -> None:
    evse.wanted = None
    turn.emit(SetpointReleased(evse.evse_id, reason, lapsed))
    clear(turn, evse, reason)


def _shortened(command: SetPower, evse: EvseMemory) -> SetPower:
    """As it is written down: what follows the meter does not say again why."""
    if command.following and command.reason in {"", evse.reason}:
        return msgspec.structs.replace(command, reason="")
    evse.reason = command.reason
    return command


def _faults(command: SetPower) -> Iterator[InputFault]:
    if command.evse_id < 1:
        yield InputFault("evse_id", "must be 1 or more", command.evse_id)
    if not math.isfinite(command.power_kw):
        yield InputFault("power_kw", "must be a finite number", command.power_kw)
    if command.lease_s < 1:
        yield InputFault("lease_s", "must be 1 or more", command.lease_s)
    curve = command.frequency_curve
    if curve is None:
        return
    hz, kw = curve.frequency_hz, curve.power_kw
    if not 2 <= len(hz) <= _POINTS_MAX or len(hz) != len(kw):
        rule = f"must have 2 to {_POINTS_MAX} points, a power for each frequency"
        yield InputFault("frequency_curve", rule, len(hz))
    if any(not math.isfinite(value) for value in (*hz, *kw)):
        yield InputFault("frequency_curve", "must hold finite numbers")
    if any(left >= right for left, right in pairwise(hz)):
        yield InputFault("frequency_curve.frequency_hz", "must rise from point to point")
