"""Runs the strategies of a study side by side in processes, with progress, and can be stopped and resumed.

Each strategy is a process of its own, as many at a time as the machine has cores. A worker saves its state every few seconds;
the parent reads how far each has come from shared memory. A worker ends with its parent, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized

from parkwatt.app.study.checkpoint import Checkpoints
from parkwatt.domain.errors import ParkwattError
from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.foresight import with_foresight
from parkwatt.site.study.inputs import StudyInputs
from parkwatt.site.study.replay import Replay, ReplayState

_SAVE_EVERY_S = 2.0
_POLL_S = 0.1
_STAYS_AT_ONCE = 4

Progress = Callable[[StrategyName, float], None]


class StudyFailedError(ParkwattError):
    """A worker could not do its work, for ``reason``: the solver failed, a disk is full, it was killed."""

    def __init__(self, strategy: StrategyName, reason: str) -> None:
        self.strategy = strategy
        self.reason = reason
        super().__init__(f"the study of '{strategy}' failed: {reason}")


class WorkerBugError(Exception):
    """A bug in a worker; ``report`` is its traceback."""

    def __init__(self, strategy: StrategyName, report: str) -> None:
        super().__init__(f"in the study of '{strategy}': {report.strip().splitlines()[-1]}")
        self.add_note(report)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a worker says at its end: all None when it is done, else what stopped it."""

    failure: str | None = None
    bug: str | None = None


@dataclass(frozen=True, slots=True)
class _Worker:
    strategy: StrategyName
    process: SpawnProcess
    done_share: Synchronized[float]
    answer: Connection


def run_strategies(
    inputs: StudyInputs,
    strategies: tuple[StrategyName, ...],
    checkpoints: Checkpoints,
    on_progress: Progress,
) -> dict[StrategyName, ReplayState]:
    """The final state of each strategy. ``checkpoints`` are kept until the caller clears them.

    ``on_progress`` is told a strategy and its share done, 0 to 1. On KeyboardInterrupt the workers are stopped and the
    checkpoints kept. Raises StudyFailedError where a worker fails, WorkerBugError where it meets a bug.
    """
    checkpoints.open()
    waiting = list(strategies)
    running: list[_Worker] = []
    finished: dict[StrategyName, ReplayState] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _worker_count():
                running.append(_start(inputs, waiting.pop(0), checkpoints))
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
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(inputs: StudyInputs, strategy: StrategyName, checkpoints: Checkpoints) -> _Worker:
    context = multiprocessing.get_context("spawn")
    done_share = context.Value("d", 0.0)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(inputs, strategy, checkpoints, done_share, sender), daemon=True
    )
    with _no_interrupts():
        process.start()
    sender.close()
    return _Worker(strategy, process, done_share, receiver)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """A process started in here never sees Ctrl-C, which a terminal sends to all: its parent decides."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(worker: _Worker, checkpoints: Checkpoints) -> ReplayState:
    try:
        answer = worker.answer.recv() if worker.answer.poll(1.0) else _Answer("it was killed")
    except EOFError:
        answer = _Answer("it was killed")
    worker.process.join()
    if answer.bug is not None:
        raise WorkerBugError(worker.strategy, answer.bug)
    state = checkpoints.load(worker.strategy)
    if answer.failure is not None or state is None:
        reason = answer.failure or "its result could not be read"
        raise StudyFailedError(worker.strategy, reason)
    return state


def _work(
    inputs: StudyInputs,
    strategy: StrategyName,
    checkpoints: Checkpoints,
    done_share: Synchronized[float],
    answer: Connection,
) -> None:
    """In the worker: go on from the last checkpoint to the end, and answer."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _go_on(inputs, strategy, checkpoints, done_share)
    except KeyboardInterrupt:  # where it cannot be kept away
        return
    except (ParkwattError, OSError) as error:
        answer.send(_Answer(failure=str(error)))
    except Exception:  # noqa: BLE001 the parent turns it into one line for the user
        answer.send(_Answer(bug=traceback.format_exc()))
    else:
        answer.send(_Answer())


def _end_with_parent() -> None:
    """A parent that is killed cannot stop its workers: each waits for that in a thread."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
