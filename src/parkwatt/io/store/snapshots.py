"""Snapshots in files of their own beside the journal, so that no commit waits for them.

A file is a line (title, version, entry number, that entry's hash, SHA-256 over all of this and the payload), then the
payload. The entry's hash ties it to this journal: a snapshot of another one, or of a past that was restored away, is not taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from parkwatt.domain.journal import Snapshot
from parkwatt.io.store.head import sync_folder

_TITLE = b"parkwatt-journal-snapshot-1"
_KEPT = 2
_NUMBER = re.compile(r"\d{20}")

HashAt = Callable[[int], bytes | None]


def snapshot_paths(journal: Path) -> list[Path]:
    """The snapshot files of a journal, newest first."""
    prefix = f"{journal.name}.snapshot-"
    return sorted(
        (
            path
            for path in journal.parent.iterdir()
            if path.name.startswith(prefix) and _NUMBER.fullmatch(path.name.removeprefix(prefix))
        ),
        reverse=True,
    )


def write_snapshot(journal: Path, snapshot: Snapshot, entry_hash: bytes) -> None:
    """Write a snapshot whole or not at all; the newest two are kept."""
    path = journal.with_name(f"{journal.name}.snapshot-{snapshot.seq:020d}")
    temporary = journal.with_name(f".{path.name}.new")
    try:
        with temporary.open("wb") as stream:
            stream.write(_header(snapshot, entry_hash))
            stream.write(snapshot.payload)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(journal.parent)
    finally:
        temporary.unlink(missing_ok=True)
    for old in snapshot_paths(journal)[_KEPT:]:
        old.unlink(missing_ok=True)


def newest_snapshot(journal: Path, hash_at: HashAt) -> Snapshot | None:
    """The newest snapshot that is whole and belongs to this journal."""
    for path in snapshot_paths(journal):
        snapshot = _read(path, hash_at)
        if snapshot is not None:
            return snapshot
    return None


def damaged_snapshots(journal: Path, hash_at: HashAt) -> Iterator[Path]:
    """The snapshot files that are not as they were written, or are of another journal."""
    for path in snapshot_paths(journal):
        if _read(path, hash_at) is None and path.exists():
            yield path


def _header(snapshot: Snapshot, entry_hash: bytes) -> bytes:
    title = b"%s %d %020d %s" % (
        _TITLE,
        snapshot.version,
        snapshot.seq,
        entry_hash.hex().encode(),
    )
    digest = sha256(title + b"\n")
    digest.update(snapshot.payload)
    return title + b" " + digest.hexdigest().encode() + b"\n"


def _read(path: Path, hash_at: HashAt) -> Snapshot | None:
    try:
        with path.open("rb") as stream:
            header = stream.readline(512)
            payload = stream.read()
        parts = header.split(b" ")
        snapshot = Snapshot(int(parts[2]), int(parts[1]), payload)
        entry_hash = bytes.fromhex(parts[3].decode())
    except (OSError, IndexError, ValueError):
        return None
    is_whole = _header(snapshot, entry_hash) == header and path.name.endswith(
        f"{snapshot.seq:020d}"
    )
    return snapshot if is_whole and hash_at(snapshot.seq) == entry_hash else None
