"""A process of its own that appends to a journal and tells what is durable: `python child.py JOURNAL`.

It prints each acknowledged number, and `alarm: TEXT` when the journal's alarm changes. A line on standard input ends it.
"""

import os
import sys
import threading
from pathlib import Path

from parkwatt.domain.journal import JournalFull, Note
from parkwatt.io.store.sqlite_journal import SqliteJournal

IN_FLIGHT = 64
PAYLOAD_BYTES = 200


def payload(seq: int) -> bytes:
    """What the entry of that number holds."""
    return (b"%d " % seq).ljust(PAYLOAD_BYTES, b"x")


def main() -> None:
    """Append until a line comes, always some notes in flight, each naming the number it must get."""
    journal = SqliteJournal(
        Path(sys.argv[1]),
        on_alarm=lambda text: tell(f"alarm: {text}"),
        checkpoint_bytes=100_000,
    )
    ended = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    free = threading.Semaphore(IN_FLIGHT)

    def durable(seq: int) -> None:
        tell(str(seq))
        free.release()

    seq = journal.last_seq
    while not ended.is_set():
        if not free.acquire(timeout=0.01):
            continue
        try:
            journal.append_then([Note(seq, "k", "s", payload(seq + 1))], durable)
            seq += 1
        except JournalFull:
            free.release()
    journal.close()
    tell("closed")


def tell(line: str) -> None:
    """A line on standard output, at once and whole."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
