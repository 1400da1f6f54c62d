"""What a virtual station of OCPP 2.0.1 and 2.1 tells: boot, status, transactions, charging needs, streams.

How it answers requests is told in `v2_control`, `v2_charging` and `v2_model`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from parkwatt.io.sim.certificates import CertificateStore
from parkwatt.io.sim.conversation import Handler
from parkwatt.io.sim.device_model import build_model, transfer_modes
from parkwatt.io.sim.frames import Payload
from parkwatt.io.sim.meter import Sample
from parkwatt.io.sim.monitors import Monitors
from parkwatt.io.sim.profile_check import ALL_MODES, Capabilities
from parkwatt.io.sim.profiles import SECOND_US, time_text
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import SimulatedTransaction, VirtualStation

REPORT_LENGTH_MAX = 50
# What can be wrong with the grid, and the grid-code function that sees it.
ALARMS = {
    "UnderVoltage": "LVMustTrip",
    "OverVoltage": "HVMustTrip",
    "UnderFrequency": "LFMustTrip",
    "OverFrequency": "HFMustTrip",
    "VoltageImbalance": "PowerMonitoringMustTrip",
    "PhaseRotation": "PowerMonitoringMustTrip",
}


class StationV2(VirtualStation):
    """A station of OCPP 2.0.1 or 2.1."""

    def __init__(
        self, settings: StationSettings, now_unix_us: int, handlers: Mapping[str, Handler]
    ) -> None:
        super().__init__(settings, now_unix_us, handlers)
        self.model = build_model(settings)
        self.certificates = CertificateStore()
        self.monitors = Monitors()
        self.local_list: dict[str, str] = {}
        self.local_list_version = 0
        self.aligned_interval_s = 0
        self.reset_when_idle = False
        self.at_start: Callable[[SimulatedTransaction], None] | None = None
        self._aligned_us: int | None = None
        self._pulls_us: dict[int, int] = {}

    @property
    def is_v21(self) -> bool:
        """Whether the station speaks 2.1."""
        return self.settings.protocol == "2.1"

    @property
    def able(self) -> Capabilities:
        """What decides on a profile now, faults included."""
        settings, faults = self.settings, self.faults
        can_v2x = self.is_v21 and settings.v2x
        has_dynamic = (
            self.is_v21 and settings.dynamic_profiles and faults.disobey != "unsupported_kind"
        )
        kinds = ("Absolute", "Recurring", "Relative", *(("Dynamic",) if has_dynamic else ()))
        more = ("PriorityCharging", "LocalGeneration") if self.is_v21 else ()
        lenient = faults.disobey in (
            "full_power",
            "nothing",
            "negative_as_zero",
            "negative_as_maximum",
            "ignores_limits",
        )
        return Capabilities(
            protocol=settings.protocol,
            modes=ALL_MODES if can_v2x else ("Idle", "ChargingOnly"),
            kinds=kinds,
            units=("W", "A") if faults.rate_unit == "any" else (faults.rate_unit,),
            purposes=("ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile", *more),
            stack_level_max=0 if faults.stack_level_0_only else settings.stack_level_max,
            is_dc=settings.is_dc,
            takes_negative_limit=settings.negative_limit == "discharge" or lenient,
            refuses_limit_beside_setpoint=settings.strict_setpoint,
        )

    def boot_payload(self) -> Payload:
        settings = self.settings
        station = {
            "model": settings.model[:20],
            "vendorName": settings.vendor[:50],
            "serialNumber": settings.id[:25],
            "firmwareVersion": settings.firmware[:50],
        }
        return {"reason": self.boot_reason, "chargingStation": station}

    def send_status(self) -> None:
        status = "Occupied" if self.is_plugged else "Available"
        self.call(
            "StatusNotification",
            {
                "timestamp": self.clock(),
                "connectorStatus": status if self.is_available else "Unavailable",
                "evseId": 1,
                "connectorId": 1,
            },
        )

    def discharge_allowed(self, allowed_transfer: list[str] | None) -> bool:
        if not self.is_v21:
            return self.settings.discharge_kw_max > 0
        modes = transfer_modes(self.settings)
        if len(modes) < 2:
            return False
        if allowed_transfer is None:
            return not self.settings.strict_transfer
        return modes[1] in allowed_transfer or f"{modes[1]}_DER" in allowed_transfer

    def id_token(self, token: str | None) -> Payload:
        """The token as the wire has it."""
        if token is None:
            return {"idToken": "", "type": "NoAuthorization"}
        return {"idToken": token[:36], "type": "Central"}

    def authorize(self, id_token: str, remote_start_id: int | None) -> None:
        def answered(answer: Payload | None) -> None:
            status = "none" if answer is None else answer["idTokenInfo"]["status"]
            offline_ok = answer is None and not self.is_connected
            self.note("authorized", f"driver {id_token}: {status}")
            if status == "Accepted" or offline_ok:
                allowed = None if answer is None else answer.get("allowedEnergyTransfer")
                self.start_transaction(
                    id_token, remote_start_id, allows_discharge=self.discharge_allowed(allowed)
                )

        self.call("Authorize", {"idToken": self.id_token(id_token)}, answered)

    def transaction_started(self, transaction: SimulatedTransaction) -> None:
        self.charging_state = "EVConnected"
        trigger = "Authorized" if transaction.remote_start_id is None else "RemoteStart"
        self.transaction_event(
            transaction,
            "Started",
            trigger,
            self.measurands("TxStartedMeasurands"),
            context="Transaction.Begin",
            more={
                "idToken": self.id_token(transaction.id_token),
                "evse": {"id": 1, "connectorId": 1},
            },
        )
        if self.at_start is not None:
            self.at_start(transaction)
            self.at_start = None
        if self.is_v21 and self.settings.v2x:
            self.send_charging_needs(transaction)

    def transaction_ended(
        self, transaction: SimulatedTransaction, stopped_reason: str, trigger: str
    ) -> None:
        known = (
            stopped_reason
            if self.is_v21 or stopped_reason != "ReqEnergyTransferRejected"
            else "Other"
        )
        self.transaction_event(
            transaction,
            "Ended",
            trigger,
            self.measurands("TxEndedMeasurands"),
            context="Transaction.End",
            info={"stoppedReason": known},
        )
        if self.reset_when_idle:
            self.reset_when_idle = False
            self.reboot("ScheduledReset")

    def meter_values_due(self, transaction: SimulatedTransaction) -> None:
        self.transaction_event(
            transaction,
            "Updated",
            "MeterValuePeriodic",
            self.measurands("TxUpdatedMeasurands"),
            context="Sample.Periodic",
        )

    def charging_state_changed(
        self, transaction: SimulatedTransaction, *, mode_changed: bool
    ) -> None:
        trigger = "OperationModeChanged" if mode_changed and self.is_v21 else "ChargingStateChanged"
        self.transaction_event(transaction, "Updated", trigger, ())

    def transaction_event(
        self,
        transaction: SimulatedTransaction,
        event_type: str,
        trigger: str,
        measurands: tuple[str, ...],
        *,
        context: str = "Other",
        info: Payload | None = None,
        more: Payload | None = None,
    ) -> None:
        """Queue a TransactionEvent with the meter's values of now."""
        about: Payload = {"transactionId": transaction.id, **(info or {})}
        if self.charging_state is not None:
            about["chargingState"] = self.charging_state
        if transaction.remote_start_id is not None:
            about["remoteStartId"] = transaction.remote_start_id
        if self.is_v21 and event_type == "Updated":
            about["operationMode"] = self.power.mode
        payload: Payload = {
            "eventType": event_type,
            "timestamp": self.clock(),
            "triggerReason": trigger,
            "seqNo": self.next_seq_no(transaction),
            "transactionInfo": about,
            **(more or {}),
        }
        if not self.is_online:
            payload["offline"] = True
        if measurands:
            payload["meterValue"] = [self.meter_value(measurands, context)]
        truth = {
            "transaction": transaction.id,
            "event": event_type,
            "seq_no": payload["seqNo"],
            "import_wh": self.meter.import_wh,
            "export_wh": self.meter.export_wh,
        }
        self.call(
            "TransactionEvent",
            payload,
            lambda answer: self._event_answered(transaction, answer),
            truth=truth,
        )

    def measurands(self, name: str) -> tuple[str, ...]:
        """The measurands that a variable of SampledDataCtrlr lists."""
        value = self.model.value("SampledDataCtrlr", name)
        return tuple(part.strip() for part in value.split(",") if part.strip())

    def meter_value(self, measurands: tuple[str, ...], context: str) -> Payload:
        """One meterValue of now."""
        return {
            "timestamp": self.clock(),
            "sampledValue": self._sampled(self.sample(), measurands, context),
        }

    def send_charging_needs(self, transaction: SimulatedTransaction) -> None:
        """Tell the car's needs as an ISO 15118-20 session of dynamic control would give them."""
        car, modes = self.car, transfer_modes(self.settings)
        capacity_wh = self.settings.car.capacity_kwh * 1000.0
        bidirectional = transaction.allows_discharge
        needs: Payload = {
            "requestedEnergyTransfer": modes[1] if bidirectional else modes[0],
            "availableEnergyTransfer": modes,
            "controlMode": "DynamicControl",
            "mobilityNeedsMode": "EVCC",
            "v2xChargingParameters": {
                "minChargePower": self.settings.car.power_kw_min * 1000.0,
                "maxChargePower": self.settings.car.charge_kw_max * 1000.0,
                "minDischargePower": self.settings.car.power_kw_min * 1000.0,
                "maxDischargePower": self.settings.car.discharge_kw_max * 1000.0,
                "evTargetEnergyRequest": round(
                    (self.settings.car.soc_target - car.soc) * capacity_wh, 1
                ),
                "evMinEnergyRequest": round(
                    (self.settings.car.soc_floor - car.soc) * capacity_wh, 1
                ),
                "evMaxEnergyRequest": round((1.0 - car.soc) * capacity_wh, 1),
                "evMinV2XEnergyRequest": round(
                    (self.settings.car.soc_floor - car.soc) * capacity_wh, 1
                ),
                "evMaxV2XEnergyRequest": round((1.0 - car.soc) * capacity_wh, 1),
                "targetSoC": round(self.settings.car.soc_target * 100),
            },
        }
        if self.settings.car.trips:
            needs["departureTime"] = time_text(self.next_departure_us())
        payload = {"evseId": 1, "chargingNeeds": needs, "timestamp": self.clock()}

        def answered(answer: Payload | None) -> None:
            status = "no answer" if answer is None else answer["status"]
            self.note("charging_needs", f"charging needs: {status}")
            if status == "Rejected" and self.transaction is transaction:
                self.end_transaction("ReqEnergyTransferRejected", "AbnormalCondition")

        self.call("NotifyEVChargingNeeds", payload, answered)

    def tell_grid_alarm(self, fault: str, *, ended: bool) -> None:
        """Say that the grid has a fault of `ALARMS`, or that it is over."""
        self.note("alarm", f"the grid: {fault} {'is over' if ended else 'begins'}")
        payload: Payload = {
            "controlType": ALARMS[fault],
            "gridEventFault": fault,
            "timestamp": self.clock(),
        }
        if ended:
            payload["alarmEnded"] = True
        self.call("NotifyDERAlarm", payload)

    def reboot(self, reason: str = "Watchdog") -> None:
        if self.faults.der == "forgets":
            self.power.der.forget()
        super().reboot(reason)

    def send_in_parts(self, action: str, key: str, items: list[Any], common: Payload) -> None:
        """Queue a report, cut where it is long; ``common`` is in each part."""
        parts = [items[i : i + REPORT_LENGTH_MAX] for i in range(0, len(items), REPORT_LENGTH_MAX)]
        for number, part in enumerate(parts):
            payload = {**common, "seqNo": number, "tbc": number + 1 < len(parts), key: part}
            self.call(action, payload)

    def set_aligned_interval(self, interval_s: int) -> None:
        """Send clock-aligned meter values so often (0: never)."""
        self.aligned_interval_s = interval_s
        step_us = interval_s * SECOND_US
        self._aligned_us = (self.now_us // step_us + 1) * step_us if interval_s else None

    def watch_pull(self, profile_id: int, interval_s: int) -> None:
        """Ask for an update of a dynamic profile in that time (0: never)."""
        self._pulls_us.pop(profile_id, None)
        if interval_s > 0:
            self._pulls_us[profile_id] = self.now_us + interval_s * SECOND_US

    def extra_due_us(self) -> list[int]:
        due = [*self._pulls_us.values(), self.monitors.next_due_us(), self._aligned_us]
        due.append(self.power.der.next_change_us(self.now_us))
        return [at_us for at_us in due if at_us is not None]

    def extra_tick(self) -> None:
        if self._aligned_us is not None and self.now_us >= self._aligned_us:
            self.set_aligned_interval(self.aligned_interval_s)
            value = self.model.value("AlignedDataCtrlr", "Measurands")
            meter_value = self.meter_value(tuple(value.split(",")), "Sample.Clock")
            self.call("MeterValues", {"evseId": 1, "meterValue": [meter_value]})
        for profile_id, due_us in list(self._pulls_us.items()):
            if self.now_us >= due_us:
                self._pull(profile_id)
        for control in self.power.der.changed(self.now_us):
            started = control.is_active(self.now_us)
            self.note("der", f"control {control.kind} {'started' if started else 'ended'}")
            payload = {"controlId": control.id, "started": started, "timestamp": self.clock()}
            self.call("NotifyDERStartStop", payload)
        for frame in self.monitors.due(self):
            self.push(frame)

    def _pull(self, profile_id: int) -> None:
        profile = self.power.stack.get(profile_id)
        self.watch_pull(profile_id, 0 if profile is None else profile.pull_interval_s)

        def answered(answer: Payload | None) -> None:
            if answer is None or answer["status"] != "Accepted" or "scheduleUpdate" not in answer:
                return
            if self.power.stack.get(profile_id) is not None:
                self.power.stack.update(profile_id, answer["scheduleUpdate"], self.now_us)
                self.power.changed()

        if profile is not None:
            self.call("PullDynamicScheduleUpdate", {"chargingProfileId": profile_id}, answered)

    def _event_answered(self, transaction: SimulatedTransaction, answer: Payload | None) -> None:
        status = ((answer or {}).get("idTokenInfo") or {}).get("status", "Accepted")
        if status != "Accepted" and self.transaction is transaction:
            self.end_transaction("DeAuthorized", "Deauthorized")

    def _sampled(self, sample: Sample, measurands: tuple[str, ...], context: str) -> list[Payload]:
        imported, exported = max(sample.power_w, 0.0), max(-sample.power_w, 0.0)
        values: dict[str, tuple[float | None, str]] = {
            "Energy.Active.Import.Register": (round(sample.import_wh, 3), "Wh"),
            "Energy.Active.Export.Register": (round(sample.export_wh, 3), "Wh"),
            "Power.Active.Import": (round(imported, 1), "W"),
            "Power.Active.Export": (round(exported, 1), "W"),
            "Current.Import": (round(max(sample.current_a, 0.0), 2), "A"),
            "Current.Export": (round(max(-sample.current_a, 0.0), 2), "A"),
            "Voltage": (round(sample.voltage_v, 1), "V"),
            "Frequency": (round(sample.frequency_hz, 3), "Hertz"),
            "SoC": (None if sample.soc is None else round(sample.soc * 100, 1), "Percent"),
        }
        sampled: list[Payload] = []
        for measurand in measurands:
            value, unit = values[measurand]
            if value is None:
                continue
            entry: Payload = {
                "value": value,
                "measurand": measurand,
                "context": context,
                "location": "EV" if measurand == "SoC" else "Outlet",
                "unitOfMeasure": {"unit": unit},
            }
            by_phase = measurand.startswith(("Current", "Voltage")) and not self.settings.is_dc
            names = [f"L{n + 1}" for n in range(self.settings.phases)] if by_phase else []
            suffix = "-N" if measurand == "Voltage" else ""
            sampled += [{**entry, "phase": name + suffix} for name in names] or [entry]
        return sampled
