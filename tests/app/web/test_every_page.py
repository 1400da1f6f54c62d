"""Every page of a home that has everything, as the demo brings it: on a phone and a desk, light and dark, in both languages.

Set PARKWATT_SCREENSHOTS to a folder to keep a picture of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from parkwatt.app.web.catalogue import texts
from parkwatt.app.web.pages import MENU, WAYS
from tests.app.web.browsing import COOKIE, DESK, PHONE
from tests.app.web.demo_home import demo_home

PATHS = [path for _, path in [*WAYS, *MENU]]
LOOKS = [(PHONE, "light", "en-GB"), (DESK, "dark", "de-DE"), ((360, 740), "dark", "en-GB")]
# The demo's clock while its pages are looked at: real time, so that nothing changes under the eyes of a check.
SPEED = "20"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where the demo's pages are, and the owner's token."""
    with demo_home(tmp_path_factory.mktemp("demo"), SPEED) as home:
        yield home.url, home.token


@pytest.mark.parametrize(("size", "scheme", "locale"), LOOKS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_used_by_everybody(
    demo: tuple[str, str],
    browser: Browser,
    path: str,
    size: tuple[int, int],
    scheme: str,
    locale: str,
) -> None:
    url, token = demo
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
    asked: list[str] = []
    faults: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = context.new_page()
    page.goto(url + path)
    page.locator("main.content").wait_for()
    page.wait_for_load_state("networkidle")
    _keep_picture(page, path, size, scheme)
    assert page.locator("h1").count() == 1
    heading = f"{path.strip('/') or 'home'}.heading"
    assert page.locator("h1").inner_text() == texts(locale[:2])[heading]
    sideways = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0, f"it can be scrolled sideways by {sideways} px"
    assert _serious_faults(page) == []
    assert [
        one
        for one in asked
        if not one.startswith((url, url.replace("http", "ws", 1), "data:", "blob:"))
    ] == []
    assert faults == []
    context.close()


def _serious_faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical: the rule, and where."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['target']}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def _keep_picture(page: Page, path: str, size: tuple[int, int], scheme: str) -> None:
    folder = os.environ.get("PARKWATT_SCREENSHOTS")
    if folder:
        name = f"{path.strip('/') or 'home'}-{size[0]}-{scheme}.png"
        page.screenshot(path=Path(folder, name), full_page=True)
