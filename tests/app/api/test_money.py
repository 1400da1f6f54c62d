"""Money and batteries through the API, of a journal of a made home with a site that runs on it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from parkwatt.domain.journal import Note
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.app.api.live_served import NOW_UNIX_US, SITE_TOML, LiveServed, in_live_site
from tests.site.account.made import Home

# The site's car and charger as the made home calls them.
TOML = SITE_TOML.replace('id = "GARAGE"', 'id = "CP-1"').replace(
    'name = "ID.4"', 'name = "car"\ncell = "lfp-prismatic"\ntemperature_c = 15'
)
BEGAN_UNIX_S = int(datetime(2026, 12, 21, 23, tzinfo=UTC).timestamp())
DAYS = 24
Test = Callable[[LiveServed], Awaitable[None]]


def lived(directory: Path, test: Test) -> None:
    """Run a test beside a site in whose journal are 24 days that end this morning."""
    home = Home()
    home.live(
        BEGAN_UNIX_S, DAYS, seed=5, power_kw=lambda chance, _: chance.choice([0.0, 7.0, 8.0, -4.0])
    )
    notes = [
        Note(entry.recorded_unix_us, entry.kind, entry.subject, entry.payload or b"")
        for entry in home.made.entries
        if entry.recorded_unix_us < NOW_UNIX_US
    ]
    (directory / "site-data").mkdir()
    journal = SqliteJournal(directory / "site-data" / "journal.sqlite")
    journal.append(notes).result()
    journal.close()
    in_live_site(directory, test, TOML)


async def get(site: LiveServed, path: str, status: int = 200) -> Any:
    answer = await site.client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_money_by_day_month_and_year_adds_up(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        totals = []
        for by, count in (("day", 24), ("month", 2), ("year", 2)):
            shown = await get(site, f"/v1/money?by={by}&from=2026-12-01&until=2027-01-16")
            assert shown["by"] == by
            assert len(shown["rows"]) == count
            for way in ("at_once", "smart"):
                for name in ("gross", "wear", "net"):
                    found = sum(Decimal(row[way][name]) for row in shown["rows"])
                    assert Decimal(shown["total"][way][name]) == found
                saved = shown["total"][way]
                assert Decimal(saved["net"]) == Decimal(saved["gross"]) - Decimal(saved["wear"])
            totals.append(shown["total"])
        assert totals[0] == totals[1] == totals[2]
        assert Decimal(totals[0]["at_once"]["net"]) > Decimal(totals[0]["smart"]["net"])
        assert totals[0]["charged_kwh"] > 100

    lived(tmp_path, test)


def test_today_is_told_again_while_it_is_fresh(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        first = await get(site, "/v1/money/today")
        assert first["day"] == "2027-01-15"
        assert set(first) >= {"gross", "wear", "net", "smart_net", "currency"}
        assert first["net"] is None  # the made days end before
        site.clock[0] -= 2 * 86_400 * 1_000_000
        before = await site.shows("/v1/money/today", lambda today: today["net"] is not None)
        (row,) = (await get(site, "/v1/money?from=2027-01-13&until=2027-01-14"))["rows"]
        assert [before[name] for name in ("gross", "wear", "net")] == [
            row["at_once"][name] for name in ("gross", "wear", "net")
        ]
        assert before["smart_net"] == row["smart"]["net"]
        assert await get(site, "/v1/money/today") == before
        told = site.application.state.books.told
        assert len([key for key in told if key[0] == "today"]) == 2

    lived(tmp_path, test)


def test_who_asks_at_once_waits_for_one_answer(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        path = "/v1/money?by=year"
        answers = await asyncio.gather(*(site.client.get(path) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert site.application.state.books.under_way == {}

    lived(tmp_path, test)


def test_the_batterys_ledger_stands_on_the_journal(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        shown = await get(site, "/v1/cars/car/battery")
        assert [month["name"] for month in shown["months"]] == ["2026-12", "2027-01"]
        total, cycles = shown["total"], shown["total"]["cycles"]
        for use in ("driving", "home", "grid"):
            assert cycles[use] == pytest.approx(total[f"{use}_kwh"] / 77, abs=0.001)
        assert cycles["total"] == pytest.approx(
            cycles["driving"] + cycles["home"] + cycles["grid"], abs=0.003
        )
        assert shown["capacity"]["capacity_kwh"] is None
        assert shown["capacity"]["sessions_needed"] == 4
        assert shown["ageing"]["cell"] == "lfp-prismatic"
        assert shown["ageing"]["temperature_c"] == 15
        assert shown["ageing"]["loss_percent_per_year"] > 0
        assert len(shown["seal"]["hash"]) == 64
        assert 0 < shown["seal"]["entry"] <= site.site.journal.last_seq

    lived(tmp_path, test)


def test_tables_hold_the_same_figures(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        path = "?by=month&from=2026-12-01&until=2027-01-16"
        shown = await get(site, f"/v1/money{path}")
        answer = await site.client.get(f"/v1/money.csv{path}")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["month"] for row in rows] == ["2026-12", "2027-01", "total"]
        assert [row["at_once_net_eur"] for row in rows] == [
            row["at_once"]["net"] for row in (*shown["rows"], shown["total"])
        ]
        answer = await site.client.get("/v1/cars/car/battery.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["month"] for row in rows] == ["2026-12", "2027-01", "total"]
        assert float(rows[-1]["home_kwh"]) > 0

    lived(tmp_path, test)


def test_what_cannot_be_asked_is_told(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        for path, field in (
            ("/v1/money?from=2027-01-05&until=2027-01-05", "until"),
            ("/v1/money?from=0001-01-01", "from"),
            ("/v1/money?until=9999-12-31", "until"),
            ("/v1/money?by=week", "by"),
        ):
            assert (await get(site, path, 422))["faults"][0]["field"] == field
        for path in ("/v1/money?car_id=other", "/v1/cars/other/battery", "/v1/cars/x/battery.csv"):
            assert "no car" in (await get(site, path, 404))["detail"]

    in_live_site(tmp_path, test, TOML)


def test_a_site_that_begins_knows_nothing_yet(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.durable()
        assert (await get(site, "/v1/money/today"))["net"] is None
        for by in ("day", "month", "year"):
            shown = await get(site, f"/v1/money?by={by}")
            assert shown["rows"] == []
            assert shown["total"]["at_once"]["net"] == "0.00"
        battery = await get(site, "/v1/cars/car/battery")
        assert battery["months"] == []
        assert battery["start"] is None
        assert battery["ageing"] is None

    in_live_site(tmp_path, test, TOML)


def test_a_statement_can_be_had_in_both_languages(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        files = []
        for language in ("en", "de"):
            answer = await site.client.get(f"/v1/cars/car/battery.pdf?language={language}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/pdf"
            assert 'filename="battery-2027-01-15.pdf"' in answer.headers["content-disposition"]
            files.append(answer.content)
            assert answer.content.startswith(b"%PDF-")
        assert files[0] != files[1]
        assert (await site.client.get("/v1/cars/car/battery.pdf?language=xx")).status_code == 422
        assert (await site.client.get("/v1/cars/other/battery.pdf")).status_code == 404

    lived(tmp_path, test)
