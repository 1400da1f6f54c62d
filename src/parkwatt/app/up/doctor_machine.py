"""The machine that runs a site: folder, disk, ports, clock, journal."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.serve_settings import Address
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.errors import InputError, ParkwattError
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.verify import verify

_GB: Final = 1e9
_DISK_LOW_GB: Final = 2.0
_DISK_LEAST_GB: Final = 0.3
_CLOCK_OFF_S: Final = 10.0
_CLOCK_WRONG_S: Final = 60.0
_ANSWER_S: Final = 10.0
# A longer journal is left to `parkwatt journal verify`.
_VERIFIED_MAX: Final = 200_000


def checks(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """All about the machine."""
    directory = settings.serve.store.directory
    yield _folder(directory)
    yield _disk(directory)
    yield from _server(settings, seen)
    yield _clock(settings)
    yield _time_zone(settings)
    yield _journal(settings.serve.store.journal)


def _folder(directory: Path) -> Check:
    if not directory.exists():
        nearest = next(parent for parent in directory.absolute().parents if parent.exists())
        if os.access(nearest, os.W_OK | os.X_OK):
            return Check("ok", "data folder", f"{directory} is made at the first start")
        remedy = "choose another directory in [store], or run as a user who may write there"
        return Check("error", "data folder", f"{directory} cannot be made in {nearest}", remedy)
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        remedy = "run as its owner, or change its owner"
        return Check("error", "data folder", f"{directory} cannot be written", remedy)
    if os.name == "posix" and directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        remedy = f"chmod 700 {directory}"
        return Check("warning", "data folder", f"{directory} can be read by others", remedy)
    return Check("ok", "data folder", f"{directory} is private and can be written")


def _disk(directory: Path) -> Check:
    place = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    free_gb = shutil.disk_usage(place).free / _GB
    message = f"{free_gb:.1f} GB free"
    if free_gb < _DISK_LEAST_GB:
        remedy = "free some: without space nothing is acknowledged to chargers"
        return Check("error", "disk", message, remedy)
    if free_gb < _DISK_LOW_GB:
        remedy = "free some, or lower telemetry_days in [store]"
        return Check("warning", "disk", message, remedy)
    return Check("ok", "disk", message)


def _server(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """Whether this site's server runs; else whether its ports are free."""
    if seen.health is not None:
        version, alarms = seen.health["version"], seen.health["alarms"]
        if seen.site is None:
            remedy = f"stop it and start parkwatt up {settings.path}"
            message = f"version {version} runs, but serves chargers alone"
            yield Check("warning", "server", message, remedy)
        else:
            yield Check("ok", "server", f"version {version} runs this site")
        for alarm in alarms:
            yield Check("error", "alarm", alarm, "see the server's log")
        return
    remedy = f"start it once all is well: parkwatt up {settings.path}"
    yield Check("skipped", "server", "does not run", remedy)
    for name, address in (("ocpp", settings.serve.ocpp.address), ("api", settings.serve.api)):
        yield _port(name, address)


def _port(name: str, address: Address) -> Check:
    shown = f"{address.host}:{address.port}"
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((address.host, address.port))
    except OSError as error:
        remedy = f"stop what listens there, or change listen in [{name}]"
        return Check("error", f"port of {name}", f"{shown}: {error.strerror}", remedy)
    return Check("ok", f"port of {name}", f"{shown} is free")


def _clock(settings: LiveSettings) -> Check:
    """This machine's clock against a price source's: its answers bear the time, whatever they are."""
    feed = next((feed for feed in settings.feeds if feed.url), None)
    if feed is None:
        return Check("skipped", "clock", "no source is asked that would tell the time")
    try:
        answer = httpx.head(feed.url, timeout=_ANSWER_S)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return Check("skipped", "clock", f"{feed.title} does not tell the time now")
    off_s = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    message = f"{abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} {feed.title}"
    remedy = "let the machine set its clock by itself (timedatectl set-ntp true)"
    if abs(off_s) > _CLOCK_WRONG_S:
        return Check("error", "clock", message, remedy)
    if abs(off_s) > _CLOCK_OFF_S:
        return Check("warning", "clock", message, remedy)
    return Check("ok", "clock", f"agrees with {feed.title}")


def _time_zone(settings: LiveSettings) -> Check:
    now = datetime.now(settings.site.time_zone)
    offset = f"{now:%z}"
    return Check(
        "ok",
        "time zone",
        f"{settings.site.time_zone}: it is {now:%H:%M} there, UTC{offset[:3]}:{offset[3:]}",
    )


def _journal(path: Path) -> Check:
    if not path.exists():
        return Check("ok", "journal", "none yet: the first start begins it")
    try:
        count = JournalReader(path).last()[0]
        if count > _VERIFIED_MAX:
            message = f"{count} entries can be read; parkwatt journal verify {path} looks at all"
            return Check("ok", "journal", message)
        report = verify(path)
    except (ParkwattError, InputError) as error:
        return Check("error", "journal", str(error), f"parkwatt journal verify {path} says more")
    if report.faults:
        remedy = "restore a backup (docs: guides, deploy)"
        return Check("error", "journal", report.faults[0], remedy)
    return Check("ok", "journal", f"whole, {report.entry_count} entries")
