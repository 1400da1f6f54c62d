"""Numbers as readers of English and German write them."""

from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.web.numbers import NOTHING, Numbers

BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH, GERMAN = Numbers("en", BERLIN, "EUR"), Numbers("de", BERLIN, "EUR")


def test_numbers() -> None:
    assert (ENGLISH.number(1234.56), GERMAN.number(1234.56)) == ("1,234.6", "1.234,6")
    assert (ENGLISH.number(-0.04), ENGLISH.number(-0.06)) == ("0.0", "−0.1")
    assert ENGLISH.number(None) == NOTHING
    assert ENGLISH.per_cent(0.639) == "64"


def test_money() -> None:
    assert (ENGLISH.money("4.1"), GERMAN.money("4.1")) == ("4.10\u00a0€", "4,10\u00a0€")
    assert Numbers("en", BERLIN, "GBP").money(-0.5) == "−£0.50"
    assert ENGLISH.money(-0.001) == "0.00\u00a0€"
    assert ENGLISH.price(0.413) == "41\u00a0ct"
    assert Numbers("en", BERLIN, "SEK").price(1.5) == "1.50\u00a0SEK"


@pytest.mark.parametrize(
    ("told", "english", "german"),
    [
        ("2026-11-23T21:40:00Z", "22:40", "22:40"),
        ("2026-11-24T05:45:00Z", "tomorrow 06:45", "morgen 06:45"),
        ("2026-11-27T05:45:00Z", "Fri 06:45", "Fr 06:45"),
        ("2026-12-24T05:45:00Z", "2026-12-24 06:45", "2026-12-24 06:45"),
    ],
)
def test_times(told: str, english: str, german: str) -> None:
    now = "2026-11-23T12:00:00Z"
    assert (ENGLISH.clock(told, now), GERMAN.clock(told, now)) == (english, german)


def test_dates() -> None:
    at = ENGLISH.local("2026-11-03T23:40:00Z")
    assert (ENGLISH.date(at), GERMAN.date(at)) == ("4 Nov 2026", "04.11.2026")
