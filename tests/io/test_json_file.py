"""JSON files: sound ones as they are, and a fault for every other."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import Faults
from parkwatt.io.json_file import read_json


def attempt(path: Path) -> tuple[object, list[str]]:
    """The value and the rules broken."""
    faults = Faults()
    value = read_json(path, faults)
    assert all(fault.field == str(path) for fault in faults.found)
    return value, [fault.rule for fault in faults.found]


def write(folder: Path, content: str | bytes) -> Path:
    """Writes a file."""
    path = folder / "problem.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values, st.booleans())
def test_what_was_written_is_read(tmp_path: Path, value: object, escaped: bool) -> None:
    path = write(tmp_path, json.dumps(value, ensure_ascii=escaped))
    assert attempt(path) == (value, [])


def test_numbers_that_are_none_are_left_to_the_fields(tmp_path: Path) -> None:
    value, rules = attempt(write(tmp_path, '{"a": NaN, "b": [-Infinity, 1e999]}'))
    assert rules == []
    assert isinstance(value, dict)
    assert math.isnan(value["a"])
    assert value["b"] == [-math.inf, math.inf]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("null", "must not be null"),
        ('{"a": 1,}', "is not JSON"),
        ('{"a":\n  x}', "is not JSON: Expecting value (line 2, column 3)"),
        ("{} {}", "is not JSON: Extra data (line 1, column 4)"),
        ("[" * 100_000, "is nested too deep"),
        ("9" * 5000, "is not JSON: Exceeds the limit"),
        (b"\xff\xfe{\x00}\x00", "must be a text in UTF-8; line 1 is not"),
        ('{"a": ["\\ud800"]}', "holds half a character"),
        ('{"\\uDFFFa": 1}', "holds half a character"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, content: str | bytes, rule: str) -> None:
    value, rules = attempt(write(tmp_path, content))
    assert value is None
    assert len(rules) == 1
    assert rules[0].startswith(rule)


def test_fields_that_occur_twice_are_all_named(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1, "b": {"c": 1, "c": 1, "c": 2}, "a": 2}')
    faults = Faults()
    assert read_json(path, faults) is None
    assert [fault.value for fault in faults.found] == ["c", "a"]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert attempt(tmp_path / "x.json") == (None, ["there is no such file"])
    assert attempt(tmp_path) == (None, ["must be a file, not a folder"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text('{}[]",:\\ud8e1 ').map(str.encode))
def test_no_file_makes_the_reader_fail(tmp_path: Path, content: bytes) -> None:
    value, rules = attempt(write(tmp_path, content))
    assert (value is None) == bool(rules)
