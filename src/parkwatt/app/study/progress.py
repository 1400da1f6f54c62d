"""The progress of a study: one bar for each strategy, with the time left; plain lines where there is no terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from parkwatt.site.outcome import STRATEGY_TITLES, StrategyName


class StudyProgress:
    """A context manager; `update` tells how far a strategy has come."""

    def __init__(self, console: Console, strategies: tuple[StrategyName, ...]) -> None:
        self._console = console
        self._done: set[StrategyName] = set()
        self._progress = Progress(
            TextColumn("{task.description}", justify="left"),
            BarColumn(bar_width=40),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[StrategyName, TaskID] = {
            name: self._progress.add_task(STRATEGY_TITLES[name], total=1.0) for name in strategies
        }

    def __enter__(self) -> StudyProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def update(self, strategy: StrategyName, done_share: float) -> None:
        """``strategy`` has come to ``done_share`` of its span, 0 to 1."""
        self._progress.update(self._tasks[strategy], completed=done_share)
        if done_share >= 1.0 and strategy not in self._done:
            self._done.add(strategy)
            if not self._console.is_terminal:
                self._console.print(f"{STRATEGY_TITLES[strategy]}: done", highlight=False)
