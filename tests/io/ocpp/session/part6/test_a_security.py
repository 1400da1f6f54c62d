"""OCPP 2.0.1 Part 6, section 3.2: A, security. Each test has the name of its case, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from websockets.exceptions import InvalidMessage

from parkwatt.domain.charger.event import CommandSent
from parkwatt.io.credentials.authority import Issued, create_authority
from parkwatt.io.ocpp.server.settings import TlsFiles
from tests.io.ocpp.session.part6.csms import BOX, Box, Csms

OLD, NEW = "old-horse-battery-staple", "new-horse-battery-staple"
ENDED = (ssl.SSLError, ConnectionError, InvalidMessage)
EC_SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
RSA_SUITES = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a case to its end."""
    asyncio.run(asyncio.wait_for(work, 60))


@pytest.mark.parametrize("encrypted", [False, True], ids=["profile 1", "profile 2"])
def test_tc_a_01_02_03_csms_basic_authentication(tmp_path: Path, encrypted: bool) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 1, 0, OLD)
    tls = csms.trust() if encrypted else None

    async def case() -> None:
        async with csms.listening(encrypted=encrypted):
            async with csms.dial(password=OLD, tls=tls) as socket:
                await Box(socket).booted()
            wrong_user = csms.dial(user=BOX + "Invalid", password=OLD, tls=tls)
            assert await csms.refusal(wrong_user) == 401
            assert await csms.refusal(csms.dial(password=NEW, tls=tls)) == 401

    run(case())


def rsa_files(folder: Path) -> tuple[TlsFiles, str]:
    """A certificate with an RSA key, as a site may bring its own, and the root that a station trusts for it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    files = TlsFiles(certificate=folder / "rsa.pem", key=folder / "rsa.key")
    files.certificate.write_bytes(pem)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files, pem.decode()


def only(context: ssl.SSLContext, suite: str) -> ssl.SSLContext:
    """A station that speaks TLS 1.2 with one suite."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    return context


@pytest.mark.parametrize("suite", [*EC_SUITES, *RSA_SUITES])
def test_tc_a_04_csms_valid_server_certificate(tmp_path: Path, suite: str) -> None:
    rsa_pair, root = rsa_files(tmp_path) if suite in RSA_SUITES else (None, "")
    csms = Csms(tmp_path, (rsa_pair,) if rsa_pair else ())
    csms.store.add(BOX, 2, 0, OLD)
    shown = x509.load_pem_x509_certificate(csms.tls[0].certificate.read_bytes())
    assert shown.serial_number > 0
    names = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["localhost"]
    key = shown.public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    assert key.key_size >= (2048 if rsa_pair else 224)

    async def case() -> None:
        tls = only(csms.trust(root=root), suite)
        async with csms.listening(), csms.dial(password=OLD, tls=tls) as socket:
            assert socket.transport.get_extra_info("cipher")[0] == suite
            await Box(socket).booted()
            assert csms.station.state.security_profile == 2

    run(case())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tc_a_06_csms_tls_version_too_low(tmp_path: Path) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 2, 0, OLD)
    old = csms.trust()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1

    async def case() -> None:
        async with csms.listening():
            with pytest.raises(ENDED):
                async with csms.dial(password=OLD, tls=old):
                    pass
            async with csms.dial(password=OLD, tls=csms.trust()) as socket:
                await Box(socket).booted()

    run(case())


def test_tc_a_07_csms_valid_client_certificate(tmp_path: Path) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 3, 0)
    shows = csms.authority.issue_client_certificate(BOX, csms.now)

    async def case() -> None:
        async with csms.listening():
            for suite in EC_SUITES:
                tls = only(csms.trust(shows=shows), suite)
                async with csms.dial(tls=tls) as socket:
                    await Box(socket).booted()
                    assert csms.station.state.security_profile == 3

    run(case())


@pytest.mark.parametrize("fault", ["unknown", "expired", "of another"])
def test_tc_a_08_csms_invalid_client_certificate(tmp_path: Path, fault: str) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 3, 0)
    right = csms.authority.issue_client_certificate(BOX, csms.now)
    if fault == "unknown":
        stranger = create_authority(tmp_path / "stranger", "Elsewhere", csms.now)
        wrong = stranger.issue_client_certificate(BOX, csms.now)
    elif fault == "expired":
        wrong = csms.authority.issue_client_certificate(BOX, csms.now - timedelta(days=2000))
    else:
        wrong = csms.authority.issue_client_certificate("BOX-2", csms.now)

    async def case() -> None:
        async with csms.listening():
            refused = csms.dial(tls=csms.trust(shows=wrong))
            if fault == "of another":  # its name can be compared only once the path is known
                assert await csms.refusal(refused) == 401
            else:
                with pytest.raises(ENDED):
                    async with refused:
                        pass
            async with csms.dial(tls=csms.trust(shows=right)) as socket:
                await Box(socket).booted()

    run(case())


PASSWORD = {
    "component": {"name": "SecurityCtrlr"},
    "variable": {"name": "BasicAuthPassword"},
    "attributeValue": NEW,
}


@pytest.mark.parametrize("status", ["Accepted", "Rejected"], ids=["a_09", "a_10"])
def test_tc_a_09_10_csms_new_password(tmp_path: Path, status: str) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 2, 0, OLD)
    accepted = status == "Accepted"
    result = {name: PASSWORD[name] for name in ("component", "variable")}

    async def case() -> None:
        async with csms.listening():
            async with csms.dial(password=OLD, tls=csms.trust()) as socket:
                box = Box(socket)
                await box.booted()
                csms.send("SetVariables", {"setVariableData": [PASSWORD]})
                answer = {"setVariableResult": [{**result, "attributeStatus": status}]}
                assert await box.asked("SetVariables", answer) == {"setVariableData": [PASSWORD]}
                await box.tell("Heartbeat", {})
                if accepted:  # by hand as well: parkwatt charger password
                    csms.store.set_password(BOX, NEW)
            holds, fails = (NEW, OLD) if accepted else (OLD, NEW)
            async with csms.dial(password=holds, tls=csms.trust()) as socket:
                await Box(socket).booted()
            assert await csms.refusal(csms.dial(password=fails, tls=csms.trust())) == 401

    run(case())
    sent = [event for event in csms.events if isinstance(event, CommandSent)]
    (told,) = [event for event in sent if event.purpose == "hand"]
    assert b"***" in bytes(told.payload)
    assert not any(NEW in repr(event) for event in csms.events)
    assert NEW.encode() not in bytes(told.payload)


def request_of(charger_id: str) -> tuple[str, str]:
    """What a station makes when it wants a certificate: the request, and the key that it keeps."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, charger_id)])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = builder.sign(key, hashes.SHA256())
    kept = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return request.public_bytes(serialization.Encoding.PEM).decode(), kept.decode()


@pytest.mark.parametrize("status", ["Accepted", "Rejected"], ids=["a_11", "a_14"])
def test_tc_a_11_14_csms_renew_the_certificate(tmp_path: Path, status: str) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 2, 0, OLD)
    use = {"certificateType": "ChargingStationCertificate"}
    csr, key = request_of(BOX)

    async def case() -> None:
        async with csms.listening():
            async with csms.dial(password=OLD, tls=csms.trust()) as socket:
                box = Box(socket)
                await box.booted()
                csms.send("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
                await box.asked("TriggerMessage", {"status": "Accepted"})
                reply = await box.tell("SignCertificate", {"csr": csr, **use})
                assert reply["status"] == "Accepted"
                sent = await box.asked("CertificateSigned", {"status": status})
                assert sent["certificateType"] == use["certificateType"]
                await box.tell("Heartbeat", {})
                answers = [one for one in csms.answers if one.call.action == "CertificateSigned"]
                assert [one.status for one in answers] == [status]
                foreign = {"csr": request_of("BOX-2")[0], **use}
                assert (await box.tell("SignCertificate", foreign))["status"] == "Rejected"
            shows = Issued(sent["certificateChain"], key)
            async with csms.dial(tls=csms.trust(shows=shows)) as socket:
                await Box(socket).booted()
                assert csms.station.state.security_profile == 3

    run(case())


def test_tc_a_19_csms_higher_security_profile(tmp_path: Path) -> None:
    csms = Csms(tmp_path)
    csms.store.add(BOX, 2, 0, OLD)
    connection = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.example.org/ocpp",
        "messageTimeout": 30,
        "securityProfile": 3,
        "ocppInterface": "Wired0",
    }
    place = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "NetworkConfigurationPriority"},
    }
    shows = csms.authority.issue_client_certificate(BOX, csms.now)

    async def case() -> None:
        async with csms.listening():
            async with csms.dial(password=OLD, tls=csms.trust()) as socket:
                box = Box(socket)
                await box.booted()
                network = {"configurationSlot": 2, "connectionData": connection}
                csms.send("SetNetworkProfile", network)
                assert await box.asked("SetNetworkProfile", {"status": "Accepted"}) == network
                priority = {"setVariableData": [{**place, "attributeValue": "2,1"}]}
                csms.send("SetVariables", priority)
                held = {"setVariableResult": [{**place, "attributeStatus": "Accepted"}]}
                assert await box.asked("SetVariables", held) == priority
                csms.send("Reset", {"type": "OnIdle"})
                await box.asked("Reset", {"status": "Accepted"})
            csms.store.set_profile(
                BOX, 3
            )  # the record of the station names the least it must reach
            async with csms.dial(tls=csms.trust(shows=shows)) as socket:
                await Box(socket).booted()
                assert csms.station.state.security_profile == 3
            assert await csms.refusal(csms.dial(password=OLD, tls=csms.trust())) == 403

    run(case())
