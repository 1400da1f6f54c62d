"""Runs the strategies of a study side by side in processes, with progress, and can be stopped and resumed.

Each strategy is a process of its own, as many at a time as the machine has cores. A worker saves its state
every few seconds; the
parent reads how far each has come from shared memory.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from parkwatt.app.study.checkpoint import Checkpoints
from parkwatt.domain.errors import ParkwattError
from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.foresight import with_foresight
from parkwatt.site.study.inputs import StudyInputs
from parkwatt.site.study.replay import Replay, ReplayState

_SAVE_EVERY_S = 5.0
_POLL_S = 0.1
_STAYS_AT_ONCE = 4

Progress = Callable[[StrategyName, float], None]


class StudyFailedError(ParkwattError):
    """A worker ended without a result; ``report`` is what it said."""

    def __init__(self, strategy: StrategyName, report: str) -> None:
        self.strategy = strategy
        self.report = report
        super().__init__(f"the study of '{strategy}' failed: {report.strip().splitlines()[-1]}")


@dataclass(slots=True)
class _Worker:
    strategy: StrategyName
    process: SpawnProcess
    done_share: Synchronized[float]
    answer: Connection
    said: str = field(default="")


def run_strategies(
    inputs: StudyInputs,
    strategies: tuple[StrategyName, ...],
    folder: Path,
    on_progress: Progress,
) -> dict[StrategyName, ReplayState]:
    """The final state of each strategy. Checkpoints are kept in ``folder`` until all are done.

    ``on_progress`` is told a strategy and its share done, 0 to 1. On KeyboardInterrupt the workers are stopped
    and the checkpoints
    kept. Raises StudyFailedError where a worker fails.
    """
    checkpoints = Checkpoints(folder, inputs)
    checkpoints.open()
    waiting = list(strategies)
    running: list[_Worker] = []
    finished: dict[StrategyName, ReplayState] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _worker_count():
                running.append(_start(inputs, waiting.pop(0), folder))
            for worker in list(running):
                on_progress(worker.strategy, worker.done_share.value)
                if worker.answer.poll() or not worker.process.is_alive():
                    finished[worker.strategy] = _result(worker, checkpoints)
                    on_progress(worker.strategy, 1.0)
                    running.remove(worker)
            time.sleep(_POLL_S)
    finally:
        for worker in running:
            worker.process.terminate()
        for worker in running:
            worker.process.join()
    return finished


def _worker_count() -> int:
    return max(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 1
    )


def _start(inputs: StudyInputs, strategy: StrategyName, folder: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    done_share = context.Value("d", 0.0)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(inputs, strategy, folder, done_share, sender), daemon=True
    )
    process.start()
    sender.close()
    return _Worker(strategy, process, done_share, receiver)


def _result(worker: _Worker, checkpoints: Checkpoints) -> ReplayState:
    try:
        report = worker.answer.recv() if worker.answer.poll(1.0) else "the process was killed"
    except EOFError:
        report = "the process was killed"
    worker.process.join()
    state = checkpoints.load(worker.strategy)
    if report or state is None:
        raise StudyFailedError(worker.strategy, report or "its result could not be read")
    return state


def _work(
    inputs: StudyInputs,
    strategy: StrategyName,
    folder: Path,
    done_share: Synchronized[float],
    answer: Connection,
) -> None:
    """In the worker: go on from the last checkpoint to the end; answer with "" or with what went wrong."""
    try:
        _go_on(inputs, strategy, Checkpoints(folder, inputs), done_share)
    except KeyboardInterrupt:
        return
    except Exception:  # noqa: BLE001 the parent turns it into one line for the user
        answer.send(traceback.format_exc())
        return
    answer.send("")


def _go_on(
    inputs: StudyInputs,
    strategy: StrategyName,
    checkpoints: Checkpoints,
    done_share: Synchronized[float],
) -> None:
    state = checkpoints.load(strategy)
    stay_count = len(inputs.plug_ins)
    if strategy == "foresight":
        if state is None or state.next_stay < stay_count:
            checkpoints.save(strategy, with_foresight(inputs))
        return
    if state is None:
        state = ReplayState.at_start(inputs)
    replay = Replay(inputs, strategy)
    step_count = inputs.grid.step_count

    def reached(step: int) -> None:
        done_share.value = step / step_count

    saved = time.monotonic()
    finished = state.next_stay == stay_count
    while not finished:
        finished = replay.run(state, stay_count_max=_STAYS_AT_ONCE, on_stay=reached)
        if not finished and time.monotonic() - saved > _SAVE_EVERY_S:
            checkpoints.save(strategy, state)
            saved = time.monotonic()
    checkpoints.save(strategy, state)
