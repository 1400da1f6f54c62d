"""One step of the island machine, pure: the gateway's reading goes in, requests and events come out.

    reading -> facts -> timers -> transitions of the table until none is due -> requests

It looks at the reading anew each time, so that nothing depends on having heard of each change: a restart in the middle of
anything goes on from the phase that the journal tells and whatever the gateway says then. Requests are repeated until
feedback shows them done. The interlock that keeps both poles from being closed at once is hardware; this requests,
verifies and refuses.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from parkwatt.domain.home.event import (
    GridCondition,
    HomeEvent,
    IslandMoved,
    IslandPhase,
    TransferAsked,
    TransferRefused,
)
from parkwatt.domain.home.gateway import ApprovedTransfer
from parkwatt.home.grid_code import EnterServiceState, Qualification, qualify
from parkwatt.home.island.facts import Facts, facts_of, in_words
from parkwatt.home.island.guards import GUARDS, IslandInputs, Look
from parkwatt.home.island.requests import requests
from parkwatt.home.island.settings import IslandSettings
from parkwatt.home.island.state import APART, IslandState
from parkwatt.home.island.table import ANYWHERE, TABLE, WATCHED, Transition

_US = 1_000_000
_BY_PHASE: dict[IslandPhase, tuple[Transition, ...]] = {
    phase: tuple(row for row in TABLE if row.phase == phase)
    for phase in {row.phase for row in TABLE}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandStep:
    """What a step came to. ``events`` are in ``state`` already, and are journalled before ``requests`` are sent.

    ``grid``: whether the grid is there, by fresh feedback. ``islanded``: the home is, or is about to be, cut off from the grid:
    loads are shed then. ``feeding``: fresh feedback says that the source alone feeds the home. ``alarm``: what a person should
    know at once, "" where nothing.
    """

    state: IslandState
    requests: tuple[ApprovedTransfer, ...]
    events: tuple[HomeEvent, ...]
    grid: GridCondition
    islanded: bool
    feeding: bool
    alarm: str
    qualification: Qualification


def step(
    state: IslandState, inputs: IslandInputs, settings: IslandSettings, now_unix_us: int
) -> IslandStep:
    """Look at everything, and decide. ``state`` is left as it is."""
    state = copy.copy(state)
    facts = facts_of(inputs.reading, settings, now_unix_us)
    qualification = _tend(state, facts, inputs, settings, now_unix_us)
    look = Look(state, inputs, settings, facts, qualification, now_unix_us)
    events: list[HomeEvent] = [*_moves(look)]
    _follow_person(look)
    refusal = _refusal(look)
    events += refusal
    asked = () if settings.abilities.transfers_itself else _asked(look, events)
    return IslandStep(
        state=state,
        requests=asked,
        events=tuple(events),
        grid=facts.grid,
        islanded=state.phase in APART or (facts.known and facts.pole == "open"),
        feeding=look.lit,
        alarm=_alarm(look),
        qualification=qualification,
    )


# Timers.


def _tend(
    state: IslandState,
    facts: Facts,
    inputs: IslandInputs,
    settings: IslandSettings,
    now_unix_us: int,
) -> Qualification:
    """Run the timers on; after a pause, or a clock that was put back, from the start."""
    before = state.stepped_unix_us
    if before is None or not 0 <= now_unix_us - before <= settings.pause_s * _US:
        _forget(state, settings, now_unix_us)
    state.stepped_unix_us = now_unix_us
    was_absent, absent = state.grid == "absent", facts.grid == "absent"
    if absent or not facts.fresh:
        state.returned_unix_us = None
    elif was_absent and facts.grid == "present":
        state.returned_unix_us = now_unix_us
    if facts.grid != "unknown":
        state.grid = facts.grid
    both_closed = facts.pole == facts.source == "closed"
    wrong = bool(facts.contradiction) or both_closed
    consistent = facts.known and not wrong and not facts.gateway_fault
    off = facts.known and facts.source == "open" and facts.output_dead is not False
    source_dead = facts.known and facts.source == "closed" and facts.output_dead is True

    def run(since: int | None, runs: bool) -> int | None:
        return (now_unix_us if since is None else since) if runs else None

    state.silent_unix_us = run(state.silent_unix_us, not facts.known)
    state.absent_unix_us = run(state.absent_unix_us, absent)
    state.contradicted_unix_us = run(state.contradicted_unix_us, bool(facts.contradiction))
    state.consistent_unix_us = run(state.consistent_unix_us, consistent)
    state.dead_unix_us = run(state.dead_unix_us, off)
    state.source_dead_unix_us = run(state.source_dead_unix_us, source_dead)
    if not inputs.source_ready:
        state.unready_seen = True
    state.enter_service, qualification = _qualify(state, facts, inputs, settings, now_unix_us)
    return qualification


def _forget(state: IslandState, settings: IslandSettings, now_unix_us: int) -> None:
    """Let go of all that this run of the program has not observed."""
    state.since_unix_us = min(state.since_unix_us, now_unix_us)
    state.failed_unix_us = min(state.failed_unix_us, now_unix_us)
    if state.return_failed_unix_us is not None:
        state.return_failed_unix_us = min(state.return_failed_unix_us, now_unix_us)
    state.silent_unix_us = state.absent_unix_us = state.returned_unix_us = None
    state.contradicted_unix_us = state.consistent_unix_us = None
    state.dead_unix_us = state.source_dead_unix_us = None
    state.asked_unix_us = state.repeated_unix_us = state.energised_unix_us = None
    state.asked = ()
    state.grid, state.enter_service = "unknown", EnterServiceState()
    if state.phase in ("opening", "islanding"):
        # Its time to answer begins with this run's first request: nobody looked whether the pole or the source obeyed the last.
        state.since_unix_us = now_unix_us
    just_lit = state.phase == "islanded" and (
        now_unix_us - state.since_unix_us <= settings.backfeed_s * _US
    )
    if state.phase == "islanding" or just_lit:
        # The source may have been closed by us, unseen: a grid that is there now came back with it.
        state.energised_unix_us, state.grid = now_unix_us, "absent"


def _qualify(
    state: IslandState,
    facts: Facts,
    inputs: IslandInputs,
    settings: IslandSettings,
    now_unix_us: int,
) -> tuple[EnterServiceState, Qualification]:
    """How far the grid is on its way back. Where the gateway tells neither value, its own word stands for both."""
    reading, code = inputs.reading, settings.grid_code
    volts: tuple[float, ...] | None = None
    hertz: float | None = None
    if reading is not None and facts.fresh:
        volts, hertz = reading.grid_voltage_pu, reading.grid_frequency_hz
        if volts is None and hertz is None and reading.grid_present:
            volts, hertz = (1.0,), code.nominal_hz
    return qualify(state.enter_service, code, volts, hertz, now_unix_us)


# Transitions.


def _moves(look: Look) -> list[IslandMoved]:
    """Take transitions until none is due, or a phase would be entered twice."""
    events: list[IslandMoved] = []
    been = {look.state.phase}
    while (due := _due(look)) is not None:
        guard, to_phase, words = due
        if to_phase in been and to_phase != "fault":
            break
        been.add(to_phase)
        reading = look.inputs.reading
        reason = f"{words.format_map(look.figures())} ({in_words(reading)})"
        event = IslandMoved(look.state.phase, to_phase, guard, reason, reading)
        if guard == "test_asked":
            look.state.tested_until_unix_us = look.inputs.test_until_unix_us
        if guard == "person_island":
            look.state.person_heard = True
        look.state.moved(event, look.now_unix_us, look.settings.forget_s)
        events.append(event)
    return events


def _due(look: Look) -> tuple[str, IslandPhase, str] | None:
    phase = look.state.phase
    if look.settings.abilities.transfers_itself:
        for guard, to_phase, words in WATCHED:
            if GUARDS[guard](look):
                return None if to_phase == phase else (guard, to_phase, words)
        return None
    if phase != "fault":
        for guard, words in ANYWHERE:
            if GUARDS[guard](look):
                return guard, "fault", words
    for row in _BY_PHASE[phase]:
        if GUARDS[row.guard](look):
            return row.guard, row.to_phase, row.words
    return None


# Requests, refusals, alarms.


def _asked(look: Look, events: list[HomeEvent]) -> tuple[ApprovedTransfer, ...]:
    """What to ask for now; what goes on being asked is repeated, and journalled only when it is new."""
    state = look.state
    wanted = requests(look)
    names = tuple(request.action for request in wanted)
    if not wanted:
        state.asked = ()
        return ()
    new = names != state.asked
    if not new and not look.lasts(state.repeated_unix_us, look.settings.repeat_s):
        return ()
    events += [TransferAsked(w.action, w.reason) for w in wanted if w.action not in state.asked]
    state.asked, state.repeated_unix_us = names, look.now_unix_us
    if state.asked_unix_us is None:
        state.asked_unix_us = look.now_unix_us
    if (
        "close_island_source" in names
        and state.energised_unix_us is None
        and state.phase == "islanding"
    ):
        state.energised_unix_us = look.now_unix_us
    return wanted


def _follow_person(look: Look) -> None:
    if look.inputs.person_asks != "island":
        look.state.person_heard = False


def _refusal(look: Look) -> list[HomeEvent]:
    """What somebody wants and cannot have now; told once in each phase."""
    action, reason = _refused(look)
    key = f"{action} in {look.state.phase}" if action else ""
    told, look.state.refused = look.state.refused, key
    return [TransferRefused(action, reason)] if key and key != told else []


def _refused(look: Look) -> tuple[str, str]:
    phase, inputs = look.state.phase, look.inputs
    asks = inputs.person_asks
    if asks != "none" and look.settings.abilities.transfers_itself:
        return asks, "the switch transfers of its own: Parkwatt only watches it"
    if asks == "island" and phase not in APART:
        if phase == "fault":
            return asks, f"feedback is not to be trusted: {look.state.reason}"
        if not inputs.source_ready:
            return asks, "the island's source is not ready"
        if not look.facts.known:
            return asks, look.facts.missing
    if asks == "island" and phase == "restart_wait" and not inputs.source_ready:
        return asks, "the island's source is not ready"
    if asks == "grid" and phase in APART | {"fault"} and phase != "transferring_back":
        return asks, f"the grid is not ready for the home: {look.qualification.reason}"
    if look.test_runs and phase == "grid" and look.state.tested_until_unix_us is None:
        if not inputs.source_ready:
            return "test", "the island's source is not ready"
        if not look.qualification.qualified:
            return "test", f"the grid would not take the home back: {look.qualification.reason}"
    return "", ""


def _alarm(look: Look) -> str:
    state = look.state
    if state.phase == "fault":
        return state.reason
    if look.distrusted:
        return (
            "The island's source stays open: twice the grid seemed to come back just when it was closed. "
            "Have the grid pole checked, then ask for the island by hand."
        )
    if state.return_failed_unix_us is not None:
        return "The home could not be connected to the grid again: the grid pole did not close."
    if state.phase == "restart_wait":
        return f"The home is without power: {state.reason}"
    return ""
