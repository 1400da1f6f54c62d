"""Laws of the profile stack, on drawn stacks: leading, caps, composite schedule, watchdog."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.sim.profiles import (
    SECOND_US,
    Context,
    Electrical,
    Profile,
    read_profile,
    time_text,
)
from parkwatt.io.sim.smart_charging import ProfileStack, Reading

START_US = 1_700_000_000_000_000
ELECTRICAL = Electrical(230.0, 3, is_dc=False)
READING = Reading(11.0, 10.0)
CONTEXT = Context("tx", START_US)
HORIZON_S = 2000


def profile(
    profile_id: int,
    level: int,
    purpose: str,
    periods: list[dict[str, Any]],
    *,
    kind: str = "Absolute",
    duration_s: int | None = None,
    start_s: int = 0,
    **more: Any,
) -> Profile:
    schedule: dict[str, Any] = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": periods}
    if kind in ("Absolute", "Recurring"):
        schedule["startSchedule"] = time_text(START_US + start_s * SECOND_US)
    if duration_s is not None:
        schedule["duration"] = duration_s
    raw = {
        "id": profile_id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": [schedule],
        **more,
    }
    evse_id = 0 if purpose == "ChargingStationMaxProfile" else 1
    return read_profile(raw, evse_id, START_US, ELECTRICAL, Random(1))  # noqa: S311


def stack_of(*profiles: Profile) -> ProfileStack:
    stack = ProfileStack(READING)
    for one in profiles:
        stack.install(one)
    return stack


def power_kw(stack: ProfileStack, at_s: float, context: Context = CONTEXT) -> float:
    target = stack.target(START_US + round(at_s * SECOND_US), context, 0.5)
    return target.power_kw(50.0, None)


@st.composite
def drawn_profiles(draw: st.DrawFn) -> list[Profile]:
    profiles = []
    for number in range(draw(st.integers(0, 6))):
        purpose = draw(
            st.sampled_from(
                ["TxProfile", "TxDefaultProfile", "ChargingStationMaxProfile", "LocalGeneration"]
            )
        )
        starts = sorted({0, *draw(st.lists(st.integers(1, 900), max_size=3))})
        periods = []
        for start in starts:
            value = draw(st.integers(-12_000, 12_000))
            if purpose.startswith("Tx") and draw(st.booleans()):
                periods.append(
                    {"startPeriod": start, "operationMode": "CentralSetpoint", "setpoint": value}
                )
            else:
                periods.append({"startPeriod": start, "limit": abs(value)})
        profiles.append(
            profile(
                number,
                draw(st.integers(0, 3)),
                purpose,
                periods,
                kind=draw(st.sampled_from(["Absolute", "Relative", "Recurring"])),
                duration_s=draw(st.none() | st.integers(1, 1500)),
                start_s=draw(st.integers(-500, 500)),
                recurrencyKind="Daily",
            )
        )
    return profiles


@given(
    profiles=drawn_profiles(),
    moments=st.lists(st.integers(0, HORIZON_S - 1), min_size=1, max_size=8),
)
def test_the_composite_schedule_is_what_happens(
    profiles: list[Profile], moments: list[int]
) -> None:
    stack = stack_of(*profiles)
    composite = stack.composite(START_US, HORIZON_S * SECOND_US, CONTEXT, 0.5)
    assert composite[0][0] == 0
    for moment in moments:
        shown = [t for start_us, t in composite if start_us <= moment * SECOND_US][-1]
        assert shown.power_kw(50.0, None) == power_kw(stack, moment)


@given(profiles=drawn_profiles(), at_s=st.integers(0, HORIZON_S), later_s=st.floats(0, 1))
def test_nothing_changes_before_the_next_change(
    profiles: list[Profile], at_s: int, later_s: float
) -> None:
    stack = stack_of(*profiles)
    at_us = START_US + at_s * SECOND_US
    until_us = stack.next_change(at_us, CONTEXT)
    assert until_us > at_us
    between_us = at_us + int((until_us - 1 - at_us) * later_s)
    assert stack.target(at_us, CONTEXT, 0.5) == stack.target(between_us, CONTEXT, 0.5)


@given(profiles=drawn_profiles(), at_s=st.integers(0, HORIZON_S), cap_w=st.integers(0, 12_000))
def test_a_station_maximum_caps_charging_and_nothing_else(
    profiles: list[Profile], at_s: int, cap_w: int
) -> None:
    cap = profile(
        99, 9, "ChargingStationMaxProfile", [{"startPeriod": 0, "limit": cap_w}], start_s=-600
    )
    capped_kw = power_kw(stack_of(*(p for p in profiles if p.purpose != cap.purpose), cap), at_s)
    uncapped_kw = power_kw(stack_of(*(p for p in profiles if p.purpose != cap.purpose)), at_s)
    assert capped_kw == pytest.approx(min(uncapped_kw, cap_w / 1000))


@given(levels=st.permutations([0, 1, 2, 3]))
def test_the_highest_level_leads_whatever_the_order_of_arrival(levels: list[int]) -> None:
    stack = stack_of(
        *(
            profile(
                level, level, "TxDefaultProfile", [{"startPeriod": 0, "limit": 1000 * (level + 1)}]
            )
            for level in levels
        )
    )
    assert power_kw(stack, 10) == 4.0


def test_a_tx_profile_leads_and_its_end_uncovers_the_default() -> None:
    stack = stack_of(
        profile(1, 5, "TxDefaultProfile", [{"startPeriod": 0, "limit": 4200}]),
        profile(
            2,
            0,
            "TxProfile",
            [{"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -6000}],
            duration_s=60,
            transactionId="tx",
        ),
    )
    assert [power_kw(stack, at) for at in (0, 59.9, 60)] == [-6.0, -6.0, 4.2]
    assert power_kw(stack, 0, Context("other", START_US)) == 4.2


def test_external_limits_cap_discharging_too() -> None:
    external = profile(
        2,
        0,
        "ChargingStationExternalConstraints",
        [
            {
                "startPeriod": 0,
                "operationMode": "ExternalLimits",
                "limit": 3000,
                "dischargeLimit": -4000,
            }
        ],
    )
    wish = [{"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -9000}]
    assert power_kw(stack_of(profile(1, 0, "TxProfile", wish), external), 1) == -4.0


def test_the_watchdog_of_a_dynamic_profile_lapses_and_revives() -> None:
    period = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -6000}
    stack = stack_of(
        profile(1, 0, "TxDefaultProfile", [{"startPeriod": 0, "limit": 0}]),
        profile(2, 1, "TxProfile", [period], kind="Dynamic", duration_s=30),
    )
    assert [power_kw(stack, at) for at in (0, 29.9, 30)] == [-6.0, -6.0, 0.0]
    stack.update(2, {"setpoint": 5000.0}, START_US + 100 * SECOND_US)
    assert [power_kw(stack, at) for at in (100, 129, 130)] == [5.0, 5.0, 0.0]


def test_a_profile_ends_offline_and_dies_where_it_must() -> None:
    more: dict[str, Any] = {"maxOfflineDuration": 60, "invalidAfterOfflineDuration": True}
    stack = stack_of(profile(1, 0, "TxProfile", [{"startPeriod": 0, "limit": 2000}], **more))
    offline = Context("tx", START_US, START_US)
    assert [power_kw(stack, at, offline) for at in (0, 59, 60)] == [2.0, 2.0, 11.0]
    assert power_kw(stack, 61) == 2.0  # back in time: it counts again
    stack.age(START_US + 60 * SECOND_US, offline)
    assert power_kw(stack, 62) == 11.0


def test_a_recurring_profile_comes_back_each_day() -> None:
    stack = stack_of(
        profile(
            1,
            0,
            "TxDefaultProfile",
            [{"startPeriod": 0, "limit": 2000}],
            kind="Recurring",
            recurrencyKind="Daily",
            duration_s=3600,
        )
    )
    day = 86_400
    assert [power_kw(stack, at) for at in (0, 3600, day - 1, day, day + 3600)] == [2, 11, 11, 2, 11]


def test_the_local_frequency_curve_is_added_to_the_baseline() -> None:
    curve = [{"frequency": 49.8, "power": -8000}, {"frequency": 50.2, "power": 8000}]
    period = {
        "startPeriod": 0,
        "operationMode": "LocalFrequency",
        "v2xBaseline": 1000,
        "v2xFreqWattCurve": curve,
    }
    target = stack_of(profile(1, 0, "TxProfile", [period])).target(START_US, CONTEXT, 0.5)
    shown = [target.power_kw(hz, None) for hz in (49.0, 49.9, 50.0, 50.1, 51.0)]
    assert shown == pytest.approx([-7.0, -3.0, 1.0, 5.0, 9.0])


@pytest.mark.parametrize(
    ("unit", "phases", "kw"), [("A", None, 6.9), ("A", 1, 2.3), ("W", None, 0.01)]
)
def test_amperes_are_per_phase(unit: str, phases: int | None, kw: float) -> None:
    assert 10 * ELECTRICAL.kw_per_unit(unit, phases) == pytest.approx(kw)


def test_priority_charging_leads_only_while_it_is_active() -> None:
    stack = stack_of(
        profile(1, 0, "TxProfile", [{"startPeriod": 0, "limit": 2000}]),
        profile(2, 0, "PriorityCharging", [{"startPeriod": 0, "limit": 9000}]),
    )
    assert power_kw(stack, 1) == 2.0
    assert power_kw(stack, 1, Context("tx", START_US, None, has_priority=True)) == 9.0


def test_above_a_state_of_charge_the_limit_is_lower() -> None:
    one = profile(1, 0, "TxProfile", [{"startPeriod": 0, "limit": 8000}])
    one.limit_at_soc = (0.8, 3.0)
    stack = stack_of(one)
    assert stack.target(START_US, CONTEXT, 0.79).charge_kw_max == 8.0
    assert stack.target(START_US, CONTEXT, 0.8).charge_kw_max == 3.0
