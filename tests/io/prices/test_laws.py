"""Whatever a source answers, its reader gives quotes or its own fault, and the quotes prices or that fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices import awattar, energy_charts, entsoe, nordpool, octopus, tibber
from parkwatt.io.prices.answer import Ask, Quotes, assemble
from tests.io.prices import answers
from tests.io.prices.answers import EIC, at, rows

Reader = Callable[[bytes, Ask], Quotes]

DAY = at(2026, 10, 25)
TOLD = rows(DAY, DAY + 6 * 3600, 900)
QUESTIONS = {
    "EUR": answers.ask(DAY, DAY + 2 * DAY_S, area="GER"),
    "GBP": answers.ask(DAY, DAY + 2 * DAY_S, "GBP"),
    "EIC": answers.ask(DAY, DAY + 2 * DAY_S, area=EIC),
}
READERS: list[tuple[Reader, str, bytes]] = [
    (energy_charts.read, "EUR", answers.energy_charts(TOLD)),
    (awattar.read, "EUR", answers.awattar(TOLD)),
    (nordpool.read, "EUR", answers.nordpool(TOLD)),
    (octopus.read, "GBP", answers.octopus(TOLD)),
    (tibber.read, "EUR", answers.tibber(TOLD, TOLD)),
    (entsoe.read, "EIC", answers.entsoe(answers.entsoe_series(TOLD, 900, curve="A03"))),
]
each_reader = pytest.mark.parametrize(("read", "question", "sound"), READERS)

odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["2026-10-25T02:30:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59", "NaN", "Final"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def check(read: Reader, question: str, body: bytes) -> None:
    """Quotes and prices, or a fault that says something on one line."""
    words: tuple[str, ...]
    prices: tuple[float | None, ...] = ()
    try:
        answer = assemble(read(body, QUESTIONS[question]), QUESTIONS[question], "the source")
        words, prices = answer.notes, answer.price_per_kwh
    except SourceError as error:
        words = (error.reason,)
    assert all(text.isprintable() and 5 < len(text) < 400 for text in words)
    json.dumps(prices, allow_nan=False)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every table or list within ``value`` with every key of it."""
    own: list[tuple[Any, Any]]
    if isinstance(value, dict):
        own = [(value, key) for key in value]
        return own + [place for item in value.values() for place in places(item)]
    if isinstance(value, list):
        own = [(value, index) for index in range(len(value))]
        return own + [place for item in value[:4] for place in places(item)]
    return []


@each_reader
@given(st.binary(max_size=200))
def test_any_bytes(read: Reader, question: str, sound: bytes, body: bytes) -> None:
    check(read, question, body)
    check(read, question, sound[: len(body)])


@each_reader
@given(st.data())
def test_a_sound_answer_with_bytes_changed(
    read: Reader, question: str, sound: bytes, data: st.DataObject
) -> None:
    body = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 20)))
        body[start:end] = data.draw(st.binary(max_size=8))
    check(read, question, bytes(body))


@pytest.mark.parametrize(("read", "question", "sound"), READERS[:-1])
@given(st.data())
def test_a_sound_answer_with_odd_values(
    read: Reader, question: str, sound: bytes, data: st.DataObject
) -> None:
    value = json.loads(sound)
    for _ in range(data.draw(st.integers(1, 3))):
        table, key = data.draw(st.sampled_from(places(value)))
        table[key] = data.draw(odd_values)
    check(read, question, json.dumps(value).encode())


@given(st.data())
@settings(max_examples=200)
def test_a_sound_document_with_odd_values(data: st.DataObject) -> None:
    document = READERS[-1][2].decode()
    for _ in range(data.draw(st.integers(1, 3))):
        old = data.draw(
            st.sampled_from(
                [
                    "2026-10-24T22:00Z",
                    "2026-10-25T04:00Z",
                    "PT15M",
                    "<position>1<",
                    "10.0",
                    "A03",
                    EIC,
                    "MWH",
                ]
            )
        )
        new = data.draw(
            st.sampled_from(
                [
                    "",
                    "9999-12-31T23:59Z",
                    "-1",
                    "0",
                    "1e999",
                    "<position>9999999999<",
                    "<position>٣<",
                    "NaN",
                    "x" * 999,
                ]
            )
        )
        document = document.replace(old, new, data.draw(st.integers(1, 3)))
    check(entsoe.read, "EIC", document.encode())
