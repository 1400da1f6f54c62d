"""Tibber: today's and tomorrow's prices of a home, and the errors that come with status 200."""

import json

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.tibber import read
from tests.io.prices.answers import ask, at, rows, tibber, tibber_error
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Reply

TOML = 'source = "tibber"\ntoken_file = "token"'
DAY = at(2026, 10, 25)
NEXT = at(2026, 10, 26)
QUESTION = ask(DAY, NEXT + DAY_S)
TODAY = [(start, end, (price or 0.0) / 100) for start, end, price in rows(DAY, NEXT, 900)]


def parsed(body: bytes, home_id: str | None = None, part: str = "total") -> PriceAnswer:
    """The prices in an answer."""
    return assemble(read(body, QUESTION, home_id=home_id, part=part), QUESTION, "Tibber")


def with_homes(*homes: object) -> bytes:
    """An answer with these homes."""
    return json.dumps({"data": {"viewer": {"homes": homes}}}).encode()


def test_quarters_of_a_day_of_25_hours() -> None:
    answer, asked = asked_and_answered(TOML, QUESTION, lambda _: Reply(tibber(TODAY, [])))
    assert isinstance(answer, PriceAnswer)
    assert (answer.step_s, len(answer.price_per_kwh)) == (900, 100)
    assert answer.price_per_kwh[0] == 0.1
    assert asked[0].method == "POST"
    assert asked[0].headers["authorization"] == "Bearer secret"
    assert "QUARTER_HOURLY" in json.loads(asked[0].body)["query"]


def test_hours_of_a_market_without_quarters() -> None:
    hours = [(start, end, 0.3) for start, end, _ in rows(DAY, NEXT, 3600)]
    tomorrow = [(start, end, 0.2) for start, end, _ in rows(NEXT, NEXT + DAY_S, 3600)]
    answer = parsed(tibber(hours, tomorrow))
    assert (answer.step_s, len(answer.price_per_kwh)) == (3600, 49)


def test_the_energy_alone() -> None:
    assert parsed(tibber(TODAY, []), part="energy").price_per_kwh[0] == 0.05


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_in_an_answer(status: int) -> None:
    body = tibber_error("UNAUTHENTICATED", "invalid token")
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(body, status))
    assert isinstance(fault, SourceError)
    assert fault.kind == "refused"
    assert "make a new one" in fault.reason


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(tibber_error("RATE_LIMIT_EXCEEDED", "Too Many Requests")), "busy"),
        (Reply(tibber_error("INTERNAL_SERVER_ERROR", "oh")), "unreachable"),
        (Reply(tibber_error("SOMETHING", "oh")), "broken"),
        (Reply(b'{"errors": "oh"}'), "broken"),
        (Reply(b'{"errors": [5], "data": null}'), "broken"),
        (Reply(b'{"data": null}'), "broken"),
        (Reply(status=401), "refused"),
        (Reply(status=429, headers={"Retry-After": "5"}), "busy"),
        (Reply(status=502), "unreachable"),
        (Reply(tibber([], [])), "absent"),
    ],
)
def test_its_failures(reply: Reply, kind: str) -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: reply)
    assert isinstance(fault, SourceError)
    assert fault.kind == kind


def test_which_home() -> None:
    running = json.loads(tibber(TODAY, []))["data"]["viewer"]["homes"][0]
    ended = {"id": "h0", "currentSubscription": None}
    other = {**running, "id": "h2"}
    assert parsed(with_homes(ended, running)).price_per_kwh[0] == 0.1
    assert parsed(with_homes(running, other), home_id="h2").price_per_kwh[0] == 0.1
    for homes, home_id, words in [
        ([running, other], None, r"2 homes: say which with home_id \(h1, h2\)"),
        ([running], "h9", "knows no home h9"),
        ([ended], None, "no running contract"),
        ([ended, {**ended, "id": "h3"}], None, "no home with a running contract"),
        ([], None, "no home with a running contract"),
    ]:
        with pytest.raises(SourceError, match=words):
            parsed(with_homes(*homes), home_id)


def test_another_currency() -> None:
    with pytest.raises(SourceError, match="in NOK, not in EUR"):
        parsed(tibber(TODAY, [], currency="NOK"))
