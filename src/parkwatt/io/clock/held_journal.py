"""A journal on a loop whose time jumps: time stands still until what was handed to the journal is durable and told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from parkwatt.domain.journal import Entry, Journal, Note, Snapshot
from parkwatt.io.clock.warp_loop import WarpLoop


class HeldJournal:
    """The port's implementation ``journal``, whose callbacks come in the thread of ``loop``, with time held."""

    def __init__(self, journal: Journal, loop: WarpLoop) -> None:
        self._journal = journal
        self._loop = loop

    @property
    def last_seq(self) -> int:
        """The number of the last durable entry."""
        return self._journal.last_seq

    @property
    def backlog(self) -> int:
        """How many notes wait to become durable."""
        return self._journal.backlog

    @property
    def alarm(self) -> str | None:
        """Why nothing becomes durable just now."""
        return self._journal.alarm

    def append(self, notes: Sequence[Note]) -> Future[int]:
        """Write the notes; see the port."""
        told: Future[int] = Future()

        def tell(written: Future[int]) -> None:
            error = written.exception()
            if error is None:
                told.set_result(written.result())
            else:
                told.set_exception(error)
            # Posted after whatever waits for the result, so that time does not move before that is there.
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._loop.release)

        written = self._journal.append(notes)
        self._loop.hold()
        written.add_done_callback(tell)
        return told

    def append_then(self, notes: Sequence[Note], on_durable: Callable[[int], None]) -> None:
        """Write the notes, then tell; see the port."""

        def told(seq: int) -> None:
            self._loop.release()
            on_durable(seq)

        self._journal.append_then(notes, told)
        self._loop.hold()

    def read(self, *, after_seq: int = 0, subject: str | None = None) -> Iterator[Entry]:
        """The durable entries."""
        return self._journal.read(after_seq=after_seq, subject=subject)

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot."""
        return self._journal.snapshot()

    def write_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        self._journal.write_snapshot(snapshot)

    def close(self) -> None:
        """Write what waits, then stop."""
        self._journal.close()
