"""The progress of a long command: a bar on standard error where that is a terminal, else nothing."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class FleetProgress:
    """A context manager; one bar, which begins anew with each part of the work."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )
        self._task = self._progress.add_task("", total=None)

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
        self._progress.reset(self._task, description=title, total=stay_count)

    def advance(self, stay_count: int) -> None:
        """So many stays more are done."""
        self._progress.advance(self._task, stay_count)
