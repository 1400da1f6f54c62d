"""What is known of a server's events, from one reading to the next: what is new, changed, cancelled, wrong or replayed.

Only a whole list that was read counts: an event that it lacks was cancelled. A notification is a reason to read the list again,
and nothing in it is believed. One wrong event hides no other. What was cancelled and comes again without a newer
modification is a replay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from parkwatt.domain.errors import InputError
from parkwatt.domain.grid.event import GridEvent
from parkwatt.domain.grid.report import ReportWanted
from parkwatt.io.openadr.read import faults_of, read_event, read_reports
from parkwatt.io.openadr.settings import OpenadrSettings

_GONE_MAX: Final = 10_000

What = Literal["new", "changed", "cancelled", "refused"]


class Change(NamedTuple):
    """What became of an event. ``event``: None where it was refused. ``reason``: why it was refused, or what was remarked."""

    what: What
    event_id: str
    program: str
    event: GridEvent | None
    reason: str = ""


class Known(msgspec.Struct):
    """``events``: those that hold or will; ``first_seen``: of each id, when; ``gone``: when the cancelled ones were last
    changed;
    ``refused``: of each id, what was wrong with it, so that it is told once. ``reports``: that each event asks for; ``sent``:
    names of those that were.
    """

    events: dict[str, GridEvent] = {}
    first_seen: dict[str, int] = {}
    gone: dict[str, int] = {}
    refused: dict[str, str] = {}
    reports: dict[str, tuple[ReportWanted, ...]] = {}
    sent: dict[str, bool] = {}


def take(
    known: Known,
    raw_events: Sequence[object],
    programs: Mapping[str, str],
    settings: OpenadrSettings,
    now_unix_us: int,
) -> tuple[Known, list[Change]]:
    """Take in a whole list of events. ``programs``: names by their ids, as the server lists them."""
    changes: list[Change] = []
    events: dict[str, GridEvent] = {}
    refused: dict[str, str] = {}
    first_seen: dict[str, int] = {}
    reports: dict[str, tuple[ReportWanted, ...]] = {}
    for raw in raw_events:
        event_id, program, reason, event = _judged(known, raw, programs, settings, now_unix_us)
        if event is None:
            refused[event_id] = reason
            if known.refused.get(event_id) != reason:
                changes.append(Change("refused", event_id, program, None, reason))
            continue
        events[event_id] = event
        if isinstance(raw, Mapping):
            reports[event_id] = read_reports(raw)
        first_seen[event_id] = known.first_seen.get(event_id, now_unix_us)
        before = known.events.get(event_id)
        if before != event:
            what: What = "new" if before is None else "changed"
            changes.append(Change(what, event_id, program, event, "; ".join(event.remarks)))
    gone = dict(known.gone)
    for event_id, before in known.events.items():
        if event_id not in events:
            gone[event_id] = before.changed_unix_us
            changes.append(Change("cancelled", event_id, before.program, before))
    for event_id in events:
        gone.pop(event_id, None)
    for event_id in list(gone)[: max(0, len(gone) - _GONE_MAX)]:
        del gone[event_id]
    return Known(events, first_seen, gone, refused, reports, known.sent), changes


def _judged(
    known: Known,
    raw: object,
    programs: Mapping[str, str],
    settings: OpenadrSettings,
    now_unix_us: int,
) -> tuple[str, str, str, GridEvent | None]:
    """Its id, its programme's name, why it is refused, and the event where it is not."""
    if not isinstance(raw, Mapping):
        return "", "", "is no event", None
    event_id, program_id = str(raw.get("id", "")), str(raw.get("programID", ""))
    name = programs.get(program_id)
    if name is None:
        return (
            event_id,
            program_id,
            f"its programme {program_id!r} is not on the server's list",
            None,
        )
    program = settings.program(name)
    if program is None:
        return event_id, name, f"the programme {name!r} may not ask for anything here", None
    try:
        event = read_event(
            raw,
            program,
            ven_name=settings.ven_name,
            first_seen_unix_us=known.first_seen.get(event_id, now_unix_us),
        )
    except InputError as error:
        return event_id, name, faults_of(error), None
    gone = known.gone.get(event_id)
    if gone is not None and event.changed_unix_us <= gone:
        return event_id, name, "was cancelled, and comes again unchanged: taken for a replay", None
    before = known.events.get(event_id)
    if before is not None and event.changed_unix_us < before.changed_unix_us:
        return event_id, name, "is older than what is known of it: taken for a replay", before
    return event_id, name, "", event
