"""The chain and the head say when anything differs."""

from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from parkwatt.io.store.chain import link, payload_digest
from parkwatt.io.store.head import Head, decode_head, encode_head

HASHES = st.binary(min_size=32, max_size=32)


class Chained(NamedTuple):
    """What a hash covers."""

    before: bytes
    seq: int
    recorded_unix_us: int
    kind: str
    subject: str
    telemetry: bool
    digest: bytes


CHAINED = st.builds(
    Chained,
    st.sampled_from([bytes(32), bytes([1]) * 32]),
    st.integers(1, 3),
    st.integers(-2, 2),
    st.text("ab\x00", max_size=3),
    st.text("ab\x00", max_size=3),
    st.booleans(),
    st.sampled_from([payload_digest(b""), payload_digest(b"a")]),
)


@given(CHAINED, CHAINED)
def test_two_different_entries_have_different_hashes(first: Chained, second: Chained) -> None:
    """Also where kind and subject, put together, are the same text."""
    assert (link(*first) == link(*second)) == (first == second)


def test_the_hash_is_what_the_format_says() -> None:
    """A journal of today must verify in ten years: these values may never change."""
    digest = payload_digest(b"{}")
    assert link(bytes(32), 1, 1_700_000_000_000_000, "a.b", "c", False, digest).hex() == (
        "7e48cd5b8fb5a54e276886b5cea15a9ceb97f3bca202c9f71283bf0dd48aa870"
    )


@given(st.integers(0, 10**18), HASHES, st.none() | HASHES)
def test_a_head_reads_back(seq: int, digest: bytes, seal: bytes | None) -> None:
    head = Head(seq, digest, seal)
    assert decode_head(encode_head(head)) == head


@given(st.integers(0, 10**18), HASHES, st.none() | HASHES, st.integers(0), st.integers(1, 255))
def test_an_altered_head_is_none(
    seq: int, digest: bytes, seal: bytes | None, place: int, mask: int
) -> None:
    line = bytearray(encode_head(Head(seq, digest, seal)))
    line[place % len(line)] ^= mask
    assert decode_head(bytes(line)) is None


@given(st.binary(max_size=300))
def test_junk_is_no_head(content: bytes) -> None:
    assume(content != encode_head(Head(0, bytes(32))))
    assert decode_head(content) is None
