"""Keeps a snapshot now and then: a cut is begun when a batch is handed to the journal, and written when that is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from parkwatt.domain.journal import Journal, Snapshot
from parkwatt.io.ocpp.cut import CUT_VERSION, Cut
from parkwatt.io.ocpp.slot import Slot

# A restart folds as many entries in a few seconds.
ENTRIES_A_SNAPSHOT = 50_000


class Snapshots:
    """``slots``: all chargers, whoever touches one tells `cut` before. ``entries_since``: entries since the last snapshot."""

    def __init__(self, journal: Journal, slots: Mapping[str, Slot], entries_max: int) -> None:
        self.cut: Cut | None = None
        self.entries_since = 0
        self.failed_count = 0
        self._journal = journal
        self._slots = slots
        self._entries_max = entries_max
        self._batch_number = -1
        self._seq: int | None = None
        self._writing: set[asyncio.Task[None]] = set()

    def handed(self, batch_number: int, note_count: int) -> None:
        """All that happened so far is in this batch or an earlier one."""
        self.entries_since += note_count
        if self.entries_since >= self._entries_max and self.cut is None:
            self.begin(batch_number)
            asyncio.get_running_loop().call_soon(self._go_on)

    def begin(self, batch_number: int) -> None:
        """Cut now."""
        self.entries_since = 0
        self.cut, self._seq, self._batch_number = Cut(self._slots), None, batch_number

    def durable(self, batch_number: int, last_seq: int) -> None:
        """A batch is durable."""
        if self.cut is not None and batch_number == self._batch_number:
            self._seq = last_seq
            self._write_if_whole()

    def _go_on(self) -> None:
        if self.cut is None:
            return
        self.cut.keep_some()
        if self.cut.is_whole:
            self._write_if_whole()
        else:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _write_if_whole(self) -> None:
        if self.cut is None or self._seq is None or not self.cut.is_whole:
            return
        task = asyncio.create_task(asyncio.to_thread(self._write, self.cut, self._seq))
        self._writing.add(task)
        task.add_done_callback(self._written)
        self.cut = None

    def _write(self, cut: Cut, seq: int) -> None:
        self._journal.write_snapshot(Snapshot(seq, CUT_VERSION, cut.payload()))

    def _written(self, task: asyncio.Task[None]) -> None:
        """Without a snapshot a restart only takes longer."""
        self._writing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failed_count += 1

    async def close(self, last_seq: int) -> None:
        """Keep a last one, of all there is and nothing waits."""
        self.begin(-1)
        if self.cut is not None:
            while not self.cut.is_whole:
                self.cut.keep_some()
        self.durable(-1, last_seq)
        await asyncio.gather(*self._writing, return_exceptions=True)
