"""The set-up in a real browser: from nothing to a plan with money, and on to the site's own page by itself."""

from __future__ import annotations

import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from parkwatt.app.live_settings import load_live_settings
from parkwatt.app.set_up.zones import zones
from parkwatt.app.web.catalogue import LANGUAGES
from parkwatt.app.web.catalogue import text as words
from tests.app.web.browsing import DESK, PATIENCE_S, PHONE, free_port

_LINK = re.compile(rb"http://\S+/welcome\?link=\S+")
_PAINFUL = {"serious", "critical"}


@contextmanager
def nothing_yet(site: Path) -> Iterator[str]:
    """`parkwatt up` for a file that does not exist; the owner's link."""
    options = [
        text
        for name in ("web", "api", "ocpp")
        for text in (f"--{name}", f"127.0.0.1:{free_port()}")
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "parkwatt.app.cli", "up", str(site), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,  # so that what was not read yet can be waited for
    ) as process:
        try:
            yield _link(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _link(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    said, deadline_s = b"", time.monotonic() + PATIENCE_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline_s - time.monotonic())):
            said += process.stdout.readline()
            if found := _LINK.search(said):
                return found[0].decode()
    raise AssertionError(f"no link was told: {said!r}")


def _well(page: Page) -> None:
    """Nothing serious for a screen reader, nothing to be scrolled sideways."""
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in _PAINFUL]
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "it can be scrolled sideways"


def test_every_zone_has_a_name_in_each_language() -> None:
    for language in LANGUAGES:
        for zone in zones():
            assert words(language, f"setup.zone_{zone}")


@pytest.mark.parametrize(
    ("size", "scheme", "locale"), [(PHONE, "light", "en-GB"), (DESK, "dark", "de-DE")]
)
def test_from_nothing_to_a_plan_with_money(
    browser: Browser, tmp_path: Path, size: tuple[int, int], scheme: str, locale: str
) -> None:
    site, language = tmp_path / "home.toml", locale[:2]

    def t(key: str) -> str:
        return words(language, f"setup.{key}")

    with nothing_yet(site) as link:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.goto(link)
        page.locator("button").click()
        heading = page.get_by_role("heading", level=1)
        onward = page.get_by_role("button", name=t("next"))
        expect(heading).to_have_text(t("place_question"))
        page.get_by_role("button", name=t("tariff_day_night")).click()
        page.get_by_label(t("price_night")).fill("0.15")
        page.get_by_label(t("night_to")).fill("22:00")
        onward.click()
        expect(page.locator("p.fault:visible")).to_be_visible()  # a night of no length
        page.get_by_label(t("night_to")).fill("06:00")
        _well(page)
        onward.click()
        expect(heading).to_have_text(t("car_question"))
        page.locator("select[name=id]").select_option("nissan-leaf-40")
        expect(page.get_by_text("38")).to_be_visible()
        _well(page)
        onward.click()
        expect(heading).to_have_text(t("charger_question"))
        page.get_by_label(t("charger_gives_back")).check()
        _well(page)
        onward.click()
        expect(heading).to_have_text(t("home_question"))
        page.get_by_label(t("solar")).fill("5")
        _well(page)
        onward.click()
        expect(heading).to_have_text(t("wishes_question"))
        page.get_by_label(t("runs_house")).check()
        _well(page)
        onward.click()
        expect(heading).to_have_text(t("night_question"), timeout=30_000)
        expect(page.locator(".big")).to_contain_text("€")
        expect(page.get_by_text(t("night_saved"))).to_be_visible()
        _well(page)
        assert not site.exists()
        page.get_by_role("button", name=t("begin")).click()
        expect(page.locator(".say")).to_be_visible(timeout=60_000)  # the site's own page
        context.close()
    made = load_live_settings(site).site.cars[0]
    assert (made.capacity_kwh, made.wishes.mode) == (38.0, "home")
    assert "solar_kw_peak = 5" in site.read_text(encoding="utf-8")
