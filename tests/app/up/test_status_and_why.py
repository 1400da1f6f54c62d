"""A site in words: what happens now, and why, also beside no server and for times that are past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.api.site_words import clock
from parkwatt.app.cli import main
from parkwatt.app.up.status import midnight, status_lines
from tests.app.api.live_served import LiveServed, in_live_site

ZONE = ZoneInfo("Europe/Berlin")


async def _an_evening(site: LiveServed) -> None:
    """A car comes, is planned for, and its driver changes their mind."""
    await site.plugged_in(0.5)
    await site.shows("/v1/plan", lambda plan: plan is not None)
    site.clock[0] += 600_000_000
    await site.client.post("/v1/cars/ID.4/mode", json={"mode": "now"})
    await site.durable()


@pytest.fixture
def evening(tmp_path: Path) -> Path:
    """The file of a site that ran for ten minutes, and stopped."""
    in_live_site(tmp_path, _an_evening)
    return tmp_path / "site.toml"


def test_status_tells_powers_prices_cars_and_what_is_wrong(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await _an_evening(site)
        site.measure(11.8)
        view = (await site.client.get("/v1/site")).json()
        today = (await site.client.get("/v1/report", params={"from": midnight(view)})).json()
        view["sources"] = [
            {"source": "meter.grid", "ok": False, "reason": "told nothing since 17:55"},
            {"source": "prices import.day_ahead", "ok": True, "reason": ""},
        ]
        view["alarms"] = ["the disk is full"]
        text = "\n".join(status_lines(view, today))
        assert "today    0.0 kWh charged, 0.0 kWh given back; saved 0.00 EUR" in text
        assert "Home, Friday 18:10" in text
        assert "11.80 kW from the grid" in text
        assert "0.35 EUR/kWh, fed in 0.08; 0.15 from 22:00" in text
        assert "ID.4     50%, mode now: charging with 11.0 kW" in text
        assert "charging at once up to 80%" in text
        assert "wanted Mon 07:30 with 80%: will be ready with 80%" in text
        assert "! meter.grid: told nothing since 17:55" in text
        assert "prices import" not in text
        assert "! ALARM: the disk is full" in text

    in_live_site(tmp_path, test)


@pytest.mark.parametrize(
    ("grid_kw", "told"),
    [
        (None, "the grid meter tells nothing"),
        (0.0, "nothing from or to the grid"),
        (-1.2, "1.20 kW to the grid"),
    ],
)
def test_status_tells_the_way_of_the_grids_power(
    tmp_path: Path, grid_kw: float | None, told: str
) -> None:
    async def test(site: LiveServed) -> None:
        view = (await site.client.get("/v1/site")).json()
        view["grid_kw"] = grid_kw
        today = (await site.client.get("/v1/report")).json()
        text = "\n".join(status_lines(view, today))
        assert told in text
        assert "ID.4     charge not known, mode smart: away" in text
        assert "plan     none yet" in text

    in_live_site(tmp_path, test)


def test_status_needs_a_server(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = evening.read_text(encoding="utf-8") + '\n[api]\nlisten = "127.0.0.1:1"\n'
    evening.write_text(text, encoding="utf-8")
    assert main(["status", str(evening)]) == 3
    assert "no server answers" in capsys.readouterr().err


def test_why_tells_the_last_decision(evening: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", str(evening)]) == 0
    told = capsys.readouterr().out
    assert "ID.4: charging with 11.00 kW, decided 18:10" in told
    assert "reason: charging at once up to 80%" in told
    assert "plan: not followed in mode now" in told
    assert "mode now, floor 20%, target 80%, discharging agreed" in told
    assert "before that:" in told


def test_why_tells_of_a_time_that_is_past(
    evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for at in ("18:05", "2027-01-15T17:05:00Z"):
        assert main(["why", str(evening), "ID.4", "--at", at]) == 0
        told = capsys.readouterr().out
        assert "Friday 2027-01-15 18:05" in told
        assert "ID.4: resting" in told
        assert "plan: of 18:00, because" in told
        assert "a kWh costs 0.35 EUR and earns 0.08" in told
        assert "not charging now: it is planned from Mon 0" in told
        assert "when a kWh costs 0.15 EUR; now it costs 0.35" in told
    assert main(["why", str(evening), "--at", "17:30"]) == 0
    assert "ID.4 is away" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Bus"], "CAR: must be one of ID.4"),
        (["--at", "noon"], "--at: must be a time"),
        (["--at", "2027-01-15T17:05:00"], "--at: must be a time"),
    ],
)
def test_a_wrong_question_is_told(
    evening: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["why", str(evening), *words]) == 2
    assert told in capsys.readouterr().err


def test_why_before_the_first_start_is_told(
    tmp_path: Path, evening: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(evening.read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["why", str(other)]) == 2
    assert "the site has not run yet" in capsys.readouterr().err


def test_times_are_told_as_one_says_them() -> None:
    now = datetime(2027, 1, 15, 18, 0, tzinfo=ZONE)

    def told(**ahead: float) -> str:
        return clock((now + timedelta(**ahead)).timestamp(), now.timestamp(), ZONE)

    assert told(hours=4) == "22:00"
    assert told(hours=13, minutes=30) == "tomorrow 07:30"
    assert told(hours=-18.5) == "yesterday 23:30"
    assert told(days=3) == "Mon 18:00"
    assert told(days=7) == "2027-01-22 18:00"
    assert told(days=-2) == "2027-01-13 18:00"


def test_a_day_of_25_hours_is_told_by_its_clock() -> None:
    now = datetime(2026, 10, 24, 23, 0, tzinfo=ZONE).timestamp()
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert clock(first, now, ZONE) == "tomorrow 02:30"
    assert clock(first + 3600, now, ZONE) == "tomorrow 02:30"
    assert clock(first + 7200, now, ZONE) == "tomorrow 03:30"
