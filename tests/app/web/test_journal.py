"""The journal in a real browser: what happened is listed, searched, told as it happens, and shown as it was then."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.web.browsing import DESK, PHONE, WebSite


def say(site: WebSite, mode: str) -> Any:
    """The driver chooses a mode."""
    return site.server.api.send("POST", "/v1/cars/ID.4/mode", {"mode": mode})


def entries(page: Page) -> Locator:
    """What is listed."""
    return page.locator(".journal-entry")


def test_what_happened_is_listed_searched_and_told_as_it_happens(
    site: WebSite, browser: Browser
) -> None:
    say(site, "off")
    say(site, "now")
    page = site.open(browser, "/journal", PHONE)
    expect(page.get_by_role("heading", name=re.compile("^Today"))).to_be_visible()
    expect(entries(page).first).to_contain_text("mode now")
    count = entries(page).count()
    assert count >= 3, "the start is told, too"

    page.get_by_label("Search").fill("OFF mode")
    page.keyboard.press("Enter")
    expect(page.locator(".journal-entry", has_text="mode now")).to_have_count(0)
    expect(entries(page).first).to_contain_text("mode off")
    expect(page.get_by_text("That is all there is.")).to_be_visible()
    page.get_by_label("Search").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was found.")).to_be_visible()
    page.get_by_label("Search").fill("")
    page.keyboard.press("Enter")
    expect(entries(page)).to_have_count(count)

    operation = page.get_by_role("button", name="Operation")
    operation.click()
    expect(operation).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".journal-entry", has_text="mode")).to_have_count(0)
    expect(page.get_by_text(re.compile("began to run the site"))).to_be_visible()
    operation.click()
    expect(entries(page)).to_have_count(count)

    say(site, "smart")
    page.get_by_role("button", name=re.compile(r"^\d+ new")).click()
    expect(entries(page).first).to_contain_text("mode smart")
    assert site.faults == []


def test_a_moment_is_shown_as_it_was(site: WebSite, browser: Browser) -> None:
    say(site, "off")
    say(site, "smart")
    page = site.open(browser, "/journal", DESK, locale="de-DE")
    entry = page.locator(".journal-entry", has_text="Betriebsart aus").first
    expect(entry).to_be_visible()
    entry.get_by_role("button").click()
    moment = page.locator(".moment")
    expect(moment.get_by_role("heading", name=re.compile("^So war es"))).to_be_visible()
    expect(moment.get_by_role("img", name="Auto unterwegs")).to_be_visible()
    expect(moment.get_by_text("Keine Verbindung zur Wallbox GARAGE.")).to_be_visible()
    page.get_by_text("Was das Tagebuch von diesem Moment nicht weiß").click()
    expect(moment.get_by_text(re.compile("site.alarms"))).to_be_visible()
    before = moment.get_by_role("heading", name=re.compile("^So war es")).inner_text()
    serious = [
        f"{fault['id']}: {node['target']}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
    assert serious == []
    page.get_by_role("button", name="Tag davor").click()
    expect(page.locator(".q-notification")).to_be_visible()
    assert moment.get_by_role("heading", name=re.compile("^So war es")).inner_text() == before
    moment.get_by_role("button", name="Schließen").click()
    expect(moment).to_be_hidden()
    assert site.faults == []
