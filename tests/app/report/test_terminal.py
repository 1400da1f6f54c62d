"""The table in the terminal: every strategy, within 100 columns, plain where it is not a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from parkwatt.app.report import print_table
from parkwatt.app.report.comparison import comparison
from tests.app.report.study_factory import make_study


def _printed(width: int, *, terminal: bool = False, **study: object) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
    )
    print_table(make_study(**study), console)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("width", [100, 140])
def test_table_fits_and_shows_every_figure(width: int) -> None:
    text = _printed(width)
    assert max(len(line) for line in text.splitlines()) <= 100
    for figure in comparison(make_study()):
        line = next(line for line in text.splitlines() if line.strip().startswith(figure.title))
        for value in figure.texts:
            assert value in line
    for word in ("once", "(V1G)", "(V2H)", "(V2G)", "(bound)", "€", "kWh"):
        assert word in text


def test_sentences_stand_beneath() -> None:
    beneath = _printed(100, days=366, step_minutes=60).split("Range over all cells")[1]
    assert "would save" in beneath
    assert "battery wear" in " ".join(beneath.split())
    assert "percentage points" in " ".join(beneath.split())


def test_plain_text_where_it_is_no_terminal() -> None:
    assert "\x1b" not in _printed(100)
    assert "\x1b[" in _printed(100, terminal=True)


def test_site_name_is_no_markup() -> None:
    assert "[bold red]Home[/]" in _printed(100, site_name="[bold red]Home[/]")
