"""The announcements that stand, and the spells of time that they make together.

A planned outage is taken at its word: from its start to its end there is no grid. A storm only says when the grid may fail;
how long it then stays away is another matter (`outage_length`). Announcements of one kind that overlap, or meet, are one
spell; a planned outage within a storm stays a spell of its own, and the larger need counts where the two meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from parkwatt.domain.home.event import OutageAnnounced, OutageKind


class AnnouncedState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The announcements that were neither withdrawn nor are over, in the order of their ids."""

    announcements: tuple[OutageAnnounced, ...] = ()


@dataclass(frozen=True, slots=True)
class Spell:
    """A planned outage from ``start_unix_s`` to ``end_unix_s``, or the time in which a storm may bring one.

    ``probability``: the highest that any of its announcements tells, None: one of them tells none and counts as certain.
    ``origins``: who announced it.
    """

    outage: OutageKind
    start_unix_s: int
    end_unix_s: int
    probability: float | None
    origins: tuple[str, ...]


def fold(state: AnnouncedState, event: OutageAnnounced, now_unix_s: int) -> AnnouncedState:
    """The state after an announcement: it replaces that with its id; a withdrawn one takes it away, what is over goes too."""
    kept = {one.announcement_id: one for one in state.announcements if one.end_unix_s > now_unix_s}
    kept.pop(event.announcement_id, None)
    if (
        not event.withdrawn
        and event.start_unix_s < event.end_unix_s
        and event.end_unix_s > now_unix_s
    ):
        kept[event.announcement_id] = event
    return AnnouncedState(tuple(kept[key] for key in sorted(kept)))


def spells(
    state: AnnouncedState, now_unix_s: int, probability_min: float = 0.0
) -> tuple[Spell, ...]:
    """The spells that are not over, by their start; announcements less probable than ``probability_min`` make none."""
    standing = [
        one
        for one in sorted(state.announcements, key=lambda one: (one.outage, one.start_unix_s))
        if one.end_unix_s > now_unix_s
        and (one.probability is None or one.probability >= probability_min)
    ]
    joined: list[Spell] = []
    for one in standing:
        spell = Spell(one.outage, one.start_unix_s, one.end_unix_s, one.probability, (one.origin,))
        last = joined[-1] if joined else None
        if last and last.outage == one.outage and one.start_unix_s <= last.end_unix_s:
            joined[-1] = _together(last, spell)
        else:
            joined.append(spell)
    return tuple(sorted(joined, key=lambda spell: (spell.start_unix_s, spell.outage)))


def _together(first: Spell, second: Spell) -> Spell:
    is_certain = first.probability is None or second.probability is None
    return Spell(
        first.outage,
        first.start_unix_s,
        max(first.end_unix_s, second.end_unix_s),
        None if is_certain else max(first.probability or 0.0, second.probability or 0.0),
        tuple(dict.fromkeys(first.origins + second.origins)),
    )
