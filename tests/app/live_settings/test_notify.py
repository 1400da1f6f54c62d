"""The table [notify]: who is told what; all faults at once, and never a secret among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.live_settings import read_live_settings
from parkwatt.app.live_settings.notify import NotifySettings
from parkwatt.domain.record import Faults
from parkwatt.site.notices import KINDS, QuietHours
from tests.app.api.live_served import SITE_TOML


def read(folder: Path, text: str) -> tuple[NotifySettings | None, list[str]]:
    """The settings of a site with ``text`` at its end, and the faults."""
    path = folder / "site.toml"
    path.write_text(SITE_TOML + text, encoding="utf-8")
    faults = Faults()
    settings = read_live_settings(path, faults)
    assert settings is not None
    return settings.notify, [str(fault) for fault in faults.found]


def test_without_the_table_nobody_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, "") == (None, [])


def test_the_least(tmp_path: Path) -> None:
    settings, faults = read(
        tmp_path, '[[notify.person]]\nname = "Ada"\nurls = ["json://localhost"]\n'
    )
    assert faults == []
    assert settings is not None
    (ada,) = settings.people
    assert (settings.page, ada.language, ada.urls) == ("", "en", ("json://localhost",))
    assert ada.rules.kinds == frozenset(KINDS)
    assert ada.rules.quiet is None
    assert ada.rules.car_ids is None


def test_everything(tmp_path: Path) -> None:
    (tmp_path / "ada.urls").write_text("# mine\nmailto://ada:secret@example.net\n\n", "utf-8")
    text = """
    [notify]
    page = "https://home.example/"
    [[notify.person]]
    name = "Ada"
    urls = ["json://localhost"]
    urls_file = "ada.urls"
    language = "de"
    kinds = ["outage", "ready"]
    cars = ["ID.4"]
    quiet_from = "22:00"
    quiet_to = "07:30"
    urgent_in_quiet_hours = true
    hours_left = [2, 12]
    plug_in_hours = 4
    messages_per_hour = 3
    """
    settings, faults = read(tmp_path, text)
    assert faults == []
    assert settings is not None
    (ada,) = settings.people
    assert settings.page == "https://home.example"
    assert ada.urls == ("json://localhost", "mailto://ada:secret@example.net")
    assert ada.rules.kinds == frozenset({"outage", "ready"})
    assert ada.rules.car_ids == frozenset({"ID.4"})
    assert ada.rules.quiet == QuietHours(22 * 3600, 7 * 3600 + 1800)
    assert ada.rules.urgent_passes
    assert ada.rules.hours_left == (12.0, 2.0)
    assert (ada.rules.plug_in_h, ada.rules.per_hour_max) == (4.0, 3)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "notify.person[0].urls: must hold at least one address"),
        ('urls = ["pigeon://secret-roof"]', "notify.person[0].urls[0]: must be an address that"),
        ('urls_file = "none"', "notify.person[0].urls_file: must name a file that can be read"),
        ('kinds = ["weather"]', "notify.person[0].kinds[0]: must be one of at_risk, "),
        ('cars = ["Zoe"]', "notify.person[0].cars[0]: must be one of ID.4"),
        ('language = "fr"', "notify.person[0].language: must be one of en, de"),
        ('quiet_from = "22:00"', "notify.person[0].quiet_to: quiet_from and quiet_to go together"),
        ('quiet_from = "25:00"\nquiet_to = "1:00"', "notify.person[0].quiet_from: must be a local"),
        ("hours_left = 3", "notify.person[0].hours_left: must be a list of hours up to 168"),
        ("hours_left = [0]", "notify.person[0].hours_left: must be a list of hours up to 168"),
        ("plug_in_hours = 100", "notify.person[0].plug_in_hours: must be at most 48"),
        ("messages_per_hour = 0", "notify.person[0].messages_per_hour: must be at least 1"),
        ('phone = "1"', "notify.person[0].phone: is not a known field"),
    ],
)
def test_faults(tmp_path: Path, lines: str, told: str) -> None:
    if "urls" not in lines and lines:
        lines += '\nurls = ["json://localhost"]'
    _, faults = read(tmp_path, f'[[notify.person]]\nname = "Ada"\n{lines}\n')
    assert any(fault.startswith(told) for fault in faults), faults
    assert "secret" not in "".join(faults)


def test_faults_of_the_table(tmp_path: Path) -> None:
    person = '[[notify.person]]\nname = "Ada"\nurls = ["json://localhost"]\n'
    _, faults = read(tmp_path, f'[notify]\npage = "home.example"\n{person}{person}')
    assert any(
        fault.startswith("notify.page: must be an http or https address") for fault in faults
    )
    assert any(fault.startswith("notify.person[1].name: must be given once") for fault in faults)
    _, faults = read(tmp_path, "[notify]\n")
    assert faults == ["notify.person: must name at least one: [[notify.person]]"]
