"""The options of `parkwatt fleet plan` that belong to limits which cars share, and the work that they ask for."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parkwatt.app.fleet.engine import Workers, read_workers
from parkwatt.app.fleet.output import check_file, check_output
from parkwatt.app.fleet.progress import FleetProgress
from parkwatt.domain.errors import InputError
from parkwatt.domain.record import Faults

if TYPE_CHECKING:
    from parkwatt.app.fleet.warm import WarmStart
    from parkwatt.io.fleet_files.columns import FleetRows
    from parkwatt.io.fleet_files.limits import NodeTree
    from parkwatt.io.fleet_files.prices import FleetPrices

_GAP_DEFAULT: Final = 1e-3
_ONLY_SHARED: Final = (
    *("node_series", "gap", "gap_money", "time_limit", "nodes_output", "report"),
    *("after", "after_nodes"),
    *("engine", "workers", "ray_address"),
)


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """``words``: what a plan comes to, given the seconds that passed; ``keeps_limits``: whether it keeps all of them."""

    words: Callable[[float], str]
    keeps_limits: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """``gap``: relative, above 0; ``gap_money``: in currency, 0 for none; ``time_limit_s``: None for none. ``workers``: None
    for threads. ``after``: plan and nodes of an earlier plan.
    """

    limits: Path
    node_series: Path | None
    gap: float
    gap_money: float
    time_limit_s: float | None
    nodes_output: Path | None
    report: Path | None
    workers: Workers | None
    after: tuple[Path, Path] | None = None

    def check(self, taken: tuple[Path, ...], output: Path | None, faults: Faults) -> None:
        """Note a fault for each result that could not be written, or would take the place of another file."""
        used = [*taken, self.limits]
        used += [path for path in (self.node_series, output) if path is not None]
        if self.nodes_output is not None:
            check_output("--nodes-output", self.nodes_output, tuple(used), faults)
            used.append(self.nodes_output)
        if self.report is not None:
            if self.report.suffix.lower() not in (".html", ".htm"):
                faults.add("--report", "must end in .html", str(self.report))
            check_file("--report", self.report, tuple(used), faults)

    def plan(
        self,
        rows: FleetRows,
        known: FleetPrices,
        tree: NodeTree,
        output: Path | None,
        threads: int,
        progress: FleetProgress,
    ) -> SharedPlan:
        """Plan and write; returns what is to be told of it."""
        from parkwatt.app.fleet.planning import plan_rows
        from parkwatt.app.fleet.together import plan_together
        from parkwatt.app.fleet.together_report import write_report
        from parkwatt.app.fleet.together_words import together_summary
        from parkwatt.io.fleet_files.written import write_columns, write_plan

        start = self._start(rows, known, tree)
        progress.begin_rounds(self.gap)
        planned = plan_together(
            rows,
            known,
            tree,
            gap=self.gap,
            gap_money=self.gap_money,
            threads=threads,
            time_limit_s=self.time_limit_s,
            report=progress.round,
            warm=None if start is None else start.warm,
            workers=self.workers,
        )
        if self.report is not None:
            alone = plan_rows(rows, known, threads, keeps_powers=True, progress=progress)
            progress.begin("Writing", None)
            write_report(planned, alone, known, self.gap, self.report)
        progress.begin("Writing", None)
        if output is not None:
            write_plan(output, planned.columns(), planned.power_kw, known.grid)
        if self.nodes_output is not None:
            write_columns(self.nodes_output, planned.node_columns(known.grid))
        return SharedPlan(
            lambda elapsed_s: together_summary(planned, known, elapsed_s, self.gap, start),
            keeps_limits=not planned.excess_kw().any(),
        )

    def _start(self, rows: FleetRows, known: FleetPrices, tree: NodeTree) -> WarmStart | None:
        """What the earlier plan knows. Raises InputError where its files do not fit."""
        if self.after is None:
            return None
        from parkwatt.app.fleet.warm import warm_start
        from parkwatt.io.fleet_files.earlier import read_earlier

        faults = Faults()
        earlier = read_earlier(*self.after, known.grid, faults)
        if earlier is None:
            raise InputError(faults.found)
        return warm_start(earlier, rows, tree.names)

    def written(self) -> list[tuple[str, Path]]:
        """What was written beside the plan, with a word for it."""
        both = (("nodes", self.nodes_output), ("report", self.report))
        return [(word, path) for word, path in both if path is not None]


def read_shared(arguments: argparse.Namespace) -> Shared | None:
    """The options; None without limits. Raises InputError with all their faults."""
    faults = Faults()
    workers = read_workers(arguments, faults)
    if arguments.limits is None:
        for name in _ONLY_SHARED:
            if getattr(arguments, name) is not None:
                faults.add(f"--{name.replace('_', '-')}", "goes with --limits")
        faults.raise_if_any()
        return None
    gap = _GAP_DEFAULT if arguments.gap is None else _gap(arguments.gap, faults)
    gap_money, limit_s = arguments.gap_money or 0.0, arguments.time_limit
    if not 0.0 <= gap_money < math.inf:
        faults.add("--gap-money", "must be at least 0, and finite", gap_money)
    if limit_s is not None and not limit_s > 0.0:
        faults.add("--time-limit", "must be above 0", limit_s)
    after = _after(arguments, faults)
    if faults.found:
        raise InputError(faults.found)
    return Shared(
        arguments.limits,
        arguments.node_series,
        gap,
        gap_money,
        limit_s,
        arguments.nodes_output,
        arguments.report,
        workers,
        after,
    )


def _after(arguments: argparse.Namespace, faults: Faults) -> tuple[Path, Path] | None:
    """Both files of an earlier plan, or none."""
    plan, nodes = arguments.after, arguments.after_nodes
    if (plan is None) != (nodes is None):
        given, other = (
            ("--after", "--after-nodes") if nodes is None else ("--after-nodes", "--after")
        )
        faults.add(given, f"goes with {other}")
    return None if plan is None or nodes is None else (plan, nodes)


def _gap(text: str, faults: Faults) -> float:
    """`0.1%` and `0.001` are the same."""
    rest = text.strip().removesuffix("%")
    try:
        value = float(rest) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = math.nan
    if not 0.0 < value < 1.0:
        faults.add("--gap", "must be above 0 and below 1, such as 0.1% or 0.001", text)
        return _GAP_DEFAULT
    return value
