"""Set-points that follow a house's meter for hours, on each rung, with real frames of a virtual charger: what is told, what is
judged, and what the charger does of its own once nobody tells it anything.
"""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.charger.event import CommandAnswered, CommandSent, SetpointAsked, is_telemetry
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings
from tests.io.ocpp.ladder.link import Link

Rung = Literal["limits 1.6", "limits 2.0.1", "negative limits", "set-points", "updates"]
RUNGS: dict[Rung, tuple[Protocol, int]] = {
    "limits 1.6": ("1.6", 0),
    "limits 2.0.1": ("2.0.1", 0),
    "negative limits": ("1.6", 1),
    "set-points": ("2.1", 2),
    "updates": ("2.1", 3),
}
DISCHARGING: list[Rung] = ["negative limits", "set-points", "updates"]
POWER_KW = 7.4
DEFAULT_KW = 3.7
STEP_S = 2.0


def linked(
    rung: Rung, *, least_kw: float | None = None, ramp_kw_per_s: float = 5.0, interval_s: int = 10
) -> Link:
    """A charger that ends up on that rung, with a car that charges."""
    protocol, number = RUNGS[rung]
    car = CarSettings(
        charge_kw_max=POWER_KW,
        discharge_kw_max=POWER_KW,
        capacity_kwh=80.0,
        soc=0.6,
        ramp_kw_per_s=ramp_kw_per_s,
    )
    station = StationSettings(
        protocol=protocol,
        phases=1,
        power_kw_max=POWER_KW,
        discharge_kw_max=POWER_KW,
        car=car,
        meter_interval_s=interval_s,
        negative_limit="discharge" if number == 1 else "reject",
        dynamic_profiles=number == 3,
    )
    own = ChargerSettings(
        discharge=number > 0,
        negative_limit=number == 1,
        power_kw_max=POWER_KW,
        power_kw_min=least_kw,
        default_kw=DEFAULT_KW,
        phase_count=1,
        meter_interval_s=interval_s,
    )
    return Link(protocol, station, own).run(40.0)


class House:
    """A load that drifts, and jumps now and then."""

    def __init__(self, seed: int, lowest_kw: float = 0.15) -> None:
        self._random = Random(seed)  # noqa: S311 the same house in each run
        self._lowest_kw = lowest_kw
        self._load_kw = 0.6

    def load_kw(self) -> float:
        """The next value."""
        self._load_kw = max(
            self._lowest_kw, min(6.0, self._load_kw + self._random.gauss(0.0, 0.08))
        )
        if self._random.random() < 0.02:
            self._load_kw = self._random.uniform(self._lowest_kw, 5.0)
        return self._load_kw


def follow(link: Link, house: House, seconds: float, *, sign: int, sun_kw: float = 0.0) -> float:
    """Follow the house for that long; the mean distance of what the charger does, kW."""
    away_kw, count = 0.0, round(seconds / STEP_S)
    for _ in range(count):
        power_kw = sign * house.load_kw() + sun_kw
        link.follow(power_kw).run(STEP_S, 0.2)
        away_kw += abs(power_kw - link.station.power_kw) / count
    return away_kw


@pytest.mark.parametrize("rung", list(RUNGS))
@pytest.mark.parametrize("sun_kw", [0.0, 2.5])
@pytest.mark.parametrize("ramp_kw_per_s", [5.0, 0.5])
def test_an_hour_of_following_is_obedience(rung: Rung, sun_kw: float, ramp_kw_per_s: float) -> None:
    """Also around 0 and below what the car can do: no verdict but that it follows, and few whole profiles."""
    number = RUNGS[rung][1]
    link = linked(rung, ramp_kw_per_s=ramp_kw_per_s)
    told_before = len(link.calls)
    away_kw = follow(link, House(1), 3600.0, sign=-1 if number else 1, sun_kw=sun_kw)
    assert {judged.verdict for judged in link.judged()} == {"followed"}
    memory = link.backend.ladder.memory.evses[1]
    assert memory.rung == number
    assert number == 0 or number in memory.proven
    assert away_kw < 1.0
    told = Counter(action for action, _ in link.calls[told_before:])
    assert told["GetCompositeSchedule"] + told["TriggerMessage"] < 600
    if number == 3:
        assert told["SetChargingProfile"] <= 20
        assert told["UpdateDynamicSchedule"] <= 1800
    else:
        assert 300 < told["SetChargingProfile"] <= 3600 / 5 + 150


@pytest.mark.parametrize("rung", DISCHARGING)
@pytest.mark.parametrize(
    ("disobeys", "verdict"), [("full_power", "opposed"), ("negative_as_zero", "ignored")]
)
@pytest.mark.parametrize("interval_s", [10, 60])
def test_one_that_stops_obeying_is_found_out_while_it_follows(
    rung: Rung, disobeys: str, verdict: str, interval_s: int
) -> None:
    link, house = linked(rung, interval_s=interval_s), House(2, lowest_kw=1.6)
    follow(link, house, 300.0, sign=-1)
    assert link.judged()[-1].verdict == "followed"
    link.station.faults.disobey = disobeys  # type: ignore[assignment]
    link.station.power.changed()
    follow(link, house, 30.0, sign=-1)
    assert verdict in [judged.verdict for judged in link.judged()]
    assert link.station.power_kw == 0.0
    assert link.backend.ladder.memory.evses[1].rung == 0


@settings(max_examples=40, deadline=None)
@given(
    rung=st.sampled_from(list(RUNGS)),
    lease_s=st.integers(5, 40),
    wishes=st.lists(st.floats(-7.0, 7.0), min_size=1, max_size=12),
    apart_s=st.sampled_from([0.7, 2.0, 4.3]),
    cut=st.booleans(),
    follows=st.booleans(),
)
def test_nothing_outlives_its_lease(
    rung: Rung, lease_s: int, wishes: list[float], apart_s: float, cut: bool, follows: bool
) -> None:
    """By the truth of the charger, with the link cut or not: then it charges by its default."""
    link = linked(rung).follow(-3.0).run(20.0)
    for power_kw in wishes:
        if follows:
            link.follow(power_kw, lease_s)
        else:
            link.ask(power_kw, lease_s)
        link.run(apart_s)
    ends_us = link.now_us - round(apart_s * 1e6) + lease_s * 1_000_000
    if cut:
        link.cut()
    # The way from full discharge to 0 takes the car 1.5 s.
    link.run(max(0.0, (ends_us - link.now_us) / 1e6) + 1.7)
    for _ in range(20):
        assert link.station.power_kw >= 0.0
        link.run(3.0)
    assert link.station.power_kw == pytest.approx(DEFAULT_KW, abs=0.01)


@pytest.mark.parametrize("rung", DISCHARGING)
def test_a_link_lost_ends_discharging_by_the_charger_itself(rung: Rung) -> None:
    link = linked(rung)
    for step in range(15):
        link.follow(-3.0 - 0.1 * step).run(STEP_S)
    assert link.station.power_kw < -4.0
    link.cut().run(22.0)
    assert link.station.power_kw < -4.0, "its lease runs"
    link.run(8.0).run(60.0)
    assert link.station.power_kw == pytest.approx(DEFAULT_KW, abs=0.01)


@pytest.mark.parametrize("rung", list(RUNGS))
def test_renewals_come_at_half_of_a_lease_and_small_changes_not_at_all(rung: Rung) -> None:
    link = linked(rung).follow(3.0).run(20.0)
    told = link.told()
    for step in range(60):
        link.follow(3.0 + 0.04 * (step % 2)).run(1.0)
    assert link.told() == told + 4


def test_a_dynamic_profile_takes_each_step_and_any_other_one_in_5_s() -> None:
    counts: dict[Rung, list[str]] = {}
    for rung in DISCHARGING:
        link = linked(rung).follow(-3.0).run(20.0).follow(-3.0).run(STEP_S)
        before = len(link.calls)
        for step in range(30):
            link.follow(-3.0 - 0.1 * step).run(STEP_S)
        actions = [action for action, _ in link.calls[before:]]
        counts[rung] = [a for a in actions if a in {"SetChargingProfile", "UpdateDynamicSchedule"}]
        before = link.told()
        link.follow(-2.0)
        assert link.told() == before + 1, "much less is in a hurry"
        link.run(1.0)
        assert link.station.power_kw == pytest.approx(-2.0, abs=0.1)
    assert counts["updates"] == ["UpdateDynamicSchedule"] * 29
    for rung in ("negative limits", "set-points"):
        assert set(counts[rung]) == {"SetChargingProfile"}
        assert 10 <= len(counts[rung]) <= 13


def test_a_change_in_no_hurry_waits_for_the_answer_to_the_last_and_is_not_forgotten() -> None:
    link = linked("updates").follow(-3.0).run(20.0)
    link.follow(-3.5).run(0.1)
    told = link.told()
    memory = link.backend.ladder.memory.evses[1]
    assert memory.sent is not None
    memory.sent.accepted = False  # as while the answer is on its way
    link.follow(-3.8)
    assert link.told() == told
    link.run(10.2)
    assert link.told() == told + 1
    assert link.station.power_kw == pytest.approx(-3.8, abs=0.05)


@pytest.mark.parametrize("rung", DISCHARGING)
def test_less_than_the_least_power_is_sent_as_none(rung: Rung) -> None:
    link = linked(rung, least_kw=1.4).follow(-3.0).run(20.0)
    before = len(link.events)
    follow(link, House(3), 600.0, sign=-1)
    assert {judged.verdict for judged in link.judged()} == {"followed"}
    powers = [_told_kw(event) for event in link.events[before:] if isinstance(event, CommandSent)]
    told_kw = [power_kw for power_kw in powers if power_kw is not None]
    assert 0.0 in told_kw
    assert all(power_kw == 0.0 or abs(power_kw) >= 1.39 for power_kw in told_kw)
    link.follow(-0.4).run(30.0).ask(-0.5).run(1.0)
    reason = next(event.reason for event in reversed(link.events) if isinstance(event, CommandSent))
    assert "-0.50 kW is less than the 1.4 kW that the charger needs" in reason or rung == "updates"


def _told_kw(event: CommandSent) -> float | None:
    """The power in a message, None where it tells none."""
    payload = _decoded(event)
    if event.action == "UpdateDynamicSchedule":
        return float(payload["scheduleUpdate"]["setpoint"]) / 1000.0
    if event.action != "SetChargingProfile":
        return None
    profile = payload.get("chargingProfile") or payload["csChargingProfiles"]
    schedule = profile["chargingSchedule"]
    table = schedule[0] if isinstance(schedule, list) else schedule
    period = table["chargingSchedulePeriod"][0]
    return float(period.get("setpoint", period.get("limit"))) / 1000.0


def _decoded(event: CommandSent) -> dict[str, Any]:
    return dict(json.loads(bytes(event.payload)))


@pytest.mark.parametrize("rung", DISCHARGING)
def test_rest_below_a_least_power_that_nobody_told_proves_nothing(rung: Rung) -> None:
    """It is asked for more later, and only that proves the rung."""
    link = linked(rung).ask(-0.6).run(60.0)
    memory = link.backend.ladder.memory.evses[1]
    assert link.station.power_kw == 0.0
    assert memory.rung == RUNGS[rung][1]
    assert memory.proven == []
    assert not link.judged()
    link.ask(-3.0).run(20.0)
    assert [judged.verdict for judged in link.judged()] == ["followed"]
    assert memory.proven == [RUNGS[rung][1]]


def test_what_follows_is_telemetry_and_says_why_once() -> None:
    link = linked("updates").ask(-3.0).run(30.0)
    before = len(link.events)
    follow(link, House(4), 60.0, sign=-1)
    asked = [e for e in link.events[before:] if isinstance(e, SetpointAsked)]
    sent = [e for e in link.events[before:] if isinstance(e, CommandSent | CommandAnswered)]
    assert len(asked) == 30
    assert [event.command.reason for event in asked] == ["follows the house", *[""] * 29]
    assert all(map(is_telemetry, asked))
    follows = [e for e in sent if e.action in {"UpdateDynamicSchedule", "SetChargingProfile"}]
    assert len(follows) > 10
    assert all(map(is_telemetry, follows))
    assert not any(is_telemetry(event) for event in link.events[:before] if event in sent)


def test_another_default_is_installed_with_the_next_link() -> None:
    link = linked("updates")
    [default] = link.profiles()
    assert default["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"] == DEFAULT_KW * 1e3
    assert link.station.power_kw == pytest.approx(DEFAULT_KW)
    for default_kw, count in ((DEFAULT_KW, 1), (2.0, 2), (None, 3)):
        own = ChargerSettings(discharge=True, power_kw_max=POWER_KW, default_kw=default_kw)
        link.backend.ladder.settings = own
        link.cut().join().run(20.0)
        assert len(link.profiles()) == count
        assert link.station.power_kw == pytest.approx(default_kw or POWER_KW, abs=0.01)
