"""`parkwatt fleet programmes|settle`: what programmes pay, and what a pool's journal comes to."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.domain.errors import InputError, InputFault

_PROGRAMMES_DESCRIPTION = """\
Lists the programmes that Parkwatt knows, or the rules of one, each with its source. A NAME that ends in .toml is a file of
your own."""

_PROGRAMMES_EXAMPLES = """\
  parkwatt fleet programmes
  parkwatt fleet programmes elrp"""

_SETTLE_DESCRIPTION = """\
Settles a pool from its journal alone: what each programme owes for each event, block, month or season, and who gets which part
of it, to the cent. Nothing is written unless --pay or --statements asks for it.

exit code: 0 settled, 2 bad input, 3 the journal is damaged"""

_SETTLE_EXAMPLES = """\
  parkwatt fleet settle north/pool.journal
  parkwatt fleet settle north/pool.journal --programme elrp --from 2026-07-01 --to 2026-08-01
  parkwatt fleet settle north/pool.journal --statements statements --pay"""


def register(commands: Subparsers) -> None:
    """Add them."""
    listing = add_command(
        commands,
        "programmes",
        run_programmes,
        summary="list what pays a pool, with rules and sources",
        description=_PROGRAMMES_DESCRIPTION,
        examples=_PROGRAMMES_EXAMPLES,
    )
    listing.add_argument("name", metavar="NAME", nargs="?", help="one of them, or a .toml file")
    parser = add_command(
        commands,
        "settle",
        run_settle,
        summary="settle a pool from its journal",
        description=_SETTLE_DESCRIPTION,
        examples=_SETTLE_EXAMPLES,
    )
    add = parser.add_argument
    add("journal", metavar="JOURNAL", type=Path, help="the pool's journal")
    add("--programme", metavar="NAME", action="append", help="only this one; may be repeated")
    add("--from", dest="start", metavar="TIME", help="only what ends after this")
    add("--to", dest="end", metavar="TIME", help="as it stood then; default: the last entry")
    add("--statements", metavar="FOLDER", type=Path, help="write a CSV a driver and month")
    add("--pay", action="store_true", help="journal what is still to be paid")


def run_programmes(arguments: argparse.Namespace) -> int:
    """List; returns 0. Raises InputError where there is no such programme."""
    import msgspec

    from parkwatt.io.programmes.programme_file import known_programmes, programme_named

    if arguments.name is None:
        for name, programme in known_programmes().items():
            print(f"{name:<20} {programme.kind:<10} {programme.title}")
        return 0
    programme = programme_named(arguments.name)
    print(f"{programme.title} ({programme.name}, {programme.kind}, {programme.time_zone})")
    print(f"measured at the {programme.meter_point}, paid in {programme.currency}")
    for rule, source in programme.sources.items():
        value = getattr(programme, rule)
        shown = msgspec.json.encode(value).decode() if rule == "adjustment" else value
        print(f"  {rule} = {shown}\n      {source}")
    for note in programme.notes:
        print(f"  {note}")
    return 0


def run_settle(arguments: argparse.Namespace) -> int:
    """Settle; returns 0. Raises InputError for bad input, JournalDamaged where the journal cannot be read."""
    from parkwatt.app.fleet.settle import Asked, settle_journal

    faults: list[InputFault] = []
    start, end = (
        _unix_s(option, text, faults)
        for option, text in (("--from", arguments.start), ("--to", arguments.end))
    )
    if faults:
        raise InputError(faults)
    asked = Asked(arguments.journal, arguments.programme, start, end, arguments.statements)
    return settle_journal(asked, pay=arguments.pay)


def _unix_s(option: str, text: str | None, faults: list[InputFault]) -> int | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        rule = "must be a time such as 2026-01-15 or 2026-01-15T16:00:00Z"
        faults.append(InputFault(option, rule, text))
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
