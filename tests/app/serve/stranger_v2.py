"""The `ocpp` package's charge points of 2.0.1 and 2.1."""

from __future__ import annotations

import uuid
from types import ModuleType
from typing import Any, ClassVar

from ocpp import v21, v201

from tests.app.serve.strangers import CARD, Stranger, answers, now

_TOKEN = {"id_token": CARD, "type": "ISO14443"}
_EVSE = {"id": 1, "connector_id": 1}


class _Stranger2(Stranger):
    """What both versions have. ``variables``: its device model, by `Component.Variable`."""

    messages: ClassVar[ModuleType]
    results: ClassVar[ModuleType]
    variables: ClassVar[dict[str, str]] = {}
    seq_no = 0
    period: dict[str, Any] | None = None

    async def boot(self) -> None:
        """Boot and tell the connector's status."""
        station = {"model": f"Stranger {self.protocol}", "vendor_name": "Elsewhere"}
        answer = await self.say(self.messages.BootNotification(station, "PowerUp"))
        assert answer.status == "Accepted"
        await self.tell_status("Available")

    async def tell_status(self, status: str) -> None:
        """StatusNotification."""
        message = self.messages.StatusNotification(
            timestamp=now(), connector_status=status, evse_id=1, connector_id=1
        )
        await self.say(message)

    def event(self, kind: str, trigger: str, state: str, **more: Any) -> Any:
        """A TransactionEvent as of now, with the next number."""
        self.meter.read()
        sampled = [
            _sampled("Energy.Active.Import.Register", self.meter.import_wh, "Wh"),
            _sampled("Energy.Active.Export.Register", self.meter.export_wh, "Wh"),
            _sampled("Power.Active.Import", max(self.meter.power_w, 0.0), "W"),
            _sampled("Power.Active.Export", max(-self.meter.power_w, 0.0), "W"),
        ]
        stamp = now()
        message = self.messages.TransactionEvent(
            event_type=kind,
            timestamp=stamp,
            trigger_reason=trigger,
            seq_no=self.seq_no,
            transaction_info={"transaction_id": self.transaction_id, "charging_state": state},
            meter_value=[{"timestamp": stamp, "sampled_value": sampled}],
            evse=_EVSE,
            **more,
        )
        self.seq_no += 1
        return message

    async def started(self) -> None:
        """Authorize, Occupied, Started."""
        answer = await self.say(self.messages.Authorize(_TOKEN))
        assert answer.id_token_info["status"] == "Accepted"
        await self.tell_status("Occupied")
        self.transaction_id, self.seq_no = str(uuid.uuid4()), 0
        self.start_wh = (self.meter.import_wh, self.meter.export_wh)
        event = self.event("Started", "Authorized", "Charging", id_token=_TOKEN)
        self.start_wh = (self.meter.import_wh, self.meter.export_wh)
        assert (await self.say(event)).id_token_info["status"] == "Accepted"

    async def updated(self) -> None:
        """Updated."""
        await self.say(self.event("Updated", "MeterValuePeriodic", "Charging"))

    async def stopped(self) -> None:
        """Ended, Available."""
        await self.say(self.event("Ended", "EVDeparted", "Idle"))
        await self.tell_status("Available")

    async def deliver(self) -> None:
        """What is queued, oldest first, marked as told late."""
        while self.unsent:
            self.unsent[0].offline = True
            await self.say(self.unsent[0])
            del self.unsent[0]

    @answers("GetVariables")
    def get_variables(self, get_variable_data: list[dict[str, Any]]) -> Any:
        """What its device model holds."""
        results = []
        for asked in get_variable_data:
            component, variable = asked["component"], asked["variable"]
            value = self.variables.get(f"{component['name']}.{variable['name']}")
            found = {"attribute_value": value} if value is not None else {}
            status = "Accepted" if found else "UnknownVariable"
            results.append(
                {
                    "attribute_status": status,
                    "component": component,
                    "variable": variable,
                    **found,
                }
            )
        return self.results.GetVariables(get_variable_result=results)

    @answers("SetVariables")
    def set_variables(self, set_variable_data: list[dict[str, Any]]) -> Any:
        """Anything may be set."""
        results = [
            {
                "attribute_status": "Accepted",
                "component": asked["component"],
                "variable": asked["variable"],
            }
            for asked in set_variable_data
        ]
        return self.results.SetVariables(set_variable_result=results)

    @answers("SetChargingProfile")
    def set_charging_profile(self, evse_id: int, charging_profile: dict[str, Any]) -> Any:
        """A profile for the transaction holds at once."""
        del evse_id
        if charging_profile["charging_profile_purpose"] == "TxProfile":
            (schedule,) = charging_profile["charging_schedule"]
            (period,) = schedule["charging_schedule_period"]
            self.period = period
            self.follow(period["setpoint"] if "setpoint" in period else period["limit"])
        return self.results.SetChargingProfile("Accepted")

    @answers("ClearChargingProfile")
    def clear_charging_profile(self, **_: Any) -> Any:
        """Back to full power."""
        self.period = None
        self.follow(self.full_power_w)
        return self.results.ClearChargingProfile("Accepted")

    @answers("GetTransactionStatus")
    def get_transaction_status(self, transaction_id: str | None = None) -> Any:
        """Whether it runs, and what is still to be told of it."""
        ongoing = transaction_id == self.transaction_id and not self.unsent
        return self.results.GetTransactionStatus(
            messages_in_queue=bool(self.unsent), ongoing_indicator=ongoing
        )

    @answers("TriggerMessage")
    def trigger_message(self, **_: Any) -> Any:
        """It tells of its own what it has to tell. (Without this, the package's 2.1 dies of the question.)"""
        return self.results.TriggerMessage("NotImplemented")

    @answers("GetCompositeSchedule")
    def get_composite_schedule(self, duration: int, evse_id: int, **_: Any) -> Any:
        """What holds now."""
        period = self.period or {"start_period": 0, "limit": self.full_power_w}
        schedule = {
            "evse_id": evse_id,
            "duration": duration,
            "schedule_start": now(),
            "charging_rate_unit": "W",
            "charging_schedule_period": [period],
        }
        return self.results.GetCompositeSchedule(status="Accepted", schedule=schedule)


def _sampled(measurand: str, value: float, unit: str) -> dict[str, Any]:
    return {"measurand": measurand, "value": round(value, 3), "unit_of_measure": {"unit": unit}}


class Stranger201(_Stranger2, v201.ChargePoint):  # type: ignore[misc]  # the package has no types
    """A charging station of 2.0.1: limits only."""

    protocol = "ocpp2.0.1"
    messages, results = v201.call, v201.call_result


class Stranger21(_Stranger2, v21.ChargePoint):  # type: ignore[misc]  # the package has no types
    """A charging station of 2.1 that can discharge."""

    protocol = "ocpp2.1"
    messages, results = v21.call, v21.call_result
    variables: ClassVar[dict[str, str]] = {
        "V2XChargingCtrlr.Available": "true",
        "V2XChargingCtrlr.Enabled": "true",
        "V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly,CentralSetpoint",
    }
