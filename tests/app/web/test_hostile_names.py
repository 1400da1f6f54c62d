"""Names that a person or a calendar gives are shown as they are, on every page and in both languages, and never run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.app.web.browsing import SITE, web_site

SCRIPT = (
    "<img src=x onerror=\"window.hacked='yes'\">{{constructor.constructor('window.hacked=1')()}}"
)
NAME = 'Tom & "Jerry" \\x &amp;'


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_names_are_shown_and_never_run(tmp_path: Path, browser: Browser, locale: str) -> None:
    leaves = datetime.now(UTC) + timedelta(hours=10)
    (tmp_path / "trips.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        f"DTSTAMP:{leaves:%Y%m%dT%H%M%SZ}\r\nDTSTART:{leaves:%Y%m%dT%H%M%SZ}\r\n"
        f"DTEND:{leaves + timedelta(hours=1):%Y%m%dT%H%M%SZ}\r\nSUMMARY:{SCRIPT} 40 km\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    text = SITE.replace('name = "ID.4"', f"name = '''{SCRIPT}'''\ntrips = \"trips.ics\"")
    text = text.replace('name = "Home"', f"name = '{NAME}'")
    with web_site(tmp_path, text) as site:
        site.server.api.send(
            "PUT", f"/v1/cars/{quote(SCRIPT, safe='')}/wishes", {"target_soc": 0.9}
        )
        for path in ("", "plan", "car", "money", "journal", "users", "settings"):
            page = site.open(browser, f"/{path}", locale=locale)
            page.wait_for_timeout(800)
            assert page.evaluate("window.hacked") is None, path
            assert page.locator("img[src=x]").count() == 0, path
            if path in ("car", "journal"):
                expect(page.get_by_text("<img src=x").filter(visible=True).first).to_be_visible()
            if path == "settings":
                shown = page.locator("input").evaluate_all("all => all.map(one => one.value)")
                assert {NAME, SCRIPT} <= set(shown)
            page.context.close()
        assert site.faults == []
        assert site.foreign == []
