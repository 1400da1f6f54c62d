"""OCPP 2.0.1 Part 6, section 3.14: M, certificates on a station. Each test has the name of its case.

The root certificate is that of a site's own authority, which signs for its stations and its server.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parkwatt.io.credentials.authority import create_authority
from tests.io.ocpp.session.part6.octt import Octt

ROOT, MAKERS_ROOT = "CSMSRootCertificate", "ManufacturerRootCertificate"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The site's root certificate, PEM."""
    folder: Path = tmp_path_factory.mktemp("authority")
    return create_authority(folder, "Home", datetime.now(UTC)).certificate_pem


def hash_data(algorithm: str = "SHA256") -> dict[str, str]:
    """Which certificate."""
    hashes = {"issuerNameHash": "a1" * 32, "issuerKeyHash": "b2" * 32}
    return {"hashAlgorithm": algorithm, "serialNumber": "4711", **hashes}


def booted() -> Octt:
    """A station whose boot was answered."""
    octt = Octt()
    octt.booted()
    return octt


def install(octt: Octt, use: str, certificate: str, status: str) -> str:
    """InstallCertificate and its answer, whose status is returned."""
    payload = {"certificateType": use, "certificate": certificate}
    assert octt.ask("InstallCertificate", payload) == payload
    return octt.respond({"status": status}).status


@pytest.mark.parametrize("use", [ROOT, MAKERS_ROOT], ids=["m_01", "m_02"])
def test_tc_m_01_02_csms_install(use: str, certificate: str) -> None:
    assert install(booted(), use, certificate, "Accepted") == "Accepted"


def test_tc_m_05_csms_install_fails(certificate: str) -> None:
    octt = booted()
    assert install(octt, ROOT, certificate, "Failed") == "Failed"
    assert not octt.answers[-1].accepted


def chains(*uses: str, algorithm: str = "SHA256") -> list[dict[str, Any]]:
    """What a station answers that has a certificate of each use."""
    return [{"certificateType": use, "certificateHashData": hash_data(algorithm)} for use in uses]


@pytest.mark.parametrize(
    ("asked", "found"),
    [({"certificateType": [MAKERS_ROOT]}, (MAKERS_ROOT,)), ({}, (ROOT, MAKERS_ROOT))],
    ids=["m_13", "m_18"],
)
def test_tc_m_13_18_csms_which_are_installed(
    asked: dict[str, list[str]], found: tuple[str, ...]
) -> None:
    octt = booted()
    assert octt.ask("GetInstalledCertificateIds", asked) == asked
    answer = octt.respond({"status": "Accepted", "certificateHashDataChain": chains(*found)})
    told = [chain["certificateType"] for chain in answer.payload["certificateHashDataChain"]]
    assert told == list(found)


def test_tc_m_19_csms_none_is_installed() -> None:
    octt = booted()
    octt.ask("GetInstalledCertificateIds", {"certificateType": [MAKERS_ROOT]})
    answer = octt.respond({"status": "NotFound"})
    assert (answer.status, "certificateHashDataChain" in answer.payload) == ("NotFound", False)


@pytest.mark.parametrize("status", ["Accepted", "Failed"], ids=["m_20", "m_21"])
@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_tc_m_20_21_csms_delete(status: str, algorithm: str, certificate: str) -> None:
    octt = booted()
    install(octt, ROOT, certificate, "Accepted")
    octt.ask("GetInstalledCertificateIds", {"certificateType": [ROOT]})
    told = {"status": "Accepted", "certificateHashDataChain": chains(ROOT, algorithm=algorithm)}
    (chain,) = octt.respond(told).payload["certificateHashDataChain"]
    found = {key: value for key, value in chain["certificateHashData"].items() if value is not None}
    sent = octt.ask("DeleteCertificate", {"certificateHashData": found})
    assert sent["certificateHashData"] == hash_data(algorithm)
    assert octt.respond({"status": status}).accepted == (status == "Accepted")
