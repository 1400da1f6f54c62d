"""TOML files: sound ones as they are, and a fault for every other."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import Faults
from parkwatt.io.toml_file import read_toml


def attempt(path: Path) -> tuple[object, list[str]]:
    """The tables and the rules broken."""
    faults = Faults()
    tables = read_toml(path, faults)
    assert all(fault.field == str(path) for fault in faults.found)
    return tables, [fault.rule for fault in faults.found]


def write(folder: Path, content: bytes) -> Path:
    """Writes a file."""
    path = folder / "site.toml"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_tables_are_read(tmp_path: Path, bom: bytes, line_end: bytes) -> None:
    path = write(tmp_path, bom + line_end.join([b"[site]", b"name = 'H\xc3\xa4us'", b"n = 1"]))
    assert attempt(path) == ({"site": {"name": "Häus", "n": 1}}, [])


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "the file is empty"),
        (b"a = 1\nb = \n", "is not TOML: Invalid value (at line 2, column 5)"),
        (b"a = 1\na = 2\n", "is not TOML: Cannot overwrite a value (at line 2"),
        (b"a = " + b"[" * 100_000, "is nested too deep"),
        (b"a = " + b"9" * 5000, "is not TOML"),
        (b"a = 1\nb = '\xe4'\n", "must be a text in UTF-8; line 2 is not"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, content: bytes, rule: str) -> None:
    tables, rules = attempt(write(tmp_path, content))
    assert tables is None
    assert len(rules) == 1
    assert rules[0].startswith(rule)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert attempt(tmp_path / "x.toml") == (None, ["there is no such file"])
    assert attempt(tmp_path) == (None, ["must be a file, not a folder"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text("[]{}=.'\"a1\n").map(str.encode))
def test_no_file_makes_the_reader_fail(tmp_path: Path, content: bytes) -> None:
    tables, rules = attempt(write(tmp_path, content))
    assert (tables is None) == bool(rules)
