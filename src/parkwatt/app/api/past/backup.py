"""A home's backup as it was, folded from the journal.

Phases, what was switched and chosen, what was announced and kept are as they were. What circuits drew is known by the hour, how
long the house would have lasted by the forecast that was written down last.
"""

from __future__ import annotations

from typing import Final

import msgspec

from parkwatt.app.api.backup_views import BackupView, RuntimeView, backup_view
from parkwatt.app.api.live import LiveSnapshot
from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.past.journal import HOUR_US, MINUTE_US, US, PastJournal
from parkwatt.app.api.views import moment
from parkwatt.domain.home import event as home_event
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.event import (
    BackupForecast,
    CircuitHour,
    GridCondition,
    HomeEvent,
    HomeSnapshot,
    IslandPhase,
)
from parkwatt.domain.journal import Entry, JournalDamaged
from parkwatt.domain.site.observation import GridSeen
from parkwatt.home.cars import home_car
from parkwatt.home.circuit_hours import HOUR_S
from parkwatt.home.controller import HomeController
from parkwatt.home.island.state import APART
from parkwatt.home.island_source import island_source
from parkwatt.home.observation import HomeObservation
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import STATE_VERSION, HomeState, decode_state

_HOURS: Final = "circuit.hour"
# Hours of use are for learning: nothing that is shown comes of them but the one that ran.
_KINDS: Final = tuple(sorted(home_event.KINDS - {home_event.SNAPSHOT, _HOURS}))
_HOUR_TOLD_US: Final = HOUR_US + 5 * MINUTE_US


def backup_at(journal: PastJournal, settings: HomeSettings, site: LiveSnapshot) -> BackupView:
    """The backup at the moment; ``site``: as it was then. Raises JournalDamaged where an entry is not what it says it is."""
    state = _state(journal, settings)
    controller = HomeController(settings, state)
    now_unix_s = journal.at_unix_us // US
    controller.observation = HomeObservation(
        circuits=_circuits(journal, settings),
        cars=tuple(home_car(car.view) for car in site.cars),
        load_kw=site.load_kw,
        solar_kw=site.solar_kw,
    )
    controller.source = island_source(settings, state, controller.observation, now_unix_s)
    controller.grid = GridSeen(
        condition=_condition(state.island.phase),
        before=state.before,
        returned_unix_us=state.returned_unix_us,
        source_car_id=settings.source_car_id,
    )
    shown = backup_view(BackupSnapshot(journal.at_unix_us, controller))
    return shown.model_copy(update={"runtime": _runtime(state.forecast)})


def _state(journal: PastJournal, settings: HomeSettings) -> HomeState:
    state, after_seq = HomeState(), 0
    entry = journal.snapshot(home_event.SNAPSHOT)
    if entry is not None:
        snapshot = _decoded(entry)
        if isinstance(snapshot, HomeSnapshot) and snapshot.version == STATE_VERSION:
            state, after_seq = decode_state(snapshot.state), entry.seq
    for entry in journal.entries(_KINDS, subject=home_event.SUBJECT, after_seq=after_seq):
        state.apply(_decoded(entry), entry.recorded_unix_us, settings.island.forget_s)
    return state


def _circuits(journal: PastJournal, settings: HomeSettings) -> dict[str, CircuitReading]:
    """What each circuit drew in the hour in which the moment lies, where that was measured."""
    now_unix_s, found = journal.at_unix_us // US, dict[str, CircuitReading]()
    for entry in journal.entries(
        (_HOURS,),
        subject=home_event.SUBJECT,
        after_seq=journal.last_seq,
        last_seq=journal.seq_ago(-_HOUR_TOLD_US),
    ):
        event = _decoded(entry)
        if (
            isinstance(event, CircuitHour)
            and settings.circuit(event.circuit_id) is not None
            and event.start_unix_s <= now_unix_s < event.start_unix_s + HOUR_S
            and event.coverage > 0.0
        ):
            mean_kw = event.energy_kwh / event.coverage
            found[event.circuit_id] = CircuitReading(
                event.circuit_id, journal.at_unix_us, power_kw=mean_kw
            )
    return found


def _condition(phase: IslandPhase) -> GridCondition:
    """What carried the house, as far as the phase tells."""
    if phase in APART or phase == "outage_confirmed":
        return "absent"
    return "present" if phase == "grid" else "unknown"


def _runtime(told: BackupForecast | None) -> RuntimeView | None:
    """The hours as they were written down; what each circuit would have gained was not."""
    if told is None:
        return None
    return RuntimeView(
        at=moment(told.at_unix_s * US),
        usable_kwh=told.usable_kwh,
        hours_p10=told.hours_p10,
        hours_p50=told.hours_p50,
        hours_p90=told.hours_p90,
        hours_by_tier={},
        at_least=False,
        tiers={},
        gains=[],
        mobility_costs_hours=None,
        words=[],
    )


def _decoded(entry: Entry) -> HomeEvent:
    try:
        return home_event.decode(entry.payload or b"")
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
