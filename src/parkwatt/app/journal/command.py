"""`parkwatt journal`: whether a journal is what was written."""

from __future__ import annotations

import argparse
from pathlib import Path

from parkwatt.app.subcommand import Subparsers, add_command

DAMAGED = 1

_DESCRIPTION = """\
  verify FILE   finds any altered, missing or added entry: the file's structure, each entry's place in the
                hash chain, the last entry, the snapshots; after a clean stop every byte of the file

Nothing is changed, and the server may go on writing meanwhile. Each fault is one line.

exit code: 0 whole, 1 damaged, 2 no journal there"""

_EXAMPLES = """\
  parkwatt journal verify home.journal"""


def register(subparsers: Subparsers) -> None:
    """Add `journal` to the command line."""
    parser = add_command(
        subparsers,
        "journal",
        run,
        summary="verify a journal: find any altered or missing entry",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("what", metavar="verify", choices=("verify",), help="what to do")
    parser.add_argument("journal", metavar="FILE", type=Path, help="the journal")


def run(arguments: argparse.Namespace) -> int:
    """Verify; returns 0 for a whole journal, 1 for a damaged one.

    Raises InputError where there is none.
    """
    from parkwatt.app.journal.progress import entries_bar
    from parkwatt.io.store.verify import verify

    with entries_bar("Verifying") as on_progress:
        report = verify(arguments.journal, on_progress)
    for fault in report.faults:
        print(fault)
    if report.faults:
        return DAMAGED
    sealed = "sealed" if report.sealed else "not sealed: it is being written, or was not closed"
    print(
        f"whole: {report.entry_count} entries, of which {report.thinned_count} thinned; "
        f"{report.snapshot_count} snapshots; {sealed}"
    )
    return 0
