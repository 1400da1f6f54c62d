"""A virtual charge point of OCPP 1.6, with the messages of the security whitepaper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parkwatt.io.sim.certificates import CertificateStore
from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.meter import Sample
from parkwatt.io.sim.profile_check import Capabilities
from parkwatt.io.sim.profiles import SECOND_US
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import SimulatedTransaction, VirtualStation

MEASURANDS = (
    *("Energy.Active.Import.Register", "Energy.Active.Export.Register", "Power.Active.Import"),
    *("Power.Active.Export", "Current.Import", "Current.Export", "Voltage", "SoC"),
)
_STOP_REASONS = {
    "DeAuthorized": "DeAuthorized",
    "EVDisconnected": "EVDisconnected",
    "ImmediateReset": "HardReset",
    "Reboot": "Reboot",
    "Remote": "Remote",
    "SoftReset": "SoftReset",
    "Local": "Local",
}
_STATES = {
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "EVConnected": "Preparing",
}


class StationV16(VirtualStation):
    """A charge point of OCPP 1.6 with one connector."""

    format_error = "FormationViolation"
    not_accepted_error = "SecurityError"

    def __init__(
        self, settings: StationSettings, now_unix_us: int, handlers: Mapping[str, Handler]
    ) -> None:
        super().__init__(settings, now_unix_us, handlers)
        self.certificates = CertificateStore()
        self.local_list: dict[str, str] = {}
        self.local_list_version = 0
        self.configuration: dict[str, tuple[str, bool]] = _configuration(settings)
        self._aligned_us: int | None = None

    @property
    def able(self) -> Capabilities:
        """What decides on a profile now, faults included."""
        faults, settings = self.faults, self.settings
        lenient = faults.disobey in (
            "full_power",
            "nothing",
            "negative_as_zero",
            "negative_as_maximum",
            "ignores_limits",
        )
        return Capabilities(
            protocol="1.6",
            modes=("ChargingOnly",),
            kinds=("Absolute", "Recurring", "Relative"),
            units=("W", "A") if faults.rate_unit == "any" else (faults.rate_unit,),
            stack_level_max=0 if faults.stack_level_0_only else settings.stack_level_max,
            periods_max=500,
            is_dc=settings.is_dc,
            takes_negative_limit=settings.negative_limit == "discharge" or lenient,
        )

    def boot_payload(self) -> Payload:
        settings = self.settings
        return {
            "chargePointVendor": settings.vendor[:20],
            "chargePointModel": settings.model[:20],
            "chargePointSerialNumber": settings.id[:25],
            "firmwareVersion": settings.firmware[:50],
        }

    def send_status(self) -> None:
        if not self.is_available:
            status = "Unavailable"
        elif not self.is_plugged:
            status = "Available"
        elif self.transaction is None:
            status = "Preparing" if not self.transactions else "Finishing"
        else:
            status = _STATES[self.charging_state or "EVConnected"]
        self.call(
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": self.clock()},
        )

    def authorize(self, id_token: str, remote_start_id: int | None) -> None:
        def answered(answer: Payload | None) -> None:
            status = "none" if answer is None else answer["idTagInfo"]["status"]
            self.note("authorized", f"driver {id_token}: {status}")
            if status == "Accepted" or (answer is None and not self.is_connected):
                self.start_transaction(
                    id_token, remote_start_id, allows_discharge=self.discharge_allowed(None)
                )

        self.call("Authorize", {"idTag": id_token[:20]}, answered)

    def transaction_started(self, transaction: SimulatedTransaction) -> None:
        self.charging_state = "EVConnected"
        token = (transaction.id_token or self.settings.id)[:20]
        payload = {
            "connectorId": 1,
            "idTag": token,
            "meterStart": round(self.meter.import_wh),
            "timestamp": self.clock(),
        }

        def answered(answer: Payload | None) -> None:
            if answer is None:
                return
            transaction.csms_id = answer["transactionId"]
            self.power.changed()
            if answer["idTagInfo"]["status"] != "Accepted" and self.transaction is transaction:
                self.end_transaction("DeAuthorized", "Deauthorized")

        self.call("StartTransaction", payload, answered, truth=self._truth(transaction, "Started"))

    def transaction_ended(
        self,
        transaction: SimulatedTransaction,
        stopped_reason: str,
        trigger: str,  # noqa: ARG002 1.6 has no triggers
    ) -> None:
        fixed: Payload = {
            "meterStop": round(self.meter.import_wh),
            "timestamp": self.clock(),
            "reason": _STOP_REASONS.get(stopped_reason, "Other"),
            "transactionData": [self.meter_value("Transaction.End")],
        }
        if transaction.id_token is not None and stopped_reason in ("Local", "Remote"):
            fixed["idTag"] = transaction.id_token[:20]
        self.call(
            "StopTransaction",
            lambda: {**fixed, "transactionId": _csms_id(transaction)},
            truth=self._truth(transaction, "Ended"),
        )
        self.send_status()

    def meter_values_due(self, transaction: SimulatedTransaction) -> None:
        value = self.meter_value("Sample.Periodic")
        self.call(
            "MeterValues",
            lambda: {
                "connectorId": 1,
                "transactionId": _csms_id(transaction),
                "meterValue": [value],
            },
            truth=self._truth(transaction, "Updated"),
        )

    def charging_state_changed(
        self,
        transaction: SimulatedTransaction,  # noqa: ARG002 told as a status
        *,
        mode_changed: bool,  # noqa: ARG002 told as a status
    ) -> None:
        self.send_status()

    def meter_value(self, context: str) -> Payload:
        """One meterValue of now."""
        return {"timestamp": self.clock(), "sampledValue": self._sampled(self.sample(), context)}

    def send_meter_values(self, context: str) -> None:
        """MeterValues beside the periodic ones, of the running transaction if there is one."""
        payload: Payload = {"connectorId": 1, "meterValue": [self.meter_value(context)]}
        transaction = self.transaction
        if transaction is not None and transaction.csms_id is not None:
            payload["transactionId"] = transaction.csms_id
        self.call("MeterValues", payload)

    def value(self, key: str) -> str:
        """The value of a configuration key that is there."""
        return self.configuration[key][0]

    def set_aligned_interval(self, interval_s: int) -> None:
        """Send clock-aligned meter values so often (0: never)."""
        step_us = interval_s * SECOND_US
        self._aligned_us = (self.now_us // step_us + 1) * step_us if interval_s else None

    def extra_due_us(self) -> list[int]:
        return [] if self._aligned_us is None else [self._aligned_us]

    def extra_tick(self) -> None:
        if self._aligned_us is not None and self.now_us >= self._aligned_us:
            self.set_aligned_interval(int(self.value("ClockAlignedDataInterval")))
            self.send_meter_values("Sample.Clock")

    def _truth(self, transaction: SimulatedTransaction, event: str) -> dict[str, Any]:
        return {
            "transaction": transaction.id,
            "event": event,
            "seq_no": self.next_seq_no(transaction),
            "import_wh": self.meter.import_wh,
            "export_wh": self.meter.export_wh,
        }

    def _sampled(self, sample: Sample, context: str) -> list[Payload]:
        values: dict[str, tuple[float | None, str]] = {
            "Energy.Active.Import.Register": (round(sample.import_wh, 3), "Wh"),
            "Energy.Active.Export.Register": (round(sample.export_wh, 3), "Wh"),
            "Power.Active.Import": (round(max(sample.power_w, 0.0), 1), "W"),
            "Power.Active.Export": (round(max(-sample.power_w, 0.0), 1), "W"),
            "Current.Import": (round(max(sample.current_a, 0.0), 2), "A"),
            "Current.Export": (round(max(-sample.current_a, 0.0), 2), "A"),
            "Voltage": (round(sample.voltage_v, 1), "V"),
            "SoC": (None if sample.soc is None else round(sample.soc * 100, 1), "Percent"),
        }
        sampled: list[Payload] = []
        for measurand in self.value("MeterValuesSampledData").split(","):
            value, unit = values[measurand]
            if value is None:
                continue
            entry: Payload = {
                "value": str(value),
                "measurand": measurand,
                "unit": unit,
                "context": context,
                "location": "EV" if measurand == "SoC" else "Outlet",
            }
            by_phase = measurand.startswith("Current") and not self.settings.is_dc
            names = [f"L{n + 1}" for n in range(self.settings.phases)] if by_phase else []
            sampled += [{**entry, "phase": name} for name in names] or [entry]
        return sampled


def _csms_id(transaction: SimulatedTransaction) -> int:
    """The back end's id, or −1 where the start was never answered (as real charge points send)."""
    return -1 if transaction.csms_id is None else transaction.csms_id


def _configuration(settings: StationSettings) -> dict[str, tuple[str, bool]]:
    """The configuration keys: value, and whether it is read-only."""
    shown = ",".join(m for m in MEASURANDS if not m.startswith("Current"))
    profiles = "Core,FirmwareManagement,LocalAuthListManagement,SmartCharging,RemoteTrigger"
    return {
        "AuthorizeRemoteTxRequests": ("false", True),
        "AuthorizationKey": ("", False),
        "ChargeProfileMaxStackLevel": (str(settings.stack_level_max), True),
        "ChargingScheduleAllowedChargingRateUnit": ("Current,Power", True),
        "ChargingScheduleMaxPeriods": ("500", True),
        "ClockAlignedDataInterval": ("0", False),
        "ConnectionTimeOut": ("60", False),
        "ConnectorPhaseRotation": ("1.RST", True),
        "GetConfigurationMaxKeys": ("100", True),
        "HeartbeatInterval": ("300", False),
        "LocalAuthListEnabled": ("true", False),
        "LocalAuthListMaxLength": ("1000", True),
        "LocalAuthorizeOffline": ("true", True),
        "LocalPreAuthorize": ("false", True),
        "MaxChargingProfilesInstalled": ("100", True),
        "MeterValueSampleInterval": (str(settings.meter_interval_s), False),
        "MeterValuesAlignedData": (shown, True),
        "MeterValuesSampledData": (shown, False),
        "NumberOfConnectors": ("1", True),
        "ResetRetries": ("1", True),
        "SendLocalListMaxLength": ("1000", True),
        "StopTransactionOnEVSideDisconnect": ("true", True),
        "StopTransactionOnInvalidId": ("true", True),
        "StopTxnAlignedData": ("", True),
        "StopTxnSampledData": ("", True),
        "SupportedFeatureProfiles": (profiles, True),
        "TransactionMessageAttempts": (str(settings.retry_attempts), False),
        "TransactionMessageRetryInterval": (f"{settings.retry_interval_s:.0f}", False),
        "UnlockConnectorOnEVSideDisconnect": ("true", True),
        "WebSocketPingInterval": ("0", False),
        "CpoName": ("Parkwatt virtual", False),
    }
