"""The page of users in a real browser: an owner lets somebody in, who comes in by the link and may what the owner said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.web.browsing import DESK, PHONE, WebSite, web_site

PASSWORD = "correct horse battery"  # noqa: S105 of a site that lives as long as a test


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WebSite]:
    """A site of its own: users stay."""
    with web_site(tmp_path) as started:
        yield started


def signed_in(site: WebSite, browser: Browser, link: str, size: tuple[int, int] = PHONE) -> Page:
    """A device on which a link was used, at the page of users."""
    page = site.open(browser, link, size, token=None)
    page.get_by_role("button", name="Sign in on this device").click()
    expect(page.locator(".say")).to_be_visible()
    page.goto(f"{site.url}/users")
    page.locator("h1").wait_for()
    return page


def test_an_owner_lets_a_driver_in_and_out_again(site: WebSite, browser: Browser) -> None:
    code = site.server.api.send("POST", "/v1/links", {})["code"]
    owner = signed_in(site, browser, f"/welcome?link={code}", DESK)
    expect(owner.get_by_text("Owner · last seen")).to_be_visible()

    owner.get_by_text("Add somebody").click()
    owner.get_by_label("Name").fill("Ben Müller")
    owner.get_by_role("button", name="Add and make a link").click()
    shown = owner.get_by_label("Sign-in link for Ben Müller")
    expect(shown).to_have_value(re.compile(f"^{site.url}/welcome"))
    link = shown.input_value().removeprefix(site.url)
    expect(owner.get_by_text("Driver · ID.4 · not signed in")).to_be_visible()

    ben = signed_in(site, browser, link)
    expect(ben.get_by_text("People")).to_be_hidden()
    ben.get_by_text("Choose a password").first.click()
    ben.get_by_label("New password").fill(PASSWORD)
    ben.get_by_role("button", name="Choose a password").click()
    expect(ben.get_by_text("Change your password").first).to_be_visible()
    session = {"name": "ben müller", "password": PASSWORD}
    answer = httpx.post(f"{site.server.api._url}/v1/sessions", json=session)
    assert (answer.status_code, answer.json()["cars"]) == (201, ["ID.4"])
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    mode = f"{site.server.api._url}/v1/cars/ID.4/mode"
    assert httpx.post(mode, json={"mode": "now"}, headers=token).status_code == 200

    ben.goto(f"{site.url}/car")
    smart = ben.get_by_role("button", name="Smart", exact=True)
    expect(smart).to_be_enabled()
    # A guest from now on, also where he is signed in; then gone.
    owner.reload()
    row = owner.locator(".user", has_text="Ben Müller")
    row.get_by_text("Ben Müller").click()
    row.get_by_label("Role").select_option("guest")
    row.get_by_role("button", name="Save").click()
    expect(owner.get_by_text(re.compile("Guest · last seen"))).to_be_visible()
    assert httpx.post(mode, json={"mode": "off"}, headers=token).status_code == 403
    expect(smart).to_be_disabled(timeout=20_000)
    row.get_by_text("Ben Müller").click()
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Really remove?").click()
    expect(row).to_have_count(0)
    expect(ben).to_have_url(re.compile("/sign-in"), timeout=20_000)  # where he looked at the site
    ben.goto(f"{site.url}/users")
    expect(ben).to_have_url(re.compile("/sign-in"))

    # A program may no more than was ticked.
    owner.get_by_text("New token").click()
    owner.get_by_label("What it is for").fill("Wall display")
    owner.get_by_role("button", name="Make the token").click()
    secret = owner.get_by_role("textbox", name="Token of Wall display")
    expect(secret).to_have_value(re.compile("^pw_"))
    program = {"Authorization": f"Bearer {secret.input_value()}"}
    assert httpx.get(f"{site.server.api._url}/v1/site", headers=program).status_code == 200
    assert httpx.post(mode, json={"mode": "off"}, headers=program).status_code == 403
    owner.get_by_role("button", name="Take away the token of Wall display").click()
    expect(owner.locator("li", has_text="Wall display")).to_have_count(0)
    assert httpx.get(f"{site.server.api._url}/v1/site", headers=program).status_code == 401
    assert site.faults == []
