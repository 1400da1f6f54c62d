"""The progress of a long command: a bar where the console is a terminal, else nothing."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


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

    def advance(self, stay_count: int) -> None:
        """So many stays more are done."""
        self._done_count += stay_count
        told = f"{self._done_count:,} of {self._stay_count:,} stays"
        self._progress.update(self._task, advance=stay_count, told=told)
