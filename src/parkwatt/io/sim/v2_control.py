"""How a virtual station of 2.x answers requests about transactions, availability, certificates and the rest."""

from __future__ import annotations

from collections.abc import Callable

from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.profile_check import Refusal, check_profile
from parkwatt.io.sim.station import SimulatedTransaction
from parkwatt.io.sim.station_v2 import StationV2
from parkwatt.io.sim.v2_charging import install, refused

TRIGGERS_UNKNOWN = (
    "FirmwareStatusNotification",
    "PublishFirmwareStatusNotification",
    "CustomTrigger",
)
SIGN_TRIGGERS = {
    "SignChargingStationCertificate": "ChargingStationCertificate",
    "SignV2GCertificate": "V2GCertificate",
}


def request_start_transaction(station: StationV2, request: Payload) -> Payload:
    """RequestStartTransaction; a TxProfile in it is installed once the transaction has its id."""
    if request.get("evseId", 1) != 1:
        return refused(Refusal("UnknownEvse", "there is one EVSE, 1"))
    if station.transaction is not None:
        return refused(Refusal("TxInProgress", "a transaction is running"))
    if not station.is_plugged or not station.is_available:
        return refused(Refusal("NoCable", "no car is plugged in, or the EVSE is out of service"))
    profile = request.get("chargingProfile")
    if profile is not None:
        if profile["chargingProfilePurpose"] != "TxProfile":
            return refused(Refusal("InvalidProfile", "only a TxProfile may come with the start"))
        refusal = check_profile(profile, 1, station.able, None, with_transaction_start=True)
        if refusal is not None:
            return refused(refusal)
    if profile is not None:

        def installed(transaction: SimulatedTransaction) -> None:
            install(station, {**profile, "transactionId": transaction.id}, 1)

        station.at_start = installed
    station.authorize_and_start(request["remoteStartId"], request["idToken"]["idToken"])
    return {"status": "Accepted"}


def request_stop_transaction(station: StationV2, request: Payload) -> Payload:
    """RequestStopTransaction."""
    transaction = station.transaction
    if transaction is None or transaction.id != request["transactionId"]:
        return refused(Refusal("TxNotFound", "no such transaction is running"))
    station.end_transaction("Remote", "RemoteStop")
    return {"status": "Accepted"}


def get_transaction_status(station: StationV2, request: Payload) -> Payload:
    """GetTransactionStatus."""
    answer: Payload = {"messagesInQueue": station.outbox.durable_count > 0}
    wanted = request.get("transactionId")
    if wanted is not None:
        running = station.transaction
        answer["ongoingIndicator"] = running is not None and running.id == wanted
    return answer


def trigger_message(station: StationV2, request: Payload) -> Payload:
    """TriggerMessage."""
    wanted, running = request["requestedMessage"], station.transaction
    if (request.get("evse") or {}).get("id", 1) != 1:
        return {"status": "Rejected"}
    if wanted in TRIGGERS_UNKNOWN or wanted not in _TRIGGERS:
        return {"status": "NotImplemented"}
    if wanted == "TransactionEvent" and running is None:
        return {"status": "Rejected"}
    if wanted == "BootNotification":
        if station.registration == "Accepted":
            return {"status": "Rejected"}
        station.boot()
    else:
        _TRIGGERS[wanted](station)
    return {"status": "Accepted"}


def _trigger_meter_values(station: StationV2) -> None:
    value = station.meter_value(station.measurands("TxUpdatedMeasurands"), "Trigger")
    station.call("MeterValues", {"evseId": 1, "meterValue": [value]})


def _trigger_transaction_event(station: StationV2) -> None:
    if station.transaction is not None:
        measurands = station.measurands("TxUpdatedMeasurands")
        station.transaction_event(
            station.transaction, "Updated", "Trigger", measurands, context="Trigger"
        )


def _sign(kind: str) -> Callable[[StationV2], None]:
    def send(station: StationV2) -> None:
        organization = station.model.value("SecurityCtrlr", "OrganizationName")
        csr = station.certificates.signing_request(station.settings.id, organization)
        station.call("SignCertificate", {"csr": csr, "certificateType": kind})

    return send


_TRIGGERS: dict[str, Callable[[StationV2], None]] = {
    "BootNotification": lambda station: station.boot(),
    "Heartbeat": lambda station: station.call("Heartbeat", {}),
    "StatusNotification": lambda station: station.send_status(),
    "MeterValues": _trigger_meter_values,
    "TransactionEvent": _trigger_transaction_event,
    "LogStatusNotification": lambda station: station.call(
        "LogStatusNotification", {"status": "Idle"}
    ),
    **{name: _sign(kind) for name, kind in SIGN_TRIGGERS.items()},
}


def reset(station: StationV2, request: Payload) -> Payload:
    """Reset, at once or when the transaction has ended."""
    if request.get("evseId") is not None:
        return refused(Refusal("UnsupportedParam", "only the whole station can be reset"))
    if request["type"] == "OnIdle" and station.transaction is not None:
        station.reset_when_idle = True
        return {"status": "Scheduled"}
    station.reboot("RemoteReset")
    return {"status": "Accepted"}


def change_availability(station: StationV2, request: Payload) -> Payload:
    """ChangeAvailability; a running transaction is let go on first."""
    if (request.get("evse") or {}).get("id", 1) != 1:
        return refused(Refusal("UnknownEvse", "there is one EVSE, 1"))
    return {"status": station.change_availability(request["operationalStatus"] == "Operative")}


def unlock_connector(station: StationV2, request: Payload) -> Payload:
    """UnlockConnector."""
    if (request["evseId"], request["connectorId"]) != (1, 1):
        return {"status": "UnknownConnector"}
    if station.transaction is not None:
        return {"status": "OngoingAuthorizedTransaction"}
    return {"status": "Unlocked"}


def get_installed_certificate_ids(station: StationV2, request: Payload) -> Payload:
    """GetInstalledCertificateIds."""
    found = station.certificates.installed(request.get("certificateType"))
    if not found:
        return {"status": "NotFound"}
    chain = [{"certificateHashData": hashes, "certificateType": kind} for kind, hashes in found]
    return {"status": "Accepted", "certificateHashDataChain": chain}


def install_certificate(station: StationV2, request: Payload) -> Payload:
    """InstallCertificate."""
    if station.certificates.install(request["certificateType"], request["certificate"]):
        return {"status": "Accepted"}
    return refused(Refusal("InvalidCertificate", "not a PEM certificate"))


def delete_certificate(station: StationV2, request: Payload) -> Payload:
    """DeleteCertificate."""
    found = station.certificates.delete(request["certificateHashData"])
    return {"status": "Accepted" if found else "NotFound"}


def certificate_signed(station: StationV2, request: Payload) -> Payload:
    """CertificateSigned; taken only for the charger's own key."""
    if station.certificates.fits_key(request["certificateChain"]):
        return {"status": "Accepted"}
    return refused(Refusal("InvalidCertificate", "not for this charger's key"))


def set_network_profile(station: StationV2, request: Payload) -> Payload:
    """SetNetworkProfile: kept; the command line decides where the charger connects to."""
    data = request["connectionData"]
    if data["ocppTransport"] != "JSON" or not data["ocppCsmsUrl"].startswith(("ws://", "wss://")):
        return refused(Refusal("InvalidURL", "must be JSON over ws or wss"))
    station.note("network_profile", f"network profile {request['configurationSlot']} was set")
    return {"status": "Accepted"}


def send_local_list(station: StationV2, request: Payload) -> Payload:
    """SendLocalList."""
    is_full, version = request["updateType"] == "Full", request["versionNumber"]
    if version <= 0 or (not is_full and version <= station.local_list_version):
        return {"status": "VersionMismatch"}
    entries = {} if is_full else dict(station.local_list)
    for entry in request.get("localAuthorizationList") or []:
        token = entry["idToken"]["idToken"]
        if "idTokenInfo" in entry:
            entries[token] = entry["idTokenInfo"]["status"]
        else:
            entries.pop(token, None)
    station.local_list, station.local_list_version = entries, version
    return {"status": "Accepted"}


def get_log(station: StationV2, request: Payload) -> Payload:
    """GetLog: there is no way to upload here, and it says so."""
    payload = {"status": "NotSupportedOperation", "requestId": request["requestId"]}
    station.call("LogStatusNotification", payload)
    return {"status": "Accepted", "filename": ""}


def customer_information(station: StationV2, request: Payload) -> Payload:
    """CustomerInformation: nothing about customers is kept."""
    if request["report"]:
        payload = {
            "data": "",
            "seqNo": 0,
            "tbc": False,
            "generatedAt": station.clock(),
            "requestId": request["requestId"],
        }
        station.call("NotifyCustomerInformation", payload)
    return {"status": "Accepted"}


def _fixed(**answer: object) -> Handler:
    return lambda station, request: dict(answer)  # noqa: ARG005 the same whatever is asked


HANDLERS_V201: dict[str, Handler] = {
    "RequestStartTransaction": request_start_transaction,
    "RequestStopTransaction": request_stop_transaction,
    "GetTransactionStatus": get_transaction_status,
    "TriggerMessage": trigger_message,
    "Reset": reset,
    "ChangeAvailability": change_availability,
    "UnlockConnector": unlock_connector,
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "InstallCertificate": install_certificate,
    "DeleteCertificate": delete_certificate,
    "CertificateSigned": certificate_signed,
    "SetNetworkProfile": set_network_profile,
    "SendLocalList": send_local_list,
    "GetLocalListVersion": lambda station, _: {"versionNumber": station.local_list_version},
    "ClearCache": _fixed(status="Accepted"),
    "GetLog": get_log,
    "CustomerInformation": customer_information,
    "DataTransfer": _fixed(status="UnknownVendorId"),
    # Honest refusals: the virtual charger has no reservations, firmware or display.
    "ReserveNow": _fixed(status="Rejected"),
    "CancelReservation": _fixed(status="Rejected"),
    "UpdateFirmware": _fixed(status="Rejected"),
    "PublishFirmware": _fixed(status="Rejected"),
    "UnpublishFirmware": _fixed(status="NoFirmware"),
    "CostUpdated": _fixed(),
    "GetDisplayMessages": _fixed(status="Unknown"),
    "ClearDisplayMessage": _fixed(status="Unknown"),
    "SetDisplayMessage": _fixed(status="NotSupportedMessageFormat"),
}
