"""`parkwatt export`: a journal as a table for other programs."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from parkwatt.app.subcommand import Subparsers, add_command
from parkwatt.domain.errors import InputError, InputFault

if TYPE_CHECKING:
    from parkwatt.app.journal.progress import OnProgress
    from parkwatt.domain.journal import Entry
    from parkwatt.io.store.journal_tables import Cell, Column
    from parkwatt.io.store.reader import JournalReader

_DESCRIPTION = """\
Writes a journal as Parquet or CSV, chosen by the output's ending unless --format says it. Works beside a
running server; the file appears whole or not at all.

  --table entries        seq, recorded_at, kind, subject, payload (JSON; empty where retention thinned it)
  --table transactions   charger, transaction_id, evse_id, connector_id, token, started_at, ended_at,
                         imported_kwh, exported_kwh, end_reason, heard_start

Times are UTC. --from and --to bound when an entry was recorded, or when a transaction started; the end does
not belong to the span."""

_EXAMPLES = """\
  parkwatt export home.journal --output journal.parquet
  parkwatt export home.journal --table transactions --from 2026-01-01 --to 2026-02-01 --output january.csv
  parkwatt export depot.journal --subject VAN-7 --kind setpoint.judged --output van-7.csv"""

_FORMATS = ("parquet", "csv")


def register(subparsers: Subparsers) -> None:
    """Add `export` to the command line."""
    parser = add_command(
        subparsers,
        "export",
        run,
        summary="write a journal as Parquet or CSV",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("journal", metavar="JOURNAL", type=Path, help="the journal")
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="the new file")
    parser.add_argument(
        "--table", choices=("entries", "transactions"), default="entries", help="default: entries"
    )
    parser.add_argument("--format", choices=_FORMATS, help="default: by the output's ending")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="such as 2026-01-15 or 2026-01-15T16:00:00Z"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="the end, not included")
    parser.add_argument(
        "--kind", action="append", default=[], metavar="KIND", help="only these; may be repeated"
    )
    parser.add_argument("--subject", metavar="ID", help="only this charger")


def run(arguments: argparse.Namespace) -> int:
    """Export; returns 0.

    Raises InputError for bad input and where the output cannot be written, JournalDamaged where the journal cannot be read.
    """
    from parkwatt.app.journal.progress import entries_bar
    from parkwatt.io.store.reader import JournalReader

    faults: list[InputFault] = []
    form = arguments.format or arguments.output.suffix.removeprefix(".").lower()
    if form not in _FORMATS:
        rule = "must end in .parquet or .csv, or --format must say it"
        faults.append(InputFault("--output", rule, str(arguments.output)))
    start_unix_us = _unix_us("--from", arguments.start, faults)
    end_unix_us = _unix_us("--to", arguments.end, faults)
    if arguments.kind and arguments.table == "transactions":
        faults.append(InputFault("--kind", "is for --table entries only"))
    if faults:
        raise InputError(faults)
    reader = JournalReader(arguments.journal)
    with entries_bar("Exporting") as on_progress:
        if arguments.table == "entries":
            count = _entries(arguments, form, reader, start_unix_us, end_unix_us, on_progress)
        else:
            count = _transactions(arguments, form, reader, start_unix_us, end_unix_us, on_progress)
    print(f"wrote {arguments.output}: {count} {arguments.table}")
    return 0


def _unix_us(option: str, text: str | None, faults: list[InputFault]) -> int | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        rule = "must be a time such as 2026-01-15 or 2026-01-15T16:00:00Z"
        faults.append(InputFault(option, rule, text))
        return None
    since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _entries(
    arguments: argparse.Namespace,
    form: str,
    reader: JournalReader,
    start_unix_us: int | None,
    end_unix_us: int | None,
    on_progress: OnProgress,
) -> int:
    from parkwatt.io.store.journal_tables import ENTRY_COLUMNS, entry_rows

    last_seq = reader.last()[0]
    entries = reader.read(
        last_seq=last_seq,
        subject=arguments.subject,
        kinds=arguments.kind,
        from_unix_us=start_unix_us,
        until_unix_us=end_unix_us,
    )
    rows = entry_rows(_watched(entries, last_seq, on_progress))
    return _write(arguments.output, form, ENTRY_COLUMNS, rows)


def _transactions(
    arguments: argparse.Namespace,
    form: str,
    reader: JournalReader,
    start_unix_us: int | None,
    end_unix_us: int | None,
    on_progress: OnProgress,
) -> int:
    """All is folded, whatever the span: a transaction that started in it may have ended long after."""
    from parkwatt.io.store.journal_tables import (
        TRANSACTION_COLUMNS,
        TRANSACTION_KINDS,
        transaction_rows,
    )

    last_seq = reader.last()[0]
    entries = reader.read(last_seq=last_seq, subject=arguments.subject, kinds=TRANSACTION_KINDS)
    started = [column.name for column in TRANSACTION_COLUMNS].index("started_at")
    rows = (
        row
        for row in transaction_rows(_watched(entries, last_seq, on_progress))
        if isinstance(at_unix_us := row[started], int)
        and (start_unix_us is None or at_unix_us >= start_unix_us)
        and (end_unix_us is None or at_unix_us < end_unix_us)
    )
    return _write(arguments.output, form, TRANSACTION_COLUMNS, rows)


def _watched(entries: Iterator[Entry], last_seq: int, on_progress: OnProgress) -> Iterator[Entry]:
    for index, entry in enumerate(entries):
        if index % 1000 == 0:
            on_progress(entry.seq, last_seq)
        yield entry


def _write(
    output: Path, form: str, columns: Sequence[Column], rows: Iterator[Sequence[Cell]]
) -> int:
    """Write the table whole or not at all; returns how many rows it has."""
    from parkwatt.app.atomic_file import replacing
    from parkwatt.io.store.table_file import write_csv, write_parquet

    counted = _Counted(rows)
    if form == "csv":
        with replacing(output) as stream:
            write_csv(stream, columns, counted)
        return counted.count
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
            written = Path(folder) / "table.parquet"
            write_parquet(written, columns, counted)
            written.replace(output)
    except OSError as error:
        rule = f"cannot be written: {error.strerror or error}"
        raise InputError([InputFault(str(output), rule)]) from error
    return counted.count


class _Counted:
    """Rows, counted as they go by."""

    def __init__(self, rows: Iterator[Sequence[Cell]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        for row in self._rows:
            self.count += 1
            yield row
