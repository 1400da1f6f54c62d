"""The docs of a live site against the program: their site files are read without a fault, and their keys are all there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.live_settings import read_live_settings
from parkwatt.domain.record import Faults
from tests.io.documented import blocks

SITES = [*blocks("guides/live.md", "toml"), *blocks("../README.md", "toml")]


def test_the_guide_and_the_readme_have_site_files() -> None:
    assert len(SITES) >= 5


@pytest.mark.parametrize("text", [pytest.param(text, id=title) for title, text in SITES])
def test_a_site_file_of_the_docs_is_read_without_a_fault(tmp_path: Path, text: str) -> None:
    site = tmp_path / "site.toml"
    site.write_text(text, encoding="utf-8")
    faults = Faults()
    settings = read_live_settings(site, faults)
    assert not faults.found
    assert settings is not None
    limit_kw = settings.connection.import_limit_kw
    assert limit_kw is not None
    together_kw = sum(one.default_limit_kw for one in settings.serve.chargers.values())
    assert together_kw + settings.connection.household_kw_max <= limit_kw + 1e-6
