"""The `ocpp` package's charge point of 1.6."""

from __future__ import annotations

import math
from typing import Any

from ocpp.v16 import ChargePoint, call, call_result

from tests.app.serve.strangers import CARD, Stranger, answers, now


class Stranger16(Stranger, ChargePoint):  # type: ignore[misc]  # the package has no types
    """A charge point that knows limits in W."""

    protocol = "ocpp1.6"
    settings = {  # noqa: RUF012 read only
        "NumberOfConnectors": "1",
        "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
        "ChargeProfileMaxStackLevel": "8",
        "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    }
    limit_w: float | None = None

    async def boot(self) -> None:
        """Boot and tell both statuses."""
        answer = await self.say(call.BootNotification("Stranger 1.6", "Elsewhere"))
        assert answer.status == "Accepted"
        for connector_id in (0, 1):
            await self.say(call.StatusNotification(connector_id, "NoError", "Available"))

    async def started(self) -> None:
        """Authorize, StartTransaction, Charging."""
        assert (await self.say(call.Authorize(CARD))).id_tag_info["status"] == "Accepted"
        self.meter.import_wh = math.ceil(self.meter.import_wh)
        self.start_wh = (self.meter.import_wh, 0.0)
        answer = await self.say(call.StartTransaction(1, CARD, self.meter.import_wh, now()))
        self.transaction_id = answer.transaction_id
        await self.say(call.StatusNotification(1, "NoError", "Charging"))

    def values(self) -> call.MeterValues:
        """MeterValues as they stand."""
        sampled = [
            {"value": f"{self.meter.import_wh:.3f}", "unit": "Wh"},
            {
                "value": f"{self.meter.power_w:.1f}",
                "measurand": "Power.Active.Import",
                "unit": "W",
            },
        ]
        meter_value = [{"timestamp": now(), "sampled_value": sampled}]
        return call.MeterValues(1, meter_value, transaction_id=self.transaction_id)

    async def updated(self) -> None:
        """MeterValues."""
        await self.say(self.values())

    def stop(self) -> call.StopTransaction:
        """StopTransaction as of now, whose register is whole Wh."""
        self.meter.read()
        self.meter.import_wh = math.ceil(self.meter.import_wh)
        return call.StopTransaction(
            self.meter.import_wh, now(), self.transaction_id, reason="Local", id_tag=CARD
        )

    async def stopped(self) -> None:
        """StopTransaction, Available."""
        answer = await self.say(self.stop())
        assert answer.id_tag_info is None or answer.id_tag_info["status"] == "Accepted"
        await self.say(call.StatusNotification(1, "NoError", "Available"))

    async def deliver(self) -> None:
        """What is queued, oldest first."""
        while self.unsent:
            await self.say(self.unsent[0])
            del self.unsent[0]

    @answers("GetConfiguration")
    def get_configuration(self, key: list[str] | None = None) -> Any:
        """The keys it has; what else is asked for is unknown."""
        keys = key or list(self.settings)
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": name, "readonly": False, "value": self.settings[name]}
                for name in keys
                if name in self.settings
            ],
            unknown_key=[name for name in keys if name not in self.settings],
        )

    @answers("ChangeConfiguration")
    def change_configuration(self, key: str, value: str) -> Any:
        """Anything may be set."""
        del key, value
        return call_result.ChangeConfiguration("Accepted")

    @answers("SetChargingProfile")
    def set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        """A limit for the transaction holds at once."""
        del connector_id
        if cs_charging_profiles["charging_profile_purpose"] == "TxProfile":
            (period,) = cs_charging_profiles["charging_schedule"]["charging_schedule_period"]
            self.limit_w = period["limit"]
            self.follow(period["limit"])
        return call_result.SetChargingProfile("Accepted")

    @answers("ClearChargingProfile")
    def clear_charging_profile(self, **_: Any) -> Any:
        """Back to full power."""
        self.limit_w = None
        self.follow(self.full_power_w)
        return call_result.ClearChargingProfile("Accepted")

    @answers("GetCompositeSchedule")
    def get_composite_schedule(self, connector_id: int, duration: int, **_: Any) -> Any:
        """What holds now."""
        limit_w = self.full_power_w if self.limit_w is None else self.limit_w
        schedule = {
            "charging_rate_unit": "W",
            "charging_schedule_period": [{"start_period": 0, "limit": limit_w}],
            "duration": duration,
        }
        return call_result.GetCompositeSchedule(
            "Accepted",
            connector_id=connector_id,
            schedule_start=now(),
            charging_schedule=schedule,
        )
