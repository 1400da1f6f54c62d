"""A real `parkwatt up` with its pages, and a real browser before it."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.app.serve.running import RunningServer, running

PATIENCE_S = 60.0
PHONE, DESK = (390, 844), (1440, 900)
COOKIE = "parkwatt_session"
# Needs nothing from outside: a flat price by day, a cheaper one by night, a charger that any may connect to.
SITE = """\
name = "Home"

[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"

[tariff.import]
price_per_kwh = 0.3

[connection]
fuse_a = 35

[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true

[api]
listen = "127.0.0.1:0"

[control]
step_s = 1

[[charger]]
id = "GARAGE"

[car]
name = "ID.4"
battery_kwh = 60
charge_kw_max = 11
"""


@dataclass
class WebSite:
    """A site that runs, and where its pages are. ``foreign``: requests of its browsers to other hosts; ``faults``: what their
    consoles told.
    """

    server: RunningServer
    url: str
    token: str
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def context(
        self,
        browser: Browser,
        size: tuple[int, int] = PHONE,
        *,
        scheme: str = "light",
        locale: str = "en-GB",
        token: str | None = "",
    ) -> BrowserContext:
        """A browser's window. ``token``: of the session, empty for the owner's, None for nobody's."""
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            reduced_motion="reduce",
        )
        if token is not None:
            context.add_cookies([{"name": COOKIE, "value": token or self.token, "url": self.url}])
        context.set_default_timeout(20_000)
        context.on("request", lambda request: self._asked(request.url))
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        return context

    def open(
        self,
        browser: Browser,
        path: str = "/",
        size: tuple[int, int] = PHONE,
        *,
        scheme: str = "light",
        locale: str = "en-GB",
        token: str | None = "",
    ) -> Page:
        """A page in a window of its own, once its heading is there."""
        context = self.context(browser, size, scheme=scheme, locale=locale, token=token)
        page = context.new_page()
        page.goto(self.url + path)
        page.locator("h1").first.wait_for()
        return page

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, self.url.replace("http", "ws", 1), "data:", "blob:")):
            self.foreign.append(url)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None and not os.environ.get("CI"):
        pytest.skip("no browser: install your system's chromium package")
    assert path is not None, "install your system's chromium package"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def web_site(folder: Path, site_toml: str = SITE) -> Iterator[WebSite]:
    """A site with its pages on a free port."""
    port = free_port()
    text = f'{site_toml}\n[web]\nlisten = "127.0.0.1:{port}"\n'
    with running(text, folder, PATIENCE_S, "up") as server:
        url = f"http://127.0.0.1:{port}"
        wait_for_pages(url)
        token = (folder / "site-data" / "api-token").read_text(encoding="utf-8").strip()
        yield WebSite(server, url, token)


def wait_for_pages(url: str) -> None:
    """Wait until the web process answers."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"{url}/sign-in", timeout=PATIENCE_S).raise_for_status()
        except httpx.TransportError:
            assert time.monotonic() < deadline_s, "the pages did not come up"
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
