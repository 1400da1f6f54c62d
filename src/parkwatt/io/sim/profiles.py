"""Charging profiles of every version in one shape, and when each of their periods applies.

Powers become kW here: W is the sum of the phases unless values for L2 and L3 stand beside it; A is per phase
(errata 2.62 of OCPP 2.1) times voltage and phases. Times become microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
RECURRENCE_US = {"Daily": DAY_US, "Weekly": 7 * DAY_US}

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Electrical:
    """The EVSE's supply, for amperes to kW: ``voltage_v`` of a phase (of the DC output where it is DC)."""

    voltage_v: float
    phases: int
    is_dc: bool

    def kw_per_unit(self, unit: str, number_phases: int | None) -> float:
        """kW of one W, or of one A on each phase that may be used."""
        if unit == "W":
            return 0.001
        phases = 1 if self.is_dc else min(number_phases or self.phases, self.phases)
        return self.voltage_v * max(phases, 1) / 1000.0


@dataclass(frozen=True, slots=True)
class Context:
    """What decides whether a profile applies: the transaction and its start, and since when the link is lost."""

    transaction_id: str | None = None
    transaction_start_us: int | None = None
    offline_since_us: int | None = None
    has_priority: bool = False


@dataclass(slots=True)
class Period:
    """One period of a schedule. ``raw`` holds the fields of the wire, for reports."""

    start_us: int
    limit_kw: float | None
    discharge_limit_kw: float | None
    setpoint_kw: float | None
    mode: str
    baseline_kw: float
    frequency_curve: Curve
    signal_curve: Curve
    is_asleep: bool
    number_phases: int | None
    raw: dict[str, Any]


@dataclass(slots=True)
class Profile:
    """One installed profile; its first schedule counts (an EV of ISO 15118 may choose another, this one does not)."""

    id: int
    evse_id: int
    stack_level: int
    purpose: str
    kind: str
    recurrence_us: int
    valid_from_us: int | None
    valid_to_us: int | None
    transaction_id: str | None
    schedule_start_us: int | None
    lasts_us: int | None
    unit: str
    periods: list[Period]
    installed_us: int
    updated_us: int
    offline_us_max: int | None
    dies_offline: bool
    pull_interval_s: int
    limit_at_soc: tuple[float, float] | None
    raw: dict[str, Any]
    source: str = "CSO"
    is_dead: bool = False
    electrical: Electrical = field(default_factory=lambda: Electrical(230.0, 3, is_dc=False))

    @property
    def asks_beyond_limits(self) -> bool:
        """Whether a period asks for more than a charging limit: a set-point, a mode of V2X, a negative limit."""
        return any(
            period.mode != "ChargingOnly" or (period.limit_kw or 0.0) < 0 for period in self.periods
        )

    def matches(self, context: Context) -> bool:
        """Whether it is meant for the present transaction and survives the loss of the link so far."""
        if self.is_dead:
            return False
        bound = (
            self.purpose in ("TxProfile", "PriorityCharging") and self.transaction_id is not None
        )
        return not bound or self.transaction_id == context.transaction_id

    def period_at(self, at_us: int, context: Context) -> Period | None:
        """The period that applies at a moment; None where the profile does not apply."""
        if not self.matches(context) or not self._is_valid(at_us, context):
            return None
        start_us = self._start(at_us, context)
        if start_us is None or at_us < start_us:
            return None
        elapsed_us = at_us - start_us
        if self.lasts_us is not None and elapsed_us >= self.lasts_us:
            return None
        found = None
        for period in self.periods:
            if period.start_us > elapsed_us:
                break
            found = period
        return found

    def changes(self, from_us: int, to_us: int, context: Context) -> Iterator[int]:
        """The moments in (from, to] at which the profile may begin, change or end."""
        moments = [self.valid_from_us, self.valid_to_us]
        if context.offline_since_us is not None and self.offline_us_max is not None:
            moments.append(context.offline_since_us + self.offline_us_max)
        for start_us in self._starts(from_us, to_us, context):
            moments += [start_us + period.start_us for period in self.periods]
            if self.lasts_us is not None:
                moments.append(start_us + self.lasts_us)
        for moment in moments:
            if moment is not None and from_us < moment <= to_us:
                yield moment

    def _is_valid(self, at_us: int, context: Context) -> bool:
        if self.valid_from_us is not None and at_us < self.valid_from_us:
            return False
        if self.valid_to_us is not None and at_us >= self.valid_to_us:
            return False
        if context.offline_since_us is None or self.offline_us_max is None:
            return True
        return at_us < context.offline_since_us + self.offline_us_max

    def _start(self, at_us: int, context: Context) -> int | None:
        """The start of the schedule that counts at a moment."""
        if self.kind == "Dynamic":
            # The watchdog: the schedule lives for its duration after each update (K28.FR.13, FR.14).
            begins_us = self.schedule_start_us
            return None if begins_us is not None and at_us < begins_us else self.updated_us
        if self.kind == "Recurring" and self.schedule_start_us is not None:
            return at_us - (at_us - self.schedule_start_us) % self.recurrence_us
        if self.kind == "Absolute" and self.schedule_start_us is not None:
            return self.schedule_start_us
        begun_us = context.transaction_start_us
        return self.installed_us if begun_us is None else begun_us

    def _starts(self, from_us: int, to_us: int, context: Context) -> Iterator[int]:
        if self.kind == "Recurring" and self.schedule_start_us is not None:
            at_us = from_us - (from_us - self.schedule_start_us) % self.recurrence_us
            while at_us <= to_us:
                yield at_us
                at_us += self.recurrence_us
            return
        if self.kind == "Dynamic":
            if self.schedule_start_us is not None:
                yield self.schedule_start_us
            yield self.updated_us
            return
        start_us = self._start(from_us, context)
        if start_us is not None:
            yield start_us


def parse_time(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time (without a zone: UTC); raises ValueError."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return round(seconds * SECOND_US)


def time_text(unix_us: int) -> str:
    """RFC 3339 with milliseconds, UTC."""
    moment = datetime.fromtimestamp(unix_us // 1000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_profile(
    raw: Mapping[str, Any], evse_id: int, now_us: int, electrical: Electrical, random: Random
) -> Profile:
    """A profile from the wire, of 1.6 or 2.x; it must have passed its schema. Raises ValueError for a bad time."""
    schedules = raw["chargingSchedule"]
    schedule = schedules if isinstance(schedules, Mapping) else schedules[0]
    transaction = raw.get("transactionId")
    at_soc = schedule.get("limitAtSoC")
    offline_s = raw.get("maxOfflineDuration")
    unit = schedule["chargingRateUnit"]
    purpose = raw["chargingProfilePurpose"]
    duration_s = schedule.get("duration")
    updated = raw.get("dynUpdateTime")
    return Profile(
        id=raw["id"] if "id" in raw else raw["chargingProfileId"],
        evse_id=evse_id,
        stack_level=raw["stackLevel"],
        purpose="ChargingStationMaxProfile" if purpose == "ChargePointMaxProfile" else purpose,
        kind=raw["chargingProfileKind"],
        recurrence_us=RECURRENCE_US[raw.get("recurrencyKind", "Daily")],
        valid_from_us=_time(raw.get("validFrom")),
        valid_to_us=_time(raw.get("validTo")),
        transaction_id=None if transaction is None else str(transaction),
        schedule_start_us=_time(_local(schedule)),
        lasts_us=None if duration_s is None else round(duration_s * SECOND_US),
        unit=unit,
        periods=[
            _period(period, unit, electrical, schedule, random)
            for period in schedule["chargingSchedulePeriod"]
        ],
        installed_us=now_us,
        updated_us=now_us if updated is None else parse_time(updated),
        offline_us_max=None if offline_s is None else offline_s * SECOND_US,
        dies_offline=bool(raw.get("invalidAfterOfflineDuration", False)),
        pull_interval_s=raw.get("dynUpdateInterval") or 0,
        limit_at_soc=None
        if at_soc is None
        else (at_soc["soc"] / 100.0, at_soc["limit"] * electrical.kw_per_unit(unit, None)),
        raw=dict(raw),
        electrical=electrical,
    )


def apply_update(profile: Profile, update: Mapping[str, Any], now_us: int) -> None:
    """Put the values of a ChargingScheduleUpdate into a dynamic profile's one period."""
    schedule = profile.raw["chargingSchedule"][0]
    old = schedule["chargingSchedulePeriod"][0]
    merged = {**old, **{k: v for k, v in update.items() if k != "customData"}}
    schedule = {**schedule, "chargingSchedulePeriod": [merged]}
    profile.raw = {
        **profile.raw,
        "chargingSchedule": [schedule],
        "dynUpdateTime": time_text(now_us),
    }
    profile.periods = [_period(merged, profile.unit, profile.electrical, {}, Random(0))]  # noqa: S311 no delay, no chance
    profile.updated_us = now_us


def _time(text: str | None) -> int | None:
    return None if text is None else parse_time(text)


def _local(schedule: Mapping[str, Any]) -> str | None:
    """The schedule's start; with useLocalTime its zone is disregarded, and the station's own local time is UTC."""
    start: str | None = schedule.get("startSchedule")
    if start is None or not schedule.get("useLocalTime"):
        return start
    return datetime.fromisoformat(start).replace(tzinfo=UTC).isoformat()


def _period(
    raw: Mapping[str, Any],
    unit: str,
    electrical: Electrical,
    schedule: Mapping[str, Any],
    random: Random,
) -> Period:
    phases = raw.get("numberPhases")
    per_unit_kw = electrical.kw_per_unit(unit, phases)
    delay_s = random.randint(0, schedule.get("randomizedDelay") or 0)

    def power_kw(name: str) -> float | None:
        first = raw.get(name)
        if first is None:
            return None
        others = [raw.get(f"{name}_{phase}") for phase in ("L2", "L3")]
        if all(value is None for value in others):
            return float(first) * per_unit_kw
        per_phase_kw = electrical.kw_per_unit(unit, 1)
        return per_phase_kw * float(first + sum(value for value in others if value is not None))

    return Period(
        start_us=round((raw["startPeriod"] + delay_s) * SECOND_US),
        limit_kw=power_kw("limit"),
        discharge_limit_kw=power_kw("dischargeLimit"),
        setpoint_kw=power_kw("setpoint"),
        mode=raw.get("operationMode") or "ChargingOnly",
        baseline_kw=(raw.get("v2xBaseline") or 0.0) / 1000.0,
        frequency_curve=_curve(raw.get("v2xFreqWattCurve"), "frequency"),
        signal_curve=_curve(raw.get("v2xSignalWattCurve"), "signal"),
        is_asleep=bool(raw.get("evseSleep", False)),
        number_phases=phases,
        raw={k: v for k, v in raw.items() if k not in ("startPeriod", "customData")},
    )


def _curve(points: list[dict[str, float]] | None, x: str) -> Curve:
    return tuple(sorted((float(p[x]), p["power"] / 1000.0) for p in points or ()))
