"""Passwords of people: what is refused, and that the stored form tells only whether it is right."""

from __future__ import annotations

import pytest

from parkwatt.app.access.passwords import check_password, hash_password, is_password
from parkwatt.domain.record import Faults


def test_only_the_right_password_is_right() -> None:
    stored = hash_password("correct horse battery")
    assert is_password(stored, "correct horse battery")
    assert not is_password(stored, "correct horse batterz")
    assert not is_password(stored, "")
    assert not is_password(None, "correct horse battery")
    assert not is_password(stored, "\ud800" * 12)
    assert "correct" not in stored
    assert stored != hash_password("correct horse battery")


@pytest.mark.parametrize(
    "password", ["", "short", "aaaaaaaaaaaa", "Anna Karenina", "a" * 300, "tab\tin the middle"]
)
def test_a_weak_password_is_refused(password: str) -> None:
    faults = Faults()
    check_password(password, "anna karenina", faults)
    assert len(faults.found) == 1
    assert faults.found[0].value is None  # never told back


@pytest.mark.parametrize("password", ["ten letter", "пароль из букв", "1234567890"])
def test_any_long_one_is_taken(password: str) -> None:
    faults = Faults()
    check_password(password, "Anna", faults)
    assert not faults.found
