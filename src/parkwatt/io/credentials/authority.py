"""The site's own certificate authority: for the server's certificate and for chargers of security profile 3.

Elliptic curve P-256 throughout (OCPP 2.x Part 2, A00.FR.502 asks for 112 bits of strength, P-256 gives 128). Private keys are
written readable by their owner alone. A charger's request is signed only if it names that charger and its key is strong enough.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from parkwatt.domain.errors import InputError, InputFault

CERTIFICATE_FILE = "authority.pem"
KEY_FILE = "authority.key"

_AUTHORITY_DAYS = 3650
_LEAF_DAYS = 825
_RSA_BITS_MIN = 2048
_EC_BITS_MIN = 224
_CLOCK_SKEW = timedelta(
    days=1
)  # a charger whose clock is behind must not find its certificate in the future
_REQUEST_CHARACTERS_MAX = 10_000  # OCPP 2.x: csr is at most 5500 characters

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate (PEM, with the authority's after it) and its private key (PEM)."""

    certificate_pem: str
    key_pem: str

    def write(self, certificate: Path, key: Path) -> None:
        """Write both files; the key readable by its owner alone."""
        _write_private(key, self.key_pem.encode())
        certificate.write_text(self.certificate_pem)


class Authority:
    """Signs certificates. ``now`` is the time of signing, aware."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """An authority of a certificate and its key."""
        self._certificate = certificate
        self._key = key

    @property
    def certificate_pem(self) -> str:
        """The authority's certificate: chargers trust it, and the listener checks chargers' certificates by it."""
        return _pem(self._certificate)

    def issue_server_certificate(self, names: Sequence[str], now: datetime) -> Issued:
        """A certificate and key for the server, reached under ``names`` (host names or IP addresses).

        Raises:
            InputError: there is no name, or one is neither a host name nor an address.
        """
        if not names:
            raise InputError([InputFault("names", "must hold a host name or an address")])
        try:
            alternatives = [_alternative(name) for name in names]
            subject = _name(names[0])
        except ValueError as error:
            fault = InputFault("names", "must be host names or addresses", ", ".join(names))
            raise InputError([fault]) from error
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        certificate = self._sign(subject, key.public_key(), alternatives, usage, now)
        return Issued(certificate, _private_pem(key))

    def issue_client_certificate(self, charger_id: str, now: datetime) -> Issued:
        """A certificate and key for a charger that cannot make a request of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Issued(self._sign_client(charger_id, key.public_key(), now), _private_pem(key))

    def sign_request(self, request_pem: str, charger_id: str, now: datetime) -> str:
        """The certificate chain (PEM) for a charger's own request.

        Raises:
            InputError: it is no request, was not signed by its own key, names another charger, or its key is weak.
        """
        request = _read_request(request_pem)
        key = _key_of(request, charger_id)
        return self._sign_client(charger_id, key, now)

    def _sign_client(self, charger_id: str, key: PublicKey, now: datetime) -> str:
        return self._sign(_name(charger_id), key, [], ExtendedKeyUsageOID.CLIENT_AUTH, now)

    def _sign(
        self,
        subject: x509.Name,
        key: PublicKey,
        alternatives: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        now: datetime,
    ) -> str:
        until = min(now + timedelta(days=_LEAF_DAYS), self._certificate.not_valid_after_utc)
        builder = (
            _builder(subject, self._certificate.subject, key, now - _CLOCK_SKEW, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if alternatives:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        return _pem(builder.sign(self._key, hashes.SHA256())) + self.certificate_pem


def create_authority(folder: Path, site: str, now: datetime) -> Authority:
    """Make the authority of ``site`` in ``folder`` (`authority.pem`, `authority.key`).

    Raises:
        InputError: there is one already: to replace it would lock out every charger that trusts it.
    """
    if (folder / KEY_FILE).exists() or (folder / CERTIFICATE_FILE).exists():
        raise InputError([InputFault(str(folder), "holds a certificate authority already")])
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Parkwatt authority of {site}"[:64])
    until = now + timedelta(days=_AUTHORITY_DAYS)
    certificate = (
        _builder(name, name, key.public_key(), now - _CLOCK_SKEW, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    _write_private(folder / KEY_FILE, _private_pem(key).encode())
    (folder / CERTIFICATE_FILE).write_text(_pem(certificate))
    return Authority(certificate, key)


def open_authority(folder: Path) -> Authority:
    """The authority in ``folder``.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        key = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            [InputFault(str(folder), f"holds no usable certificate authority: {error}")]
        ) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != certificate.public_key()
    ):
        raise InputError([InputFault(str(folder), "holds a key that is not its certificate's")])
    return Authority(certificate, key)


def _read_request(request_pem: str) -> x509.CertificateSigningRequest:
    fault = InputFault("request", "must be a certificate signing request in PEM")
    if len(request_pem) > _REQUEST_CHARACTERS_MAX:
        raise InputError([fault])
    try:
        return x509.load_pem_x509_csr(request_pem.encode())
    except ValueError as error:
        raise InputError([fault]) from error


def _key_of(request: x509.CertificateSigningRequest, charger_id: str) -> PublicKey:
    """The key to certify; `InputError` where the request is not the charger's to make."""
    try:
        is_signed = request.is_signature_valid
        attributes = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm):
        is_signed, attributes, key = False, [], None
    if not is_signed:
        rule = "must be signed by the key that it names, with a known algorithm"
        raise InputError([InputFault("request", rule)])
    if [attribute.value for attribute in attributes] != [charger_id]:
        raise InputError([InputFault("request", f"must have the common name '{charger_id}'")])
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS_MIN:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= _EC_BITS_MIN:
        return key
    rule = f"must hold an RSA key of at least {_RSA_BITS_MIN} bits or a curve of at least {_EC_BITS_MIN}"
    raise InputError([InputFault("request", rule)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
