"""A journal's thread writes while simulated time stands still."""

from __future__ import annotations

import asyncio
from pathlib import Path

from parkwatt.domain.journal import Note
from parkwatt.io.clock.held_journal import HeldJournal
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.store.sqlite_journal import SqliteJournal


def test_what_is_written_is_told_before_time_moves(tmp_path: Path) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WarpLoop)
        written = SqliteJournal(tmp_path / "journal.sqlite")
        written.post_with(loop.call_soon_threadsafe)
        journal = HeldJournal(written, loop)
        told: list[tuple[int, float]] = []
        for number in range(50):
            note = Note(number, "test.note", "subject", b"{}")
            at_s = loop.time()
            journal.append_then([note], lambda seq: told.append((seq, loop.time())))
            await asyncio.sleep(1.0)
            assert told[-1] == (2 * number + 1, at_s)
            begun_s = loop.time()
            last = await asyncio.wait_for(asyncio.wrap_future(journal.append([note])), 1e-6)
            assert (last, loop.time()) == (2 * number + 2, begun_s)
        assert journal.last_seq == len(list(journal.read())) == 100
        assert (journal.backlog, journal.alarm) == (0, None)
        journal.close()

    run_warped(main())
