"""aWATTar: its answers, and what its failures mean."""

import pytest

from parkwatt.domain.calendar import DAY_S
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import PriceAnswer, assemble
from parkwatt.io.prices.awattar import read
from tests.io.prices.answers import ask, at, awattar, rows
from tests.io.prices.sources import asked_and_answered
from tests.io.web_server import Reply

TOML = 'source = "awattar"\nzone = "DE-LU"'
DAY = at(2026, 10, 25)
QUESTION = ask(DAY, at(2026, 10, 26))


def test_a_day_of_25_hours() -> None:
    body = awattar(rows(DAY, at(2026, 10, 26), 3600))
    answer, asked = asked_and_answered(TOML, QUESTION, lambda _: Reply(body))
    assert isinstance(answer, PriceAnswer)
    assert (answer.step_s, len(answer.price_per_kwh), answer.price_per_kwh[0]) == (3600, 25, 0.01)
    assert asked[0].params == {"start": str(DAY * 1000), "end": str((DAY + 25 * 3600) * 1000)}


def test_an_hour_told_twice() -> None:
    told = rows(DAY, DAY + DAY_S, 3600)
    body = awattar([*told[:3], (*told[2][:2], 99.0), *told[3:]])
    answer = assemble(read(body, QUESTION), QUESTION, "aWATTar")
    assert answer.price_per_kwh[2] == 0.099
    assert "told twice" in answer.notes[0]


def test_another_unit() -> None:
    with pytest.raises(SourceError, match="in Cent/kWh, not in EUR/MWh"):
        read(awattar(rows(DAY, DAY + DAY_S, 3600), unit="Cent/kWh"), QUESTION)


def test_a_list_with_something_else_in_it() -> None:
    with pytest.raises(SourceError, match="an item of data is not a table"):
        read(b'{"data": [5]}', QUESTION)


def test_nothing_yet() -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(awattar([])))
    assert isinstance(fault, SourceError)
    assert fault.kind == "absent"


def test_asked_too_often() -> None:
    fault, _ = asked_and_answered(TOML, QUESTION, lambda _: Reply(status=429))
    assert isinstance(fault, SourceError)
    assert fault.kind == "busy"
