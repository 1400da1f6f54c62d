"""`parkwatt fleet plan`: from the files to the plan's file, with what is told on the way."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from parkwatt.app.fleet.output import check_output
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.app.fleet.shared import Shared, SharedPlan
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.domain.record import Faults

if TYPE_CHECKING:
    from parkwatt.io.fleet_files.columns import FleetFile
    from parkwatt.io.fleet_files.limits import NodeTree
    from parkwatt.io.fleet_files.prices import FleetPrices

_ROWS_KEPT_OUT: Final = 1
_LIMIT_NOT_KEPT: Final = 4
_FAULTS_TOLD_MAX: Final = 1000


class ExtraMissingError(ParkwattError):
    """The optional packages for fleets are not installed."""

    def __init__(self) -> None:
        super().__init__("planning a fleet needs more packages: pip install 'parkwatt[fleet]'")


def plan_fleet(
    fleet: Path,
    prices: Path,
    output: Path | None,
    *,
    step_minutes: int | None,
    threads: int | None,
    shared: Shared | None = None,
) -> int:
    """Plan the stays in ``fleet``, together where limits are ``shared``; returns the exit code.

    Raises ExtraMissingError where the extra is missing, InputError where nothing can be planned; then nothing is written.
    """
    require_extra()
    from parkwatt.app.fleet.planning import plan_rows, row_faults
    from parkwatt.app.fleet.summary import summary
    from parkwatt.io.fleet_files.written import write_plan

    began_s = time.monotonic()
    faults, planned, together = Faults(), None, None
    if output is not None:
        check_output("--output", output, (fleet, prices), faults)
    if threads is not None and threads < 1:
        faults.add("--threads", "must be at least 1", threads)
    with FleetProgress(Console(stderr=True)) as progress:
        progress.begin("Reading", None)
        if shared is not None:
            shared.check((fleet, prices), output, faults)
        known, file, tree = _read(fleet, prices, step_minutes, faults, shared)
        wrong, rows = row_faults(file.rows, known)
        kept_out = sorted([*file.faults, *wrong], key=lambda one: one[0])
        row_count = len(rows.place) + len({row for row, _ in kept_out})
        if len(rows.place) and shared is not None and tree is not None:
            together = shared.plan(rows, known, tree, output, threads or _core_count(), progress)
        elif len(rows.place):
            planned = plan_rows(
                rows,
                known,
                threads or _core_count(),
                keeps_powers=output is not None,
                progress=progress,
            )
            if output is not None and planned.power_kw is not None:
                progress.begin("Writing", None)
                write_plan(output, planned.columns(), planned.power_kw, known.grid)
    _tell_faults(fleet.name, kept_out, row_count)
    if not len(rows.place):
        raise InputError([InputFault(fleet.name, "has no row that can be planned")])
    elapsed_s = time.monotonic() - began_s
    if together is not None:
        print(together.words(elapsed_s))
    elif planned is not None:
        print(summary(planned, known, elapsed_s))
    if output is not None:
        print(f"plan: {printable(str(output))}")
    for word, path in shared.written() if shared is not None else ():
        print(f"{word}: {printable(str(path))}")
    return _exit_code(together, kept_out)


def _exit_code(together: SharedPlan | None, kept_out: Sized) -> int:
    """A plan that exceeds a limit should not go out unseen: that comes before rows that were kept out."""
    if together is not None and not together.keeps_limits:
        return _LIMIT_NOT_KEPT
    return _ROWS_KEPT_OUT if kept_out else 0


def require_extra() -> None:
    """Raises ExtraMissingError where the optional packages are not installed."""
    try:
        import numba  # noqa: F401 - the planner is compiled by it
    except ModuleNotFoundError as error:
        raise ExtraMissingError from error


def _read(
    fleet: Path, prices: Path, step_minutes: int | None, faults: Faults, shared: Shared | None
) -> tuple[FleetPrices, FleetFile, NodeTree | None]:
    """Prices in the steps that are wanted, and the fleet. Raises InputError with all faults of options and files."""
    from parkwatt.io.fleet_files.fleet import check_columns, read_fleet
    from parkwatt.io.fleet_files.limits import read_limits
    from parkwatt.io.fleet_files.prices import read_prices

    known = read_prices(prices, faults)
    if known is not None and step_minutes is not None:
        if step_minutes < 1 or known.grid.step_s % (step_minutes * 60):
            rule = f"must divide the prices' step of {known.grid.step_s / 60:g} minutes"
            faults.add("--step-minutes", rule, step_minutes)
        else:
            known = known.in_steps_of(step_minutes * 60)
    file = tree = None
    if known is None:
        check_columns(fleet, faults)
    else:
        if shared is not None:
            tree = read_limits(shared.limits, shared.node_series, known.grid, faults)
        names = tree.names if tree is not None else ()
        file = read_fleet(fleet, known.grid, known.names, faults, names)
    if known is None or file is None or faults.found:
        raise InputError(faults.found)
    return known, file, tree


def _core_count() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tell_faults(file_name: str, kept_out: list[tuple[int, InputFault]], row_count: int) -> None:
    """A line for each fault, and how many rows were kept out; of very many faults, what they are in kind."""
    if not kept_out:
        return
    lines = [f"{file_name}, row {row}, {fault}" for row, fault in kept_out[:_FAULTS_TOLD_MAX]]
    rest = Counter((fault.field, fault.rule) for _, fault in kept_out[_FAULTS_TOLD_MAX:])
    lines += [
        f"{file_name}: {field}: {rule}, in {n:,} more rows" for (field, rule), n in rest.items()
    ]
    rows = len({row for row, _ in kept_out})
    lines.append(f"{file_name}: {rows:,} of {row_count:,} rows are kept out")
    for line in lines:
        print(printable(line), file=sys.stderr)
