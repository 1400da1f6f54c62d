"""The site's certificate authority."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.authority import create_authority, open_authority
from parkwatt.io.credentials.office import SiteCertificateOffice
from parkwatt.io.credentials.store import CredentialStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def request(name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    )
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_keys_are_readable_by_their_owner_alone_and_the_authority_is_never_replaced(
    tmp_path: Path,
) -> None:
    authority = create_authority(tmp_path / "ca", "Depot", NOW)
    issued = authority.issue_server_certificate(["localhost", "127.0.0.1"], NOW)
    issued.write(tmp_path / "server.pem", tmp_path / "server.key")
    for key in (tmp_path / "ca" / "authority.key", tmp_path / "server.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="already"):
        create_authority(tmp_path / "ca", "Depot", NOW)
    assert open_authority(tmp_path / "ca").certificate_pem == authority.certificate_pem


def test_a_request_of_the_charger_is_signed(tmp_path: Path) -> None:
    authority = create_authority(tmp_path, "Depot", NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    chain = x509.load_pem_x509_certificates(
        authority.sign_request(request("CS001", key), "CS001", NOW).encode()
    )
    chain[0].verify_directly_issued_by(chain[1])
    assert chain[0].public_key() == key.public_key()
    assert [name.value for name in chain[0].subject] == ["CS001"]
    assert (
        chain[0].not_valid_before_utc
        <= NOW
        < chain[0].not_valid_after_utc
        <= chain[1].not_valid_after_utc
    )


def test_requests_that_are_not_the_chargers_to_make_are_refused(tmp_path: Path) -> None:
    authority = create_authority(tmp_path, "Depot", NOW)
    strong = ec.generate_private_key(ec.SECP256R1())
    weak = rsa.generate_private_key(65_537, 1024)  # noqa: S505 - weak is what is tested
    good = request("CS001", strong)
    cases = [
        (request("CS002", strong), "common name"),
        (request("CS001", weak), "2048"),
        ("nonsense", "signing request"),
        (good + "x" * 20_000, "signing request"),
        (forged(good), "signed by the key"),
    ]
    for text, rule in cases:
        with pytest.raises(InputError, match=rule):
            authority.sign_request(text, "CS001", NOW)


def forged(good: str) -> str:
    """The same request with another signature."""
    der = bytearray(x509.load_pem_x509_csr(good.encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()


def test_names_of_a_server_are_checked(tmp_path: Path) -> None:
    authority = create_authority(tmp_path, "Depot", NOW)
    for names in ([], ["münchen.example"]):
        with pytest.raises(InputError, match="names"):
            authority.issue_server_certificate(names, NOW)


def test_the_office_signs_for_known_chargers_only(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with CredentialStore(tmp_path / "c.sqlite") as store:
        office = SiteCertificateOffice(create_authority(tmp_path / "ca", "Depot", NOW), store)
        assert office.sign("CS001", request("CS001", key)) is None
        store.add("CS001", 3, 0)
        assert "BEGIN CERTIFICATE" in (office.sign("CS001", request("CS001", key)) or "")
        assert office.sign("CS001", request("CS002", key)) is None
        store.set_disabled("CS001", disabled=True)
        assert office.sign("CS001", request("CS001", key)) is None


def test_a_folder_without_an_authority_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable certificate authority"):
        open_authority(tmp_path)
