"""The bar: what it tells in a terminal, and that nothing is told elsewhere."""

import io

import pytest
from rich.console import Console

from parkwatt.app.fleet.progress import FleetProgress


def test_a_terminal_is_told_how_far_it_is() -> None:
    screen = io.StringIO()
    with FleetProgress(Console(file=screen, force_terminal=True, width=120)) as progress:
        progress.begin("Planning", 3000)
        progress.advance(1000)
        progress.advance(500)
    assert "Planning" in screen.getvalue()
    assert "1,500 of 3,000 stays" in screen.getvalue()


def test_elsewhere_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with FleetProgress(Console(stderr=True)) as progress:
        progress.begin("Planning", 3000)
        progress.advance(1000)
    assert capsys.readouterr() == ("", "")
