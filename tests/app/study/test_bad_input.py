"""Bad input of every kind: exit code 2, a line a fault, all faults at once, no traceback, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from parkwatt.app.cli import main
from tests.app.study.homes import change, make_home, study_command

_LOAD_TABLE = """\
[load]
file = "load.csv"
time_column = "time"
value_column = "load_kw"
unit = "kW"
"""
_DEMAND = "[tariff.demand_charge]\nprice_per_kw_month = "
_DEMAND_FIELD = "tariff.demand_charge.price_per_kw_month"
_SESSIONS = """\
arrival,departure,energy_used_kwh
2024-01-08T00:00:00+01:00,2024-01-08T07:21:00+01:00,0
2024-01-08T18:00:00+01:00,2024-01-09T07:30:00+01:00,7
2024-01-09T18:00:00+01:00,2024-01-12T07:30:00+01:00,9
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a small home, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return make_home(tmp_path)


def faults(site: Path, capsys: pytest.CaptureFixture[str], output: str = "results") -> list[str]:
    """What `parkwatt study` tells of bad input; nothing may have been written."""
    before = sorted(site.parent.rglob("*"))
    assert main(["study", str(site), "--output", output]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sorted(site.parent.rglob("*")) == before
    return printed.err.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("battery_kwh = 60.0", "battery_kwh = -60.0", "car.battery_kwh: must be greater than 0, got -60.0"),
        ("battery_kwh = 60.0", "battery_kwh = nan", "car.battery_kwh: must be finite, got nan"),
        ("battery_kwh = 60.0", "battery_kwh = 1" + "0" * 400, "car.battery_kwh: must be finite, got 1000"),
        ("battery_kwh = 60.0", "battery_kwh = '60'", "car.battery_kwh: must be a number, got the text '60'"),
        ("battery_kwh = 60.0", "battery_kwh = [60]", "car.battery_kwh: must be a number, got a list"),
        ("battery_kwh = 60.0", "battery_kwh = 1979-05-27", "car.battery_kwh: must be a number, got 1979-05-27"),
        ("battery_kwh = 60.0", "", "car.battery_kwh: is required"),
        ("battery_kwh = 60.0", "batery_kwh = 60", "car.battery_kwh: is required"),
        ("floor_soc = 0.2 ", "floor_soc = 1.2 ", "car.floor_soc: must be at most 1, got 1.2"),
        ("ready_soc = 0.8 ", "ready_soc = 80 ", "car.ready_soc: must be at most 1, got 80"),
        ('cell = "nmc622-denso"', 'cell = "lead"', "car.cell: must be one of "),
        ("pack_price_per_kwh = 110.0", "pack_price_per_kwh = 1e300", "car.pack_price_per_kwh: must be at most 1e+09"),
        ("import_limit_kw = 17.25", "import_limit_kw = -1", "connection.import_limit_kw: must be at least 0, got -1"),
        ("step_minutes = 60", "step_minutes = 7", "study.step_minutes: must divide an hour, got 7"),
        ("replan_minutes = 60", "replan_minutes = 90", "study.replan_minutes: must be a multiple of step_minutes, 60, got 90"),
        ("step_minutes = 60", "start = 2024-01-10\nend = 2024-01-09", "study.end: must be after start"),
        ("step_minutes = 60", "start = 2023-12-01", "study.start: must be at least 2024-01-08, the first whole day"),
        ("step_minutes = 60", "start = 0001-01-01", "study.start: must be at least 2024-01-08, the first whole day"),
        ("step_minutes = 60", "end = 9999-12-31", "study.end: must be at most 2024-01-12, the day after the last"),
        ("step_minutes = 60", "start = 2030-01-01", "study.start: must be before 2024-01-12, where the data end"),
        ("step_minutes = 60", "end = 1990-01-01", "study.end: must be after 2024-01-08, where the data begin"),
        ("step_minutes = 60", "start = 2024-01-10T00:00:00", "study.start: must be a date such as 2024-12-24"),
        ("step_minutes = 60", 'strategies = ["v9"]', "study.strategies[0]: must be one of charge_at_once"),
        ("step_minutes = 60", 'strategies = "v2g"', "study.strategies: must be a list of texts"),
        ("Europe/Amsterdam", "Mars/Olympus", "tariff.time_zone: must be a time zone such as Europe/Amsterdam"),
        ("[car]", "[[car]]\n[[car]]", "car: must be a single car for a study, got 2 cars"),
        ("[car]", "[car", "site.toml: is not TOML"),
        (_LOAD_TABLE, "", "load: is required"),
        ('file = "load.csv"', 'file = ""', "load.file: must not be empty"),
        ('file = "load.csv"', 'file = "load.xlsx"', "load.file: must end in .csv"),
        ('file = "load.csv"', 'file = "none.csv"', "load.file: there is no such file"),
        ('file = "load.csv"', 'file = "."', "load.file: must end in .csv"),
        ('energy_used_column = "energy_used_kwh"', "", "sessions.energy_used_column: must be given, or energy_charged_column"),
        ("[sessions] ", "[sessions]\nshift_days = 400\n", "study: needs at least one whole local day"),
        ("[solar]", "[solar]\nplant = 3", "solar.plant: must be a table of named fields, got 3"),
        ("[connection] ", f"{_DEMAND}1e300\n[connection] ", f"{_DEMAND_FIELD}: must be at most 1e+09"),
    ],
)  # fmt: skip
def test_a_fault_of_the_settings(
    site: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    change(site, (old, new))
    lines = faults(site, capsys)
    assert any(told in line for line in lines), lines


def _without_rows(content: bytes) -> bytes:
    return content.split(b"\n")[0] + b"\n"


def _backwards(content: bytes) -> bytes:
    header, *rows = content.strip().split(b"\n")
    return b"\n".join([header, *reversed(rows)])


def _each_value(text: bytes) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        header, *rows = content.strip().split(b"\n")
        return b"\n".join([header, *(row.rsplit(b",", 1)[0] + b"," + text for row in rows)])

    return changed


_FIELDS = {
    "load.csv": "load",
    "prices.csv": "tariff.",
    "solar.csv": "solar",
    "sessions.csv": "sessions.file",
}


@pytest.mark.parametrize("name", _FIELDS)
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda _: b"", "the file is empty"),
        (lambda _: b" \n\n", "the file is empty"),
        (lambda _: b"\xff\xfe\x00", "must be a text in UTF-8"),
        (_without_rows, "has no rows"),
        (lambda content: content.replace(b"kw", b"w").replace(b"eur", b"usd"), "has no column"),
        (lambda content: content.replace(b"Z,", b",").replace(b"+01:00", b""), "has no zone"),
        (lambda content: content.replace(b"T", b"t h e ", 3), "must be a time such as"),
        (
            lambda content: content.replace(b"time", b"", 1).replace(b"arrival", b"", 1),
            "has no column",
        ),
        (lambda content: content.replace(b"\n", b",9\n").replace(b",9\n", b"\n", 1), "must have"),
        (_each_value(b"two"), "must be a number, got 'two'"),
        (_each_value(b"inf"), "must be finite, got inf"),
        (_each_value(b"1e300"), "must be "),
        (_each_value(b""), "known"),
    ],
)
def test_a_fault_of_a_file(
    site: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    changed: Callable[[bytes], bytes],
    told: str,
) -> None:
    path = site.parent / name
    path.write_bytes(changed(path.read_bytes()))
    lines = faults(site, capsys)
    assert any(told in line for line in lines), lines
    assert all(line.startswith((_FIELDS[name], "study: ")) for line in lines), lines


@pytest.mark.parametrize("name", ["load.csv", "prices.csv", "solar.csv"])
def test_times_that_fall(site: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = site.parent / name
    path.write_bytes(_backwards(path.read_bytes()))
    lines = faults(site, capsys)
    assert len(lines) == 6  # five rows, and how many more
    assert "must rise from row to row" in lines[0]


@pytest.mark.parametrize("name", _FIELDS)
def test_a_file_that_is_none(site: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = site.parent / name
    path.unlink()
    assert "there is no such file" in faults(site, capsys)[0]
    path.mkdir()
    assert "must be a file, not a folder" in faults(site, capsys)[0]
    path.rmdir()
    path.symlink_to(name)  # a loop
    assert "there is no such file" in faults(site, capsys)[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("09T07:30:00", "08T17:30:00", "sessions.file, departure: must be after the arrival"),
        ("09T07:30:00", "08T18:00:00", "sessions.file, departure: must be after the arrival"),
        ("09T18:00:00", "09T07:00:00", "arrival: must not be before the departure of the session before"),
        (",7\n", ",-7\n", "energy_used_kwh: must be at least 0 kWh; the session that arrives at 2024-01-08 17:00 UTC"),
        (",7\n", ",7000\n", "energy_used_kwh: must be at most 2000 kWh"),
        ("2024-01-08T18:00:00+01:00", "", "line 3, column arrival): must not be empty"),
    ],
)  # fmt: skip
def test_a_fault_of_a_session(
    site: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    sessions = site.parent / "sessions.csv"
    sessions.write_text(_SESSIONS, encoding="utf-8")
    change(sessions, (old, new))
    (line,) = faults(site, capsys)
    assert told in line


def test_sessions_outside_of_the_span(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = _SESSIONS.replace("2024-01-09T18:00:00", "2024-01-11T23:59:00")
    (site.parent / "sessions.csv").write_text(rows, encoding="utf-8")
    change(site, ("step_minutes = 60", "step_minutes = 60\nstart = 2024-01-10\nend = 2024-01-11"))
    (line,) = faults(site, capsys)
    assert line == "sessions.file: must hold at least one session within the span"


def test_gaps_in_prices_and_sun(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, hours in (("prices.csv", 3), ("solar.csv", 1)):
        path = site.parent / name
        rows = path.read_text(encoding="utf-8").split("\n")
        del rows[30 : 30 + hours]
        path.write_text("\n".join(rows), encoding="utf-8")
    solar, bought, sold = faults(site, capsys)
    assert solar.startswith("solar: must be known throughout the span; unknown: 1 h")
    rule = "must be known throughout the span; unknown: 3 h, the first at 2024-01-09 04:00 UTC"
    assert [bought, sold] == [f"tariff.import: {rule}", f"tariff.export: {rule}"]


def test_too_little_of_the_load(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.parent / "load.csv"
    rows = path.read_text(encoding="utf-8").split("\n")
    del rows[100:200]
    path.write_text("\n".join(rows), encoding="utf-8")
    (line,) = faults(site, capsys)
    assert line.startswith("load: must be known for at least 90% of the span")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT 'x' AS time, 1.0 AS load_kw", "must be a time such as"),
        ("SELECT 3 AS time, 1.0 AS load_kw", "must be a time, not a number"),
        ("SELECT TIMESTAMP '2024-01-08' AS time, 1.0 AS load_kw", "has no zone"),
        ("SELECT TIMESTAMPTZ '2024-01-08 00:00Z' AS time, [1] AS load_kw", "must hold numbers, texts or times"),
        ("SELECT TIMESTAMPTZ '2024-01-08 00:00Z' AS time, now() AS load_kw", "must be a number, not a time"),
        ("SELECT TIMESTAMPTZ '2024-01-08 00:00Z' AS time, 'much' AS load_kw", "must be a number, got 'much'"),
        ("SELECT 1.0 AS load_kw", "has no column 'time'"),
    ],
)  # fmt: skip
def test_parquet_of_the_wrong_types(
    site: Path, capsys: pytest.CaptureFixture[str], query: str, told: str
) -> None:
    with duckdb.connect() as connection:
        connection.sql(query).write_parquet(str(site.parent / "load.parquet"))
    change(site, ('file = "load.csv"', 'file = "load.parquet"'))
    lines = faults(site, capsys)
    assert any(told in line for line in lines), lines


def test_parquet_that_is_none(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site.parent / "load.parquet").write_bytes((site.parent / "load.csv").read_bytes())
    change(site, ('file = "load.csv"', 'file = "load.parquet"'))
    (line,) = faults(site, capsys)
    assert line.startswith("load.file: load.parquet is not a Parquet file that can be read")


def test_all_faults_of_settings_files_and_output_at_once(site: Path) -> None:
    change(
        site,
        ("battery_kwh = 60.0", "battery_kwh = -60.0"),
        ("[solar]", "[solar]\nsurprise = 1"),
        ("step_minutes = 60", 'step_minutes = "60"'),
    )
    (site.parent / "load.csv").write_bytes(b"")
    (site.parent / "prices.csv").write_bytes(b"time;price_eur_per_mwh\n2024-01-08;1\n")
    (site.parent / "sessions.csv").unlink()
    before = sorted(site.parent.rglob("*"))
    result = study_command("study", site, "--output", site / "results", folder=site.parent)
    assert (result.returncode, result.stdout) == (2, "")
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "--output",
        "study.step_minutes",
        "tariff.import.day_ahead (prices.csv, line 2, column time)",
        "solar.surprise",
        "car.battery_kwh",
        "load.file",
        "sessions.file",
    ]
    assert sorted(site.parent.rglob("*")) == before


def test_a_fault_that_several_series_share_is_told_once(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = site.read_text(encoding="utf-8")
    begin, end = text.index("[solar]"), text.index("[sessions]")
    plant = """\
[solar.plant]
latitude_deg = 52
longitude_deg = 5
tilt_deg = 35
azimuth_deg = 180
peak_kw = 5

[solar.irradiance]
file = "weather.csv"
time_column = "time"
global_horizontal_column = "ghi"
direct_normal_column = "dni"
diffuse_horizontal_column = "dhi"

"""
    site.write_text(text[:begin] + plant + text[end:], encoding="utf-8")
    (line,) = faults(site, capsys)
    assert line.startswith("solar.irradiance.file: there is no such file")
    change(site, ('time_column = "time"\nglobal', 'time_column = 3\nunit = "W"\nglobal'))
    assert [line.split(": must")[0] for line in faults(site, capsys)] == [
        "solar.irradiance.unit: has no meaning here: each column has a field of its own",
        "solar.irradiance.time_column",
    ]


@pytest.mark.parametrize("output", ["site.toml", "site.toml/results", "loop/results", "a\0b"])
def test_an_output_that_cannot_be_a_folder(
    site: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    (site.parent / "loop").symlink_to("loop")
    (line,) = faults(site, capsys, output)
    assert line.startswith("--output: must be a ")


def test_an_output_folder_in_which_a_result_has_no_place(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site.parent / "results" / "report.html").mkdir(parents=True)
    (site.parent / "results" / ".resume").write_text("mine", encoding="utf-8")
    assert faults(site, capsys) == [
        "--output: must have no folder report.html in it, got 'results'",
        "--output: must have no file .resume in it, got 'results'",
    ]


def test_a_name_too_long_for_a_folder(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = faults(site, capsys, "a" * 300)
    assert line.startswith("--output: cannot be made (File name too long)")


@pytest.mark.parametrize("settings", ["none.toml", ".", "", "load.csv", "\0"])
def test_settings_that_are_none(
    site: Path, capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    before = sorted(site.parent.rglob("*"))
    assert main(["study", settings, "--output", "results"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert any(rule in line for rule in ("no such file", "not a folder", "is not TOML"))
    assert sorted(site.parent.rglob("*")) == before
