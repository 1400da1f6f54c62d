"""What the gateway is asked for, by phase. The only place that makes an `ApprovedTransfer`.

A closing is approved here against the reading itself, whatever the phase believes: the other pole is open by fresh
feedback, that feedback was measured after the last opening was asked for, and the bond, the dead output and the grid
are as they have to be. Each closing is sent behind the opening of the other pole, on the same ordered link: so no request
that was lost can leave a gateway with both to be closed.
"""

from __future__ import annotations

from parkwatt.domain.home.gateway import ApprovedTransfer, TransferAction
from parkwatt.home.island.guards import Look

Wanted = tuple[tuple[TransferAction, str], ...]


def requests(look: Look) -> tuple[ApprovedTransfer, ...]:
    """What to ask for now."""
    lease_s = look.settings.lease_s
    return tuple(ApprovedTransfer(action, reason, lease_s) for action, reason in _wanted(look))


def _wanted(look: Look) -> Wanted:
    phase = look.state.phase
    if phase == "fault":
        return _to_be_safe(look)
    if not look.facts.known or phase in ("grid", "outage_suspected", "outage_confirmed"):
        return ()
    if phase == "opening":
        return (("open_grid_pole", "the home is to be cut off from the grid"),)
    if phase == "transferring_back":
        return _back(look)
    if phase == "restart_wait":
        closed = look.facts.source == "closed"
        return (("open_island_source", "the source is to rest"),) if closed else ()
    if phase == "islanding":
        return _to_island(look)
    return _renewal(look)


def _to_be_safe(look: Look) -> Wanted:
    """In a fault: the source open, until it is known to be; a grid pole that cannot be right, open as well."""
    facts, wanted = look.facts, list[tuple[TransferAction, str]]()
    if not (facts.known and facts.source == "open" and look.settled):
        wanted.append(("open_island_source", look.state.reason))
    if not facts.known or facts.pole != "closed":
        return tuple(wanted)
    asked_in_vain = look.lasts(look.state.asked_unix_us, look.settings.answer_s)
    if facts.source == "closed" and asked_in_vain:
        wanted.append(("open_grid_pole", "both poles are closed and the source does not open"))
    elif facts.source == "open" and facts.output_dead and facts.contradiction:
        wanted.append(("open_grid_pole", facts.contradiction))
    return tuple(wanted)


def _to_island(look: Look) -> Wanted:
    facts = look.facts
    if facts.pole != "open" or not look.inputs.source_ready:
        return ()
    if facts.bond is not None and facts.bond != "closed":
        return (("close_bond", "the grid pole is open; the island needs its bond"),)
    if facts.source == "open" and facts.output_dead is False:
        return ()
    return _close_source("the grid pole is open: the source may feed the home")


def _renewal(look: Look) -> Wanted:
    """Keep an island: its lease runs on only while feedback says that the grid pole is open and the bond is made."""
    facts = look.facts
    if not look.island or not look.inputs.source_ready:
        return ()
    if facts.bond is not None and facts.bond != "closed":
        return (("close_bond", "the bond opened within the island"),)
    return _close_source("the grid pole is open: the source goes on feeding the home")


def _close_source(reason: str) -> Wanted:
    return (
        ("open_grid_pole", "it is to stay open while the source feeds the home"),
        ("close_island_source", reason),
    )


def _back(look: Look) -> Wanted:
    facts, settings = look.facts, look.settings
    if facts.source != "open" or not look.settled:
        return (("open_island_source", "the source is to be off before the grid is connected"),)
    if not look.lasts(look.state.dead_unix_us, settings.dead_s) or facts.pole != "open":
        return ()
    if facts.bond is not None and facts.bond != "open":
        return (("open_bond", "the grid brings its own bond"),)
    if not look.qualification.qualified or not look.present:
        return ()
    reason = f"the home is dead; {look.qualification.reason}"
    return (
        ("open_island_source", "it is to stay open while the grid is connected"),
        ("close_grid_pole", reason),
    )
