"""`parkwatt journal verify` and `parkwatt export`, as a user calls them."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from parkwatt.app.cli import main
from parkwatt.domain.charger.event import (
    ChargerEvent,
    TransactionReported,
    encode,
    is_telemetry,
    kind,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.journal import Note
from parkwatt.io.store.head import head_path
from parkwatt.io.store.sqlite_journal import SqliteJournal

START_UNIX_US = 1_767_225_600_000_000  # 2026-01-01
HOUR_US = 3_600_000_000


def note(charger: str, hour: int, event: ChargerEvent) -> Note:
    unix_us = START_UNIX_US + hour * HOUR_US
    return Note(unix_us, kind(event), charger, encode(event), is_telemetry(event))


def transaction(charger: str, number: int, hour: int, energy_kwh: float) -> list[Note]:
    """A transaction of an hour, started and ended."""
    start_unix_us = START_UNIX_US + hour * HOUR_US
    return [
        note(
            charger,
            hour + index,
            TransactionReported(
                transaction_id=f"{number}",
                phase="started" if index == 0 else "ended",
                evse_id=1,
                measured_unix_us=start_unix_us + index * HOUR_US,
                token="Ann",  # noqa: S106
                reason="" if index == 0 else "Local",
                readings=(MeterReading(energy_import_kwh=100 + index * energy_kwh),),
            ),
        )
        for index in (0, 1)
    ]


def queried(query: str) -> list[dict[str, Any]]:
    """The rows of a query on exported files."""
    with duckdb.connect() as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Two chargers; the first had so many transactions that the state forgot some."""
    writing = SqliteJournal(tmp_path / "site.journal")
    for number in range(50):
        writing.append(transaction("CP-1", number, 2 * number, 1.5))
    writing.append(transaction("CP-2", 100, 0, 7.25)[:1]).result()
    writing.close()
    return writing.path


def test_a_whole_journal(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(journal)]) == 0
    assert (
        capsys.readouterr().out == "whole: 101 entries, of which 0 thinned; 0 snapshots; sealed\n"
    )


def test_a_damaged_journal(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = journal.read_bytes()
    place = content.index(b'"Ann"')
    journal.write_bytes(content[:place] + b'"Bob"' + content[place + 5 :])
    assert main(["journal", "verify", str(journal)]) == 1
    faults = capsys.readouterr().out.splitlines()
    assert faults[0] == f"{journal}: is not as it was when it was closed"
    assert faults[1].startswith("entry ")
    assert faults[1].endswith(": was altered, or the one before it")


def test_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["journal", "verify"], ["export", "--output", "x.csv"]):
        assert main([*command, str(tmp_path / "none")]) == 2
        assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_text_file_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "site.toml"
    path.write_text("[site]\n" * 100)
    assert main(["journal", "verify", str(path)]) == 1
    assert "not a database" in capsys.readouterr().out
    assert main(["export", str(path), "--output", str(tmp_path / "x.csv")]) == 3
    assert "cannot be read as a journal" in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()


def test_entries_as_csv(journal: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "entries.csv"
    arguments = [
        "--subject",
        "CP-1",
        "--from",
        "2026-01-01T01:00Z",
        "--to",
        "2026-01-01T04:00+01:00",
    ]
    assert main(["export", str(journal), *arguments, "--output", str(output)]) == 0
    with output.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["seq"] for row in rows] == ["2", "3"]
    assert rows[0]["recorded_at"] == "2026-01-01T01:00:00.000000Z"
    assert '"transaction_id":"0"' in rows[0]["payload"]
    assert main(["export", str(journal), "--kind", "meter.read", "--output", str(output)]) == 0
    assert output.read_text() == "seq,recorded_at,kind,subject,payload\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_transactions(journal: Path, tmp_path: Path, form: str) -> None:
    output = tmp_path / f"it's [a] *.{form}"
    arguments = ["export", str(journal), "--table", "transactions", "--output", str(output)]
    assert main(arguments) == 0
    name = str(output).replace("'", "''").replace("[", "[[]").replace("*", "[*]")
    rows = queried(f"SELECT * FROM '{name}' ORDER BY started_at, charger")  # noqa: S608
    assert len(rows) == 51
    assert rows[0] == {
        "charger": "CP-1",
        "transaction_id": rows[0]["transaction_id"],
        "evse_id": 1,
        "connector_id": None,
        "token": "Ann",
        "started_at": rows[0]["started_at"],
        "ended_at": rows[0]["ended_at"],
        "imported_kwh": 1.5,
        "exported_kwh": None,
        "end_reason": "Local",
        "heard_start": True,
    }
    assert rows[0]["started_at"].astimezone(UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert (rows[1]["charger"], rows[1]["ended_at"]) == ("CP-2", None)
    assert sum(row["imported_kwh"] or 0 for row in rows) == pytest.approx(75)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [journal.name, head_path(journal).name, output.name]
    )


def test_parquet_holds_every_entry(journal: Path, tmp_path: Path) -> None:
    output = tmp_path / "entries.parquet"
    assert main(["export", str(journal), "--output", str(output)]) == 0
    rows = queried(f"SELECT seq, payload, typeof(recorded_at) AS type FROM '{output}'")  # noqa: S608
    assert [row["seq"] for row in rows] == list(range(1, 102))
    assert all(row["payload"] for row in rows)
    assert {row["type"] for row in rows} == {"TIMESTAMP WITH TIME ZONE"}


def test_all_that_is_wrong_with_a_call_is_told(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--table", "transactions", "--kind", "x", "--from", "yesterday", "--output"]
    assert main(["export", str(journal), *arguments, str(tmp_path / "x.xlsx")]) == 2
    faults = capsys.readouterr().err
    assert "--output: must end in .parquet or .csv" in faults
    assert "--from: must be a time such as 2026-01-15" in faults
    assert "--kind: is for --table entries only" in faults


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_output_that_cannot_be_written(
    journal: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "folder"
    (output / "in it").mkdir(parents=True)
    assert main(["export", str(journal), "--format", form, "--output", str(output)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_exporting_beside_a_running_server(journal: Path, tmp_path: Path) -> None:
    writing = SqliteJournal(journal)
    writing.append(transaction("CP-3", 200, 0, 1.0)).result()
    output = tmp_path / "entries.csv"
    assert main(["export", str(journal), "--subject", "CP-3", "--output", str(output)]) == 0
    assert len(output.read_text().splitlines()) == 3
    assert main(["journal", "verify", str(journal)]) == 0
    writing.close()
