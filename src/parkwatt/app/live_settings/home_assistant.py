"""The table `[home_assistant]`, checked against the rest of a site's file."""

from __future__ import annotations

from collections.abc import Iterable

from parkwatt.domain.record import Record
from parkwatt.io.mqtt.home_assistant.naming import slug
from parkwatt.io.mqtt.home_assistant.settings import HomeAssistantSettings, read_home_assistant


def read_shown(
    record: Record, *, has_broker: bool, names: Iterable[tuple[str, Iterable[str]]]
) -> HomeAssistantSettings | None:
    """The table of a site's file, whose top is ``record``; None where there is none.

    ``names``: kinds of things with the names of each: they become ids, where only letters and digits count. After faults it
    must not be used.
    """
    if not record.has("home_assistant"):
        return None
    table = record.record("home_assistant")
    settings = read_home_assistant(table)
    if not has_broker:
        record.fault("home_assistant", "needs [mqtt]: name the broker that Home Assistant uses")
    for kind, given in names:
        seen: dict[str, str] = {}
        for name in dict.fromkeys(given):
            other = seen.setdefault(slug(name), name)
            if other != name:
                rule = f"must differ from {other!r} by more than case, spaces and signs"
                record.fault(kind, rule, name)
    return settings
