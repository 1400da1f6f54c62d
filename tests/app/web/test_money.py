"""The money page in a real browser, before a home with three weeks in its journal, and before one that begins."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from parkwatt.app.web.numbers import Numbers
from parkwatt.domain.journal import Note
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.app.web.browsing import DESK, PHONE, SITE, WebSite, web_site
from tests.site.account.made import BERLIN, US, Home

DAYS = 21
# The site's car and charger as the made home calls them.
TOML = SITE.replace('id = "GARAGE"', 'id = "CP-1"').replace('name = "ID.4"', 'name = "car"')


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """A home in whose journal are three weeks that end now."""
    folder = tmp_path_factory.mktemp("money")
    now_unix_s = int(time.time())
    made = Home()
    made.live(
        (now_unix_s // 900 - DAYS * 96) * 900,
        DAYS,
        seed=5,
        power_kw=lambda chance, _: chance.choice([0.0, 7.0, 8.0, -4.0]),
        read_every_s=300,
    )
    notes = [
        Note(entry.recorded_unix_us, entry.kind, entry.subject, entry.payload or b"")
        for entry in made.made.entries
        if entry.recorded_unix_us <= now_unix_s * US
    ]
    Path(folder, "site-data").mkdir()
    journal = SqliteJournal(folder / "site-data" / "journal.sqlite")
    journal.append(notes).result()
    journal.close()
    with web_site(folder, TOML) as started:
        yield started


def told(site: WebSite, path: str, **asked: str) -> Any:
    return site.server.api.get(path, **asked)


def shown_money(page: Page) -> list[str]:
    return page.locator(".money-sum .amount").all_inner_texts()


@pytest.mark.parametrize(
    ("size", "scheme", "locale"), [(PHONE, "dark", "de-DE"), (DESK, "light", "en-GB")]
)
def test_the_number_is_the_accounts(
    home: WebSite, browser: Browser, size: tuple[int, int], scheme: str, locale: str
) -> None:
    money = Numbers(locale[:2], BERLIN).money
    page = home.open(browser, "/money", size, scheme=scheme, locale=locale)
    year = page.get_by_role("button", name={"en": "Year", "de": "Jahr"}[locale[:2]], exact=True)
    year.click()
    expect(year).to_have_attribute("aria-pressed", "true")
    total = told(home, "/v1/money", by="year")["total"]
    saved = total["at_once"]
    expect(page.locator(".money-net")).to_have_text(money(abs(float(saved["net"]))))
    assert shown_money(page) == [money(saved[name]) for name in ("gross", "wear", "net")]
    page.get_by_role(
        "button", name={"en": "smart charging", "de": "klugem Laden"}[locale[:2]]
    ).click()
    smart = total["smart"]
    expect(page.locator(".money-net")).to_have_text(money(abs(float(smart["net"]))))
    assert shown_money(page) == [money(smart[name]) for name in ("gross", "wear", "net")]
    page.locator("summary").click()
    sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0
    found = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []


def test_the_bars_stand_in_a_table_too(home: WebSite, browser: Browser) -> None:
    page = home.open(browser, "/money")
    page.get_by_role("button", name="Month", exact=True).click()
    page.locator("summary").click()
    rows = told(home, "/v1/money", by="month")["rows"]
    this_year = [row for row in rows if row["name"][:4] == rows[-1]["name"][:4]]
    expect(page.locator("tbody tr")).to_have_count(len(this_year) + 1)
    assert page.locator(".money-chart svg path").count() >= len(this_year)
    cycles = told(home, "/v1/cars/car/battery")["total"]["cycles"]["total"]
    shown = page.locator(".money-battery .big")
    expect(shown).to_have_text(re.compile(r"^\d+\.\d+ full cycles$"))
    assert float(shown.inner_text().split()[0]) == pytest.approx(cycles, abs=0.06)
    expect(page.get_by_text("not known yet")).to_be_visible()  # nobody told its charge


def test_a_statement_and_tables_can_be_taken_away(home: WebSite, browser: Browser) -> None:
    page = home.open(browser, "/money")
    for name, begins in (
        ("Statement as PDF", b"%PDF-"),
        ("Battery as CSV", b"month,car,"),
        ("Money as CSV", b"day,car,"),
    ):
        with page.expect_download() as found:
            page.get_by_role("button", name=name).click()
        assert found.value.path().read_bytes().startswith(begins)
    assert home.foreign == []
    assert home.faults == []


def test_a_home_that_begins_says_so(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/money")
    expect(page.get_by_text("Nothing is accounted yet.")).to_be_visible()
    expect(page.get_by_text("0 of 4 charge sessions")).to_be_visible()
