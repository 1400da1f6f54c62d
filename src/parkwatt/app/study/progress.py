"""The progress of a study: a bar for each strategy and one for all, with the time left; without a terminal plain lines."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from parkwatt.site.outcome import STRATEGY_TITLES, StrategyName


class StudyProgress:
    """A context manager; `update` tells how far a strategy has come."""

    def __init__(self, console: Console, strategies: tuple[StrategyName, ...]) -> None:
        self._console = console
        self._draws = console.is_terminal and not console.is_dumb_terminal
        self._done_share: dict[StrategyName, float] = dict.fromkeys(strategies, 0.0)
        self._progress = Progress(
            TextColumn("{task.description}", justify="left"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._draws,
        )
        self._tasks: dict[StrategyName, TaskID] = {
            name: self._progress.add_task(STRATEGY_TITLES[name], total=1.0) for name in strategies
        }
        self._all = self._progress.add_task("All together, time left", total=len(strategies))

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
        newly_done = done_share >= 1.0 > self._done_share[strategy]
        self._done_share[strategy] = done_share
        self._progress.update(self._tasks[strategy], completed=done_share)
        self._progress.update(self._all, completed=sum(self._done_share.values()))
        if newly_done and not self._draws:
            self._console.print(f"{STRATEGY_TITLES[strategy]}: done", highlight=False)
