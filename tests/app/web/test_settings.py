"""The page of settings in a real browser: what is to be done, devices, and a change that the site begins again with."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.app.web.browsing import DESK, PHONE, WebSite


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_what_is_to_be_done_is_told(
    site: WebSite, browser: Browser, size: tuple[int, int], scheme: str
) -> None:
    page = site.open(browser, "/settings", size, scheme=scheme)
    expect(page.get_by_text("things to look at")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Charger · GARAGE")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "it can be scrolled sideways"


def test_a_change_is_checked_and_then_lived_by(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/settings")
    page.locator("summary", has_text="car").first.click()
    battery = page.get_by_role("spinbutton", name="battery_kwh")
    save = page.get_by_role("button", name="Save").first
    battery.fill("-5")
    save.click()
    expect(page.get_by_text("must be greater than 0")).to_be_visible()
    battery.fill("64")
    page.evaluate("window.kept = 1")
    save.click()
    page.wait_for_function("window.kept === undefined", timeout=60_000)  # it came back by itself
    page.locator("summary", has_text="car").first.click()
    expect(page.get_by_role("spinbutton", name="battery_kwh")).to_have_value("64")
    assert site.server.site.read_text(encoding="utf-8").count("battery_kwh = 64") == 1
    page.locator("summary", has_text="Show and change its text").click()
    page.get_by_label("Text (TOML)").fill("nothing = ")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("is not TOML")).to_be_visible()
