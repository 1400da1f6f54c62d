"""Waiting after wrong tries, and how many tries there are in all, by any order of tries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.access.throttle import Throttle

DAY_S = 86_400


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    throttle, now_s, waits = Throttle(), 0.0, []
    for _ in range(16):
        now_s += DAY_S / 24  # an hour: longer than any wait
        assert throttle.attempt("anna", now_s) == 0
        waits.append(throttle.attempt("anna", now_s))
        if waits[-1] == 0:
            waits.pop()
    assert waits == sorted(waits)
    assert waits[-1] == 900
    now_s += DAY_S + 1  # a day later all is forgotten
    assert [throttle.attempt("anna", now_s) for _ in range(6)] == [0, 0, 0, 0, 0, 2]


def test_a_right_try_forgives_the_account_alone() -> None:
    throttle = Throttle()
    for _ in range(5):
        assert throttle.attempt("anna", 0.0) == 0
        assert throttle.attempt("ben", 0.0) == 0
    throttle.succeeded("anna")
    assert throttle.attempt("anna", 0.0) == 0
    assert throttle.attempt("ben", 0.0) == 2


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.floats(0.0, 600.0, allow_nan=False)),
        max_size=400,
    )
)
def test_nobody_gets_more_tries_than_the_bucket_holds(tries: list[tuple[int, float]]) -> None:
    throttle, now_s, admitted = Throttle(), 0.0, 0
    for account, pause_s in tries:
        now_s += pause_s
        wait_s = throttle.attempt(str(account), now_s)
        assert 0 <= wait_s <= 900
        admitted += wait_s == 0
    assert admitted <= 40 + now_s * 0.1 + 1e-6


@given(st.integers(0, 3), st.floats(0.0, 1e4, allow_nan=False))
def test_who_waits_as_long_as_told_may_try_again(more: int, start_s: float) -> None:
    throttle = Throttle()
    for _ in range(5 + more):
        start_s += throttle.attempt("anna", start_s)
    wait_s = throttle.attempt("anna", start_s)
    assert wait_s == 0 or throttle.attempt("anna", start_s + wait_s) == 0


def test_a_clock_that_goes_back_locks_nobody_out_for_long() -> None:
    throttle = Throttle()
    for _ in range(5):
        throttle.attempt("anna", 1e9)
    assert throttle.attempt("anna", 0.0) <= 900
