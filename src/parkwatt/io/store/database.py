"""The SQLite file: its tables, and how it is opened for writing and for reading.

One table, appended at its end only, without further indices (an index by subject would touch one page for each of ten thousand
chargers at each commit), save a partial one for the few entries in which retention tells what it did.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from parkwatt.domain.journal import THINNED, JournalDamaged
from parkwatt.io.store.chain import HASH_BYTES

APPLICATION_ID = 0x504B5754  # "PKWT"
FORMAT_VERSION = 1
_ENTRY_TABLE = (
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, recorded_unix_us INTEGER NOT NULL, kind TEXT NOT NULL, "
    "subject TEXT NOT NULL, telemetry INTEGER NOT NULL, payload BLOB, payload_digest BLOB, hash BLOB NOT NULL)"
)
_META_TABLE = "CREATE TABLE meta (journal_id BLOB NOT NULL)"
_THINNED_INDEX = f"CREATE INDEX entry_thinned ON entry (seq) WHERE kind = '{THINNED}'"
# What the file's own catalogue holds: type, name, table, statement.
SCHEMA_ROWS = (
    ("table", "entry", "entry", _ENTRY_TABLE),
    ("table", "meta", "meta", _META_TABLE),
    ("index", "entry_thinned", "entry", _THINNED_INDEX),
)
_BUSY_TIMEOUT_MS = 1000

# What comes of a file that SQLite cannot read; a name in it may be no UTF-8.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)

Job = Callable[[sqlite3.Connection], None]

# A statement for each power of two: whatever the number of entries, few statements, each prepared once.
ONE_STATEMENT_ROWS = 512
COLUMNS = "seq, recorded_unix_us, kind, subject, telemetry, payload, payload_digest, hash"
_COLUMNS_COUNT = 8


@cache
def _insert_statement(places: int) -> str:
    rows = ",".join(["(?,?,?,?,?,?,?,?)"] * places)
    return f"WITH given ({COLUMNS}) AS (VALUES {rows}) INSERT INTO entry SELECT * FROM given WHERE seq IS NOT NULL"  # noqa: S608


def insert(connection: sqlite3.Connection, values: list[object]) -> None:
    """Insert rows given as one flat list, in the order of `COLUMNS`, durably where no transaction is open: all or none.

    Up to `ONE_STATEMENT_ROWS` go in by one statement, with empty places at its end: Python's interpreter lock is handed over a
    few times for each statement, and a busy event loop gives it back only after milliseconds.
    """
    size = ONE_STATEMENT_ROWS * _COLUMNS_COUNT
    if len(values) > size and not connection.in_transaction:
        with transaction(connection):
            insert(connection, values)
        return
    for start in range(0, len(values), size):
        part = values[start : start + size]
        places = 1 << (len(part) // _COLUMNS_COUNT - 1).bit_length()
        part += [None] * (places * _COLUMNS_COUNT - len(part))
        connection.execute(_insert_statement(places), part)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that writes; a transaction is durable when it is committed. The file must exist."""
    connection = _connect(path, "mode=rw")
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        _check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def create(path: Path) -> None:
    """A new database: nothing, or all of it."""
    connection = _connect(path, "mode=rwc")
    try:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        with transaction(connection):
            for _, _, _, statement in SCHEMA_ROWS:
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES (?)", (secrets.token_bytes(HASH_BYTES),))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@contextmanager
def reading(path: Path, *, immutable: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that can only read. ``immutable``: nobody writes, so that no file is made beside the database.

    Texts that are no UTF-8 come with surrogates, so that the chain finds them.
    """
    connection = _connect(path, "immutable=1" if immutable else "mode=ro")
    connection.text_factory = _text
    try:
        yield connection
    finally:
        connection.close()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_TIMEOUT_MS / 1000,
    )


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise JournalDamaged(f"{path}: not a journal of Parkwatt")
    if version != FORMAT_VERSION:
        raise JournalDamaged(
            f"{path}: a journal of format {version}; this Parkwatt writes format {FORMAT_VERSION}"
        )


def last_entry(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and hash of the last entry; 0 and the journal's id where there is none."""
    row = connection.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        row = (0, connection.execute("SELECT journal_id FROM meta").fetchone()[0])
    return row[0], row[1]


def hash_at(connection: sqlite3.Connection, seq: int) -> bytes | None:
    """The hash of an entry; of number 0: the journal's id."""
    if seq == 0:
        row = connection.execute("SELECT journal_id FROM meta").fetchone()
    else:
        row = connection.execute("SELECT hash FROM entry WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the database without holding anybody up; whether all of it was."""
    _, log_pages, copied_pages = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(log_pages == copied_pages)


def checkpoint_fully(connection: sqlite3.Connection) -> None:
    """Copy all of the write-ahead log into the database and empty it.

    Raises sqlite3.OperationalError where a reader is in the way.
    """
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("a reader holds the write-ahead log")
