"""A charging station and its car, just enough to misbehave: takes calls as payloads, gives answers and meter values.

Independent of the ladder: it reads payloads itself. Its world advances in steps of 0.1 s, calls are answered 0.2 s later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.version import Version

LATENCY_S = 0.2


@dataclass
class Manners:
    """How a station behaves.

    ``discharge``: what it makes of a negative power: obey, full (charges with all it has), nothing (keeps its power), zero.
    ``refuse``: action or profile kind or rung word -> (status, reason code, error). ``schedule``: honest, full or none.
    """

    discharge: str = "obey"
    obeys_limits: bool = True
    refuse: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    schedule: str = "honest"
    trigger: bool = True
    meter_interval_s: float = 10.0
    meter_frozen: bool = False
    clock_s: float = 0.0
    ramp_kw_per_s: float = 4.0
    full_kw: float = 11.0
    car_max_kw: float = 11.0
    car_min_kw: float = -11.0
    stack_levels: tuple[int, ...] = (0, 1)
    rate_units: tuple[str, ...] = ("W", "A")


@dataclass
class Station:
    """One connection point with a car that charges with ``power_kw`` now."""

    version: Version
    manners: Manners
    power_kw: float = 0.0
    profiles: dict[int, dict[str, Any]] = field(default_factory=dict)
    profile_at_s: dict[int, float] = field(default_factory=dict)
    charged_unasked_kwh: float = 0.0

    def answer(self, call: Call, now_s: float) -> Answer:
        """The answer to a call, and its effect."""
        for word in (call.action, *_words(call.payload)):
            if word in self.manners.refuse:
                status, reason_code, error = self.manners.refuse[word]
                return Answer(call, status=status, reason_code=reason_code, error=error)
        if call.action == "SetChargingProfile":
            return self._set(call, now_s)
        if call.action == "UpdateDynamicSchedule":
            profile = self.profiles.get(call.payload["chargingProfileId"])
            if profile is None:
                return Answer(call, status="Rejected")
            schedule = profile["chargingSchedule"][0]
            schedule["chargingSchedulePeriod"][0].update(call.payload["scheduleUpdate"])
            self.profile_at_s[call.payload["chargingProfileId"]] = now_s
            return Answer(call, status="Accepted")
        if call.action == "ClearChargingProfile":
            profile_id = call.payload.get("chargingProfileId", call.payload.get("id"))
            found = self.profiles.pop(profile_id, None)
            return Answer(call, status="Accepted" if found else "Unknown")
        if call.action == "GetCompositeSchedule":
            return self._schedule(call)
        if call.action == "TriggerMessage":
            status = "Accepted" if self.manners.trigger else "NotImplemented"
            return Answer(call, status=status)
        return Answer(call, error="NotImplemented")

    def step(self, now_s: float, step_s: float) -> None:
        """Move on: profiles end, the power goes to where it is told."""
        for profile_id, profile in list(self.profiles.items()):
            duration_s = _schedule_of(profile).get("duration")
            if duration_s is not None and now_s - self.profile_at_s[profile_id] >= duration_s:
                del self.profiles[profile_id]
        target_kw = self._target_kw()
        if target_kw is None:
            return
        target_kw = max(self.manners.car_min_kw, min(self.manners.car_max_kw, target_kw))
        most_kw = self.manners.ramp_kw_per_s * step_s
        self.power_kw += max(-most_kw, min(most_kw, target_kw - self.power_kw))

    def reading(self, now_unix_us: int) -> MeterReading:
        """What the meter shows."""
        measured_unix_us = 1_700_000_000_000_000 if self.manners.meter_frozen else now_unix_us
        if self.manners.clock_s:
            measured_unix_us -= measured_unix_us % round(self.manners.clock_s * 1e6)
        return MeterReading(measured_unix_us, power_kw=round(self.power_kw, 3))

    def asked_kw(self) -> float | None:
        """The power that the profile in force says, read as the standard says."""
        profile = self._in_force()
        if profile is None:
            return None
        schedule = _schedule_of(profile)
        period = schedule["chargingSchedulePeriod"][0]
        value = period.get("setpoint", period.get("v2xBaseline", period.get("limit")))
        factor = 1.0 if schedule["chargingRateUnit"] == "W" else 230.0 * 3.0
        return float(value) * factor / 1000.0

    def _in_force(self) -> dict[str, Any] | None:
        for purpose in ("TxProfile", "TxDefaultProfile"):
            for profile in self.profiles.values():
                if profile["chargingProfilePurpose"] == purpose:
                    return profile
        return None

    def _target_kw(self) -> float | None:
        asked_kw = self.asked_kw()
        manners = self.manners
        if asked_kw is None:
            return manners.full_kw
        if asked_kw < 0.0:
            return {
                "obey": asked_kw,
                "full": manners.full_kw,
                "nothing": None,
                "zero": 0.0,
            }[manners.discharge]
        profile = self._in_force()
        assert profile is not None
        period = _schedule_of(profile)["chargingSchedulePeriod"][0]
        if "setpoint" in period and manners.discharge == "nothing":
            return None
        return asked_kw if manners.obeys_limits else manners.full_kw

    def _set(self, call: Call, now_s: float) -> Answer:
        profile = call.payload.get("chargingProfile") or call.payload["csChargingProfiles"]
        if profile["stackLevel"] not in self.manners.stack_levels:
            return Answer(call, status="Rejected", reason_code="InvalidStackLevel")
        if _schedule_of(profile)["chargingRateUnit"] not in self.manners.rate_units:
            return Answer(call, status="Rejected")
        profile_id = profile.get("id", profile.get("chargingProfileId"))
        self.profiles[profile_id] = _copied(profile)
        self.profile_at_s[profile_id] = now_s
        return Answer(call, status="Accepted")

    def _schedule(self, call: Call) -> Answer:
        if self.manners.schedule == "none":
            return Answer(call, error="NotImplemented")
        asked_kw = self.asked_kw()
        profile = self._in_force()
        period: dict[str, Any] = {"startPeriod": 0, "limit": self.manners.full_kw * 1000.0}
        if self.manners.schedule == "honest" and profile is not None and asked_kw is not None:
            told = _schedule_of(profile)["chargingSchedulePeriod"][0]
            name = "setpoint" if "setpoint" in told else "limit"
            period = {"startPeriod": 0, name: asked_kw * 1000.0}
        schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
        name = "schedule" if self.version.is_2 else "chargingSchedule"
        return Answer(call, status="Accepted", payload={"status": "Accepted", name: schedule})


def _schedule_of(profile: dict[str, Any]) -> dict[str, Any]:
    schedule: dict[str, Any] | list[dict[str, Any]] = profile["chargingSchedule"]
    return schedule[0] if isinstance(schedule, list) else schedule


def _words(payload: Any) -> tuple[str, ...]:
    """What a refusal may be about: the kind of profile, its mode, and whether it discharges."""
    profile = payload.get("chargingProfile") or payload.get("csChargingProfiles")
    if profile is None:
        return ()
    period = _schedule_of(profile)["chargingSchedulePeriod"][0]
    words = [profile["chargingProfileKind"], profile["chargingProfilePurpose"]]
    words.append(period.get("operationMode", "ChargingOnly"))
    if period.get("limit", 0.0) < 0.0:
        words.append("negative limit")
    return tuple(words)


def _copied(profile: dict[str, Any]) -> dict[str, Any]:
    schedule = dict(_schedule_of(profile))
    schedule["chargingSchedulePeriod"] = [dict(schedule["chargingSchedulePeriod"][0])]
    return {**profile, "chargingSchedule": [schedule]}
