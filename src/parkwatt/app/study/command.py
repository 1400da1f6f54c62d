"""`parkwatt study`: what smart charging, V2H and V2G would have been worth, on the user's own data."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from parkwatt.app.subcommand import Subparsers, add_command

if TYPE_CHECKING:
    from parkwatt.app.study.load import LoadedStudy
    from parkwatt.domain.record import Faults

_RESULTS = ("report.html", "study.json", "steps.csv")

_DESCRIPTION = """\
Replays a span of real data with a rolling horizon: at each replan only what was known then. Compares
charging at once, smart charging (V1G), running the house from the car (V2H) and selling to the grid (V2G)
with each other and with perfect foresight: money before and after battery wear, energy, peak, promises to
the driver, capacity loss. Prints a table and writes report.html, study.json and steps.csv. Stop it with
Ctrl-C; the same command goes on where it stopped."""

_EXAMPLES = """\
  parkwatt study home.toml                      results in the folder home-study
  parkwatt study home.toml --output results     results in the folder results
  parkwatt demo                                 a generated home, studied the same way"""


def register(subparsers: Subparsers) -> None:
    """Add `study` to the command line."""
    parser = add_command(
        subparsers,
        "study",
        run,
        summary="study what a car's battery would have been worth at a site",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "site", metavar="SITE.toml", help="the study's settings (docs: guides, study)"
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="folder for the results; default: the name of SITE with -study",
    )


def run(arguments: argparse.Namespace) -> int:
    """Study; returns 0. Raises InputError with all faults of settings and files before anything is written."""
    site = Path(arguments.site)
    output = Path(f"{site.stem}-study") if arguments.output is None else Path(arguments.output)
    return run_study(site, output)


def run_study(site: Path, output: Path) -> int:
    """Study the site whose settings stand in ``site`` and write the results to the folder ``output``."""
    from rich.console import Console

    from parkwatt.app.report import print_table, write_csv, write_json, write_report
    from parkwatt.app.study.checkpoint import Checkpoints
    from parkwatt.app.study.outcome import study_result
    from parkwatt.app.study.progress import StudyProgress
    from parkwatt.app.study.run import run_strategies

    loaded = load_site(site, output)
    _make_folder(output)
    console = Console()
    strategies = loaded.settings.span.strategies
    checkpoints = Checkpoints(output, loaded.inputs)
    try:
        with StudyProgress(Console(stderr=True), strategies) as progress:
            states = run_strategies(loaded.inputs, strategies, checkpoints, progress.update)
    except KeyboardInterrupt:
        Console(stderr=True).print("\nstopped; the same command goes on from here")
        return 130
    result = study_result(loaded, {name: states[name] for name in strategies})
    write_json(result, output / "study.json")
    write_csv(result, output / "steps.csv")
    write_report(result, output / "report.html")
    checkpoints.clear()
    print_table(result, console)
    console.print(
        f"\nreport: {output / 'report.html'}", soft_wrap=True, highlight=False, markup=False
    )
    return 0


def load_site(site: Path, output: Path) -> LoadedStudy:
    """The study that ``site`` describes, ready to run; nothing is written.

    Raises InputError with all faults of the output folder, the settings and the files that they name.
    """
    from parkwatt.app.study.load import load_study
    from parkwatt.app.study.settings import read_settings
    from parkwatt.domain.errors import InputError
    from parkwatt.domain.record import Faults

    faults = Faults()
    check_output("--output", output, faults)
    settings = read_settings(site, faults)
    loaded = None if settings is None else load_study(settings, faults)
    if loaded is None or faults.found:
        # Several series of one file have its faults in common.
        raise InputError(list({str(fault): fault for fault in faults.found}.values()))
    return loaded


def check_output(field: str, output: Path, faults: Faults) -> None:
    """Note a fault of ``field`` where results could not be written to ``output``, before any work is done."""
    from parkwatt.app.study.checkpoint import FOLDER

    if "\0" in str(output):
        faults.add(field, "must be a path", str(output))
        return
    nearest = next(path for path in (output, *output.absolute().parents) if os.path.lexists(path))
    if not _is_folder(nearest):
        faults.add(field, "must be a folder, or lie in one", str(nearest))
    elif not os.access(nearest, os.W_OK | os.X_OK):
        faults.add(field, "must be in a folder that you may write to", str(nearest))
    for name in _RESULTS:
        if _is_folder(output / name):
            faults.add(field, f"must have no folder {name} in it", str(output))
    if os.path.lexists(output / FOLDER) and not _is_folder(output / FOLDER):
        faults.add(field, f"must have no file {FOLDER} in it", str(output))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # out of reach, or a name too long
        return False


def _make_folder(output: Path) -> None:
    from parkwatt.domain.errors import InputError, InputFault

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"cannot be made ({error.strerror})"
        raise InputError([InputFault("--output", rule, str(output))]) from error
