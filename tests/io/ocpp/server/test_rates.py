"""Token buckets, by law."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.ocpp.server.rates import KeyedBuckets, TokenBucket

rates = st.floats(0.1, 1_000)
bursts = st.integers(1, 100)


@given(rate=rates, burst=bursts, gaps_s=st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_the_burst_and_the_rate_since(
    rate: float, burst: int, gaps_s: list[float]
) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    now_s, taken = 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        taken += bucket.take(now_s) == 0.0
        assert taken <= burst + rate * now_s + 1e-6


@given(rate=rates, burst=bursts)
def test_who_waits_as_long_as_told_gets_in(rate: float, burst: int) -> None:
    bucket = TokenBucket(rate, burst, 0.0)
    for _ in range(burst):
        assert bucket.take(0.0) == 0.0
    wait_s = bucket.take(0.0)
    assert wait_s > 0.0
    assert bucket.missing_s(0.0) == wait_s
    assert bucket.take(wait_s * 0.9) > 0.0
    assert bucket.take(wait_s * (1 + 1e-9)) == 0.0


@given(rate=rates, burst=bursts, spent=st.floats(0, 1_000))
def test_debt_is_paid_at_the_rate(rate: float, burst: int, spent: float) -> None:
    rest_s = TokenBucket(rate, burst, 0.0).spend(spent, 0.0)
    assert rest_s == pytest.approx(max(0.0, spent - burst) / rate)


def test_keys_do_not_share_and_are_forgotten_oldest_first() -> None:
    buckets = KeyedBuckets(1.0, 1, keys_max=2)
    assert buckets.take(0.0, "a") == 0.0
    assert buckets.take(0.0, "b") == 0.0
    assert buckets.missing_s(0.0, "a") == 1.0
    assert buckets.take(0.0, "a") > 0.0  # a is the one used last
    assert buckets.take(0.0, "c") == 0.0  # b is forgotten
    assert buckets.missing_s(0.0, "b") == 0.0
    assert buckets.missing_s(0.0, "a") == 1.0
