"""Signing in and out in a real browser: links, passwords, other sites' pages, languages, and a proxy with a path."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Response, expect

from tests.app.web.browsing import COOKIE, WebSite, web_site
from tests.app.web.path_proxy import path_proxy


@pytest.fixture(scope="module")
def link(site: WebSite) -> str:
    """A path that signs one person in, as the command line prints it."""
    made = site.server.api.send("POST", "/v1/links", {"name": "ada", "role": "owner"})
    return f"/welcome?link={made['code']}"


def test_a_link_signs_a_device_in_once(site: WebSite, browser: Browser, link: str) -> None:
    page = site.open(browser, link, token=None)
    page.get_by_role("button", name="Sign in on this device").click()
    expect(page.locator(".say")).to_be_visible()
    cookie = next(one for one in page.context.cookies() if one["name"] == COOKIE)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    again = site.open(browser, link, token=None)
    again.get_by_role("button", name="Sign in on this device").click()
    expect(again.get_by_role("alert")).to_have_text(
        "This link was used or is too old. Ask for a new one."
    )
    # What was signed in stays so, until it is signed out; then its cookie is worth nothing, wherever it was kept.
    page.get_by_role("button", name="Menu").click()
    page.get_by_text("Sign out ada").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    kept = httpx.get(site.url + "/", cookies={COOKIE: str(cookie["value"])})
    assert (kept.status_code, kept.headers["location"]) == (303, "/sign-in?next=/")


def test_nobody_sees_a_page_without_signing_in(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/", token=None)
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    assert not [one for one in page.context.cookies() if one["name"] == COOKIE]


def test_a_browser_that_wants_german_gets_it(site: WebSite, browser: Browser) -> None:
    page = site.open(browser, "/", token=None, locale="de-DE")
    expect(page.locator("h1")).to_have_text("Anmelden")
    assert page.locator("html").get_attribute("lang") == "de"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_another_sites_form_is_refused(site: WebSite, path: str) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(site.url + path, headers=headers, cookies={COOKIE: site.token})
        assert answer.status_code == 403
    assert httpx.get(site.url + "/", cookies={COOKIE: site.token}).status_code == 200


def test_another_sites_socket_is_refused(site: WebSite) -> None:
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert httpx.get(site.url + path, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x=1"],
)
def test_signing_in_leads_nowhere_else(site: WebSite, target: str) -> None:
    answer = httpx.post(site.url + "/sign-in", data={"name": "x", "password": "y", "next": target})
    assert answer.headers["location"] in {"/sign-in?why=wrong&next=/", "/sign-in?why=often&next=/"}
    assert "set-cookie" not in answer.headers


def test_a_forged_host_leads_nowhere(site: WebSite) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    for path in ("/", "/users", "/users/", "/sign-in/", "/_nicegui/", "//evil.example/"):
        answer = httpx.get(site.url + path, headers=headers)
        assert "evil" not in answer.headers.get("location", ""), path


def test_no_page_takes_a_large_body(site: WebSite) -> None:
    large = b"a" * (2 << 20)
    for body in ({"data": {"name": large.decode()}}, {"files": {"name": ("a", large)}}):
        answer = httpx.post(site.url + "/sign-in", **body)
        assert answer.status_code == 413


def test_what_is_shown_again_is_escaped(site: WebSite) -> None:
    shown = httpx.get(site.url + '/sign-in?next="><script>alert(1)</script>').text
    assert "<script>alert(1)" not in shown
    assert "<script>alert(1)" not in httpx.get(site.url + "/welcome?link=<script>alert(1)").text


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/a;Domain=evil.example", "/a b", '/"><b>evil']
)
def test_a_forged_path_of_a_proxy_stands_nowhere(site: WebSite, prefix: str) -> None:
    headers = {"X-Forwarded-Prefix": prefix}
    assert "evil" not in httpx.get(site.url + "/sign-in", headers=headers).text
    made = site.server.api.send("POST", "/v1/links", {"name": "eve", "role": "guest"})
    answer = httpx.post(site.url + "/sign-in", data={"link": made["code"]}, headers=headers)
    assert answer.headers["location"] == "/"
    assert "Path=/;" in answer.headers["set-cookie"]


def test_every_answer_bears_the_security_headers(site: WebSite) -> None:
    for path in ("/sign-in", "/", "/nothing", "/_nicegui/nothing"):
        headers = httpx.get(site.url + path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert headers["referrer-policy"] == "same-origin", path


def test_behind_a_proxy_under_a_path(site: WebSite, browser: Browser) -> None:
    made = site.server.api.send("POST", "/v1/links", {"name": "ada", "role": "owner"})
    port = int(site.url.rpartition(":")[2])
    with path_proxy(port, "/energy") as url:
        page = site.context(browser, token=None).new_page()
        outside: list[str] = []

        def hear(got: Response) -> None:
            if not got.ok:
                outside.append(f"{got.status} {got.url}")

        page.on("response", hear)
        page.goto(f"{url}/welcome?link={made['code']}")
        page.get_by_role("button", name="Sign in on this device").click()
        expect(page.locator(".say")).to_be_visible()
        expect(page).to_have_url(f"{url}/")
        (cookie,) = [one for one in page.context.cookies() if one["name"] == COOKIE]
        assert cookie["path"] == "/energy"
        page.get_by_role("link", name="Home").click()
        expect(page).to_have_url(f"{url}/")
        page.get_by_role("button", name="Menu").click()
        page.get_by_text("Sign out ada").click()
        expect(page).to_have_url(re.compile(rf"^{url}/sign-in"))
        assert [one for one in outside if not one.startswith("303")] == []
        page.context.close()


def test_behind_tls_the_cookie_is_for_tls_alone(site: WebSite) -> None:
    made = site.server.api.send("POST", "/v1/links", {"name": "ada", "role": "owner"})
    answer = httpx.post(
        site.url + "/sign-in",
        data={"link": made["code"]},
        headers={
            "X-Forwarded-Proto": "https",
            "Origin": "https://home.example",
            "X-Forwarded-Host": "home.example",
        },
    )
    assert "Secure" in answer.headers["set-cookie"]


def test_the_first_start_prints_a_link(tmp_path: Path, browser: Browser) -> None:
    with web_site(tmp_path) as site:
        printed = site.server.parkwatt("access", "link")
        found = re.search(r"(/welcome\?link=\S+)", printed)
        assert found is not None, printed
        page = site.open(browser, found[1], token=None)
        page.get_by_role("button", name="Sign in on this device").click()
        expect(page.locator(".say")).to_be_visible()
