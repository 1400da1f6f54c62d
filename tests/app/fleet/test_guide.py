"""What the guide to fleets shows is what the commands print; its SQL makes a fleet that can be planned."""

import re
import shlex
from pathlib import Path

import duckdb
import pytest

from parkwatt.app.cli import main
from parkwatt.domain.record import Faults
from parkwatt.io.fleet_files.columns import KNOWN
from parkwatt.io.fleet_files.prices import read_prices
from tests.conftest import ROOT
from tests.io.documented import blocks

GUIDE, REFERENCE = "guides/fleet.md", "reference/fleet-files.md"
_TIME = re.compile(r"in \d+\.\d s$", re.MULTILINE)


def block(language: str) -> str:
    """The one block of that language in the guide."""
    ((_, text),) = blocks(GUIDE, language)
    return text


def test_the_guide_from_beginning_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for _, text in blocks(GUIDE, "console"):
        command, shown = text.removeprefix("$ parkwatt ").split("\n", 1)
        assert main(shlex.split(command)) == 0
        assert _TIME.sub("in … s", capsys.readouterr().out) == _TIME.sub("in … s", shown)
    outputs = [text for _, text in blocks(GUIDE, "text")]
    exec(compile(block("python"), GUIDE, "exec"))  # noqa: S102 - the example as it stands in the guide
    assert capsys.readouterr().out == outputs[0]
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * REPLACE (CASE file_row_number WHEN 203 THEN 5.0 ELSE energy_kwh_max END AS energy_kwh_max, "
            "CASE file_row_number WHEN 203 THEN 6.0 ELSE energy_kwh_min END AS energy_kwh_min, "
            "CASE WHEN file_row_number <> 16 THEN from_time END AS from_time) "
            "FROM (SELECT * EXCLUDE file_row_number, file_row_number FROM "
            "read_parquet('fleet.parquet', file_row_number = true))) TO 'edited.parquet' (FORMAT parquet)"
        )
        connection.execute(
            "COPY (SELECT * EXCLUDE file_row_number FROM 'edited.parquet') TO 'fleet.parquet' (FORMAT parquet)"
        )
    assert main(["fleet", "plan", "fleet.parquet", "--prices", "prices.parquet"]) == 1
    assert capsys.readouterr().err == outputs[1]


def test_the_guides_sql_makes_a_fleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sessions.csv").write_text(
        "vehicle,plugged_in,leaves,soc_percent,battery,charger_kw,car_kw\n"
        "van 7,2026-06-18T10:07:00Z,2026-06-18T11:58:00Z,40,60,22,11\n",
        encoding="utf-8",
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(block("sql"))
    ((_, prices),) = blocks(REFERENCE, "csv")
    rows = [line.rsplit(",", 1)[0] for line in prices.splitlines() if "south" not in line]
    Path("prices.csv").write_text("\n".join(rows), encoding="utf-8")
    called = ["fleet", "plan", "fleet.parquet", "--prices", "prices.csv", "--step-minutes", "15"]
    assert main(called) == 0
    # From 10:15 to 11:45 are 16.5 kWh at the charger, of 24 kWh asked into the battery.
    told = capsys.readouterr().out
    assert "energy: 16.5 kWh charged" in told
    assert f"{24 - 16.5 * 0.93:.1f} kWh are missing" in told


def test_the_prices_in_the_reference_are_read(tmp_path: Path) -> None:
    ((title, text),) = blocks(REFERENCE, "csv")
    (tmp_path / title).write_text(text, encoding="utf-8")
    faults = Faults()
    prices = read_prices(tmp_path / title, faults)
    assert prices is not None, faults.found
    assert prices.names == ("north", "south")
    assert prices.import_price_per_kwh.tolist() == [[0.31, 0.24], [0.29, 0.27]]


def test_every_column_is_in_the_reference() -> None:
    page = (ROOT / "docs" / REFERENCE).read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"`{name}`" not in page] == []
