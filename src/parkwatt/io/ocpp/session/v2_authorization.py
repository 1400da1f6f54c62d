"""Who may charge and what the car may do, and certificates (blocks A, C and M).

Plug and charge is refused in so many words: without a root of trust for contracts a certificate cannot be verified here, and
what was not verified is not called valid. The driver then presents another token.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.event import TokenPresented
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.v2_message import keep, status_info
from parkwatt.io.ocpp.session.v2_tokens import ACCEPTED, token_status
from parkwatt.io.ocpp.version import Version

CHARGING_ONLY = (
    "AC_single_phase",
    "AC_two_phase",
    "AC_three_phase",
    "DC",
    "DC_ACDP",
    "WPT",
)
BIDIRECTIONAL = ("AC_BPT", "DC_BPT", "DC_ACDP_BPT", "AC_BPT_DER", "AC_DER")
_NO_CONTRACTS = "Plug and charge is not offered here."
_STATION_CERTIFICATE = "ChargingStationCertificate"
# What the reply to GetCertificateChainStatus may hold.
_SOURCES = ("OCSP", "CRL")
_HASH_ALGORITHMS = ("SHA256", "SHA384", "SHA512")
_CHAIN_LENGTH_MAX, _HASH_CHARACTERS_MAX, _SERIAL_NUMBER_CHARACTERS_MAX = 4, 128, 40
_NO_CERTIFICATE = {
    "hashAlgorithm": _HASH_ALGORITHMS[0],
    "issuerNameHash": "",
    "issuerKeyHash": "",
    "serialNumber": "",
}


def allowed_energy_transfer(settings: ChargerSettings) -> tuple[str, ...]:
    """The modes a car may choose from: charging always, discharging where its driver consented (2.1, Q01)."""
    return CHARGING_ONLY + BIDIRECTIONAL if settings.discharge else CHARGING_ONLY


def authorize(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Authorize. What the car may do is told with an accepted token, in 2.1 (Q01.FR.08: else left out)."""
    token = message.idToken
    by_contract = message.certificate is not None or message.iso15118CertificateHashData is not None
    status = "Invalid" if by_contract else token_status(inbound.settings, token.idToken)
    accepted = status == ACCEPTED
    reply: dict[str, Any] = {"idTokenInfo": {"status": status}}
    if by_contract:
        reply["certificateStatus"] = "NoCertificateAvailable"
    allowed: tuple[str, ...] = ()
    if accepted and inbound.version is Version.V21:
        allowed = allowed_energy_transfer(inbound.settings)
        reply["allowedEnergyTransfer"] = list(allowed)
    inbound.emit(TokenPresented(token.idToken, token.type, accepted, allowed))
    return reply


def sign_certificate(inbound: Inbound, message: Any) -> dict[str, Any]:
    """SignCertificate: the site's office signs station certificates at once; the chain follows in CertificateSigned (A02)."""
    keep(inbound, "SignCertificate", message)
    use = message.certificateType
    if inbound.office is None or use not in {None, _STATION_CERTIFICATE}:
        words = "Certificates of this kind are not signed here."
        return {"status": "Rejected", "statusInfo": status_info("UnsupportedRequest", words)}
    chain = inbound.office.sign(inbound.state.charger_id, message.csr)
    if chain is None:
        words = "The request is not this station's to make."
        return {"status": "Rejected", "statusInfo": status_info("InvalidCSR", words)}
    payload: dict[str, Any] = {"certificateChain": chain}
    if use is not None:
        payload["certificateType"] = use
    if inbound.version is Version.V21 and message.requestId is not None:
        payload["requestId"] = message.requestId
    reason = "the certificate that the station asked for"
    inbound.call(Call("CertificateSigned", payload, "commissioning", reason))
    return {"status": "Accepted"}


def get_ev_certificate(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Get15118EVCertificate: a car asks for its contract's certificate, which nobody here can issue (M01, M02)."""
    keep(inbound, "Get15118EVCertificate", message)
    info = status_info("UnsupportedRequest", _NO_CONTRACTS)
    return {"status": "Failed", "exiResponse": "", "statusInfo": info}


def get_certificate_status(inbound: Inbound, message: Any) -> dict[str, Any]:
    """GetCertificateStatus: no responder is asked, so nothing is vouched for (M06)."""
    keep(inbound, "GetCertificateStatus", message)
    return {"status": "Failed", "statusInfo": status_info("UnsupportedRequest", _NO_CONTRACTS)}


def get_certificate_chain_status(inbound: Inbound, message: Any) -> dict[str, Any]:
    """GetCertificateChainStatus (2.1): as GetCertificateStatus, certificate by certificate.

    The reply names what was asked for, and keeps the schema where the question does not.
    """
    keep(inbound, "GetCertificateChainStatus", message)
    asked = message.certificateStatusRequests[:_CHAIN_LENGTH_MAX]
    named = [(_known(one.source, _SOURCES), _hash_data(one.certificateHashData)) for one in asked]
    statuses = [
        {
            "certificateHashData": hash_data,
            "source": source,
            "status": "Failed",
            "nextUpdate": rfc3339(inbound.now_unix_us),
        }
        for source, hash_data in named or [(_SOURCES[0], _NO_CERTIFICATE)]
    ]
    return {"certificateStatus": statuses}


def _hash_data(data: Any) -> dict[str, str]:
    return {
        "hashAlgorithm": _known(data.hashAlgorithm, _HASH_ALGORITHMS),
        "issuerNameHash": data.issuerNameHash[:_HASH_CHARACTERS_MAX],
        "issuerKeyHash": data.issuerKeyHash[:_HASH_CHARACTERS_MAX],
        "serialNumber": data.serialNumber[:_SERIAL_NUMBER_CHARACTERS_MAX],
    }


def _known(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else known[0]


HANDLERS: dict[str, Handler] = {
    "Authorize": authorize,
    "SignCertificate": sign_certificate,
    "Get15118EVCertificate": get_ev_certificate,
    "GetCertificateStatus": get_certificate_status,
    "GetCertificateChainStatus": get_certificate_chain_status,
}
