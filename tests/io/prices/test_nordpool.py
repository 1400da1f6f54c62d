"""Nord Pool: its answers day by day, and what its failures mean."""

import json

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.nordpool import read
from tests.io.prices.answers import ask, at, nordpool, rows
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Asked, Reply

TOML = 'source = "nordpool"\nzone = "DE-LU"'
DAY = at(2026, 1, 15)
QUESTION = ask(DAY, DAY + 2 * DAY_S, area="GER")


def parsed(body: bytes) -> PriceAnswer:
    """The prices in an answer."""
    return assemble(read(body, QUESTION), QUESTION, "Nord Pool")


def test_a_day_that_is_not_published_is_left_out() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.params["date"] == "2026-01-16":
            return Reply(status=204)
        return Reply(nordpool(rows(DAY, DAY + DAY_S, 900)))

    found, asked = asked_and_answered(TOML, QUESTION, answer)
    assert isinstance(found, PriceAnswer)
    assert found.known_until_unix_s(DAY) == DAY + DAY_S
    assert [one.params["date"] for one in asked] == ["2026-01-15", "2026-01-16"]
    assert asked[0].params == {
        "date": "2026-01-15",
        "market": "DayAhead",
        "deliveryArea": "GER",
        "currency": "EUR",
    }


def test_no_day_is_published() -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(status=204))
    assert isinstance(fault, SourceError)
    assert (fault.kind, fault.reason.startswith("Nord Pool has no prices for")) == ("absent", True)


def test_prices_in_the_tariffs_own_currency() -> None:
    told = nordpool(rows(DAY, DAY + DAY_S, 900), area="SE4", currency="SEK")
    toml = 'source = "nordpool"\nzone = "SE4"'
    question = ask(DAY, DAY + DAY_S, "SEK", "SE4")
    found, asked = asked_and_answered(toml, question, lambda _: Reply(told), currency="SEK")
    assert isinstance(found, PriceAnswer)
    assert asked[0].params["currency"] == "SEK"


def test_preliminary_prices_count_until_the_final_ones() -> None:
    answer = parsed(nordpool(rows(DAY, DAY + DAY_S, 900), state="Preliminary"))
    assert not answer.final
    assert answer.notes == ("the prices are preliminary",)


def test_an_area_without_a_price_for_an_hour() -> None:
    body = json.loads(nordpool(rows(DAY, DAY + DAY_S, 3600)))
    body["multiAreaEntries"][3]["entryPerArea"] = {}
    answer = parsed(json.dumps(body).encode())
    assert answer.price_per_kwh[3] is None


def test_prices_of_another_area() -> None:
    with pytest.raises(SourceError, match="other areas, not of GER"):
        parsed(nordpool(rows(DAY, DAY + DAY_S, 3600), area="FR"))


def test_prices_in_another_currency() -> None:
    with pytest.raises(SourceError, match="in NOK, not in EUR"):
        parsed(nordpool(rows(DAY, DAY + DAY_S, 3600), currency="NOK"))


def test_times_on_a_local_clock_on_the_day_that_shows_an_hour_twice() -> None:
    """The zone's letter is cut off, and the clock is Berlin's: 25 hours all the same."""
    start, end = at(2026, 10, 25), at(2026, 10, 26)
    body = json.loads(nordpool(rows(start, end, 900)))
    local = [
        hour + minute for hour in _HOURS for minute in (":00:00", ":15:00", ":30:00", ":45:00")
    ]
    for entry, time in zip(body["multiAreaEntries"], local, strict=True):
        entry["deliveryStart"] = entry["deliveryEnd"] = time
    question = ask(start, end, area="GER")
    answer = assemble(read(json.dumps(body).encode(), question), question, "Nord Pool")
    assert len(answer.price_per_kwh) == 100
    assert answer.price_per_kwh == pytest.approx([(10 + index) / 1000 for index in range(100)])
    assert answer.notes == ("times without a zone are read as Europe/Berlin",)


_HOURS = [f"2026-10-25T{hour:02d}" for hour in (0, 1, 2, *range(2, 24))]


def test_blocked() -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(b"<html>", 403))
    assert isinstance(fault, SourceError)
    assert fault.kind == "refused"


def test_an_entry_in_another_form() -> None:
    with pytest.raises(SourceError, match="entryPerArea is not a table"):
        parsed(b'{"currency": "EUR", "multiAreaEntries": [{"entryPerArea": 5}]}')
