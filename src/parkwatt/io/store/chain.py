"""The hash chain: each entry's hash covers the entry and the hash before it.

    hash(0) = the journal's random id
    hash(n) = SHA-256(hash(n-1) ‖ header ‖ kind ‖ subject ‖ SHA-256(payload))

The header holds number, time, the telemetry flag and the lengths of kind and subject, so no two different entries are
encoded alike. The payload enters by its digest: retention can drop a payload and the chain still holds.
Whoever can write the files can compute a whole new chain: it finds damage and single alterations, not a careful forger.
"""

from __future__ import annotations

import struct
from hashlib import sha256

HASH_BYTES = 32
_HEADER = struct.Struct(">QqBII")


def payload_digest(payload: bytes) -> bytes:
    """SHA-256 of a payload."""
    return sha256(payload).digest()


def link(
    before: bytes,
    seq: int,
    recorded_unix_us: int,
    kind: str,
    subject: str,
    telemetry: bool,
    digest: bytes,
) -> bytes:
    """The hash of an entry: ``before`` is the hash of the one before, ``digest`` that of its payload."""
    kind_bytes = kind.encode("utf-8", "surrogateescape")
    subject_bytes = subject.encode("utf-8", "surrogateescape")
    header = _HEADER.pack(seq, recorded_unix_us, telemetry, len(kind_bytes), len(subject_bytes))
    return sha256(b"".join((before, header, kind_bytes, subject_bytes, digest))).digest()
