"""The stack of charging profiles: what they ask together at one moment, and the composite schedule.

Within a purpose the highest stack level that applies leads; where its schedule ends, the next lower one does. A profile
of the transaction (priority charging where it is active, else TxProfile, else TxDefaultProfile) gives set-point
or limit; ChargingStationMaxProfile and ChargingStationExternalConstraints then cut both directions to the
smallest magnitude; LocalGeneration adds to what a charging limit of the transaction allows. A limit cuts charging, a
dischargeLimit discharging: the only caps on discharging above a TxProfile are external ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from parkwatt.io.sim.car import interpolate
from parkwatt.io.sim.profiles import DAY_US, Context, Curve, Period, Profile, apply_update

STATION_PURPOSES = ("ChargingStationMaxProfile", "ChargingStationExternalConstraints")


@dataclass(frozen=True, slots=True)
class Target:
    """What the profiles ask of the EVSE at one moment: bounds (kW, not negative) and, where given, a set-point."""

    mode: str
    charge_kw_max: float
    discharge_kw_max: float
    setpoint_kw: float | None = None
    frequency_curve: Curve = ()
    signal_curve: Curve = ()
    is_limited: bool = True
    period: Period | None = None

    def power_kw(self, frequency_hz: float, signal: float | None) -> float:
        """The power asked for at a grid frequency and the last signal of the transmission system operator."""
        if self.setpoint_kw is None:
            return self.charge_kw_max
        wish_kw = self.setpoint_kw
        if self.frequency_curve:
            wish_kw += interpolate(self.frequency_curve, frequency_hz)
        if self.signal_curve and signal is not None:
            wish_kw += interpolate(self.signal_curve, signal)
        return min(max(wish_kw, -self.discharge_kw_max), self.charge_kw_max)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a station reads profiles: its full powers, and what a negative limit means to it."""

    charge_kw_max: float
    discharge_kw_max: float
    follows_negative_limit: bool = False


class ProfileStack:
    """The profiles that are installed on a station with one EVSE."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._profiles: dict[int, Profile] = {}

    def all(self) -> list[Profile]:
        """Every installed profile."""
        return list(self._profiles.values())

    def get(self, profile_id: int) -> Profile | None:
        """The profile with that id."""
        return self._profiles.get(profile_id)

    def rivals(self, profile: Profile) -> list[Profile]:
        """Others of the same EVSE, purpose, level and transaction whose validity overlaps."""
        return [
            other
            for other in self._profiles.values()
            if other.id != profile.id
            and _slot(other) == _slot(profile)
            and _before(other.valid_from_us, profile.valid_to_us)
            and _before(profile.valid_from_us, other.valid_to_us)
        ]

    def install(self, profile: Profile) -> None:
        """Add a profile; it takes the place of one with its id."""
        self._profiles[profile.id] = profile

    def remove(self, profile_id: int) -> bool:
        """Remove by id; whether there was one."""
        return self._profiles.pop(profile_id, None) is not None

    def update(self, profile_id: int, update: dict[str, float], now_us: int) -> None:
        """Put new values into a dynamic profile."""
        apply_update(self._profiles[profile_id], update, now_us)

    def end_transaction(self, transaction_id: str) -> None:
        """Drop the profiles of a transaction that ended."""
        for profile in self.all():
            if profile.purpose == "TxProfile" and profile.transaction_id in (transaction_id, None):
                self.remove(profile.id)

    def age(self, now_us: int, context: Context) -> None:
        """Kill for good what must not outlive a loss of the link (invalidAfterOfflineDuration)."""
        since_us = context.offline_since_us
        for profile in self._profiles.values():
            if since_us is not None and profile.dies_offline and profile.offline_us_max is not None:
                profile.is_dead |= now_us >= since_us + profile.offline_us_max

    def target(
        self, at_us: int, context: Context, soc: float | None, *, limits_only: bool = False
    ) -> Target:
        """What is asked at a moment. ``limits_only`` leaves out profiles that ask for more than a limit."""
        profiles = [
            p for p in self._profiles.values() if not (limits_only and p.asks_beyond_limits)
        ]
        leader = self._leader(profiles, at_us, context)
        target = self._of_transaction(leader, soc)
        extra = _lead(profiles, "LocalGeneration", at_us, context)
        if extra is not None and target.setpoint_kw is None and target.is_limited:
            target = replace(
                target,
                charge_kw_max=min(
                    target.charge_kw_max + max(extra[1].limit_kw or 0.0, 0.0),
                    self.reading.charge_kw_max,
                ),
            )
        for purpose in STATION_PURPOSES:
            cap = _lead(profiles, purpose, at_us, context)
            if cap is not None:
                target = _capped(target, cap[1])
        return target

    def next_change(self, at_us: int, context: Context) -> int:
        """The next moment at which the target may change, at most a day ahead."""
        until_us = at_us + DAY_US
        moments = (m for p in self._profiles.values() for m in p.changes(at_us, until_us, context))
        return min(moments, default=until_us)

    def composite(
        self, from_us: int, lasts_us: int, context: Context, soc: float | None
    ) -> list[tuple[int, Target]]:
        """The targets from a moment on: (µs since ``from_us``, target), equal neighbours merged."""
        until_us = from_us + lasts_us
        moments = {
            m
            for p in self._profiles.values()
            for m in p.changes(from_us, until_us, context)
            if m < until_us
        }
        periods: list[tuple[int, Target]] = []
        for moment in sorted({from_us, *moments}):
            target = self.target(moment, context, soc)
            if not periods or periods[-1][1] != target:
                periods.append((moment - from_us, target))
        return periods

    def _leader(
        self, profiles: list[Profile], at_us: int, context: Context
    ) -> tuple[Profile, Period] | None:
        order = ["TxProfile", "TxDefaultProfile"]
        if context.has_priority:
            order.insert(0, "PriorityCharging")
        for purpose in order:
            found = _lead(profiles, purpose, at_us, context)
            if found is not None:
                return found
        return None

    def _of_transaction(self, leader: tuple[Profile, Period] | None, soc: float | None) -> Target:
        full = self.reading
        if leader is None:
            return Target("ChargingOnly", full.charge_kw_max, 0.0, is_limited=False)
        profile, period = leader
        limit_kw = full.charge_kw_max if period.limit_kw is None else period.limit_kw
        at_soc = profile.limit_at_soc
        if at_soc is not None and soc is not None and soc >= at_soc[0]:
            limit_kw = min(limit_kw, at_soc[1])
        charge_kw = min(max(limit_kw, 0.0), full.charge_kw_max)
        floor_kw = period.discharge_limit_kw
        discharge_kw = (
            full.discharge_kw_max if floor_kw is None else min(-floor_kw, full.discharge_kw_max)
        )
        if period.is_asleep or period.mode == "Idle":
            return Target("Idle", 0.0, 0.0, 0.0, period=period)
        if period.mode == "LocalFrequency":
            return Target(
                period.mode,
                charge_kw,
                discharge_kw,
                period.baseline_kw,
                period.frequency_curve,
                period.signal_curve,
                period=period,
            )
        if period.mode in ("CentralSetpoint", "CentralFrequency", "ExternalSetpoint"):
            setpoint_kw = period.setpoint_kw or 0.0
            bounded_kw = min(max(setpoint_kw, -discharge_kw), charge_kw)
            return Target(
                period.mode,
                charge_kw,
                discharge_kw,
                bounded_kw,
                signal_curve=period.signal_curve,
                period=period,
            )
        if period.mode == "ExternalLimits":
            return Target(period.mode, charge_kw, discharge_kw, period=period)
        if limit_kw < 0 and full.follows_negative_limit:
            return Target(
                period.mode,
                0.0,
                full.discharge_kw_max,
                max(limit_kw, -full.discharge_kw_max),
                period=period,
            )
        return Target(period.mode, charge_kw, 0.0, period=period)


def _capped(target: Target, cap: Period) -> Target:
    """Cut a target to a station's or an external limit; ExternalSetpoint gives the set-point itself."""
    charge_kw = target.charge_kw_max
    discharge_kw = target.discharge_kw_max
    setpoint_kw = target.setpoint_kw
    if cap.mode == "Idle" or cap.is_asleep:
        return Target("Idle", 0.0, 0.0, 0.0, period=cap)
    if cap.limit_kw is not None:
        charge_kw = min(charge_kw, max(cap.limit_kw, 0.0))
    if cap.discharge_limit_kw is not None:
        discharge_kw = min(discharge_kw, -cap.discharge_limit_kw)
    if cap.mode == "ExternalSetpoint" and target.mode == "ExternalSetpoint":
        setpoint_kw = cap.setpoint_kw or 0.0
    if setpoint_kw is not None and not target.frequency_curve:
        setpoint_kw = min(max(setpoint_kw, -discharge_kw), charge_kw)
    return replace(
        target,
        charge_kw_max=charge_kw,
        discharge_kw_max=discharge_kw,
        setpoint_kw=setpoint_kw,
        is_limited=True,
    )


def _lead(
    profiles: list[Profile], purpose: str, at_us: int, context: Context
) -> tuple[Profile, Period] | None:
    """The leading profile of a purpose and its period: the highest level, and a given EVSE before all of them."""
    best: tuple[Profile, Period] | None = None
    for profile in profiles:
        if profile.purpose != purpose:
            continue
        period = profile.period_at(at_us, context)
        if period is None:
            continue
        if best is None or _rank(profile) > _rank(best[0]):
            best = (profile, period)
    return best


def _rank(profile: Profile) -> tuple[int, int, int]:
    return profile.stack_level, profile.evse_id, profile.installed_us


def _slot(profile: Profile) -> tuple[int, str, int, str | None]:
    return profile.evse_id, profile.purpose, profile.stack_level, profile.transaction_id


def _before(start_us: int | None, end_us: int | None) -> bool:
    return start_us is None or end_us is None or start_us < end_us
