"""ENTSO-E: documents of day-ahead prices in all their forms, and what its failures mean."""

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.entsoe import read
from tests.io.prices.answers import (
    EIC,
    ask,
    at,
    entsoe,
    entsoe_refusal,
    entsoe_series,
    rows,
)
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Reply

TOML = 'source = "entsoe"\nzone = "DE-LU"\ntoken_file = "token"'
DAY = at(2026, 1, 15)
QUESTION = ask(DAY, DAY + 2 * DAY_S, area=EIC)
QUARTERS = rows(DAY, DAY + DAY_S, 900)
HOURS = rows(DAY, DAY + DAY_S, 3600, first=500.0)


def parsed(*series: str) -> PriceAnswer:
    """The prices in a document with these series."""
    return assemble(read(entsoe(*series), QUESTION), QUESTION, "ENTSO-E")


def test_a_day_of_quarters() -> None:
    answer, asked = asked_and_answered(
        TOML, QUESTION, lambda _: Reply(entsoe(entsoe_series(QUARTERS, 900)))
    )
    assert isinstance(answer, PriceAnswer)
    assert (answer.start_unix_s, answer.step_s, len(answer.price_per_kwh)) == (DAY, 900, 96)
    assert answer.price_per_kwh[:2] == (0.010, 0.011)
    assert answer.notes == ()
    assert asked[0].params == {
        "documentType": "A44",
        "in_Domain": EIC,
        "out_Domain": EIC,
        "contract_MarketAgreement.type": "A01",
        "periodStart": "202601142300",
        "periodEnd": "202601162300",
        "securityToken": "secret",
    }


def test_points_that_repeat_are_left_out_of_curve_a03() -> None:
    told = [
        (start, end, 50.0 if index < 42 else 60.0) for index, (start, end, _) in enumerate(QUARTERS)
    ]
    series = entsoe_series(told, 900, curve="A03")
    assert series.count("<Point>") == 2
    assert parsed(series) == PriceAnswer(DAY, 1800, (0.05,) * 21 + (0.06,) * 27)


def test_points_that_are_missing_in_curve_a01_are_holes() -> None:
    told = [
        (start, end, None if index == 7 else price)
        for index, (start, end, price) in enumerate(QUARTERS)
    ]
    answer = parsed(entsoe_series(told, 900))
    assert [index for index, price in enumerate(answer.price_per_kwh) if price is None] == [7]
    assert "missing: 0.25 h" in answer.notes[0]


def test_no_price_before_the_first_point() -> None:
    told = [
        (start, end, None if index < 4 else price)
        for index, (start, end, price) in enumerate(QUARTERS)
    ]
    answer = parsed(entsoe_series(told, 900, curve="A03"))
    assert answer.start_unix_s == DAY + 3600


@pytest.mark.parametrize("order", [1, -1])
def test_of_hours_and_quarters_of_the_same_day_the_quarters_count(order: int) -> None:
    series = [entsoe_series(QUARTERS, 900), entsoe_series(HOURS, 3600)][::order]
    assert parsed(*series) == parsed(entsoe_series(QUARTERS, 900))


def test_hours_follow_quarters() -> None:
    following = rows(DAY + DAY_S, DAY + 2 * DAY_S, 3600)
    answer = parsed(entsoe_series(QUARTERS, 900), entsoe_series(following, 3600))
    assert (answer.step_s, len(answer.price_per_kwh)) == (900, 192)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_auctions_the_first_counts(order: int) -> None:
    other = [(start, end, 999.0) for start, end, _ in QUARTERS]
    series = [
        entsoe_series(QUARTERS, 900, sequence=1),
        entsoe_series(other, 900, sequence=2, curve="A03"),
    ]
    answer = parsed(*series[::order])
    assert answer.price_per_kwh[:2] == (0.010, 0.011)
    assert answer.final
    assert answer.notes == ()


def test_hours_of_the_first_auction_go_before_quarters_of_another() -> None:
    answer = parsed(
        entsoe_series(HOURS, 3600, sequence=1), entsoe_series(QUARTERS, 900, sequence=2)
    )
    assert answer.price_per_kwh[:5] == (0.5, 0.5, 0.5, 0.5, 0.501)


def test_another_auction_stands_in_for_a_while() -> None:
    tomorrow = rows(DAY + DAY_S, DAY + 2 * DAY_S, 900)
    answer = parsed(
        entsoe_series(QUARTERS, 900, sequence=1), entsoe_series(tomorrow, 900, sequence=2)
    )
    assert len(answer.price_per_kwh) == 192
    assert not answer.final
    assert "another auction" in answer.notes[0]


@pytest.mark.parametrize(("day", "count"), [((2026, 3, 29), 92), ((2026, 10, 25), 100)])
def test_days_of_23_and_25_hours(day: tuple[int, int, int], count: int) -> None:
    start, end = at(*day), at(*day[:2], day[2] + 1)
    question = ask(start, end, area=EIC)
    body = entsoe(entsoe_series(rows(start, end, 900), 900, curve="A03"))
    answer = assemble(read(body, question), question, "ENTSO-E")
    assert len(answer.price_per_kwh) == count
    assert None not in answer.price_per_kwh


def test_a_point_told_twice() -> None:
    series = entsoe_series(QUARTERS, 900).replace(
        "<Point><position>5<",
        "<Point><position>4</position><price.amount>77</price.amount></Point><Point><position>5<",
    )
    answer = parsed(series)
    assert answer.price_per_kwh[3] == 0.077
    assert "told twice" in answer.notes[0]


def test_points_beyond_the_period() -> None:
    series = entsoe_series(QUARTERS, 900).replace("<position>96<", "<position>97<")
    answer = parsed(series)
    assert len(answer.price_per_kwh) == 95
    assert "cannot be meant" in answer.notes[0]


def test_a_step_that_nobody_knows() -> None:
    series = entsoe_series(QUARTERS, 900).replace("PT15M", "P1Y")
    with pytest.raises(SourceError) as caught:
        parsed(series)
    assert caught.value.kind == "absent"
    answer = parsed(series, entsoe_series(HOURS, 3600))
    assert answer.notes == ("steps of P1Y are left out",)


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (
            entsoe_series(QUARTERS, 900, area="10YFR-RTE------C"),
            "of 10YFR-RTE------C, not of DE-LU",
        ),
        (entsoe_series(QUARTERS, 900, currency="PLN"), "in PLN, not in EUR"),
        (entsoe_series(QUARTERS, 900, unit="KWH"), "per KWH, not per MWh"),
    ],
)
def test_prices_of_something_else(series: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        parsed(series)
    answer = parsed(series, entsoe_series(QUARTERS, 900))
    assert answer.notes == (f"a series that gives prices {words} is left out",)


@pytest.mark.parametrize("status", [200, 400])
def test_nothing_yet(status: int) -> None:
    body = entsoe_refusal("No matching data found for Data item Energy Prices [12.1.D] …")
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(body, status))
    assert isinstance(fault, SourceError)
    assert fault.kind == "absent"
    assert fault.reason == "ENTSO-E has no prices for DE-LU in these days"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
<Publication_MarketDocument>&lol2;</Publication_MarketDocument>"""


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            Reply(b"<html>Unauthorized</html>", 401),
            "refused",
            "check the file that token_file names",
        ),
        (
            Reply(entsoe_refusal("Delivered time interval is not valid"), 400),
            "broken",
            "is not valid",
        ),
        (Reply(b"", 429, {"Retry-After": "600"}), "busy", "asked too often"),
        (Reply(b"<html>", 503), "unreachable", "a fault of its own"),
        (Reply(b"<!DOCTYPE html><html>Maintenance</html>"), "broken", "a web page"),
        (Reply(b"<html>Maintenance</html>"), "broken", "another document"),
        (Reply(BOMB), "broken", "a document of a type of its own"),
        (Reply(BOMB.decode().encode("utf-16")), "broken", "not XML"),
        (Reply(b"{}"), "broken", "not XML"),
        (Reply(b"\xff\xff"), "broken", "not XML"),
        (Reply(b"<a>" * 200_000 + b"</a>" * 200_000), "broken", "another document"),
        (Reply(entsoe().replace(b"A44", b"A09")), "broken", "another document"),
        (Reply(entsoe()), "absent", "no prices"),
    ],
)
def test_its_failures(reply: Reply, kind: str, words: str) -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: reply)
    assert isinstance(fault, SourceError)
    assert fault.kind == kind
    assert words in fault.reason
    assert "secret" not in fault.reason
