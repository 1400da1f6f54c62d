"""`parkwatt notify`: whether what people are to be told reaches them."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

NOT_TAKEN = 1

_DESCRIPTION = """\
  test SITE.toml   sends a test to each address of each person in [notify], and says which took it

The server may run or not; what it has to tell is not touched. Addresses are shown without their secrets.

exit code: 0 each took it, 1 one did not, 2 the file has faults or names nobody"""

_EXAMPLES = """\
  parkwatt notify test home.toml
  parkwatt notify test home.toml --person Ada"""


def register(subparsers: Subparsers) -> None:
    """Add `notify` to the command line."""
    parser = add_command(
        subparsers,
        "notify",
        run,
        summary="send a test to whoever is to be told what happens",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("what", metavar="test", choices=("test",), help="what to do")
    parser.add_argument("site", metavar="SITE.toml", type=Path, help="the site's settings")
    parser.add_argument("--person", metavar="NAME", help="to this person only (default: to all)")


def run(arguments: argparse.Namespace) -> int:
    """Send. Raises InputError with every fault of the file, and where it names nobody."""
    from parkwatt.app.live_settings import load_live_settings
    from parkwatt.app.notices.letters import Writer
    from parkwatt.app.printable import printable
    from parkwatt.domain.errors import InputError, InputFault
    from parkwatt.io.notify import DeliveryError, deliver, shown

    settings = load_live_settings(arguments.site)
    people = () if settings.notify is None else settings.notify.people
    if not people:
        raise InputError([InputFault("notify", "must name somebody: [[notify.person]]")])
    wanted = [one for one in people if arguments.person in (None, one.name)]
    if not wanted:
        known = ", ".join(one.name for one in people)
        raise InputError([InputFault("--person", f"must be one of {known}", arguments.person)])
    code = 0
    for person in wanted:
        text = Writer(person.language, settings.site.time_zone).test(person.name)
        for url in person.urls:
            try:
                deliver(url, text.title, text.body)
            except DeliveryError as error:
                code = NOT_TAKEN
                print(printable(f"✗ {person.name}: {shown(url)}: {error}"), flush=True)
            else:
                print(printable(f"✓ {person.name}: {shown(url)} took it"), flush=True)
    return code
