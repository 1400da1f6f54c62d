"""The seed figures, and what is no question."""

from __future__ import annotations

import pytest

from parkwatt.app.backup.what_if import read_quantity, what_if_lines
from parkwatt.app.cli import main
from parkwatt.domain.errors import InputError


@pytest.mark.parametrize(
    ("words", "gross", "net"),
    [
        ("13.5 kWh at 1.5 kW", "9.0 h", "6.5 h"),
        ("98 kWh at 1.5 kW", "65.3 h", "47.0 h"),
        ("131 kWh at 1500 W", "87.3 h", "62.9 h"),
    ],
)
def test_the_seed_figures(words: str, gross: str, net: str) -> None:
    lines = list(what_if_lines(words, "20%", "90%"))
    assert gross in lines[1]
    assert net in lines[2]
    assert "20% stay" in lines[2]
    assert "90% of the rest" in lines[2]


def test_a_week_with_selective_loads() -> None:
    """131 kWh, 20 % of it kept and 10 % of the rest lost, over 168 hours."""
    assert "561 W" in list(what_if_lines("131 kWh at 1.5 kW", "20%", "90%"))[3]


@pytest.mark.parametrize(
    ("words", "reserve", "efficiency"),
    [
        ("much", "20%", "90%"),
        ("0 kWh at 1 kW", "20%", "90%"),
        ("1 kWh at 1..5 kW", "20%", "90%"),
        ("1 kWh at 1 kW", "120%", "90%"),
        ("1 kWh at 1 kW", "20%", "0"),
        ("1 kWh at 1 kW", "a lot", "90%"),
    ],
)
def test_what_is_no_question_is_refused(words: str, reserve: str, efficiency: str) -> None:
    with pytest.raises(InputError):
        list(what_if_lines(words, reserve, efficiency))


def test_energies_are_read_with_their_unit_or_without() -> None:
    assert (
        read_quantity("--energy", "15 kWh", "kWh") == read_quantity("--energy", "15", "kWh") == 15.0
    )
    with pytest.raises(InputError):
        read_quantity("--energy", "15 km", "kWh")


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--what-if", "13.5 kWh at 1.5 kW"]) == 0
    assert "9.0 h" in capsys.readouterr().out
    assert main(["backup"]) == 2
    assert "SITE.toml" in capsys.readouterr().err
