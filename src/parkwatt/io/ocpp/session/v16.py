"""OCPP 1.6: what to make of each message that a charge point sends, security extension included.

``evse_id`` is 1.6's connectorId, 0 for the charger as a whole; each has one connector. Transactions and meter values are in
`v16_transactions`, settings in `v16_commissioning`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from parkwatt.domain.charger.event import (
    Availability,
    Booted,
    NoticeReceived,
    StatusChanged,
    TokenPresented,
)
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.device_time import parse_device_time, rfc3339
from parkwatt.io.ocpp.session import v16_tokens
from parkwatt.io.ocpp.session.inbound import AnswerReader, Handler, Inbound
from parkwatt.io.ocpp.session.v16_commissioning import (
    commissioning_calls,
    configuration_changed,
    configuration_told,
    configuration_unchanged,
    configuration_unread,
)
from parkwatt.io.ocpp.session.v16_transactions import (
    meter_values,
    start_transaction,
    stop_transaction,
)

__all__ = ["ANSWERS", "FAILURES", "HANDLERS", "commissioning_calls"]

# Whether there is a car, by status; None: not told. A car that was charged may still stand there in Finishing, and Preparing is
# told when a cable is plugged in, or (rarely, and for a minute) when a card is shown first.
_STATUSES: dict[str, tuple[Availability, bool | None]] = {
    "Available": ("available", False),
    "Preparing": ("occupied", True),
    "Charging": ("occupied", True),
    "SuspendedEV": ("occupied", True),
    "SuspendedEVSE": ("occupied", True),
    "Finishing": ("occupied", True),
    "Reserved": ("reserved", None),
    "Unavailable": ("unavailable", None),
    "Faulted": ("faulted", None),
}
# Security whitepaper for 1.6 (edition 2), section 8: those that are critical.
_CRITICAL_EVENTS = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
    }
)
_FORGED_FIRMWARE = frozenset({"InvalidSignature", "InstallVerificationFailed"})
_CHAIN_CHARACTERS_MAX = 10_000


def _boot(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Every charger that was let in is accepted. A transaction that is open stays so: its end may wait in a queue."""
    inbound.emit(
        Booted(
            message.chargePointVendor,
            message.chargePointModel,
            message.chargePointSerialNumber or message.chargeBoxSerialNumber or "",
            message.firmwareVersion or "",
        )
    )
    return {
        "status": "Accepted",
        "currentTime": rfc3339(inbound.now_unix_us),
        "interval": inbound.settings.heartbeat_s,
    }


def _heartbeat(inbound: Inbound, _: Any) -> dict[str, Any]:
    return {"currentTime": rfc3339(inbound.now_unix_us)}


def _authorize(inbound: Inbound, message: Any) -> dict[str, Any]:
    info = v16_tokens.id_tag_info(inbound.settings, message.idTag)
    inbound.emit(TokenPresented(message.idTag, "", accepted=info["status"] == "Accepted"))
    return {"idTagInfo": info}


def _status(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Taken as the state of now whatever its time: that is when the status began, which may be long ago and still hold."""
    availability, car_connected = _STATUSES.get(message.status, ("unknown", None))
    inbound.emit(
        StatusChanged(
            message.connectorId,
            1 if message.connectorId > 0 else 0,
            availability,
            parse_device_time(message.timestamp, inbound.now_unix_us).unix_us,
            _error(message),
            car_connected if message.connectorId > 0 else None,
        )
    )
    return {}


def _error(message: Any) -> str:
    """What is wrong, in the charger's words."""
    if message.errorCode == "NoError":
        return ""
    return ": ".join(filter(None, (message.errorCode, message.vendorErrorCode, message.info)))


def _data_transfer(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Vendors' own messages are kept; none is known."""
    inbound.emit(_notice("DataTransfer", message))
    return {"status": "UnknownVendorId"}


def _security_event(inbound: Inbound, message: Any) -> dict[str, Any]:
    critical = message.type in _CRITICAL_EVENTS
    inbound.emit(_notice("SecurityEventNotification", message, critical=critical))
    return {}


def _signed_firmware_status(inbound: Inbound, message: Any) -> dict[str, Any]:
    critical = message.status in _FORGED_FIRMWARE
    inbound.emit(_notice("SignedFirmwareStatusNotification", message, critical=critical))
    return {}


def _sign_certificate(inbound: Inbound, message: Any) -> dict[str, Any]:
    """Sign the request if the site signs at all; the certificate follows in a call of its own."""
    inbound.emit(_notice("SignCertificate", message))
    office, charger_id = inbound.office, inbound.state.charger_id
    chain = None if office is None else office.sign(charger_id, message.csr)
    if chain is None or len(chain) > _CHAIN_CHARACTERS_MAX:
        return {"status": "Rejected"}
    payload = {"certificateChain": chain}
    reason = "the charger asked for a certificate"
    inbound.call(Call("CertificateSigned", payload, "commissioning", reason))
    return {"status": "Accepted"}


def _noted(action: str) -> Handler:
    """The handler of a message that is kept as it came and needs no more."""

    def note(inbound: Inbound, message: Any) -> dict[str, Any]:
        inbound.emit(_notice(action, message))
        return {}

    return note


def _notice(action: str, message: Any, *, critical: bool = False) -> NoticeReceived:
    return NoticeReceived(action, msgspec.Raw(messages.encode(message)), critical)


HANDLERS: dict[str, Handler] = {
    "Authorize": _authorize,
    "BootNotification": _boot,
    "DataTransfer": _data_transfer,
    "DiagnosticsStatusNotification": _noted("DiagnosticsStatusNotification"),
    "FirmwareStatusNotification": _noted("FirmwareStatusNotification"),
    "Heartbeat": _heartbeat,
    "LogStatusNotification": _noted("LogStatusNotification"),
    "MeterValues": meter_values,
    "SecurityEventNotification": _security_event,
    "SignCertificate": _sign_certificate,
    "SignedFirmwareStatusNotification": _signed_firmware_status,
    "StartTransaction": start_transaction,
    "StatusNotification": _status,
    "StopTransaction": stop_transaction,
}

ANSWERS: dict[str, AnswerReader] = {
    "ChangeConfiguration": configuration_changed,
    "GetConfiguration": configuration_told,
}

FAILURES: dict[str, Callable[[Inbound, Call, str], None]] = {
    "ChangeConfiguration": configuration_unchanged,
    "GetConfiguration": configuration_unread,
}
