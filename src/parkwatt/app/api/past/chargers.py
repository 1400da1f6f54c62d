"""Chargers as they were: the fold of their own events, as far back as they count.

A stay's transaction and what the charger said since the car came, readings of the last hours. Whether there was a link is told
by the last entry that says so, or, where that is older than a month, by whether anything was heard.
"""

from __future__ import annotations

from typing import Final

import msgspec

from parkwatt.app.api.past.journal import DAY_US, HOUR_US, MINUTE_US, PastJournal
from parkwatt.domain.charger import event as charger_event
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import Entry, JournalDamaged

_CONNECTED: Final = "charger.connected"
_DISCONNECTED: Final = "charger.disconnected"
_FACTS: Final = (
    *(_CONNECTED, _DISCONNECTED, "charger.status", "transaction.reported"),
    *("car.needs", "charger.external_limit", "charger.rung"),
)
_READINGS: Final = ("meter.read",)
# A state of charge is told in whole per cents: within so long it changed, or nothing moved.
_READINGS_US: Final = 2 * HOUR_US
_LINK_US: Final = 30 * DAY_US
_STAY_US: Final = 14 * DAY_US
_BEFORE_STAY_US: Final = 15 * MINUTE_US
_HEARD_US: Final = 20 * MINUTE_US


def charger_at(journal: PastJournal, charger_id: str, stay_us: int) -> ChargerState:
    """A charger at the moment. ``stay_us``: how long the stay that ran then had lasted; 0: none ran.

    Raises JournalDamaged where an entry is not what it says it is.
    """
    state = ChargerState(charger_id)
    link = _link(journal, charger_id)
    if link is not None:
        _apply(state, link)
    facts_us = min(max(DAY_US, stay_us + _BEFORE_STAY_US), _STAY_US)
    begin_seq, readings_seq = journal.seq_ago(facts_us), journal.seq_ago(_READINGS_US)
    for entry in journal.entries(
        _FACTS, subject=charger_id, after_seq=begin_seq, last_seq=readings_seq
    ):
        _apply(state, entry)
    for entry in journal.entries(_FACTS + _READINGS, subject=charger_id, after_seq=readings_seq):
        _apply(state, entry)
    if link is None:
        heard = journal.entries(
            _FACTS + _READINGS, subject=charger_id, after_seq=journal.seq_ago(_HEARD_US)
        )
        state.connected = next(heard, None) is not None
    return state


def _link(journal: PastJournal, charger_id: str) -> Entry | None:
    """The last entry that tells whether there was a link."""
    told = [
        journal.newest(kind, subject=charger_id, ago_us=_LINK_US)
        for kind in (_CONNECTED, _DISCONNECTED)
    ]
    return max((one for one in told if one is not None), key=lambda one: one.seq, default=None)


def _apply(state: ChargerState, entry: Entry) -> None:
    try:
        event = charger_event.decode(entry.payload or b"")
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
    state.apply(event, entry.recorded_unix_us)
