"""Set-points of a pool as signed orders: in sequence, for a short time, and each once.

An order holds the set-points of all cars for one step. It is cut into *parts*, one for each gateway, and signed once: the
signature covers the root of a hash tree over the parts, so that a gateway checks its own part without seeing the others'
(Merkle, 1987), and a million set-points cost one signature (Ed25519, RFC 8032). A gateway takes an order only if its signature
is right, its number is above all that it took, and now is within its time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.fleet.disaggregate import PowerArray
from parkwatt.fleet.dispatch.follow import IndexArray

# How far a gateway's clock may be behind the pool's.
_SKEW_US: Final = 5_000_000
_LEAF, _NODE = b"\x00", b"\x01"
_HEADER: Final = struct.Struct(">8sQQQI")


class OrderPart(NamedTuple):
    """What one gateway gets: its cars and powers, the order's number, time and root, and the way from its part to the root.

    ``path``: the hashes beside the way, from below. ``signature``: of pool, number, times, count of parts and root.
    """

    pool_id: str
    seq: int
    not_before_unix_us: int
    expires_unix_us: int
    part: int
    part_count: int
    row: IndexArray
    power_kw: PowerArray
    lease_s: int
    path: tuple[bytes, ...]
    root: bytes
    signature: bytes


class Refusal(NamedTuple):
    """Why a gateway does not take an order: a ``rule`` (`signature`, `sequence`, `time`, `pool`, `content`) and words."""

    rule: str
    reason: str


def sign(
    key: Ed25519PrivateKey,
    pool_id: str,
    seq: int,
    now_unix_us: int,
    *,
    valid_s: float,
    lease_s: int,
    parts: Sequence[tuple[IndexArray, PowerArray]],
) -> list[OrderPart]:
    """One order for all gateways. ``parts``: cars and powers of each, equally long. ``valid_s``: until it has to be taken.

    Raises InputError where a part's arrays differ in length, or there is none.
    """
    if not parts:
        raise InputError([InputFault("parts", "must be at least one")])
    for number, (index, power_kw) in enumerate(parts):
        if index.shape != power_kw.shape or index.ndim != 1:
            raise InputError(
                [InputFault(f"parts[{number}]", "must have one power a car", power_kw.shape)]
            )
    leaves = [
        _leaf(number, index, power_kw, lease_s) for number, (index, power_kw) in enumerate(parts)
    ]
    levels = _tree(leaves)
    root, expires = levels[-1][0], now_unix_us + round(valid_s * 1e6)
    signature = key.sign(_signed(pool_id, seq, now_unix_us, expires, len(parts), root))
    return [
        OrderPart(
            pool_id,
            seq,
            now_unix_us,
            expires,
            number,
            len(parts),
            index,
            power_kw,
            lease_s,
            _path(levels, number),
            root,
            signature,
        )
        for number, (index, power_kw) in enumerate(parts)
    ]


def check(
    order: OrderPart,
    key: Ed25519PublicKey,
    *,
    pool_id: str,
    part: int,
    last_seq: int,
    now_unix_us: int,
) -> Refusal | None:
    """Why gateway ``part`` of a pool must not take an order; None: it may. ``last_seq``: the highest number it took."""
    if order.pool_id != pool_id or order.part != part:
        return Refusal("pool", f"is for part {order.part} of {order.pool_id!r}")
    if order.row.shape != order.power_kw.shape or not np.isfinite(order.power_kw).all():
        return Refusal("content", "must have one finite power a car")
    signed = _signed(
        order.pool_id,
        order.seq,
        order.not_before_unix_us,
        order.expires_unix_us,
        order.part_count,
        order.root,
    )
    try:
        key.verify(order.signature, signed)
    except InvalidSignature:
        return Refusal("signature", "is not signed with the pool's key")
    leaf = _leaf(order.part, order.row, order.power_kw, order.lease_s)
    if _climb(leaf, order.part, order.part_count, order.path) != order.root:
        return Refusal("signature", "its set-points are not those that were signed")
    if order.seq <= last_seq:
        return Refusal(
            "sequence", f"number {order.seq} comes after {last_seq}: repeated or out of order"
        )
    if now_unix_us >= order.expires_unix_us:
        return Refusal("time", "is over")
    if now_unix_us < order.not_before_unix_us - _SKEW_US:
        return Refusal("time", "has not begun: a clock is wrong")
    return None


def _signed(pool_id: str, seq: int, begins: int, expires: int, count: int, root: bytes) -> bytes:
    pool = hashlib.sha256(pool_id.encode()).digest()
    return _HEADER.pack(b"parkwatt", seq, begins, expires, count) + pool + root


def _leaf(part: int, index: IndexArray, power_kw: PowerArray, lease_s: int) -> bytes:
    digest = hashlib.sha256(_LEAF)
    digest.update(struct.pack(">IIQ", part, lease_s, len(index)))
    digest.update(np.ascontiguousarray(index, dtype=">i8").tobytes())
    digest.update(np.ascontiguousarray(power_kw, dtype=">f4").tobytes())
    return digest.digest()


def _tree(leaves: list[bytes]) -> list[list[bytes]]:
    """Hashes level by level, the root last; one without a neighbour is taken up as it is."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _path(levels: list[list[bytes]], at: int) -> tuple[bytes, ...]:
    found = []
    for level in levels[:-1]:
        beside = at ^ 1
        if beside < len(level):
            found.append(level[beside])
        at //= 2
    return tuple(found)


def _climb(leaf: bytes, at: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf leads to; None where the way is too short or too long."""
    here, rest = leaf, list(path)
    while count > 1:
        if at ^ 1 < count:
            if not rest:
                return None
            beside = rest.pop(0)
            here = _node(here, beside) if at % 2 == 0 else _node(beside, here)
        at, count = at // 2, (count + 1) // 2
    return None if rest else here
