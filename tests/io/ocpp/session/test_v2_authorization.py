"""Tokens, energy transfer and certificates."""

from __future__ import annotations

from typing import Any

import pytest

from parkwatt.domain.charger.event import NoticeReceived, TokenPresented
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.v2_authorization import BIDIRECTIONAL
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.session.made_v2 import Talk

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "01",
}


class Office:
    """Signs requests that name the charger."""

    def sign(self, charger_id: str, request_pem: str) -> str | None:
        """A chain in name only."""
        return f"chain for {charger_id}" if charger_id in request_pem else None


def test_a_token_is_known_in_any_case() -> None:
    talk = Talk(settings=ChargerSettings(tokens=frozenset({"04aBcD"})))
    assert talk.authorize("04ABCD") == {"idTokenInfo": {"status": "Accepted"}}
    assert talk.authorize("04ABCE") == {"idTokenInfo": {"status": "Invalid"}}
    assert [heard.accepted for heard in talk.heard(TokenPresented)] == [True, False]


@pytest.mark.parametrize("discharge", [False, True])
def test_a_car_may_discharge_only_with_its_drivers_consent(discharge: bool) -> None:
    talk = Talk(Version.V21, ChargerSettings(discharge=discharge))
    allowed = set(talk.authorize("AA11")["allowedEnergyTransfer"])
    assert {"AC_three_phase", "DC"} <= allowed
    assert allowed.issuperset(BIDIRECTIONAL) if discharge else allowed.isdisjoint(BIDIRECTIONAL)
    assert set(talk.heard(TokenPresented)[0].energy_transfer) == allowed


def test_nothing_is_allowed_to_a_car_whose_driver_is_not() -> None:
    talk = Talk(Version.V21, ChargerSettings(discharge=True, tokens=frozenset()))
    assert talk.authorize("AA11") == {"idTokenInfo": {"status": "Invalid"}}


def test_2_0_1_has_no_word_for_energy_transfer() -> None:
    assert "allowedEnergyTransfer" not in Talk(settings=ChargerSettings(discharge=True)).authorize(
        "AA11"
    )


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_contract_that_cannot_be_verified_is_not_called_valid(version: Version) -> None:
    talk = Talk(version)
    token = {"idToken": "DE-ABC-1", "type": "eMAID"}
    asked: dict[str, Any] = {"certificate": "PEM"}
    for more in (
        asked,
        {"iso15118CertificateHashData": [{**HASH, "responderURL": "https://example.org/ocsp"}]},
    ):
        reply = talk.tell("Authorize", {"idToken": token, **more})
        assert reply["idTokenInfo"]["status"] == "Invalid"
        assert reply["certificateStatus"] == "NoCertificateAvailable"


def test_a_station_gets_its_certificate() -> None:
    talk = Talk(Version.V21, office=Office())
    asked = {"csr": "for box", "certificateType": "ChargingStationCertificate", "requestId": 5}
    assert talk.tell("SignCertificate", asked) == {"status": "Accepted"}
    (call,) = talk.calls
    assert call.action == "CertificateSigned"
    assert call.payload == {
        "certificateChain": "chain for box",
        "certificateType": "ChargingStationCertificate",
        "requestId": 5,
    }


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_request_that_is_not_the_stations_is_refused(version: Version) -> None:
    for office, asked in (
        (Office(), {"csr": "for another"}),
        (Office(), {"csr": "for box", "certificateType": "V2GCertificate"}),
        (None, {"csr": "for box"}),
    ):
        talk = Talk(version, office=office)
        assert talk.tell("SignCertificate", asked)["status"] == "Rejected"
        assert not talk.calls


def test_no_certificate_is_vouched_for() -> None:
    talk = Talk(Version.V21)
    asked = {"certificateHashData": HASH, "source": "OCSP", "urls": ["https://example.org"]}
    reply = talk.tell("GetCertificateChainStatus", {"certificateStatusRequests": [asked] * 2})
    assert [one["status"] for one in reply["certificateStatus"]] == ["Failed", "Failed"]
    assert reply["certificateStatus"][0]["certificateHashData"] == HASH
    one = {"ocspRequestData": {**HASH, "responderURL": "https://example.org/ocsp"}}
    assert talk.tell("GetCertificateStatus", one)["status"] == "Failed"
    contract = {"iso15118SchemaVersion": "v", "action": "Install", "exiRequest": "AA=="}
    assert talk.tell("Get15118EVCertificate", contract)["status"] == "Failed"
    assert [notice.action for notice in talk.heard(NoticeReceived)] == [
        "GetCertificateChainStatus",
        "GetCertificateStatus",
        "Get15118EVCertificate",
    ]
