"""What happened in a virtual charger, in words and as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """One event of a charger: ``kind`` for programs, ``text`` for people, ``data`` for both.

    Kinds `sent`, `acknowledged`, `dropped` (messages about transactions), `transaction_started` and
    `transaction_ended` make the truth that a server's journal is compared with.
    """

    at_unix_us: int
    station_id: str
    kind: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


TRUTH_KINDS = frozenset(
    {"sent", "acknowledged", "dropped", "transaction_started", "transaction_ended"}
)
