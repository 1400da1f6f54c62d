"""The command line: `parkwatt COMMAND …`.

Exit codes: 0 done; 1 the answer is no (`check`), or no in part (`fleet plan`); 2 bad input, one line a fault on standard error;
3 the work could not be done (the solver failed, a disk is full); 70 a bug, told in one line;
130 interrupted; 141 the reader of the output went away. Nobody sees a traceback who did not ask for it
(PARKWATT_TRACEBACK=1).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

import parkwatt
from parkwatt.app import access_command, check_command, plan_command, replay_command
from parkwatt.app.backup import command as backup_command
from parkwatt.app.charger import command as charger_command
from parkwatt.app.charger import send_command
from parkwatt.app.demo import command as demo_command
from parkwatt.app.discover import command as discover_command
from parkwatt.app.fleet import command as fleet_command
from parkwatt.app.journal import command as journal_command
from parkwatt.app.journal import export_command
from parkwatt.app.notices import command as notify_command
from parkwatt.app.serve import command as serve_command
from parkwatt.app.site_report import command as report_command
from parkwatt.app.study import command as study_command
from parkwatt.app.subcommand import Run
from parkwatt.app.up import command as up_command
from parkwatt.app.up import doctor_command, status_command, why_command
from parkwatt.app.virtual import command as virtual_command
from parkwatt.app.virtual_home import command as virtual_home_command
from parkwatt.app.virtual_home import outage_command
from parkwatt.domain.errors import InputError, ParkwattError

BAD_INPUT = 2
FAILED = 3
BUG = 70
INTERRUPTED = 130
READER_GONE = 141

# Each adds its subcommand; they import heavy modules only when they run.
COMMANDS = (
    study_command.register,
    demo_command.register,
    plan_command.register,
    check_command.register,
    fleet_command.register,
    up_command.register,
    doctor_command.register,
    discover_command.register,
    status_command.register,
    why_command.register,
    access_command.register,
    backup_command.register,
    notify_command.register,
    serve_command.register,
    charger_command.register,
    send_command.register,
    report_command.register,
    replay_command.register,
    journal_command.register,
    export_command.register,
    virtual_command.register,
    virtual_home_command.register,
    outage_command.register,
)

_EXAMPLES = """\
examples:
  parkwatt demo                                    two days in a generated home, live on a fast clock
  parkwatt study home.toml                         what your car's battery would have been worth
  parkwatt doctor home.toml                        what a live site still needs
  parkwatt up home.toml                            run it
  parkwatt plan problem.json --output plan.json
  parkwatt check problem.json plan.json"""


class _Parser(argparse.ArgumentParser):
    """Tells a wrong call in one line, as every other fault."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="parkwatt",
        description="Plans, commands and accounts for the batteries in parked electric vehicles.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"parkwatt {parkwatt.__version__}")
    parser.set_defaults(run=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for register in COMMANDS:
        register(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (None: the process's own) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # an id may hold what a console cannot show
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return BAD_INPUT
    return _guarded(arguments.run, arguments)


def _guarded(run: Run, arguments: argparse.Namespace) -> int:
    """Run a command; whatever goes wrong becomes one line a fault and an exit code."""
    try:
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return READER_GONE
    except InputError as error:
        for fault in error.faults:
            _tell(str(fault))
        return BAD_INPUT
    except (ParkwattError, OSError) as error:
        _tell(f"parkwatt: {error}")
        _forget_output()
        return FAILED
    except Exception as error:  # noqa: BLE001 the last line of defence: a user never sees a traceback
        return _bug(error)
    return code


def _forget_output() -> None:
    """What is still buffered and cannot be written has no reader: the interpreter would complain of it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(error: Exception) -> int:
    if os.environ.get("PARKWATT_TRACEBACK") == "1":
        import traceback

        traceback.print_exception(error)
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "please report it; PARKWATT_TRACEBACK=1 shows where"
    _tell(f"parkwatt: a bug, sorry: {told} ({hint})")
    return BUG


def _tell(line: str) -> None:
    """One line on standard error: what cannot be printed is written as an escape."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    print(shown, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
