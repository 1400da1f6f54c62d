"""`parkwatt report`, as a user calls it: the same figures in the terminal, as CSV, JSON and one page."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from parkwatt.app.cli import main
from parkwatt.domain.journal import Entry, Note
from parkwatt.domain.site.wish import Departure
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.site.account.made import MONDAY_UNIX_S, Home

SITE = """\
name = "Our <b>home</b>"
[store]
directory = "data"
[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"
[tariff.import]
price_per_kwh = 0.3
[connection]
import_limit_kw = 20
[[charger]]
id = "CP-1"
discharge = true
[car]
name = "car"
charger = "CP-1"
battery_kwh = 60
charge_kw_max = 10
discharge = true
wear_price_per_kwh = 0.05
"""


def cautious(_: random.Random, at_unix_s: int) -> float:
    """Gives in the evening, charges at night."""
    hour = (at_unix_s - MONDAY_UNIX_S) // 3600 % 24
    if hour >= 18:
        return -1.0
    return 8.0 if hour < 4 else 0.0


def write_journal(path: Path, entries: list[Entry]) -> None:
    """A journal with these entries."""
    journal = SqliteJournal(path)
    notes = [Note(e.recorded_unix_us, e.kind, e.subject, e.payload or b"") for e in entries]
    journal.append(notes).result()
    journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site's file with a journal of four days beside it; the last departure is broken."""
    home = Home()
    home.live(MONDAY_UNIX_S, 4, seed=1, power_kw=cautious)
    stay = home.made.began(MONDAY_UNIX_S + 4 * 86_400, 30.0)
    leaves = MONDAY_UNIX_S + 4 * 86_400 + 900
    home.made.ended(
        stay,
        leaves,
        30.0,
        departure=Departure(leaves, "asked"),
        asked_kwh=48.0,
        possible_kwh=50.0,
        kept=False,
        reason="18.0 kWh short of <48.0> kWh, though it was possible",
    )
    home.made.quarter(leaves - 900, buy=0.3, import_kwh=0.1, export_kwh=0.0)
    path = tmp_path / "home.toml"
    path.write_text(SITE, encoding="utf-8")
    write_journal(tmp_path / "data" / "journal.sqlite", home.made.entries)
    return path


def test_the_table_ends_with_the_answer_in_a_sentence(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(site)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "2026-11-23" in text
    assert re.search(r"In 4 days the car (saved|lost) [\d.]+ € against charging at once", text)
    assert "0 of 1 departure was kept (1 broken)" in text
    assert "The limit of 20 kW on import was kept." in text


def test_by_session_what_was_broken_is_told_with_its_reason(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(site), "--by", "session"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "car, broken: 18.0 kWh short of <48.0> kWh, though it was possible" in text


def test_csv_and_json_hold_the_same_figures(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(site), "--format", "json"]) == 0
    view = json.loads(capsys.readouterr().out)
    assert main(["report", str(site), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == [row["name"] for row in view["rows"]]
    for flat, row in zip(rows, view["rows"], strict=True):
        assert float(flat["charged_kwh"]) == row["energy"]["charged_kwh"]
        assert float(flat["saving_net_eur"]) == row["money"]["saving_net"]
    for part, names in (("money", ("cost", "saving_net")), ("energy", ("charged_kwh",))):
        for name in names:
            added = sum(row[part][name] for row in view["rows"])
            assert view["total"][part][name] == pytest.approx(added, abs=1e-4)
    money = view["total"]["money"]
    assert money["saving_net"] == pytest.approx(money["saving_gross"] - money["wear"], abs=1e-5)
    net, gross, wear = (money[f"smart_{name}"] for name in ("saving_net", "saving_gross", "wear"))
    assert net == pytest.approx(gross - wear, abs=1e-5)
    assert money["smart"] <= money["at_once"] + 1e-6
    assert money["wear"] > 0


def test_the_session_csv_tells_what_was_asked(site: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "sessions.csv"
    assert main(["report", str(site), "--by", "session", "--output", str(output)]) == 0
    rows = list(csv.DictReader(io.StringIO(output.read_text(encoding="utf-8"))))
    assert (rows[-1]["promise"], rows[-1]["energy_kwh_asked"]) == ("broken", "48.0")


def test_a_span_is_local_days(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    span = ["--from", "2026-11-24", "--to", "2026-11-26"]
    assert main(["report", str(site), "--format", "json", *span]) == 0
    view = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in view["rows"]] == ["2026-11-24", "2026-11-25"]
    assert (view["start"], view["days"]) == ("2026-11-23T23:00:00Z", 2.0)


@pytest.mark.parametrize("by", ["session", "day", "month", "year"])
def test_the_page_is_whole_and_escapes_what_came_from_outside(
    site: Path, tmp_path: Path, by: str
) -> None:
    output = tmp_path / "report.html"
    assert main(["report", str(site), "--by", by, "--output", str(output)]) == 0
    page = output.read_text(encoding="utf-8")
    assert "{{" not in page.split("<script", 1)[0]
    assert "<b>home</b>" not in page
    assert "&lt;48.0&gt;" in page
    found = _Tags()
    found.feed(page)
    assert found.loads == []
    assert {"money", "energy", "day", "report"} <= set(found.ids)
    data = re.search(r'id="report">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert set(json.loads(data[1])) == {"money", "energy", "day"}


class _Tags(HTMLParser):
    """The ids of a page, and what it would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag."""
        told = dict(attrs)
        self.ids += [str(told["id"])] if "id" in told else []
        self.loads += [f"{tag} {name}" for name in ("src", "href", "srcset") if name in told]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--from", "yesterday"], "--from"),
        (["--from", "2026-11-25", "--to", "2026-11-24"], "--to"),
        (["--output", "report.doc"], "--output"),
        (["--format", "html"], "--output"),
    ],
)
def test_a_wrong_call_is_told_in_a_line(
    site: Path, capsys: pytest.CaptureFixture[str], options: list[str], fault: str
) -> None:
    assert main(["report", str(site), *options]) == 2
    assert capsys.readouterr().err.startswith(fault)


def test_a_site_that_never_ran_has_no_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home.toml"
    path.write_text(SITE, encoding="utf-8")
    assert main(["report", str(path)]) == 2
    assert "the site has not run yet" in capsys.readouterr().err


def test_an_empty_journal_gives_an_empty_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home.toml"
    path.write_text(SITE, encoding="utf-8")
    SqliteJournal(tmp_path / "data" / "journal.sqlite").close()
    for options in ([], ["--format", "csv"], ["--format", "json"], ["--by", "session"]):
        assert main(["report", str(path), *options]) == 0
    assert "neither charged nor discharged" in capsys.readouterr().out
    assert main(["report", str(path), "--output", str(tmp_path / "empty.html")]) == 0


def test_it_reads_beside_a_writer(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = SqliteJournal(site.parent / "data" / "journal.sqlite")
    try:
        assert main(["report", str(site)]) == 0
    finally:
        journal.close()
    assert "against charging at once" in " ".join(capsys.readouterr().out.split())
