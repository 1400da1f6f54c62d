"""Who is told what happens, and whether what was told reached them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.live_settings.notify import Person
from parkwatt.app.notices import state_file
from parkwatt.app.up.doctor_check import Check
from parkwatt.io.notify import Letter
from parkwatt.site.notices import KINDS

# A message that waits for longer than this is worth a look.
_LATE_S: Final = 120
_ALL_KINDS: Final = "all kinds"


def checks(settings: LiveSettings) -> Iterator[Check]:
    """All about notifications; nothing where nobody is to be told anything."""
    notify = settings.notify
    if notify is None:
        return
    kept = state_file.load(state_file.place(settings.serve.store.directory))
    for person in notify.people:
        waiting = [one for one in kept.outbox.letters if one.person == person.name]
        yield _person(person, waiting)
    if not notify.page:
        yield Check(
            "warning",
            "notifications",
            "they hold no link to the page",
            "set page in [notify] to the address by which the page is reached",
        )
    if kept.outbox.lost_count:
        yield Check(
            "warning",
            "notifications",
            f"{kept.outbox.lost_count} were given up after a day, or pushed out by newer ones",
            "check the addresses: parkwatt notify test",
        )


def _person(person: Person, waiting: list[Letter]) -> Check:
    subject = f"notify {person.name}"
    late = [one for one in waiting if one.tries and time.time() - one.made_unix_s > _LATE_S]
    if late:
        message = f"{len(late)} messages wait to be taken: {late[-1].error}"
        return Check("error", subject, message, "check the addresses: parkwatt notify test")
    count = len(person.urls)
    ways = "1 address" if count == 1 else f"{count} addresses"
    quiet = person.rules.quiet
    hours = "" if quiet is None else f", quiet {_clock(quiet.start_s)} to {_clock(quiet.end_s)}"
    return Check("ok", subject, f"{ways} that can be sent to, {_kinds(person)}{hours}")


def _kinds(person: Person) -> str:
    return (
        _ALL_KINDS
        if len(person.rules.kinds) == len(KINDS)
        else ", ".join(sorted(person.rules.kinds))
    )


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
