"""Reading a journal, beside its writer or without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.journal import Entry, JournalDamaged
from parkwatt.io.store import database
from parkwatt.io.store.head import head_path, is_written

# Read in pieces, each a short transaction, so that a slow reader does not keep the write-ahead log from starting anew.
_PIECE_ROWS = 2000
_PIECE_SEQS = 200_000
# Backwards in smaller ones: whoever reads so may have had enough at any moment.
_BACK_ROWS = 500
_BACK_SEQS = 50_000


class JournalReader:
    """Reads the durable entries of a journal's file. Changes nothing.

    Raises InputError where there is no journal.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file() and not head_path(path).is_file():
            raise InputError([InputFault("journal", "there is no such file", str(path))])
        self.path = path

    def is_quiet(self) -> bool:
        """Whether nobody writes and no write-ahead log waits: then the database file alone is the journal."""
        wal = self.path.with_name(f"{self.path.name}-wal")
        return not is_written(self.path) and not (wal.exists() and wal.stat().st_size)

    def last(self) -> tuple[int, bytes]:
        """Number and hash of the last entry.

        Raises JournalDamaged where the file cannot be read as a journal.
        """
        try:
            with database.reading(self.path, immutable=self.is_quiet()) as connection:
                return database.last_entry(connection)
        except database.UNREADABLE as error:
            raise unreadable(self.path, error) from error

    def newest(
        self,
        kind: str,
        *,
        subject: str | None = None,
        after_seq: int = 0,
        last_seq: int | None = None,
    ) -> Entry | None:
        """The last entry of a kind whose payload is still there; None where there is none.

        It is looked for from the end, so that one that is written often is found at once in however long a journal.
        ``subject``: of that alone; ``after_seq`` … ``last_seq``: among the entries after the first, up to the second.
        Raises JournalDamaged where the file cannot be read as a journal.
        """
        query = (
            "SELECT seq, recorded_unix_us, kind, subject, payload FROM entry "  # noqa: S608 - no values
            f"WHERE seq > ? AND seq <= ? AND kind = ?{'' if subject is None else ' AND subject = ?'} "
            "AND payload IS NOT NULL ORDER BY seq DESC LIMIT 1"
        )
        values = [kind] if subject is None else [kind, subject]
        try:
            with database.reading(self.path, immutable=self.is_quiet()) as connection:
                until_seq = database.last_entry(connection)[0] if last_seq is None else last_seq
                while until_seq > after_seq:
                    piece_after = max(after_seq, until_seq - _PIECE_SEQS)
                    row = connection.execute(query, [piece_after, until_seq, *values]).fetchone()
                    if row is not None:
                        return Entry(*row)
                    until_seq = piece_after
        except database.UNREADABLE as error:
            raise unreadable(self.path, error) from error
        return None

    def read_back(
        self, before_seq: int, *, kinds: Sequence[str], after_seq: int = 0
    ) -> Iterator[tuple[int, list[Entry]]]:
        """The entries of some kinds between ``after_seq`` and ``before_seq``, both not included, from the last one back.

        They come in pieces, each with the number of the last entry that is yet to be looked at: who has had enough knows where
        to go on. Raises JournalDamaged where the file cannot be read as a journal.
        """
        query = (
            "SELECT seq, recorded_unix_us, kind, subject, payload FROM entry "  # noqa: S608 - no values
            f"WHERE seq > ? AND seq <= ? AND kind IN ({','.join('?' * len(kinds))}) "
            f"ORDER BY seq DESC LIMIT {_BACK_ROWS}"
        )
        last_seq = before_seq - 1
        try:
            with database.reading(self.path, immutable=self.is_quiet()) as connection:
                while last_seq > after_seq:
                    piece_after = max(after_seq, last_seq - _BACK_SEQS)
                    rows = connection.execute(query, [piece_after, last_seq, *kinds]).fetchall()
                    full = len(rows) == _BACK_ROWS
                    last_seq = min(rows[-1][0] - 1, last_seq - 1) if full else piece_after
                    yield last_seq, [Entry(*row) for row in rows]
        except database.UNREADABLE as error:
            raise unreadable(self.path, error) from error

    def read(
        self,
        *,
        after_seq: int = 0,
        last_seq: int | None = None,
        subject: str | None = None,
        kinds: Sequence[str] = (),
        from_unix_us: int | None = None,
        until_unix_us: int | None = None,
    ) -> Iterator[Entry]:
        """The entries after ``after_seq`` up to ``last_seq`` that match, in order.

        ``last_seq``: None for the last one when the reading begins.
        ``kinds``: any of these, none given: all. ``from_unix_us`` … ``until_unix_us``: when recorded, half-open.
        Raises JournalDamaged where the file cannot be read as a journal.
        """
        conditions: dict[str, list[object]] = {
            "subject = ?": [] if subject is None else [subject],
            f"kind IN ({','.join('?' * len(kinds))})": list(kinds),
            "recorded_unix_us >= ?": [] if from_unix_us is None else [from_unix_us],
            "recorded_unix_us < ?": [] if until_unix_us is None else [until_unix_us],
        }
        where = "".join(f" AND {text}" for text, values in conditions.items() if values)
        values = [value for found in conditions.values() for value in found]
        query = (
            "SELECT seq, recorded_unix_us, kind, subject, payload FROM entry "  # noqa: S608 - no values
            f"WHERE seq > ? AND seq <= ?{where} ORDER BY seq LIMIT {_PIECE_ROWS}"
        )
        try:
            with database.reading(self.path, immutable=self.is_quiet()) as connection:
                if last_seq is None:
                    last_seq = database.last_entry(connection)[0]
                while after_seq < last_seq:
                    piece_last = min(after_seq + _PIECE_SEQS, last_seq)
                    rows = connection.execute(query, [after_seq, piece_last, *values]).fetchall()
                    for row in rows:
                        if row[0] <= after_seq:  # a damaged tree can lead back, for ever
                            raise JournalDamaged(f"{self.path}: entry {row[0]} out of order")
                        after_seq = row[0]
                        yield Entry(*row)
                    if len(rows) < _PIECE_ROWS:
                        after_seq = piece_last
        except database.UNREADABLE as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: Exception) -> JournalDamaged:
    """What to tell where SQLite cannot read the file."""
    return JournalDamaged(
        f"{path}: cannot be read as a journal ({error}); `parkwatt journal verify` says more"
    )
