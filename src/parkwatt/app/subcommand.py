"""How a subcommand joins the command line: the same help, the same layout of examples for each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol

Run = Callable[[argparse.Namespace], int]


class Subparsers(Protocol):
    """What `argparse.ArgumentParser.add_subparsers` returns, by the one method that is used."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 argparse's own name
        description: str,
        epilog: str,
        formatter_class: type[argparse.HelpFormatter],
    ) -> argparse.ArgumentParser:
        """A new parser below the main one."""


def add_command(
    subparsers: Subparsers, name: str, run: Run, *, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """A new subcommand; the caller adds its arguments.

    ``run`` takes the parsed arguments and returns the exit code; it imports what is heavy itself, so
    that help stays instant. ``summary`` is its line in the overview, ``examples`` ends its help.
    """
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser
