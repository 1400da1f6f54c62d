"""What `parkwatt doctor` says of notifications: who is told what, what waits, what was given up."""

from __future__ import annotations

import time
from pathlib import Path

from parkwatt.app.live_settings import load_live_settings
from parkwatt.app.notices import state_file
from parkwatt.app.up.doctor_notify import checks
from parkwatt.io.notify import Letter, Outbox
from tests.app.api.live_served import SITE_TOML

ADA = """
[notify]
page = "https://home.example"
[[notify.person]]
name = "Ada"
urls = ["json://localhost"]
quiet_from = "22:00"
quiet_to = "07:00"
"""


def lines(folder: Path, more: str, kept: state_file.Kept | None = None) -> list[str]:
    """The checks of a site with these lines in its file."""
    path = folder / "site.toml"
    path.write_text(SITE_TOML + more, encoding="utf-8")
    settings = load_live_settings(path)
    if kept is not None:
        place = state_file.place(settings.serve.store.directory)
        state_file.save(place, state_file.encode(kept))
    return [check.line for check in checks(settings)]


def test_nobody_and_nothing(tmp_path: Path) -> None:
    assert lines(tmp_path, "") == []


def test_who_is_told_what(tmp_path: Path) -> None:
    assert lines(tmp_path, ADA) == [
        "✓ notify Ada: 1 address that can be sent to, all kinds, quiet 22:00 to 07:00"
    ]
    fewer = ADA.replace('page = "https://home.example"', "") + 'kinds = ["ready", "outage"]\n'
    told = lines(tmp_path, fewer)
    assert "outage, ready" in told[0]
    assert told[1].startswith("! notifications: they hold no link to the page → set page in")


def test_what_did_not_arrive(tmp_path: Path) -> None:
    made_unix_s = int(time.time()) - 600
    letter = Letter("Ada", "x", "t", "b", made_unix_s, tries=3, error="HTTP 403")
    kept = state_file.Kept(outbox=Outbox([letter], lost_count=2))
    told = lines(tmp_path, ADA, kept)
    assert told[0].startswith("✗ notify Ada: 1 messages wait to be taken: HTTP 403 → check the")
    assert told[1].startswith("! notifications: 2 were given up after a day")
