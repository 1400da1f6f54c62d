"""Checks of a site's set-up: each says what it found, and where something is to be done, what.

With the server running its API tells what it sees; without it the sources are tried from here.
"""

from __future__ import annotations

from collections.abc import Iterator

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.up import (
    doctor_backup,
    doctor_chargers,
    doctor_home_assistant,
    doctor_machine,
    doctor_notify,
    doctor_sources,
)
from parkwatt.app.up.doctor_check import Check, look


def examine(settings: LiveSettings) -> Iterator[Check]:
    """All checks, in the order in which one would set up a site."""
    seen = look(settings)
    yield Check("ok", "file", f"{settings.path} has no fault")
    yield from doctor_machine.checks(settings, seen)
    yield from doctor_chargers.checks(settings, seen)
    yield from doctor_sources.checks(settings, seen)
    yield from doctor_backup.checks(settings, seen)
    yield from doctor_notify.checks(settings)
    yield from doctor_home_assistant.checks(settings, seen)
