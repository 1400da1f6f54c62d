"""Runs the decisions of a journal again: the same ladder over the same events must decide the same.

A difference means that the program decides otherwise today than it did then, which is how a change of a rule is tried on the
past. Each decision is taken on what had happened by the record, whatever would have been decided before it (see `fold`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import Entry
from parkwatt.io.ocpp.fold import Fold
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.session.settings import ChargerSettings


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


class Replay:
    """Feed it the journal's entries in order, from the first one on."""

    def __init__(self, settings_of: Callable[[str], ChargerSettings]) -> None:
        self._settings_of = settings_of
        self._folds: dict[str, Fold] = {}

    def take(self, entry: Entry) -> Replayed | None:
        """Run an entry; None where it is no charger's or was thinned out."""
        if entry.payload is None or entry.kind not in events.KINDS:
            return None
        event = events.decode(entry.payload)
        fold = self._folds.get(entry.subject)
        if fold is None:
            ladder = Ladder(self._settings_of(entry.subject))
            fold = self._folds[entry.subject] = Fold(ChargerState(entry.subject), ladder)
        decision = fold.take(event, entry.recorded_unix_us)
        if decision is None:
            return Replayed(entry, event, decision=False)
        return Replayed(entry, event, True, decision.same, decision.instead)
