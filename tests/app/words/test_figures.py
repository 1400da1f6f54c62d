"""Figures and times as German readers write them."""

from __future__ import annotations

import re

import pytest

from parkwatt.app.words.figures import FIGURE, TIME, figure_text, time_text


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("2.5 kW", "2,5 kW"),
        ("+3.20 kW", "+3,20 kW"),
        ("-0.40 kW", "−0,40 kW"),
        ("−0.40 kW", "−0,40 kW"),
        ("64%", "64\N{NO-BREAK SPACE}%"),
        ("33.0 kWh (43 %)", "33,0 kWh (43 %)"),
        ("17.2 ct/kWh", "17,2 ct/kWh"),
        ("0.172 EUR/kWh", "0,172 €/kWh"),
        ("4.10 EUR", "4,10 €"),
        ("12.40\N{NO-BREAK SPACE}€", "12,40\N{NO-BREAK SPACE}€"),
        ("1 h 05 min", "1 h 05 min"),
        ("1,234.5 kWh", "1.234,5 kWh"),
        ("1.00/1.01/0.99", "1,00/1,01/0,99"),
    ],
)
def test_a_figure(english: str, german: str) -> None:
    assert re.fullmatch(FIGURE, english)
    assert figure_text(english, "de") == german
    assert figure_text(english, "en") == english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("07:30", "07:30"),
        ("tomorrow 07:30", "morgen 07:30"),
        ("yesterday 23:00", "gestern 23:00"),
        ("Thu 07:30", "Do 07:30"),
        ("2026-11-22 07:30", "22.11.2026 07:30"),
        ("22.11. 07:30", "22.11. 07:30"),
    ],
)
def test_a_time(english: str, german: str) -> None:
    assert re.fullmatch(TIME, english)
    assert time_text(english, "de") == german
    assert time_text(english, "en") == english
