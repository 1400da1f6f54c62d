"""The certificates that a back end installs in a virtual charger, and its signing requests."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

Hashes = dict[str, str]


class CertificateStore:
    """Installed root certificates by their hash data, and the charger's own key for signing requests."""

    def __init__(self) -> None:
        self._installed: list[tuple[str, Hashes]] = []
        self._key: ec.EllipticCurvePrivateKey | None = None

    def install(self, kind: str, pem: str) -> bool:
        """Install a certificate; whether it is one."""
        hashes = certificate_hashes(pem)
        if hashes is None:
            return False
        if (kind, hashes) not in self._installed:
            self._installed.append((kind, hashes))
        return True

    def installed(self, kinds: list[str] | None) -> list[tuple[str, Hashes]]:
        """Kind and hash data of what is installed."""
        return [(kind, hashes) for kind, hashes in self._installed if not kinds or kind in kinds]

    def delete(self, hashes: Hashes) -> bool:
        """Delete by serial number and hash of the issuer's name and key; whether there was one."""
        wanted = _identity(hashes)
        kept = [entry for entry in self._installed if _identity(entry[1]) != wanted]
        found = len(kept) < len(self._installed)
        self._installed = kept
        return found

    def signing_request(self, common_name: str, organization: str) -> str:
        """A PEM request to sign the charger's key (P-256)."""
        if self._key is None:
            self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64]),
            ]
        )
        request = (
            x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key, SHA256())
        )
        return request.public_bytes(Encoding.PEM).decode()

    def fits_key(self, pem: str) -> bool:
        """Whether the first certificate of a chain is for the charger's own key."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            return False
        return self._key is not None and certificate.public_key() == self._key.public_key()


def certificate_hashes(pem: str) -> Hashes | None:
    """CertificateHashData of a self-signed certificate (its issuer is itself); None where it cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return None
    point = (
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        if _is_rsa(certificate)
        else _point(certificate)
    )
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(point).hexdigest(),
        "serialNumber": f"{certificate.serial_number:x}"[:40],
    }


def _is_rsa(certificate: x509.Certificate) -> bool:
    return "RSA" in type(certificate.public_key()).__name__


def _point(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _identity(hashes: Hashes) -> tuple[str, ...]:
    return tuple(
        hashes[name].lower() for name in ("issuerNameHash", "issuerKeyHash", "serialNumber")
    )
