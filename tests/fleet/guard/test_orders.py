"""A gateway takes what the pool signed: for it, in sequence, in time, each once; and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.errors import InputError
from parkwatt.fleet.guard.orders import OrderPart, Refusal, check, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = 1_800_000_000_000_000


def order(seq: int = 7, count: int = 5, pool_id: str = "north") -> list[OrderPart]:
    parts = [
        (np.arange(number + 2), np.linspace(-7, 11, number + 2).astype(np.float32))
        for number in range(count)
    ]
    return sign(KEY, pool_id, seq, NOW, valid_s=10.0, lease_s=60, parts=parts)


def checked(
    one: OrderPart, *, part: int | None = None, last_seq: int = 6, now: int = NOW
) -> Refusal | None:
    at = one.part if part is None else part
    return check(
        one, KEY.public_key(), pool_id="north", part=at, last_seq=last_seq, now_unix_us=now
    )


@given(count=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_each_gateway_takes_its_part(count: int) -> None:
    for one in order(count=count):
        assert checked(one) is None


def test_repeated_and_reordered_orders_are_refused() -> None:
    one = order(seq=7)[0]
    for last_seq in (7, 8, 1000):
        found = checked(one, last_seq=last_seq)
        assert found is not None
        assert found.rule == "sequence"


def test_orders_of_another_time_are_refused() -> None:
    one = order()[0]
    for now in (NOW + 10_000_000, NOW + 10**12, NOW - 6_000_000):
        found = checked(one, now=now)
        assert found is not None
        assert found.rule == "time"
    assert checked(one, now=NOW - 4_000_000) is None


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_whatever_is_changed_is_noticed(data: st.DataObject) -> None:
    one = order()[data.draw(st.integers(0, 4))]
    power_kw = one.power_kw.copy()
    power_kw[0] = 22.0
    changed: tuple[str, Any] = data.draw(
        st.sampled_from(
            [
                ("seq", one.seq + 1),
                ("expires_unix_us", one.expires_unix_us + 1),
                ("not_before_unix_us", one.not_before_unix_us - 1),
                ("part_count", one.part_count + 1),
                ("lease_s", 61),
                ("power_kw", power_kw),
                ("row", one.row + 1),
                ("root", bytes(32)),
                ("signature", bytes(64)),
                ("path", one.path[:-1]),
                ("path", (*one.path, bytes(32))),
                ("power_kw", np.full_like(power_kw, np.nan)),
                ("power_kw", power_kw[:-1]),
            ]
        )
    )
    found = checked(one._replace(**dict([changed])))
    assert found is not None
    assert found.rule in {"signature", "content"}


def test_a_part_is_for_its_gateway_and_its_pool() -> None:
    first, second = order()[:2]
    assert checked(first, part=1) == Refusal("pool", "is for part 0 of 'north'")
    found = checked(first._replace(part=1, path=second.path), part=1)
    assert found is not None
    assert found.rule == "signature"
    other = order(pool_id="south")[0]
    assert checked(other) is not None
    forged = other._replace(pool_id="north")
    assert checked(forged) == Refusal("signature", "is not signed with the pool's key")


def test_orders_without_parts_or_powers_are_not_made() -> None:
    with pytest.raises(InputError, match="parts"):
        sign(KEY, "north", 1, NOW, valid_s=10.0, lease_s=60, parts=[])
    parts = [(np.arange(2), np.zeros(3, np.float32))]
    with pytest.raises(InputError, match=r"parts\[0\]"):
        sign(KEY, "north", 1, NOW, valid_s=10.0, lease_s=60, parts=parts)
