"""Numbers in words: sign, thousands, unknown."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.report.number_text import money_text, number_text, percent_text


def test_examples() -> None:
    assert number_text(1234.5, 1) == "1,234.5"
    assert number_text(-3.0) == "−3"
    assert number_text(math.nan) == "–"
    assert money_text(412.4, "EUR") == "412\xa0€"
    assert money_text(38.456, "EUR") == "38.46\xa0€"
    assert money_text(7, "CHF", 0) == "7\xa0CHF"
    assert percent_text(0.425) == "42\xa0%"


@given(value=st.floats(-1e9, 1e9), digits=st.integers(0, 4))
def test_text_reads_back_and_zero_has_no_sign(value: float, digits: int) -> None:
    text = number_text(value, digits)
    back = float(text.replace("−", "-").replace(",", ""))
    assert abs(back - value) <= 0.5 * 10**-digits + 1e-6
    assert not (text.startswith("−") and back == 0)
