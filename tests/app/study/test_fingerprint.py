"""The fingerprint changes with what decides a result, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from parkwatt.app.study.command import load_site
from parkwatt.app.study.fingerprint import fingerprint
from tests.app.study.homes import change, make_home
from tests.conftest import ROOT


def _fingerprint(site: Path) -> str:
    return fingerprint(load_site(site, site.parent / "none").inputs)


def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    site = make_home(tmp_path, ('currency = "EUR"', 'currency = "EUR"\nholidays = "NL"'))
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.app.study.test_fingerprint import _fingerprint\n"
        "print(_fingerprint(Path(sys.argv[1])))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script, str(site)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {_fingerprint(site)}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("site.toml", "battery_kwh = 60.0", "battery_kwh = 60.5"),
        ("site.toml", 'departures = "declared"', 'departures = "learned"'),
        ("site.toml", 'published_at = "13:00"', 'published_at = "13:01"'),
        ("site.toml", "tax = 0.21", "tax = 0.2100001"),
        ("site.toml", "[car]", "[car]\npublic_price_per_kwh = 0.7"),
        ("sessions.csv", "T07:3", "T07:1"),
        ("load.csv", "0.2", "0.3"),
    ],
)
def test_it_changes_with_data_and_settings(tmp_path: Path, file: str, old: str, new: str) -> None:
    site = make_home(tmp_path)
    before = _fingerprint(site)
    assert _fingerprint(site) == before
    change(tmp_path / file, (old, new))
    assert _fingerprint(site) != before


def test_it_does_not_change_with_what_the_replay_never_sees(tmp_path: Path) -> None:
    site = make_home(tmp_path)
    before = _fingerprint(site)
    change(site, ("# 3 x 25 A", "# a comment"), ("charger_price = 2500.0", "charger_price = 100.0"))
    assert _fingerprint(site) == before
