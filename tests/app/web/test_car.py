"""The car's page in a real browser: what a driver says reaches the charger, its cost is told, and a guest may only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.app.web.browsing import PHONE, WebSite
from tests.app.web.virtual_car import VirtualCar, virtual_car

CAR = "/v1/cars/ID.4"
OBEYED = "answered SetChargingProfile: Accepted"


@pytest.fixture(scope="module")
def car(site: WebSite, browser: Browser) -> Iterator[VirtualCar]:
    """A car that is plugged in, with half a charge."""
    with virtual_car(site.server.ocpp_url) as plugged_in:
        page = site.open(browser, "/car")
        expect(page.get_by_text("plugged in", exact=True)).to_be_visible(timeout=40_000)
        expect(page.get_by_text("Charging with", exact=False)).to_be_visible(timeout=40_000)
        page.context.close()
        yield plugged_in


def test_a_mode_reaches_the_charger_within_two_seconds(
    site: WebSite, browser: Browser, car: VirtualCar, time_unit_s: float
) -> None:
    page = site.open(browser, "/car")
    page.get_by_role("button", name="Off", exact=True).click()
    expect(page.get_by_role("button", name="Off", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_text("Resting: switched off").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(3000)  # until the charger has nothing more to be told
    before = car.count(OBEYED)
    page.get_by_role("button", name="Now", exact=True).click()
    assert car.wait_for(OBEYED, before, 10.0) < 2.0 * time_unit_s
    expect(page.get_by_text("Charging with", exact=False).first).to_be_visible(timeout=30_000)


def test_floor_target_and_weekdays(site: WebSite, browser: Browser, car: VirtualCar) -> None:
    assert car.count(OBEYED)
    page = site.open(browser, "/car")
    slider = page.get_by_role("slider", name="Target")
    before = int(slider.get_attribute("aria-valuenow") or 0)
    slider.focus()
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", str(before - 5))
    field = page.get_by_label("Tue", exact=True)
    field.fill("06:15")
    field.press("Tab")

    def told() -> tuple[float, str | None]:
        wishes = site.server.api.get(f"{CAR}/wishes")
        return round(wishes["target_soc"], 2), wishes["ready_by"]["tuesday"]

    for _ in range(100):
        if told() == (round(before / 100 - 0.05, 2), "06:15"):
            break
        page.wait_for_timeout(100)
    assert told() == (round(before / 100 - 0.05, 2), "06:15")


def test_a_departure_is_named_and_taken_back(
    site: WebSite, browser: Browser, car: VirtualCar
) -> None:
    assert car.count(OBEYED)
    page = site.open(browser, "/car")
    page.get_by_label("I leave at").fill("05:05")
    page.get_by_label("with %").fill("90")
    page.get_by_role("button", name="Be ready then").click()
    expect(page.get_by_text("You leave", exact=False)).to_contain_text("05:05")
    departure = site.server.api.get(CAR)["departure"]
    assert (departure["source"], round(departure["asked_soc"], 2)) == ("asked", 0.9)
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("You leave", exact=False)).to_be_hidden()
    page.get_by_role("button", name="I leave now").click()
    expect(page.get_by_text("You leave", exact=False)).to_be_visible()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("You leave", exact=False)).to_be_hidden()


def test_what_is_being_written_stays_while_the_page_changes(
    site: WebSite, browser: Browser, car: VirtualCar
) -> None:
    assert car.count(OBEYED)
    page = site.open(browser, "/car")
    at, monday = page.get_by_label("I leave at"), page.get_by_label("Mon", exact=True)
    at.fill("05:05")
    page.get_by_label("with %").fill("90")
    for mode, told in (("off", "Off"), ("now", "Now"), ("smart", "Smart")):
        site.server.api.send("POST", f"{CAR}/mode", {"mode": mode})
        expect(page.get_by_role("button", name=told, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
    assert (at.input_value(), page.get_by_label("with %").input_value()) == ("05:05", "90")
    # What another says of the weekdays is seen; what this person writes there stays.
    monday.fill("06:10")
    monday.focus()
    site.server.api.send("PUT", f"{CAR}/wishes", {"ready_by": {"wednesday": "05:40"}})
    expect(page.get_by_label("Wed", exact=True)).to_have_value("05:40")
    assert monday.input_value() == "06:10"


def test_what_wishes_cost_is_told(site: WebSite, browser: Browser, car: VirtualCar) -> None:
    assert car.count(OBEYED)
    # The list leaves out the mode that holds, and an earlier test may have set any.
    site.server.api.send("POST", f"{CAR}/mode", {"mode": "now"})
    page = site.open(browser, "/car")
    expect(page.get_by_role("heading", name="What a wish would cost")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("Mode Smart")).to_be_visible(timeout=40_000)


def test_the_plan_tells_what_a_target_costs_before_it_holds(
    site: WebSite, browser: Browser, car: VirtualCar
) -> None:
    assert car.count(OBEYED)
    site.server.api.send("POST", f"{CAR}/mode", {"mode": "smart"})
    page = site.open(browser, "/plan")
    slider = page.get_by_role("slider", name="Target")
    expect(slider).to_be_visible(timeout=40_000)
    target = site.server.api.get(f"{CAR}/wishes")["target_soc"]
    slider.focus()
    slider.press("ArrowRight")
    expect(page.get_by_text("costs", exact=False).first).to_be_visible(timeout=30_000)
    assert site.server.api.get(f"{CAR}/wishes")["target_soc"] == target
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    assert site.server.api.get(f"{CAR}/wishes")["target_soc"] == pytest.approx(target + 0.05)


def test_a_guest_sees_and_may_not(site: WebSite, browser: Browser, car: VirtualCar) -> None:
    assert car.count(OBEYED)
    made = site.server.api.send("POST", "/v1/links", {"name": "Gast", "role": "guest"})
    page = site.open(browser, f"/welcome?link={made['code']}", PHONE, token=None)
    page.get_by_role("button", name="Sign in on this device").click()
    expect(page.locator(".say")).to_be_visible()
    page.goto(site.url + "/car")
    expect(page.get_by_role("button", name="Now", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="I leave now")).to_be_disabled()
    expect(page.get_by_role("slider")).to_have_count(0)
