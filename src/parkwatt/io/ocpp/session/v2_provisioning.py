"""Who a station is, how it is, and what it tells of itself (blocks A, B, G, L, N and P).

Boots are accepted at once. A connector's state comes as StatusNotification or, in 2.0.1 and later, as an event of its
AvailabilityState: both are the same here. What changes no state is kept as it came.
"""

from __future__ import annotations

from typing import Any

from parkwatt.domain.charger.event import Availability, Booted, StatusChanged, Variable
from parkwatt.io.ocpp.device_time import rfc3339
from parkwatt.io.ocpp.session.inbound import Handler, Inbound
from parkwatt.io.ocpp.session.v2_commissioning import (
    evse_calls,
    knows_evse,
    take_variables,
)
from parkwatt.io.ocpp.session.v2_message import keep, keeper, status_info, told_unix_us
from parkwatt.io.ocpp.session.v2_variables import from_message, from_report, state_name
from parkwatt.io.ocpp.version import Version

_AVAILABILITY: dict[str, Availability] = {
    "Available": "available",
    "Occupied": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
_PLACES = frozenset({"EVSE", "Connector"})
# The security events that Part 2, appendix 1 (version 2.0) calls critical.
CRITICAL_EVENTS = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidCsmsCertificate",
        "InvalidChargingStationCertificate",
        "DiscardedRenewedClientCertificate",
        "InvalidTLSVersion",
        "InvalidTLSCipherSuite",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
    }
)
# 0 danger, 1 hardware failure, 2 system failure, 3 critical (2.1, EventData.severity).
_SEVERITY_CRITICAL_MAX = 3
_VAT_NUMBER_MAX = 20


def boot_notification(inbound: Inbound, message: Any) -> dict[str, Any]:
    """BootNotification: accepted; the interval asks for heartbeats (B01)."""
    station = message.chargingStation
    inbound.emit(
        Booted(
            station.vendorName,
            station.model,
            station.serialNumber or "",
            station.firmwareVersion or "",
            message.reason,
        )
    )
    return {
        "currentTime": rfc3339(inbound.now_unix_us),
        "interval": inbound.settings.heartbeat_s,
        "status": "Accepted",
    }


def heartbeat(inbound: Inbound, _message: Any) -> dict[str, Any]:
    """Heartbeat: the time, by which the station sets its clock (G02)."""
    return {"currentTime": rfc3339(inbound.now_unix_us)}


def status_notification(inbound: Inbound, message: Any) -> dict[str, Any]:
    """StatusNotification (G01)."""
    measured_unix_us = told_unix_us(inbound, "StatusNotification", message.timestamp)
    status = message.connectorStatus
    if not _take_status(inbound, message.evseId, message.connectorId, status, measured_unix_us):
        keep(inbound, "StatusNotification", message)
    return {}


def _take_status(
    inbound: Inbound,
    evse_id: int,
    connector_id: int,
    status: str,
    measured_unix_us: int | None = None,
) -> bool:
    """Note a connector's state, and ask about a connection point that was not asked about yet.

    False where it says nothing of the point: a connector that is free beside the one in use.
    """
    availability = _AVAILABILITY.get(status, "unknown")
    transaction = inbound.state.open_transaction(evse_id)
    idle = availability in {"available", "reserved", "unavailable"}
    if (
        idle
        and transaction is not None
        and connector_id
        and transaction.connector_id not in {None, connector_id}
    ):
        return False
    inbound.emit(
        StatusChanged(
            evse_id,
            connector_id,
            availability,
            measured_unix_us,
            "Faulted" if availability == "faulted" else "",
            True if availability == "occupied" else None,
        )
    )
    if evse_id > 0 and not knows_evse(inbound, evse_id):
        for call in evse_calls(inbound, evse_id):
            inbound.call(call)
    return True


def notify_event(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyEvent: states of connectors and known variables are taken over; what held anything else is kept whole."""
    changed: list[Variable] = []
    rest, critical = False, False
    for data in message.eventData:
        component, name = data.component, data.variable.name
        place = component.evse
        if component.name in _PLACES and name == "AvailabilityState" and place is not None:
            measured_unix_us = told_unix_us(
                inbound, "NotifyEvent", data.timestamp, field="eventData.timestamp"
            )
            connector_id = place.connectorId or 0
            taken = _take_status(
                inbound, place.id, connector_id, data.actualValue, measured_unix_us
            )
            rest = rest or not taken
            continue
        rest = True
        critical = critical or _is_critical(inbound, data)
        variable = from_message(component, data.variable, data.actualValue)
        if state_name(variable) in inbound.state.variables:
            changed.append(variable)
    if rest:
        keep(inbound, "NotifyEvent", message, critical=critical)
    take_variables(inbound, changed)
    return {}


def _is_critical(inbound: Inbound, data: Any) -> bool:
    """A component that has a problem (Part 2, appendix 4: `Problem`), or what the station itself calls severe in 2.1."""
    if data.variable.name == "Problem" and data.actualValue.casefold() == "true":
        return data.cleared is not True
    if inbound.version is not Version.V21 or data.severity is None or data.cleared is True:
        return False
    return bool(data.severity <= _SEVERITY_CRITICAL_MAX)


def notify_report(inbound: Inbound, message: Any) -> dict[str, Any]:
    """NotifyReport: the device model, a part at a time (B07, B08). States of connection points come with it."""
    variables = from_report(message.reportData or ())
    take_variables(inbound, variables)
    for variable in variables:
        if (
            variable.name == "AvailabilityState"
            and variable.component in _PLACES
            and variable.evse_id > 0
        ):
            known = inbound.state.evses.get(variable.evse_id)
            if known is None or known.availability == "unknown":
                _take_status(inbound, variable.evse_id, variable.connector_id, variable.value)
    return {}


def security_event(inbound: Inbound, message: Any) -> dict[str, Any]:
    """SecurityEventNotification (A04)."""
    critical = message.type in CRITICAL_EVENTS
    keep(inbound, "SecurityEventNotification", message, critical=critical)
    return {}


def data_transfer(inbound: Inbound, message: Any) -> dict[str, Any]:
    """DataTransfer: no vendor's own messages are understood; they are kept (P02)."""
    keep(inbound, "DataTransfer", message)
    return {"status": "UnknownVendorId"}


def vat_number(inbound: Inbound, message: Any) -> dict[str, Any]:
    """VatNumberValidation (2.1): nobody is billed here, so no number is vouched for."""
    keep(inbound, "VatNumberValidation", message)
    info = status_info("UnsupportedRequest", "Nobody is billed here.")
    number = message.vatNumber[:_VAT_NUMBER_MAX]
    reply = {"vatNumber": number, "status": "Rejected", "statusInfo": info}
    if message.evseId is not None and message.evseId >= 0:
        reply["evseId"] = message.evseId
    return reply


_KEPT = (
    "BatterySwap",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyMonitoringReport",
    "NotifySettlement",
    "NotifyWebPaymentStarted",
    "PublishFirmwareStatusNotification",
    "ReservationStatusUpdate",
)
HANDLERS: dict[str, Handler] = {
    "BootNotification": boot_notification,
    "Heartbeat": heartbeat,
    "StatusNotification": status_notification,
    "NotifyEvent": notify_event,
    "NotifyReport": notify_report,
    "SecurityEventNotification": security_event,
    "DataTransfer": data_transfer,
    "VatNumberValidation": vat_number,
    **{action: keeper(action) for action in _KEPT},
}
