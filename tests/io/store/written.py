"""Journals to test with."""

from pathlib import Path

from parkwatt.domain.journal import Note
from parkwatt.io.store.sqlite_journal import SqliteJournal


def note(number: int) -> Note:
    """The note of that number: of three chargers in turn, each third telemetry."""
    return Note(
        recorded_unix_us=1_700_000_000_000_000 + number * 1_000_000,
        kind="meter.read" if number % 3 else "transaction.reported",
        subject=f"charger-{number % 3}",
        payload=b'{"number":%d}' % number,
        telemetry=bool(number % 3),
    )


def written(folder: Path, count: int) -> Path:
    """A closed journal of that many entries."""
    path = folder / "journal"
    journal = SqliteJournal(path)
    if count:
        journal.append([note(i) for i in range(count)]).result()
    journal.close()
    return path
