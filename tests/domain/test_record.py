"""Reading untrusted tables: every fault is named, and all of them at once."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults, Record


def record(table: object) -> Record:
    """A record at the path `site`."""
    return Record(table, "site", Faults())


def told(source: Record) -> list[str]:
    """The faults found, as sentences."""
    return [str(fault) for fault in source.faults.found]


def test_sound_fields_are_read() -> None:
    source = record(
        {
            "power_kw": 3,
            "steps": 4.0,
            "curtailable": False,
            "name": "leaf",
            "start": "2026-01-15T17:00:00+01:00",
            "load_kw": [1, 2.5],
            "limit_kw": None,
            "car": {"id": "a"},
            "stays": [{"id": "b"}, {"id": "c"}],
        }
    )
    assert source.number("power_kw", minimum=0.0) == 3.0
    assert source.integer("steps", minimum=1) == 4
    assert source.boolean("curtailable", True) is False
    assert source.text("name", choices=("leaf",)) == "leaf"
    assert source.time_utc("start") == datetime(2026, 1, 15, 16, tzinfo=UTC)
    assert source.numbers("load_kw", length=2).tolist() == [1.0, 2.5]
    assert source.optional_number("limit_kw") is None
    assert source.record("car").text("id") == "a"
    assert [stay.text("id") for stay in source.records("stays")] == ["b", "c"]
    source.finish()
    source.faults.raise_if_any()


def test_absent_fields_have_their_defaults() -> None:
    source = record({})
    assert source.number("power_kw", 1.5) == 1.5
    assert source.integer("steps", 7, minimum=0) == 7
    assert source.boolean("curtailable", True) is True
    assert source.text("name", "x") == "x"
    assert source.optional_text("name") is None
    assert source.numbers("load_kw", length=3, default=0.0).tolist() == [0.0, 0.0, 0.0]
    assert source.records("stays") == []
    assert not source.has("stays")
    source.record("car", required=False).finish()
    source.faults.raise_if_any()


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (lambda r: r.number("x"), "12", "site.x: must be a number, got the text '12'"),
        (lambda r: r.number("x"), True, "site.x: must be a number, got true"),
        (lambda r: r.number("x"), None, "site.x: must be a number, got null"),
        (lambda r: r.number("x"), float("nan"), "site.x: must be finite, got nan"),
        (lambda r: r.number("x"), 10**400, "site.x: must be finite, got 1"),
        (lambda r: r.number("x", minimum=0.0), -1, "site.x: must be at least 0, got -1"),
        (lambda r: r.number("x", above=0.0), 0, "site.x: must be greater than 0, got 0"),
        (lambda r: r.number("x", maximum=1.0), 1.5, "site.x: must be at most 1, got 1.5"),
        (lambda r: r.optional_number("x"), [], "site.x: must be a number, got a list"),
        (lambda r: r.integer("x", minimum=0), 1.5, "site.x: must be a whole number, got 1.5"),
        (lambda r: r.integer("x", minimum=1), 0, "site.x: must be at least 1, got 0"),
        (lambda r: r.boolean("x", True), 1, "site.x: must be true or false, got 1"),
        (lambda r: r.text("x"), 5, "site.x: must be a text, got 5"),
        (lambda r: r.text("x"), "  ", "site.x: must not be empty, got   "),
        (lambda r: r.text("x", choices=("a", "b")), "c", "site.x: must be one of a, b, got c"),
        (lambda r: r.time_utc("x"), "noon", "site.x: must be a time such as"),
        (lambda r: r.time_utc("x"), 5, "site.x: must be a time such as"),
        (lambda r: r.time_utc("x"), "2026-01-15T16:00:00", "site.x: must name its zone"),
        (
            lambda r: r.time_utc("x"),
            "0001-01-01T00:00:00+14:00",
            ": must be a time between the years 1 and 9999",
        ),
        (lambda r: r.numbers("x"), 5, "site.x: must be a list of numbers, got 5"),
        (lambda r: r.numbers("x", length=3), [1], "site.x: must have 3 values, one a step, got 1"),
        (lambda r: r.numbers("x"), [1, "2"], "site.x[1]: must be a number, got the text '2'"),
        (lambda r: r.numbers("x"), [1, True], "site.x[1]: must be a number, got true"),
        (lambda r: r.numbers("x"), [1, None], "site.x[1]: must be a number, got null"),
        (lambda r: r.numbers("x", minimum=0.0), [0, -1], "site.x[1]: must be at least 0, got -1"),
        (lambda r: r.record("x"), 5, "site.x: must be a table of named fields, got 5"),
        (lambda r: r.records("x"), {}, "site.x: must be a list of tables, got a table"),
        (lambda r: r.records("x"), [1], "site.x[0]: must be a table of named fields, got 1"),
    ],
)
def test_a_broken_field_is_named_with_rule_and_value(
    read: Callable[[Record], object], value: object, sentence: str
) -> None:
    source = record({"x": value})
    read(source)
    (fault,) = source.faults.found
    assert sentence in f"{fault.field}: {fault.rule}, got {fault.value}"


@pytest.mark.parametrize(
    "read",
    [
        lambda r: r.number("x"),
        lambda r: r.integer("x", minimum=0),
        lambda r: r.text("x"),
        lambda r: r.time_utc("x"),
        lambda r: r.numbers("x"),
        lambda r: r.record("x"),
    ],
)
def test_a_missing_field_is_named_once(read: Callable[[Record], object]) -> None:
    source = record({})
    read(source)
    assert told(source) == ["site.x: is required"]


def test_a_missing_table_tells_nothing_of_its_own_fields() -> None:
    source = record({})
    source.record("car").number("energy_kwh")
    assert told(source) == ["site.car: is required"]


def test_unknown_fields_are_named_with_the_known_ones() -> None:
    source = record({"power_kw": 1, "pover_kw": 2})
    source.number("power_kw")
    source.finish()
    assert told(source) == ["site.pover_kw: is not a known field (known: power_kw)"]


def test_all_faults_come_at_once_and_in_order() -> None:
    source = record({"a": "x", "stays": [{"to": 1}, {"to": -1}]})
    source.number("a")
    for stay in source.records("stays"):
        stay.integer("to", minimum=0)
        stay.text("id")
    with pytest.raises(InputError) as raised:
        source.faults.raise_if_any()
    fields = [fault.field for fault in raised.value.faults]
    assert fields == ["site.a", "site.stays[0].id", "site.stays[1].to", "site.stays[1].id"]
    assert str(raised.value).count("\n") == 3


@given(st.integers(6, 200))
def test_a_long_series_of_faults_is_cut_and_counted(count: int) -> None:
    source = record({"load_kw": [-1.0] * count})
    source.numbers("load_kw", minimum=0.0)
    assert len(told(source)) == 6
    assert told(source)[-1].endswith(f"in {count - 5} more places")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)))
def test_finite_numbers_pass_unchanged(values: list[float]) -> None:
    source = record({"x": values})
    np.testing.assert_array_equal(source.numbers("x"), np.array(values, dtype=np.float64))
    assert not told(source)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abcdefghi"), json_values) | json_values)
def test_no_table_makes_a_reader_fail(table: object) -> None:
    source = record(table)
    source.number("a", maximum=3.0)
    source.optional_number("b")
    source.integer("c", minimum=0, maximum=9)
    source.boolean("d", True)
    source.text("e", choices=("x",))
    source.optional_text("f")
    source.time_utc("g")
    assert len(source.numbers("h", length=2)) == 2
    source.record("i").records("a")
    source.finish()
    assert told(source)


def test_a_long_value_is_shown_on_one_line() -> None:
    sentence = str(InputFault("x", "must be short", "a\nb" * 100))
    assert "\n" not in sentence
    assert len(sentence) < 90
