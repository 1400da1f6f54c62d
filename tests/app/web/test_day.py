"""All pages, open in a browser while a day goes by: the night, the car that leaves, its plan that is over."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from parkwatt.app.web.pages import MENU, WAYS
from tests.app.web.browsing import COOKIE, PHONE
from tests.app.web.demo_home import demo_home

# The demo begins on a Monday afternoon; its car leaves at 06:45 and its plan ends then.
_AFTER_THE_DEPARTURE = re.compile(r"Tue (0[89]|1\d):")
_SPEED = "1500"
_A_DAY_MS = 240_000


def test_pages_stay_alive_through_a_day(tmp_path: Path, browser: Browser) -> None:
    with demo_home(tmp_path, _SPEED) as home:
        context = browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB"
        )
        context.add_cookies([{"name": COOKIE, "value": home.token, "url": home.url}])
        pages = {}
        for _, path in [*WAYS, *MENU]:
            pages[path] = context.new_page()
            pages[path].goto(home.url + path)
        for path, page in pages.items():
            clock = page.locator(".top .clock")
            expect(clock, path).to_have_text(_AFTER_THE_DEPARTURE, timeout=_A_DAY_MS)
            expect(clock, path).not_to_have_text(clock.inner_text(), timeout=20_000)
        expect(pages["/plan"].get_by_text("There is no plan")).to_be_visible()
        context.close()
    assert "failed" not in home.log.read_text(encoding="utf-8")
