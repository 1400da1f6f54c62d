"""Octopus: pages of rates, and what its failures mean."""

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.octopus import next_page, read
from tests.io.prices.answers import ask, at, octopus, rows
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Asked, Reply

TOML = 'source = "octopus"\ntariff_code = "E-1R-AGILE-24-10-01-C"'
PATH = "/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/"
DAY = at(2026, 1, 15)
QUESTION = ask(DAY, DAY + 2 * DAY_S, "GBP")
HALVES = rows(DAY, DAY + DAY_S, 1800)


def parsed(body: bytes, *, direct_debit: bool = True, with_vat: bool = True) -> PriceAnswer:
    """The prices on a page."""
    quotes = read(body, QUESTION, direct_debit=direct_debit, with_vat=with_vat)
    return assemble(quotes, QUESTION, "Octopus")


def test_half_hours_newest_first() -> None:
    answer, asked = asked_and_answered(
        TOML, QUESTION, lambda _: Reply(octopus(HALVES)), currency="GBP"
    )
    assert isinstance(answer, PriceAnswer)
    assert (answer.step_s, len(answer.price_per_kwh)) == (1800, 48)
    assert answer.price_per_kwh[:2] == (0.10, 0.11)
    assert answer.notes == ()
    assert asked[0].path == PATH
    assert asked[0].params == {
        "period_from": "2026-01-14T23:00Z",
        "period_to": "2026-01-16T23:00Z",
        "page_size": "1500",
    }


def test_without_tax() -> None:
    assert parsed(octopus(HALVES), with_vat=False).price_per_kwh[0] == pytest.approx(0.10 / 1.05)


def test_page_by_page() -> None:
    def answer(asked: Asked) -> Reply:
        if "page" in asked.params:
            return Reply(octopus(HALVES[:24]))
        return Reply(octopus(HALVES[24:], following=f"{PATH}?page=2"))

    found, asked = asked_and_answered(TOML, QUESTION, answer, currency="GBP")
    assert isinstance(found, PriceAnswer)
    assert len(found.price_per_kwh) == 48
    assert len(asked) == 2


def test_pages_without_end() -> None:
    body = octopus(HALVES, following=f"{PATH}?page=2")
    found, asked = asked_and_answered(TOML, QUESTION, lambda _: Reply(body), currency="GBP")
    assert isinstance(found, PriceAnswer)
    assert len(asked) == 5
    assert "more than 5 pages" in found.notes[0]


@pytest.mark.parametrize(
    "following", ["https://elsewhere.test/v1/", "http://[", "", "ftp://api.test/"]
)
def test_no_page_elsewhere_is_fetched(following: str) -> None:
    assert next_page(octopus([], following=following), "https://api.test/v1/") is None


def test_a_rate_until_further_notice() -> None:
    answer = parsed(octopus([(at(2025, 1, 1), 0, 24.5)]))
    assert answer == PriceAnswer(DAY, 3600, (0.245,) * 48)


def test_a_rate_that_ends_within_the_time() -> None:
    answer = parsed(octopus([(at(2025, 1, 1), DAY + DAY_S, 24.5), (DAY + DAY_S, 0, 20.0)]))
    assert answer == PriceAnswer(DAY, 3600, (0.245,) * 24 + (0.2,) * 24)


def test_rates_by_payment() -> None:
    direct = octopus([(DAY, 0, 26.38)], payment="DIRECT_DEBIT")
    other = octopus([(DAY, 0, 27.85)], payment="NON_DIRECT_DEBIT")
    both = direct.replace(b"}]}", b"}," + other[other.index(b"[{") + 1 :])
    assert parsed(both).price_per_kwh == (0.2638,) * 48
    assert parsed(both, direct_debit=False).price_per_kwh == (0.2785,) * 48
    assert parsed(both).notes == ()


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            Reply(b'{"detail":"No Product matches the given query."}', 404),
            "refused",
            "check tariff_code",
        ),
        (Reply(b"", 429), "busy", "asked too often"),
        (Reply(b'{"results": {}}'), "broken", "results is not a list"),
    ],
)
def test_its_failures(reply: Reply, kind: str, words: str) -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: reply, currency="GBP")
    assert isinstance(fault, SourceError)
    assert fault.kind == kind
    assert words in fault.reason
