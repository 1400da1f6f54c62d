"""An event loop on simulated time.

asyncio asks its selector to wait until the next timer. `WarpSelector` looks what is ready without waiting; if nothing is, it
lets its pace move the time on. So timers run in their order, each after everything before it has been done, and no work takes
simulated time: a slow computer makes a run last longer, and makes no timeout strike.

On the loopback interface what is sent lies in the receiver's socket when the call that sends returns, so nothing is under way
once nothing is ready: but for what a full socket keeps back (`unacknowledged_bytes`), for which it waits a moment.

What runs outside of the loop holds time still: jobs of executors (`asyncio.to_thread`) by themselves, anything else by
`WarpLoop.hold` and `release`, or by a condition that is asked (`hold_while`).
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from parkwatt.io.clock.pace import FreePace, Pace, Ready

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ
else:
    ioctl, TIOCOUTQ = None, 0

_Result = TypeVar("_Result")

# How often a condition that holds time is asked again, in real seconds; whoever finishes work for the loop wakes it anyway.
_HELD_POLL_S = 0.002


# How long a full socket is waited for, in real seconds: longer than the system takes to send again what it dropped.
_FULL_S = 0.3
_FULL_POLL_S = 0.005
# A socket that has sent so little is not full; the system takes its time to acknowledge few bytes.
_FULL_BYTES_MIN = 4096


def unacknowledged_bytes(socket_fd: int) -> int:
    """How many bytes of what was written the receiver's system does not have yet; 0 where the system does not tell."""
    if ioctl is None:
        return 0
    try:
        return int.from_bytes(ioctl(socket_fd, TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:  # it listens, or is a pipe
        return 0


class WarpSelector(selectors.DefaultSelector):
    """Polls without waiting, and lets ``pace`` move ``now_s``, in seconds, when nothing is ready or held."""

    def __init__(self, pace: Pace, begin_s: float) -> None:
        super().__init__()
        self.now_s = begin_s
        self.jumps = 0
        self.held_count = 0
        self.conditions: list[Callable[[], bool]] = []
        self._pace = pace
        self._has_worked = False
        self._given_up: set[int] = set()

    def select(self, timeout_s: float | None = None) -> Ready:
        """What is ready; with nothing ready, nothing and a later time. ``timeout_s``: simulated."""
        ready = self.poll(0)
        if ready:
            return ready
        if timeout_s is not None and timeout_s <= 0:
            return ready
        if self.held_count or any(condition() for condition in self.conditions):
            return self.poll(_HELD_POLL_S if self.conditions else None)
        if self._has_worked and (ready := self._wait_for_full()):
            return ready
        return self._pace.pass_time(self, None if timeout_s is None else self.now_s + timeout_s)

    def poll(self, real_s: float | None) -> Ready:
        """What is ready within so many real seconds; None waits until something is."""
        ready = super().select(real_s)
        if ready:
            self._has_worked = True
            self._pace.noticed(self, ready)
        return ready

    def _wait_for_full(self) -> Ready:
        """Wait for sockets that could not take or send everything; for one whose other end does nothing, once."""
        for _ in range(round(_FULL_S / _FULL_POLL_S)):
            full = self._full()
            if full <= self._given_up:
                break
            if ready := self.poll(_FULL_POLL_S):
                self._given_up.clear()
                return ready
        self._given_up = full
        self._has_worked = False
        return []

    def _full(self) -> set[int]:
        return {
            key.fd
            for key in self.get_map().values()
            if key.events & selectors.EVENT_WRITE or unacknowledged_bytes(key.fd) > _FULL_BYTES_MIN
        }

    def move_to(self, at_s: float) -> None:
        """Let simulated time be ``at_s``, never earlier than it was."""
        if at_s > self.now_s:
            self.now_s = at_s
            self.jumps += 1


class WarpLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer. ``begin_s``: its time at the beginning."""

    def __init__(self, pace: Pace | None = None, *, begin_s: float = 0.0) -> None:
        chosen = FreePace() if pace is None else pace
        self._warp = WarpSelector(chosen, begin_s)
        super().__init__(self._warp)
        self._pool = ThreadPoolExecutor(thread_name_prefix="asyncio")
        self.set_default_executor(self._pool)
        chosen.began(self)

    def time(self) -> float:
        """Simulated seconds; constant while callbacks run."""
        return self._warp.now_s

    @property
    def jumps(self) -> int:
        """How often time moved on so far."""
        return self._warp.jumps

    def hold(self) -> None:
        """Let time stand still until as many calls of `release`. In the loop's thread only."""
        self._warp.held_count += 1

    def release(self) -> None:
        """Take back one `hold`."""
        if self._warp.held_count <= 0:
            raise ValueError("released more often than held")
        self._warp.held_count -= 1

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Let time stand still within the context: for what another process or thread answers soon."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def hold_while(self, condition: Callable[[], bool]) -> None:
        """Let time stand still whenever ``condition`` is true, from now on. It is asked in the loop's thread."""
        self._warp.conditions.append(condition)

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., _Result], *args: Any
    ) -> asyncio.Future[_Result]:
        """As any event loop does; time stands still until the job is done, also if nobody waits for it any more."""
        source: Future[_Result] = (executor or self._pool).submit(func, *args)
        self.hold()
        result = asyncio.wrap_future(source, loop=self)
        # Added last, so it is called last: time does not move before the result is there.
        source.add_done_callback(self._release_from_thread)
        return result

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        """End the threads; from Python 3.12 on this has a timeout, which must not strike by a jump."""
        with self.holding():
            await super().shutdown_default_executor(*arguments)

    def _release_from_thread(self, _: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for its time
            self.call_soon_threadsafe(self.release)


def run_warped(
    main: Coroutine[Any, Any, _Result], pace: Pace | None = None, *, begin_s: float = 0.0
) -> _Result:
    """`asyncio.run` on simulated time."""
    with asyncio.Runner(loop_factory=partial(WarpLoop, pace, begin_s=begin_s)) as runner:
        return runner.run(main)
