"""The progress of a long command: a bar where the console is a terminal, else nothing."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

# A gap above which limits are not kept.
_NOT_KEPT: Final = 10.0
_LINE_EVERY_S: Final = 1.0


class FleetProgress:
    """A context manager; one bar, which begins anew with each part of the work."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )
        self._task = self._progress.add_task("", total=None, told="")
        self._done_count, self._stay_count = 0, 0
        self._console = console
        self._gap_wanted, self._gap_first, self._round_count, self._told_s = 0.0, 0.0, 0, -math.inf

    def __enter__(self) -> FleetProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, title: str, stay_count: int | None) -> None:
        """The next part; ``stay_count`` is what there is to do, None: unknown."""
        self._done_count, self._stay_count = 0, stay_count or 0
        self._progress.reset(self._task, description=title, total=stay_count, told="")

    def begin_rounds(self, gap_wanted: float) -> None:
        """The part that comes next goes on until a proven gap is ``gap_wanted``."""
        self._gap_wanted, self._gap_first, self._round_count = gap_wanted, 0.0, 0
        self._told_s = -math.inf
        self._progress.reset(self._task, description="Planning", total=1.0, told="")

    def round(self, bound: float, cost: float) -> None:
        """A round is done: the bar is at the gap's way to what is wanted, in powers of ten. Without a terminal: lines."""
        self._round_count += 1
        gap = (cost - bound) / max(abs(bound), 1e-9) if math.isfinite(bound) else math.inf
        told = f"bound {bound:,.2f}, cost {cost:,.2f}, gap {gap * 100:.3f} %"
        if gap > _NOT_KEPT:
            # What exceeds limits counts as cost, and far more than any money.
            told = f"bound {bound:,.2f}, limits not kept yet"
        if self._progress.disable:
            if time.monotonic() - self._told_s >= _LINE_EVERY_S:
                self._told_s = time.monotonic()
                self._console.print(f"round {self._round_count}: {told}", soft_wrap=True)
            return
        done = 0.0
        if math.isfinite(gap):
            now = max(gap, self._gap_wanted)
            self._gap_first = max(self._gap_first, now)
            way = math.log(self._gap_first / self._gap_wanted)
            done = math.log(self._gap_first / now) / way if way > 0.0 else 1.0
        self._progress.update(self._task, completed=done, told=told)

    def advance(self, stay_count: int) -> None:
        """So many stays more are done."""
        self._done_count += stay_count
        told = f"{self._done_count:,} of {self._stay_count:,} stays"
        self._progress.update(self._task, advance=stay_count, told=told)
