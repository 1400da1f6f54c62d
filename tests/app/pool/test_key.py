"""The key of a pool is made once, is its owner's alone, and anything else in its place is told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from parkwatt.app.pool.key import pool_key
from parkwatt.domain.errors import InputError


def test_the_key_is_made_once(tmp_path: Path) -> None:
    first = pool_key(tmp_path).public_key()
    again = pool_key(tmp_path).public_key()
    raw = (Encoding.Raw, PublicFormat.Raw)
    assert first.public_bytes(*raw) == again.public_bytes(*raw)
    beside = load_pem_public_key((tmp_path / "pool-key.pub.pem").read_bytes())
    assert beside.public_bytes(*raw) == first.public_bytes(*raw)
    assert stat.S_IMODE((tmp_path / "pool-key.pem").stat().st_mode) == 0o600


def test_what_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "pool-key.pem").write_text("nonsense", encoding="utf-8")
    with pytest.raises(InputError, match="Ed25519"):
        pool_key(tmp_path)
