"""Mending leaves sound JSON as it means to be, and never raises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.messages.broken_json import mended

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('NaN,:[]{}"\\ä€', max_size=9), inner),
    max_leaves=20,
)


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_sound_json_keeps_its_meaning(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert json.loads(mended(text)) == value
    assert mended(text.encode()) == mended(text)


@given(st.text() | st.binary())
def test_mending_never_raises_and_gives_utf_8(data: str | bytes) -> None:
    assert isinstance(mended(data).decode(), str)
