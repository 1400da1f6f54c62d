"""The backup page in a real browser, through an outage of a virtual home: what it says, and that its switches switch."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.web.backed_up_home import VirtualHome, backed_up_site
from tests.app.web.browsing import DESK, PHONE, WebSite

SLOW_MS = 30_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebSite, VirtualHome]]:
    """A home with backup, its car plugged in."""
    with backed_up_site(tmp_path_factory.mktemp("home")) as started:
        yield started


def backup(site: WebSite) -> Any:
    """What the API shows."""
    return site.server.api.send("GET", "/v1/backup")


def until(site: WebSite, holds: Callable[[Any], bool]) -> Any:
    """The backup, once ``holds`` says so of it."""
    deadline_s = time.monotonic() + SLOW_MS / 1000
    while True:
        shown = backup(site)
        if holds(shown):
            return shown
        assert time.monotonic() < deadline_s, shown
        time.sleep(0.2)


def hours_left(page: Page) -> float:
    """The huge number."""
    return float(re.findall(r"[\d.]+", page.locator(".huge").inner_text())[0])


def switch(page: Page, name: str) -> Locator:
    """A circuit's switch."""
    return page.get_by_role("switch", name=name)


def test_an_outage_is_walked_through(home: tuple[WebSite, VirtualHome], browser: Browser) -> None:
    site, grid = home
    until(site, lambda shown: shown["phase"] == "grid" and shown["runtime"] is not None)
    page = site.open(browser, "/backup", PHONE)
    german = site.open(browser, "/backup", DESK, locale="de-DE")
    guest = site.open(browser, "/backup", token=_guest(site))
    at_home = site.open(browser, "/", PHONE)
    expect(page.get_by_text("If the grid failed now, ID.4 would carry the house")).to_be_visible()
    expect(page.locator(".huge")).to_contain_text(re.compile(r"\d"), timeout=SLOW_MS)
    assert "outage" not in (page.locator("body").get_attribute("class") or "")

    grid.do("outage in 0s for 1h")
    expect(page.get_by_text("The grid is down")).to_be_visible(timeout=SLOW_MS)
    expect(german.get_by_text("Das Netz ist ausgefallen")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("verified by contact feedback")).to_be_visible(timeout=SLOW_MS)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(5, 11, 16)"
    expect(at_home).to_have_url(re.compile(r"/backup$"), timeout=SLOW_MS)
    _back_home_the_outage_comes_first(at_home)
    _is_usable(page)
    _driving_costs_hours(site, page)
    _switches_switch(site, page)
    _questions_are_answered(site, page)
    expect(switch(guest, "Heat pump")).to_be_disabled()
    assert guest.get_by_role("slider").count() == 0
    assert guest.get_by_role("button", name="Leave Hob and oven off").count() == 0

    grid.do("outage stop")
    expect(page.get_by_text("The grid is back. If it stays")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("The grid is down")).to_be_hidden(timeout=SLOW_MS)
    until(site, lambda shown: shown["phase"] == "grid")
    expect(page.get_by_text("The house is connected to the street")).to_be_visible()
    assert "outage" not in (page.locator("body").get_attribute("class") or "")
    assert site.faults == []
    assert site.foreign == []


def _back_home_the_outage_comes_first(at_home: Page) -> None:
    """Who goes back to the home page stays there, and finds the outage above all else."""
    at_home.get_by_role("link", name="Home").click()
    told = at_home.locator("a.card", has_text="The grid is down")
    expect(told).to_be_visible()
    first = at_home.locator(".card:visible").evaluate_all(
        "cards => cards.sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)[0].textContent"
    )
    assert "The grid is down" in first
    told.click()
    expect(at_home).to_have_url(re.compile(r"/backup$"))


def _guest(site: WebSite) -> str:
    """The session of somebody who only sees."""
    link = site.server.api.send("POST", "/v1/links", {"name": "guest", "role": "guest"})
    session = site.server.api.send("POST", "/v1/sessions", {"link": link["code"]})
    return str(session["token"])


def _is_usable(page: Page) -> None:
    """By everybody, on a phone at night."""
    serious = [
        f"{fault['id']}: {node['target']}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for control in page.locator("button.switch, .question button, [role=slider]").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def _driving_costs_hours(site: WebSite, page: Page) -> None:
    slider = page.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    expect(page.locator(".driving")).to_contain_text(re.compile(r"\d+ km by"))
    # What is kept on is reckoned anew when the house is lit: the number of now is the API's.
    until(site, lambda view: hours_left(page) < 0.95 * float(view["runtime"]["hours_p50"]))
    assert backup(site)["mobility"] == [], "and said only when it is let go"
    page.mouse.up()
    shown = until(site, lambda view: bool(view["mobility"]))
    assert shown["mobility"][0]["car_id"] == "ID.4"
    slider.focus()
    page.keyboard.press("Home")
    until(site, lambda view: view["mobility"] == [])
    expect(page.get_by_text("Nothing is kept for driving")).to_be_visible()


def _switches_switch(site: WebSite, page: Page) -> None:
    heating, medical = switch(page, "Heat pump"), switch(page, "Medical device")
    expect(medical).to_be_disabled()
    expect(heating).to_have_attribute("aria-checked", "true")
    heating.click()
    expect(heating).to_have_attribute("aria-checked", "false", timeout=SLOW_MS)
    expect(page.get_by_text("you keep it off")).to_be_visible()
    until(site, lambda view: not _circuit(view, "heating")["on"])
    page.get_by_role("button", name="Leave Heat pump to Parkwatt").click()
    until(site, lambda view: _circuit(view, "heating")["choice"] == "automatic")


def _questions_are_answered(site: WebSite, page: Page) -> None:
    page.get_by_role("button", name="Leave Hob and oven off").click()
    until(site, lambda view: _circuit(view, "hob")["choice"] == "keep_off")
    page.get_by_role("button", name="Switch Washing and drying on").click()
    shown = until(site, lambda view: _circuit(view, "dryer")["on"])
    assert _circuit(shown, "dryer")["choice"] == "keep_on"
    expect(switch(page, "Washing and drying")).to_have_attribute("aria-checked", "true")
    assert page.get_by_role("button", name="Switch Washing and drying on").count() == 0


def _circuit(shown: Any, circuit_id: str) -> Any:
    return next(one for one in shown["circuits"] if one["circuit_id"] == circuit_id)


def test_an_off_grid_test_is_asked_for_and_reports(
    home: tuple[WebSite, VirtualHome], browser: Browser
) -> None:
    site, _ = home
    until(site, lambda shown: shown["phase"] == "grid" and shown["source_ready"])
    page = site.open(browser, "/backup", PHONE)
    page.get_by_role("button", name="60 s", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="60 s", exact=True).click()
    page.get_by_role("button", name="Leave the grid").click()
    expect(page.locator(".outage-line .say")).to_have_text("Off-grid test", timeout=SLOW_MS)
    until(site, lambda shown: shown["phase"] == "test")
    page.get_by_role("button", name="End the test").click()
    expect(page.get_by_text(re.compile("The last test, .* worked"))).to_be_visible(timeout=SLOW_MS)


def test_a_home_without_backup_is_told_how_to_get_one(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/backup")
    expect(page.get_by_text("This home has no backup yet.")).to_be_visible()
