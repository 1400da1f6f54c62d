"""`parkwatt replay`: what happened in a span of time, what was decided, and whether it would be decided alike today."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from parkwatt.app.printable import printable
from parkwatt.app.subcommand import Subparsers, add_command

DIFFERS = 1

_DESCRIPTION = """\
Reads a site's journal from the beginning, runs every decision in it again, and shows those of a span of time beside
what had happened: set-points asked for, commands sent, what checks showed, rungs of the ladder, each with its reason.
A decision that would be taken otherwise today (by another version, or other settings) is marked. The server may run
meanwhile; nothing is written.

exit code: 0 every decision in the span is taken alike, 1 some are not, 2 bad input, 3 the journal is damaged"""

_EXAMPLES = """\
  parkwatt replay home.toml --from 2026-11-22T18:00Z --to 2026-11-22T19:00Z
  parkwatt replay depot.toml --charger VAN-7 --all"""

# What a person looks for in a replay; readings and the like only with --all.
_SHOWN = frozenset(
    {
        "charger.connected",
        "charger.disconnected",
        "charger.booted",
        "charger.external_limit",
        "car.needs",
        "setpoint.asked",
        "setpoint.released",
        "command.answered",
    }
)


def register(subparsers: Subparsers) -> None:
    """Add `replay` to the command line."""
    parser = add_command(
        subparsers,
        "replay",
        run,
        summary="run the journal's decisions again and show them",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument(
        "--from", dest="begin", metavar="TIME", help="from then on (ISO 8601 with a zone)"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="until before then")
    parser.add_argument("--charger", metavar="ID", help="this charger only")
    parser.add_argument(
        "--all", action="store_true", help="show everything that happened, readings too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay. Raises InputError for bad input, JournalDamaged."""
    from parkwatt.app.api.client import load_settings
    from parkwatt.domain.charger.words import in_words
    from parkwatt.domain.errors import InputError, InputFault
    from parkwatt.io.ocpp.replay import Replay, Replayed
    from parkwatt.io.store.reader import JournalReader

    settings = load_settings(arguments.site)
    begin_unix_us = _time(arguments.begin, "--from", 0)
    end_unix_us = _time(arguments.end, "--to", 1 << 62)
    path = settings.store.journal
    if not path.exists():
        raise InputError([InputFault(str(path), "is not there: the site has not been served yet")])
    replay = Replay(settings.charger)
    decided = differing = 0

    def lines(replayed: Replayed) -> Iterator[str]:
        when = datetime.fromtimestamp(replayed.entry.recorded_unix_us / 1e6, tz=UTC)
        head = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03}  {replayed.entry.subject}  "
        if not replayed.decision:
            yield head + in_words(replayed.event)
            return
        yield f"{head}→ {in_words(replayed.event)}"
        if not replayed.same:
            today = "nothing" if replayed.instead is None else in_words(replayed.instead)
            yield f"{'':25}DIFFERS, today: {today}"

    for entry in JournalReader(path).read():
        if arguments.charger is not None and entry.subject != arguments.charger:
            continue
        if entry.recorded_unix_us >= end_unix_us:
            break
        replayed = replay.take(entry)
        if replayed is None or entry.recorded_unix_us < begin_unix_us:
            continue
        decided += replayed.decision
        differing += replayed.same is False
        if replayed.decision or arguments.all or entry.kind in _SHOWN:
            for line in lines(replayed):
                print(printable(line))
    print(f"{decided} decisions, {decided - differing} taken alike today, {differing} differently")
    return DIFFERS if differing else 0


def _time(text: str | None, name: str, default_unix_us: int) -> int:
    from parkwatt.domain.errors import InputError, InputFault

    if text is None:
        return default_unix_us
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        rule = "must be a time with a zone, as in 2026-11-22T18:00Z"
        raise InputError([InputFault(name, rule, text)])
    return int(moment.timestamp() * 1e6)
