"""`parkwatt replay`, as a user calls it, over a journal that a back end wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from parkwatt.app.api.client import load_settings
from parkwatt.app.cli import main
from parkwatt.domain.charger.command import Approved, SetPower
from parkwatt.domain.charger.event import SetpointJudged, encode, kind
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.journal import Note
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.made_backend import START_UNIX_US, Charger, Site

SITE = """
[[charger]]
id = "C1"
discharge = true
power_kw_max = 11.0
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The file of a site whose journal holds a set-point to one charger and the connection of another."""
    path = tmp_path / "home.toml"
    path.write_text(SITE, encoding="utf-8")
    journal = load_settings(path).store.journal
    journal.parent.mkdir(parents=True)

    async def story() -> None:
        made = Site(journal.parent)
        charger = Charger(made, "C1")
        charger.connect()
        charger.begin()
        made.backend.command(Approved("C1", SetPower(1, 6.0, 600, "cheap power")))
        for _ in range(30):
            charger.update()
            made.pass_s(1.0)
            while charger.queue or charger.replies:
                charger.speak()
                await made.settle()
        Charger(made, "C2\x1b[31m", Version.V16).connect(boot=False)
        await made.stop()

    asyncio.run(story())
    return path


def test_decisions_are_shown_and_alike(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(site)]) == 0
    shown = capsys.readouterr().out
    assert "asked to charge 6.00 kW at 1 for 600 s: cheap power" in shown
    assert "→ SetChargingProfile" in shown
    assert "0 differently" in shown.splitlines()[-1]
    assert "meter at" not in shown
    assert "\x1b" not in shown
    assert "C2\\x1b[31m" in shown


def test_a_span_and_a_charger_are_chosen(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", str(site), "--charger", "C1", "--all"])
    every = capsys.readouterr().out.splitlines()
    assert not any("C2" in line for line in every)
    main(["replay", str(site), "--charger", "C1", "--all", "--to", "2027-01-15T08:00:05Z"])
    early = capsys.readouterr().out.splitlines()
    main(["replay", str(site), "--charger", "C1", "--all", "--from", "2027-01-15T08:00:05Z"])
    late = capsys.readouterr().out.splitlines()
    assert early[:-1] + late[:-1] == every[:-1]
    assert len(early) > 1
    assert len(late) > 1


def test_what_would_be_decided_otherwise_is_told(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def add() -> None:
        made = Site(load_settings(site).store.journal.parent)
        event = SetpointJudged(1, 6.0, "opposed", "made up", Rung.LIMITS_ONLY)
        note = Note(START_UNIX_US + 60_000_000, kind(event), "C1", encode(event))
        await asyncio.wrap_future(made.journal.append([note]))
        made.journal.close()

    asyncio.run(add())
    assert main(["replay", str(site)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert "made up" in shown[-3]
    assert "DIFFERS, today: nothing" in shown[-2]
    assert shown[-1].endswith("1 differently")


def test_bad_input_is_one_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(site), "--from", "2027-01-15T08:00:05"]) == 2
    assert "--from must be a time with a zone" in capsys.readouterr().err.replace(":", "", 2)
    empty = site.with_name("empty.toml")
    empty.write_text("[store]\ndirectory = 'nowhere'\n", encoding="utf-8")
    assert main(["replay", str(empty)]) == 2
    assert "has not been served yet" in capsys.readouterr().err
