"""The head file beside the database: number and hash of the last entry, and a seal after a clean close.

It is one line of fixed length, overwritten in place after each commit, so it is never ahead of the database; where the database
ends before it, entries were lost. The seal is the digest of the whole database file: with it every single byte is
covered, also those that hold no entry. The file is the writer's lock, too (flock: it goes when the process does).
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.journal import JournalDamaged

_TITLE = b"parkwatt-journal-head-1"
_NO_SEAL = b"-" * 64
_LENGTH = len(_TITLE) + 1 + 20 + (1 + 64) * 3 + 1
# A verification looks whether the lock is free by holding it for a moment.
_LOCK_WAIT_S = 1.0
_LOCK_STEP_S = 0.02
_DIGEST_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry's number and hash (0 and the journal's id where there is none). ``seal``: of the database file."""

    seq: int
    hash: bytes
    seal: bytes | None = None


def head_path(journal: Path) -> Path:
    """Where the head of a journal lies."""
    return journal.with_name(f"{journal.name}.head")


def encode_head(head: Head) -> bytes:
    """The head's line."""
    seal = _NO_SEAL if head.seal is None else head.seal.hex().encode()
    content = b" ".join((_TITLE, b"%020d" % head.seq, head.hash.hex().encode(), seal))
    return content + b" " + sha256(content).hexdigest().encode() + b"\n"


def decode_head(line: bytes) -> Head | None:
    """The head of a line; None where a byte is not as it was written."""
    parts = line.split(b" ")
    try:
        seq, digest = int(parts[1]), bytes.fromhex(parts[2].decode())
        seal = None if parts[3] == _NO_SEAL else bytes.fromhex(parts[3].decode())
    except (IndexError, ValueError):
        return None
    head = Head(seq, digest, seal)
    return head if seq >= 0 and encode_head(head) == line else None


def read_head(journal: Path) -> Head:
    """The head of a journal.

    Raises JournalDamaged where it is missing or is not as it was written.
    """
    path = head_path(journal)
    try:
        line = path.read_bytes()
    except FileNotFoundError:
        raise JournalDamaged(f"{path}: the head file is missing") from None
    head = decode_head(line)
    if head is None:
        raise JournalDamaged(f"{path}: the head file is damaged")
    return head


def is_written(journal: Path) -> bool:
    """Whether a process has the journal open for writing."""
    try:
        with head_path(journal).open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def file_digest(path: Path, *, until: float = float("inf")) -> bytes | None:
    """SHA-256 of a file; None where it is not done by ``until`` (of `time.monotonic`)."""
    digest = sha256()
    with path.open("rb") as stream:
        while block := stream.read(_DIGEST_BLOCK_BYTES):
            digest.update(block)
            if time.monotonic() > until:
                return None
    return digest.digest()


class HeadFile:
    """The head file of the one process that writes: open and locked from construction to `close`.

    Raises InputError where another process writes this journal.
    """

    def __init__(self, journal: Path) -> None:
        self._path = head_path(journal)
        self.is_new = not self._path.exists()
        self._stream: BinaryIO = self._path.open("w+b" if self.is_new else "r+b", buffering=0)
        try:
            self._lock(journal)
        except BaseException:
            self._stream.close()
            raise

    def _lock(self, journal: Path) -> None:
        until = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    rule = "another process writes this journal: stop that one first"
                    raise InputError([InputFault(str(journal), rule)]) from None
                time.sleep(_LOCK_STEP_S)
            else:
                return

    def write(self, head: Head) -> None:
        """Overwrite the head; it need not be on disk when this returns."""
        os.pwrite(self._stream.fileno(), encode_head(head), 0)

    def write_durably(self, head: Head) -> None:
        """Overwrite the head and wait until it and its name are on disk."""
        self.write(head)
        os.fsync(self._stream.fileno())
        sync_folder(self._path.parent)

    def seal(self, head: Head, journal: Path, *, until: float) -> None:
        """Seal a database that nobody writes any more; it stays unsealed where that takes too long."""
        digest = file_digest(journal, until=until)
        if digest is not None:
            self.write_durably(replace(head, seal=digest))

    def close(self) -> None:
        """Let the lock go."""
        self._stream.close()


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
