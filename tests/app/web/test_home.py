"""The home page in a real browser: what it says of a car that comes and charges, and how it goes on after a restart."""

from __future__ import annotations

import os
import signal
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.app.web.browsing import DESK, PHONE, WebSite, wait_for_pages
from tests.app.web.virtual_car import virtual_car


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_what_happens_is_one_sentence(
    site: WebSite, browser: Browser, size: tuple[int, int], scheme: str
) -> None:
    page = site.open(browser, "/", size, scheme=scheme)
    expect(page.locator(".say")).to_have_text("No link to the charger GARAGE.")
    expect(page.get_by_text("Grid power costs 30 ct now.")).to_be_visible()
    expect(page.get_by_role("img", name="Car away")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "it can be scrolled sideways"


def test_a_car_that_comes_is_shown_without_a_reload(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/")
    expect(page.locator(".say")).to_have_text("No link to the charger GARAGE.")
    page.evaluate("window.kept = 1")
    with virtual_car(site.server.ocpp_url):
        expect(page.get_by_text("plugged in", exact=False).last).to_be_visible(timeout=30_000)
        site.server.api.send("POST", "/v1/cars/ID.4/mode", {"mode": "now"})
        expect(page.locator(".say")).to_have_text("Charging the car.", timeout=30_000)
    expect(page.locator(".say")).to_have_text("No link to the charger GARAGE.", timeout=30_000)
    assert page.evaluate("window.kept") == 1


def test_it_goes_on_after_a_restart_of_the_site(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/")
    expect(page.locator(".say")).to_be_visible()
    os.kill(site.server.process_id, signal.SIGKILL)
    site.server.close()
    site.server.start()
    wait_for_pages(site.url)
    expect(page.locator(".say")).to_have_text("No link to the charger GARAGE.", timeout=45_000)
    expect(page.get_by_role("status")).to_be_hidden(timeout=45_000)


def test_it_goes_on_after_a_phone_slept(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/", PHONE)
    expect(page.locator(".say")).to_have_text("No link to the charger GARAGE.")
    phone = page.context.new_cdp_session(page)
    phone.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.context.set_offline(True)
    with virtual_car(site.server.ocpp_url):
        site.server.api.send("POST", "/v1/cars/ID.4/mode", {"mode": "now"})
        _until_it_charges(site)
        page.context.set_offline(False)
        phone.send("Page.setWebLifecycleState", {"state": "active"})
        expect(page.locator(".say")).to_have_text("Charging the car.", timeout=30_000)
        expect(page.get_by_role("status")).to_be_hidden(timeout=30_000)


def _until_it_charges(site: WebSite) -> None:
    deadline_s = time.monotonic() + 30.0
    while site.server.api.send("GET", "/v1/site")["cars"][0]["activity"]["kind"] != "charging":
        assert time.monotonic() < deadline_s
        time.sleep(0.2)


def test_nothing_is_asked_of_another_host(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/")
    page.wait_for_load_state("networkidle")
    assert site.foreign == []
    assert site.faults == []
