"""Names of users and tokens: what is taken can stand in a path, a header, a log and the journal."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.access.names import NAME_CHARACTERS_MAX, checked_name, key_of
from parkwatt.domain.record import Faults


@given(st.text(max_size=60))
def test_a_name_that_is_taken_is_one_line_and_one_part_of_a_path(text: str) -> None:
    faults = Faults()
    name = checked_name("name", text, faults)
    if faults.found:
        return
    assert 1 <= len(name) <= NAME_CHARACTERS_MAX
    assert name.isprintable()
    assert len(name.splitlines()) == 1
    assert "/" not in name
    assert name not in {".", ".."}
    assert unquote(quote(name, safe="")) == name
    assert checked_name("name", name, Faults()) == name  # once is enough


@pytest.mark.parametrize(
    "name", ["Anna", "Jürgen Müller", "O'Brien", "अनिता", "王小明", "anna@home", "Anna (2)"]
)
def test_names_of_people_are_taken(name: str) -> None:
    faults = Faults()
    checked_name("name", name, faults)
    assert not faults.found


@given(st.text(max_size=20))
def test_the_spelling_of_a_name_makes_no_other_name(text: str) -> None:
    assert key_of(unicodedata.normalize("NFD", text)) == key_of(unicodedata.normalize("NFC", text))
    assert key_of("ANNA") == key_of("anna") == key_of("\uff21nna")  # a wide A
