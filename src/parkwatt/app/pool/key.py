"""The key with which a pool signs its orders: made once, in the pool's own folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from parkwatt.domain.errors import InputError, InputFault

_FILE: Final = "pool-key.pem"
_PUBLIC: Final = "pool-key.pub.pem"


def pool_key(directory: Path) -> Ed25519PrivateKey:
    """The key in the pool's folder, made where there is none; its public half lies beside it for whoever checks orders.

    Raises InputError where the file is no such key.
    """
    path = directory / _FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return _made(path)
    try:
        key = load_pem_private_key(text, password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError([InputFault(str(path), "must hold an Ed25519 key in PEM")])
    return key


def _made(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_name(_PUBLIC).write_bytes(public)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Readable for its owner alone from the beginning.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    return key
