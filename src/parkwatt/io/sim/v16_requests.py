"""How a virtual charge point of 1.6 answers the requests of its back end."""

from __future__ import annotations

from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.profile_check import Refusal, check_profile
from parkwatt.io.sim.profiles import SECOND_US, read_profile, time_text
from parkwatt.io.sim.station_v16 import MEASURANDS, StationV16
from parkwatt.io.sim.v2_charging import composite_limit_kw


def set_charging_profile(station: StationV16, request: Payload) -> Payload:
    """SetChargingProfile."""
    raw, connector_id = request["csChargingProfiles"], request["connectorId"]
    refusal = check_profile(raw, connector_id, station.able, station.context.transaction_id)
    return {"status": _install(station, raw, connector_id, refusal)}


def _install(station: StationV16, raw: Payload, connector_id: int, refusal: Refusal | None) -> str:
    if refusal is not None:
        station.note("profile_refused", f"profile refused: {refusal.reason_code}, {refusal.text}")
        return "Rejected"
    power = station.power
    profile = read_profile(raw, connector_id, station.now_us, power.electrical, station.random)
    for rival in power.stack.rivals(profile):
        power.stack.remove(rival.id)  # 1.6, 5.16.3: same purpose and stack level is replaced
    power.stack.install(profile)
    power.changed()
    return "Accepted"


def clear_charging_profile(station: StationV16, request: Payload) -> Payload:
    """ClearChargingProfile."""
    purpose = request.get("chargingProfilePurpose")
    purpose = "ChargingStationMaxProfile" if purpose == "ChargePointMaxProfile" else purpose
    found = [
        profile
        for profile in station.power.stack.all()
        if request.get("id") in (None, profile.id)
        and request.get("connectorId") in (None, profile.evse_id)
        and purpose in (None, profile.purpose)
        and request.get("stackLevel") in (None, profile.stack_level)
    ]
    for profile in found:
        station.power.stack.remove(profile.id)
    station.power.changed()
    return {"status": "Accepted" if found else "Unknown"}


def get_composite_schedule(station: StationV16, request: Payload) -> Payload:
    """GetCompositeSchedule, in W unless A is asked for; limits to a tenth, as the schema wants."""
    unit, duration_s = request.get("chargingRateUnit", "W"), request["duration"]
    if request["connectorId"] not in (0, 1) or duration_s <= 0 or unit not in station.able.units:
        return {"status": "Rejected"}
    power = station.power
    composite = power.stack.composite(
        station.now_us, duration_s * SECOND_US, station.context, station.car.soc
    )
    periods = []
    for start_us, target in composite:
        instead_kw = composite_limit_kw(station, target)
        limit_kw = (
            target.power_kw(power.frequency_hz, power.signal) if instead_kw is None else instead_kw
        )
        phases = None if target.period is None else target.period.number_phases
        limit = round(limit_kw / power.electrical.kw_per_unit(unit, phases), 1)
        period: Payload = {"startPeriod": start_us // SECOND_US, "limit": limit}
        periods.append({**period, **({} if phases is None else {"numberPhases": phases})})
    start = time_text(station.now_us)
    schedule = {
        "duration": duration_s,
        "startSchedule": start,
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return {
        "status": "Accepted",
        "connectorId": request["connectorId"],
        "scheduleStart": start,
        "chargingSchedule": schedule,
    }


def remote_start_transaction(station: StationV16, request: Payload) -> Payload:
    """RemoteStartTransaction, with a TxProfile or none."""
    if request.get("connectorId", 1) != 1 or station.transaction is not None:
        return {"status": "Rejected"}
    if not station.is_plugged or not station.is_available:
        return {"status": "Rejected"}
    profile = request.get("chargingProfile")
    refusal = None
    if profile is not None:
        refusal = check_profile(profile, 1, station.able, None, with_transaction_start=True)
        if refusal is not None or profile["chargingProfilePurpose"] != "TxProfile":
            return {"status": "Rejected"}
    station.authorize_and_start(0, request["idTag"])
    if profile is not None:
        _install(station, profile, 1, None)
    return {"status": "Accepted"}


def remote_stop_transaction(station: StationV16, request: Payload) -> Payload:
    """RemoteStopTransaction."""
    transaction = station.transaction
    if transaction is None or transaction.csms_id != request["transactionId"]:
        return {"status": "Rejected"}
    station.end_transaction("Remote", "RemoteStop")
    return {"status": "Accepted"}


def trigger_message(station: StationV16, request: Payload) -> Payload:
    """TriggerMessage and ExtendedTriggerMessage."""
    wanted = request["requestedMessage"]
    if request.get("connectorId", 1) != 1:
        return {"status": "Rejected"}
    if wanted == "BootNotification":
        station.boot()
    elif wanted == "Heartbeat":
        station.call("Heartbeat", {})
    elif wanted == "StatusNotification":
        station.send_status()
    elif wanted == "MeterValues":
        station.send_meter_values("Trigger")
    elif wanted == "SignChargePointCertificate":
        csr = station.certificates.signing_request(station.settings.id, station.value("CpoName"))
        station.call("SignCertificate", {"csr": csr})
    elif (
        wanted in ("DiagnosticsStatusNotification", "LogStatusNotification")
        or wanted == "FirmwareStatusNotification"
    ):
        station.call(wanted, {"status": "Idle"})
    else:
        return {"status": "NotImplemented"}
    return {"status": "Accepted"}


def get_configuration(station: StationV16, request: Payload) -> Payload:
    """GetConfiguration; the key for authentication is write-only."""
    wanted = request.get("key") or list(station.configuration)
    by_name = {key.lower(): key for key in station.configuration}
    known = [by_name[key.lower()] for key in wanted if key.lower() in by_name]
    entries = []
    for key in known:
        value, is_fixed = station.configuration[key]
        entry: Payload = {"key": key, "readonly": is_fixed}
        entries.append(entry if key == "AuthorizationKey" else {**entry, "value": value})
    unknown = [key for key in wanted if key.lower() not in by_name]
    answer: Payload = {"configurationKey": entries}
    return {**answer, "unknownKey": unknown} if unknown else answer


def change_configuration(station: StationV16, request: Payload) -> Payload:
    """ChangeConfiguration; intervals take effect at once."""
    by_name = {key.lower(): key for key in station.configuration}
    key, value = by_name.get(request["key"].lower()), request["value"]
    if key is None:
        return {"status": "NotSupported"}
    old, is_fixed = station.configuration[key]
    is_number = old.isdigit()
    if is_fixed or (is_number and not value.isdigit()):
        return {"status": "Rejected"}
    if key == "MeterValuesSampledData" and any(part not in MEASURANDS for part in value.split(",")):
        return {"status": "Rejected"}
    station.configuration[key] = (value, False)
    if key == "MeterValueSampleInterval":
        station.meter_interval_s = int(value)
        station.reset_meter_timer()
    elif key == "ClockAlignedDataInterval":
        station.set_aligned_interval(int(value))
    elif key == "HeartbeatInterval":
        station.set_heartbeat(int(value))
    elif key == "TransactionMessageAttempts":
        station.outbox.attempts_max = max(int(value), 1)
    elif key == "TransactionMessageRetryInterval":
        station.outbox.retry_us = int(value) * SECOND_US
    return {"status": "Accepted"}


def reset(station: StationV16, request: Payload) -> Payload:
    """Reset, soft or hard."""
    if request["type"] == "Soft":
        station.end_transaction("SoftReset", "ResetCommand")
    station.reboot("RemoteReset")
    return {"status": "Accepted"}


def change_availability(station: StationV16, request: Payload) -> Payload:
    """ChangeAvailability."""
    if request["connectorId"] not in (0, 1):
        return {"status": "Rejected"}
    return {"status": station.change_availability(request["type"] == "Operative")}


def unlock_connector(station: StationV16, request: Payload) -> Payload:
    """UnlockConnector: ends a transaction first, as 1.6 wants."""
    if request["connectorId"] != 1:
        return {"status": "NotSupported"}
    station.end_transaction("Other", "UnlockCommand")
    return {"status": "Unlocked"}


def send_local_list(station: StationV16, request: Payload) -> Payload:
    """SendLocalList."""
    is_full, version = request["updateType"] == "Full", request["listVersion"]
    if not is_full and version <= station.local_list_version:
        return {"status": "VersionMismatch"}
    entries = {} if is_full else dict(station.local_list)
    for entry in request.get("localAuthorizationList") or []:
        if "idTagInfo" in entry:
            entries[entry["idTag"]] = entry["idTagInfo"]["status"]
        else:
            entries.pop(entry["idTag"], None)
    station.local_list, station.local_list_version = entries, version
    return {"status": "Accepted"}


def get_installed_certificate_ids(station: StationV16, request: Payload) -> Payload:
    """GetInstalledCertificateIds."""
    found = station.certificates.installed([request["certificateType"]])
    if not found:
        return {"status": "NotFound"}
    return {"status": "Accepted", "certificateHashData": [hashes for _, hashes in found]}


def install_certificate(station: StationV16, request: Payload) -> Payload:
    """InstallCertificate."""
    done = station.certificates.install(request["certificateType"], request["certificate"])
    return {"status": "Accepted" if done else "Rejected"}


def delete_certificate(station: StationV16, request: Payload) -> Payload:
    """DeleteCertificate."""
    found = station.certificates.delete(request["certificateHashData"])
    return {"status": "Accepted" if found else "NotFound"}


def certificate_signed(station: StationV16, request: Payload) -> Payload:
    """CertificateSigned; taken only for the charge point's own key."""
    fits = station.certificates.fits_key(request["certificateChain"])
    return {"status": "Accepted" if fits else "Rejected"}


def get_log(station: StationV16, request: Payload) -> Payload:
    """GetLog: there is no way to upload here, and it says so."""
    payload = {"status": "NotSupportedOperation", "requestId": request["requestId"]}
    station.call("LogStatusNotification", payload)
    return {"status": "Accepted", "filename": ""}


def _fixed(**answer: object) -> Handler:
    return lambda station, request: dict(answer)  # noqa: ARG005 the same whatever is asked


HANDLERS: dict[str, Handler] = {
    "SetChargingProfile": set_charging_profile,
    "ClearChargingProfile": clear_charging_profile,
    "GetCompositeSchedule": get_composite_schedule,
    "RemoteStartTransaction": remote_start_transaction,
    "RemoteStopTransaction": remote_stop_transaction,
    "TriggerMessage": trigger_message,
    "ExtendedTriggerMessage": trigger_message,
    "GetConfiguration": get_configuration,
    "ChangeConfiguration": change_configuration,
    "Reset": reset,
    "ChangeAvailability": change_availability,
    "UnlockConnector": unlock_connector,
    "SendLocalList": send_local_list,
    "GetLocalListVersion": lambda station, _: {"listVersion": station.local_list_version},
    "ClearCache": _fixed(status="Accepted"),
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "InstallCertificate": install_certificate,
    "DeleteCertificate": delete_certificate,
    "CertificateSigned": certificate_signed,
    "GetLog": get_log,
    "DataTransfer": _fixed(status="UnknownVendorId"),
    # Honest refusals: the virtual charger has no reservations, firmware or diagnostics to upload.
    "ReserveNow": _fixed(status="Rejected"),
    "CancelReservation": _fixed(status="Rejected"),
    "GetDiagnostics": _fixed(),
    "SignedUpdateFirmware": _fixed(status="Rejected"),
}
