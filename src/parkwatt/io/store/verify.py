"""Whether a journal is what was written: the seal, SQLite's own structures, the chain, the head, the snapshots.

After a clean close the seal covers every byte of the file. Without it (a running server, or one that was killed) the chain
and the head cover every entry: whatever byte is altered, either it is told here or each entry still reads as written.
Nothing is changed, and a server may go on writing meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parkwatt.domain.journal import JournalDamaged
from parkwatt.io.store import database, snapshots
from parkwatt.io.store.head import Head, file_digest, head_path, is_written, read_head
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.walk import FAULTS_MAX, Walk

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """``faults``: a line each, the first damaged entry first; none: the journal is whole. ``sealed``: it was closed cleanly."""

    entry_count: int
    thinned_count: int
    snapshot_count: int
    sealed: bool
    faults: tuple[str, ...]


def verify(path: Path, on_progress: OnProgress = lambda _done, _all: None) -> Report:
    """Verify the journal at ``path``; ``on_progress`` gets the entries done and all there are.

    Raises InputError where there is no journal.
    """
    reader = JournalReader(path)
    head_before = _head_line(path)
    quiet = reader.is_quiet()
    report = _verify(path, quiet, on_progress)
    if report.faults and quiet and (_head_line(path) != head_before or is_written(path)):
        return _verify(path, quiet=False, on_progress=on_progress)  # a server began meanwhile
    return report


def _head_line(path: Path) -> bytes | None:
    try:
        return head_path(path).read_bytes()
    except OSError:
        return None


def _verify(path: Path, quiet: bool, on_progress: OnProgress) -> Report:
    faults: list[str] = []
    head: Head | None = None
    try:
        head = read_head(path)
    except (JournalDamaged, OSError) as error:
        faults.append(str(error))
    sealed = head is not None and head.seal is not None
    entry_count = thinned_count = snapshot_count = 0
    try:
        if head is not None and head.seal is not None:
            faults += _seal_faults(path, head.seal)
        with database.reading(path, immutable=quiet) as connection:
            faults += _structure_faults(connection)
            walk = _walk(connection, head, sealed, on_progress)
            faults += walk.faults
            entry_count, thinned_count = walk.seq, walk.thinned_count
            snapshot_count = len(snapshots.snapshot_paths(path))
            damaged = snapshots.damaged_snapshots(
                path, lambda seq: database.hash_at(connection, seq)
            )
            faults += [f"{found}: the snapshot is damaged; it is not used" for found in damaged]
    except (*database.UNREADABLE, OSError) as error:
        faults.append(f"{path}: cannot be read: {' '.join(str(error).split())}")
    told = tuple(dict.fromkeys(faults))
    return Report(entry_count, thinned_count, snapshot_count, sealed, told[:FAULTS_MAX])


def _seal_faults(path: Path, seal: bytes) -> list[str]:
    faults = []
    if file_digest(path) != seal:
        faults.append(f"{path}: is not as it was when it was closed")
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(f"{path.name}{suffix}")
        if beside.exists() and beside.stat().st_size:
            faults.append(f"{beside}: was not there when the journal was closed")
    return faults


def _structure_faults(connection: sqlite3.Connection) -> list[str]:
    faults = []
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) != (database.APPLICATION_ID, database.FORMAT_VERSION):
        faults.append("the file's header does not name it a journal of this format")
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    if len(found) != len(database.SCHEMA_ROWS) or set(found) != set(database.SCHEMA_ROWS):
        faults.append("the tables are not those of a journal")
    if connection.execute("SELECT count(*) FROM meta").fetchone()[0] != 1:
        faults.append("the journal's id is missing, or there are several")
    for (told,) in connection.execute(f"PRAGMA integrity_check({FAULTS_MAX})"):
        if told != "ok":
            faults.append(f"the file's structure is damaged: {' '.join(told.split())}")
    return faults


def _walk(
    connection: sqlite3.Connection, head: Head | None, sealed: bool, on_progress: OnProgress
) -> Walk:
    journal_id = database.hash_at(connection, 0)
    walk = Walk(connection, 0, journal_id if isinstance(journal_id, bytes) else b"")
    last_seq = database.last_entry(connection)[0]
    head_seq = 0 if head is None else head.seq
    at_head = walk.to(last_seq, head_seq, lambda done: on_progress(done, last_seq))
    earliest = connection.execute("SELECT min(seq) FROM entry").fetchone()[0]
    if earliest is not None and earliest < 1:
        walk.faults.append(f"entry {earliest}: no entry has such a number")
    if head is None:
        return walk
    if walk.seq < head.seq:
        lost = f"{walk.seq + 1} to {head.seq}" if walk.seq + 1 < head.seq else str(head.seq)
        walk.faults.append(f"missing at the end: {lost}, which the head file says were written")
    elif at_head != head.hash:
        walk.faults.append(f"entry {head.seq}: its hash is not the one in the head file")
    elif sealed and walk.seq != head.seq:
        walk.faults.append(f"entry {head.seq + 1}: added after the journal was closed")
    return walk
