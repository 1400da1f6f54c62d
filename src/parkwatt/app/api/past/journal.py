"""The journal up to a moment, read in bounded pieces.

A state is folded from the nearest snapshot before the moment. What is in a journal by the minute or the second (readings,
set-points) is folded only for as long as it counts, so that a moment of last year costs as much as one of yesterday.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from parkwatt.app.api.reasons import seq_before
from parkwatt.domain.journal import Entry
from parkwatt.io.store.reader import JournalReader

US: Final = 1_000_000
MINUTE_US: Final = 60 * US
HOUR_US: Final = 3600 * US
DAY_US: Final = 86_400 * US
# Where there is no snapshot, no more than this is looked at.
SEQS_MAX: Final = 2_000_000


class PastJournal:
    """A journal up to ``at_unix_us``. ``last_seq``: the last entry by then. Raises InputError where there is no journal."""

    def __init__(self, path: Path, at_unix_us: int) -> None:
        self.reader = JournalReader(path)
        self.at_unix_us = at_unix_us
        self._seq_before = cache(lambda unix_us: seq_before(self.reader, unix_us))
        self.last_seq = self._seq_before(at_unix_us + 1)

    def seq_ago(self, ago_us: int) -> int:
        """The last entry that is older than that; negative for times after the moment."""
        return int(self._seq_before(self.at_unix_us - ago_us))

    def newest(self, kind: str, *, subject: str | None = None, ago_us: int) -> Entry | None:
        """The last entry of a kind by the moment, at most so old."""
        return self.reader.newest(
            kind, subject=subject, after_seq=self.seq_ago(ago_us), last_seq=self.last_seq
        )

    def snapshot(self, kind: str) -> Entry | None:
        """The nearest snapshot before the moment."""
        least = max(0, self.last_seq - SEQS_MAX)
        return self.reader.newest(kind, after_seq=least, last_seq=self.last_seq)

    def entries(
        self,
        kinds: tuple[str, ...],
        *,
        subject: str | None = None,
        after_seq: int = 0,
        last_seq: int | None = None,
    ) -> Iterator[Entry]:
        """The entries of some kinds up to the moment, or ``last_seq``, that retention left whole."""
        last = self.last_seq if last_seq is None else last_seq
        after = max(after_seq, last - SEQS_MAX)
        for entry in self.reader.read(after_seq=after, last_seq=last, subject=subject, kinds=kinds):
            if entry.payload is not None:
                yield entry
