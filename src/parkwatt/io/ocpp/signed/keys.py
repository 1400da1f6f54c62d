"""Public keys and signatures of meters: the forms in which chargers and people write them, and the check itself.

Curves: those of OCMF and of OCPP 2.1 (appendix, SigningMethod) that are still safe and that `cryptography` knows; the 192-bit
curves are not. Keys: SubjectPublicKeyInfo (DER, PEM) or the point alone (with or without its leading 04).
"""

from __future__ import annotations

import base64
import binascii
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_CURVES: dict[str, ec.EllipticCurve] = {
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
    "brainpool256r1": ec.BrainpoolP256R1(),
    "brainpoolp256r1": ec.BrainpoolP256R1(),
    "brainpool384r1": ec.BrainpoolP384R1(),
    "brainpoolp384r1": ec.BrainpoolP384R1(),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ALGORITHM = re.compile(r"ECDSA-(\w+)-(SHA\d+)", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F\s:]+")
# The key of OCPP 2.1 may be led by what it is: `oca:base16:asn1:3059…` (OCA application note on signed meter values).
_PREFIX = re.compile(r"oca:(base16|base64):asn1:", re.IGNORECASE)


class Algorithm:
    """A curve and a hash. ``known``: whether signatures by it are checked here."""

    __slots__ = ("curve", "hash")

    def __init__(self, name: str) -> None:
        match = _ALGORITHM.fullmatch(name.strip())
        self.curve = _CURVES.get(match[1].lower()) if match else None
        self.hash = _HASHES.get(match[2].lower()) if match else None


def bytes_of(text: str) -> bytes | None:
    """The bytes in a text that is hex or base64; None where it is neither. What can be both is hex."""
    text = text.strip()
    compact = re.sub(r"[\s:]", "", text)
    if compact and len(compact) % 2 == 0 and _HEX.fullmatch(text):
        return bytes.fromhex(compact)
    padded = compact.replace("-", "+").replace("_", "/")
    padded += "=" * (-len(padded) % 4)
    try:
        return base64.b64decode(padded, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def public_key(text: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey | None:
    """The key in ``text``: hex, base64 or PEM, or base64 of such a text; a bare point is one of ``curve``.

    None where it is no key.
    """
    text = text.strip()
    if "BEGIN PUBLIC KEY" in text:
        return _from_pem(text)
    data = bytes_of(_PREFIX.sub("", text))
    if data is None:
        return None
    if data.isascii():
        inner = data.decode("ascii")
        if "BEGIN PUBLIC KEY" in inner:
            return _from_pem(inner)
        data = bytes_of(_PREFIX.sub("", inner)) or data
    return _from_der(data) or _from_point(data, curve)


def is_signed_by(
    key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    """Whether ``signature``, DER or the two numbers side by side, is by ``key`` over ``data``."""
    size = (key.curve.key_size + 7) // 8
    if len(signature) == 2 * size and signature[:1] != b"\x30":
        signature = _der(signature, size)
    try:
        key.verify(signature, data, ec.ECDSA(algorithm))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _der(pair: bytes, size: int) -> bytes:
    return encode_dss_signature(
        int.from_bytes(pair[:size], "big"), int.from_bytes(pair[size:], "big")
    )


def _from_pem(text: str) -> ec.EllipticCurvePublicKey | None:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _from_der(data: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = serialization.load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def _from_point(data: bytes, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey | None:
    size = (curve.key_size + 7) // 8
    if len(data) == 2 * size:
        data = b"\x04" + data
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, data)
    except ValueError:
        return None
