"""Changing TOML by tables: what it means is what was asked, and what was not asked stays as a person wrote it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parkwatt.app.toml_merge import changed_fields, merge, plain

FILE = """\
# my house
name = "Home"      # as we call it

[tariff.import]    # the bill of May
price_per_kwh = 0.30
# the garage
[[charger]]
id = "GARAGE"      # left wall
power_kw_max = 11
[car]
ready_by = { weekdays = "07:00" }
floor_soc = 0.2
"""
LEAVES = st.one_of(
    st.booleans(), st.integers(-99, 99), st.floats(-9, 9), st.text("ab#\"'\n", max_size=5)
)
NAMES = st.sampled_from(["a", "b", "c d"])
TABLES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3),
        st.lists(LEAVES, max_size=3),
        st.lists(st.dictionaries(NAMES, LEAVES, max_size=2), max_size=2),
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@example({"a": {"b": {}}}, {"a": {}})
@given(st.dictionaries(NAMES, TABLES, max_size=3), st.dictionaries(NAMES, TABLES, max_size=3))
def test_it_means_what_was_asked(before: dict[str, Any], wanted: dict[str, Any]) -> None:
    document = tomlkit.parse(tomlkit.dumps(before))
    merge(document, wanted)
    after = tomllib.loads(tomlkit.dumps(document))
    assert after == wanted
    assert (changed_fields(before, wanted) == []) == (before == wanted)


def test_comments_and_order_stay() -> None:
    document = tomlkit.parse(FILE)
    wanted = plain(document)
    wanted["tariff"]["import"]["price_per_kwh"] = 0.35
    wanted["charger"][0]["discharge"] = True
    wanted["car"]["ready_by"]["saturday"] = "09:00"
    del wanted["car"]["floor_soc"]
    merge(document, wanted)
    text = tomlkit.dumps(document)
    assert plain(tomlkit.parse(text)) == wanted
    for kept in (
        "# my house",
        "# as we call it",
        "# the bill of May",
        "# the garage",
        "# left wall",
    ):
        assert kept in text
    assert changed_fields(plain(tomlkit.parse(FILE)), wanted) == [
        "tariff.import.price_per_kwh",
        "charger[0].discharge",
        "car.ready_by.saturday",
        "car.floor_soc",
    ]


def test_what_is_the_same_is_not_written_anew() -> None:
    document = tomlkit.parse(FILE)
    merge(document, plain(document))
    assert tomlkit.dumps(document) == FILE


def test_null_has_no_place() -> None:
    with pytest.raises(ValueError, match="null"):
        merge(tomlkit.parse(FILE), {"car": {"floor_soc": None}})
