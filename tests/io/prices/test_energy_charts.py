"""energy-charts: its answers, and what its failures mean."""

import json
import math

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.energy_charts import read
from tests.io.prices.answers import ask, at, energy_charts, rows
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Reply

TOML = 'source = "energy-charts"\nzone = "DE-LU"'
DAY = at(2026, 1, 15)
QUESTION = ask(DAY, DAY + 2 * DAY_S)


def parsed(body: bytes, from_unix_s: int = DAY, until_unix_s: int = DAY + DAY_S) -> PriceAnswer:
    """The prices in an answer."""
    question = ask(from_unix_s, until_unix_s)
    return assemble(read(body, question), question, "energy-charts")


def test_quarters() -> None:
    answer = parsed(energy_charts(rows(DAY, DAY + DAY_S, 900)))
    assert (answer.start_unix_s, answer.step_s, len(answer.price_per_kwh)) == (DAY, 900, 96)
    assert answer.price_per_kwh[:2] == (0.010, 0.011)
    assert answer.notes == ()
    assert answer.final


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 1, 15), 24)]
)
@pytest.mark.parametrize("step_s", [900, 3600])
def test_days_of_every_length(day: tuple[int, int, int], hours: int, step_s: int) -> None:
    start, end = at(*day), at(*day[:2], day[2] + 1)
    answer = parsed(energy_charts(rows(start, end, step_s)), start, end)
    assert len(answer.price_per_kwh) == hours * 3600 // step_s
    assert answer.known_until_unix_s(start) == end


def test_the_change_from_hours_to_quarters() -> None:
    start, change, end = at(2025, 9, 30), at(2025, 10, 1), at(2025, 10, 2)
    told = [*rows(start, change, 3600), *rows(change, end, 900)]
    answer = parsed(energy_charts(told), start, end)
    assert answer.step_s == 900
    assert len(answer.price_per_kwh) == 192
    assert None not in answer.price_per_kwh


def test_null_is_a_hole() -> None:
    told = rows(DAY, DAY + DAY_S, 3600)
    told[5] = (*told[5][:2], None)
    answer = parsed(energy_charts(told))
    assert answer.price_per_kwh[5] is None
    assert answer.known_until_unix_s(DAY) == DAY + 5 * 3600


def test_more_times_than_prices() -> None:
    body = json.loads(energy_charts(rows(DAY, DAY + DAY_S, 3600)))
    body["price"].pop()
    answer = parsed(json.dumps(body).encode())
    assert len(answer.price_per_kwh) == 23
    assert "24 times, but 23 prices" in answer.notes[0]


def test_numbers_that_json_does_not_have() -> None:
    told = [
        *rows(DAY, DAY + DAY_S, 3600)[:3],
        (DAY + 3 * 3600, 0, math.nan),
        (DAY + 4 * 3600, 0, 1.0),
    ]
    assert parsed(energy_charts(told)).price_per_kwh[3] is None


def test_the_service_says_that_it_will_end() -> None:
    body = json.loads(energy_charts(rows(DAY, DAY + DAY_S, 3600)))
    body["deprecated"] = True
    assert "will end this service" in parsed(json.dumps(body).encode()).notes[0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            energy_charts(rows(DAY, DAY + DAY_S, 3600), unit="GBP / MWh"),
            "in GBP/MWh, not in EUR/MWh",
        ),
        (
            energy_charts(rows(DAY, DAY + DAY_S, 3600), unit="EUR / kWh"),
            "in EUR/kWh, not in EUR/MWh",
        ),
        (b"<!DOCTYPE html><html>maintenance</html>", "a web page"),
        (b'{"unix_seconds": [1, 2', "not JSON"),
        (b"[]", "is not a table"),
        (b'{"unit": "EUR / MWh", "unix_seconds": 5, "price": []}', "unix_seconds is not a list"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_another_answer(body: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parsed(body)
    assert caught.value.kind == "broken"
    assert words in caught.value.reason


def test_it_is_asked_for_whole_days_of_the_market() -> None:
    body = energy_charts(rows(DAY, DAY + 2 * DAY_S, 900))
    answer, asked = asked_and_answered(TOML, QUESTION, lambda _: Reply(body))
    assert isinstance(answer, PriceAnswer)
    assert len(answer.price_per_kwh) == 192
    assert asked[0].params == {"bzn": "DE-LU", "start": "2026-01-15", "end": "2026-01-16"}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(b'{"detail":"no content available"}', 404), "absent", "no prices for DE-LU"),
        (Reply(b"", 429, {"Retry-After": "60"}), "busy", "asked too often"),
        (Reply(b"", 503), "unreachable", "a fault of its own"),
        (Reply(b'{"detail":[]}', 422), "broken", "status 422"),
        (Reply(b"<html>", 200), "broken", "a web page"),
    ],
)
def test_its_failures(reply: Reply, kind: str, words: str) -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: reply)
    assert isinstance(fault, SourceError)
    assert fault.kind == kind
    assert words in fault.reason
