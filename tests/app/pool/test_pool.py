"""A pool with real sockets: what is asked is given, within what drivers allow, and stays so through faults and restarts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.domain.fleet.operation import Admitted, Ordered, PoolMinute
from tests.app.pool.pool_world import BEGIN, PoolWorld, in_pool, members, write_pool

CARS = 12


def test_what_is_asked_is_given_and_ends(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(CARS))

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        shown = await world.shown()
        assert shown["plugged_in"] == shown["linked"] == CARS
        # All hold what they were asked for: without a target nobody draws.
        assert abs(world.power_kw) < 0.5
        assert shown["last"]["down_kw"] == pytest.approx(11.0 * CARS)
        await world.ask(10, power_kw=-60.0, reason="evening peak")
        await asyncio.sleep(12)
        assert world.power_kw == pytest.approx(-60.0, rel=0.1)
        await asyncio.sleep(60)
        assert world.power_kw == pytest.approx(-60.0, rel=0.02)
        assert (await world.shown())["target"]["reason"] == "evening peak"
        await asyncio.sleep(600)
        shown = await world.shown()
        assert shown["target"] is None
        assert abs(world.power_kw) < 0.5

    world = in_pool(path, story)
    minutes = [one for one in world.journal("pool.minute") if isinstance(one, PoolMinute)]
    given = [one for one in minutes if one.target_kw is not None and one.target_kw == -60.0]
    assert len(given) >= 9
    assert all(one.power_kw == pytest.approx(-60.0, rel=0.03) for one in given[1:-1])
    orders = [one.seq for one in world.journal("pool.ordered") if isinstance(one, Ordered)]
    assert orders == sorted(set(orders))
    assert not world.journal("pool.order.refused")


def test_who_refuses_is_carried_and_who_did_not_agree_gives_nothing(tmp_path: Path) -> None:
    rows = members(CARS)
    rows[:3] = members(3, consent="no")
    path = write_pool(tmp_path, rows)

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        await world.ask(5, power_kw=-50.0)
        least_kw = 0.0
        for _ in range(120):
            await asyncio.sleep(1)
            least_kw = min(least_kw, *(one.car.power_kw for one in world.stations[:3]))
        assert least_kw >= 0.0
        assert world.power_kw == pytest.approx(-50.0, rel=0.03)

    in_pool(path, story, refuses=(5, 7))


def test_floors_and_departures_come_first(tmp_path: Path) -> None:
    rows = members(CARS)
    # It is 18:00 there: of 30 minutes they need 20 for another 3.4 kWh, and are to be ready ten before.
    rows[:4] = members(4, target_soc="0.307", ready_by="18:30")
    rows[4:] = members(CARS, floor_soc="0.24", target_soc="0.24")[4:]
    path = write_pool(tmp_path, rows)

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        await world.ask(28, power_kw=-100.0)
        await asyncio.sleep(20)
        assert all(one.car.power_kw > 0.9 * 11.0 for one in world.stations[:4])
        assert all(one.car.power_kw < -5.0 for one in world.stations[4:])
        await asyncio.sleep(28 * 60)
        for station in world.stations[:4]:
            assert station.car.soc >= 0.307 - 1e-3
        for station in world.stations[4:]:
            assert 0.24 - 1e-3 <= station.car.soc < 0.25
        shown = await world.shown()
        assert shown["plugged_in"] == CARS

    in_pool(path, story, soc=0.25)


def test_a_slip_is_refused_and_told(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(4))

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        await world.ask(5, power_kw=-4000.0)
        await asyncio.sleep(20)
        assert abs(world.power_kw) < 0.5
        shown = await world.shown()
        assert shown["held_back_by"] == ["refused"]
        assert "88 kW enrolled" in shown["why"]

    world = in_pool(path, story)
    told = [one for one in world.journal("pool.admitted") if isinstance(one, Admitted)]
    assert told[0].rules == ("refused",)
    assert told[0].wanted_kw == pytest.approx(-4000.0, abs=50.0)


def test_one_stops_and_two_resume(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(4))

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        await world.ask(60, power_kw=-30.0)
        await asyncio.sleep(20)
        assert world.power_kw < -25.0
        shown = (await world.call("POST", "pool/stop", {"reason": "smoke"})).json()
        assert shown["stopped_by"] == "api"
        await asyncio.sleep(20)
        assert abs(world.power_kw) < 0.5
        made = await world.call("POST", "pool/resume", {"reason": "false alarm"})
        number = made.json()["proposal_id"]
        # Not by the same.
        answer = await world.call("POST", f"pool/proposals/{number}/approve")
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["field"] == "person"
        runner = world.control.runner
        assert runner is not None
        await runner.approve("by Bo", number)
        await asyncio.sleep(30)
        assert world.power_kw < -25.0

    in_pool(path, story)


def test_what_was_asked_and_stopped_holds_after_a_restart(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(4))

    async def first(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        await world.ask(60, power_kw=-30.0)
        await world.ask(60, change_kw=-20.0)
        await asyncio.sleep(20)

    async def second(world: PoolWorld) -> None:
        await asyncio.sleep(50)
        shown = await world.shown()
        assert shown["target"]["change_kw"] == -20.0
        assert world.power_kw == pytest.approx(-20.0, rel=0.05)
        await world.call("POST", "pool/stop", {})

    async def third(world: PoolWorld) -> None:
        await asyncio.sleep(50)
        assert (await world.shown())["stopped_by"] == "api"
        assert abs(world.power_kw) < 0.5

    for number, story in enumerate((first, second, third)):
        in_pool(path, story, begin=BEGIN + timedelta(minutes=3 * number))


def test_targets_are_taken_back(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(4))

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(30)
        target = await world.ask(60, power_kw=-30.0)
        await asyncio.sleep(15)
        gone = await world.call("DELETE", f"pool/targets/{target['target_id']}")
        assert gone.json()["target"] is None
        again = await world.call("DELETE", f"pool/targets/{target['target_id']}")
        assert again.status_code == 404
        await asyncio.sleep(15)
        assert abs(world.power_kw) < 0.5

    in_pool(path, story)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"minutes": 5}, "power_kw"),
        ({"minutes": 5, "power_kw": 1.0, "change_kw": 1.0}, "power_kw"),
        ({"minutes": 5, "power_kw": 1.0, "begin": "2027-01-01T00:00:00Z"}, "from"),
        ({"minutes": 5, "power_kw": 1.0, "begin": "2026-11-20T18:00:00"}, "begin"),
        ({"minutes": 0, "power_kw": 1.0}, "minutes"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, body: dict[str, object], field: str
) -> None:
    path = write_pool(tmp_path, members(1))

    async def story(world: PoolWorld) -> None:
        answer = await world.call("POST", "pool/targets", body)
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["field"] == field
        assert (await world.shown())["targets"] == []

    in_pool(path, story)


def test_limits_rise_only_to_what_the_file_allows(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(4), "[pool.limits]\ndown_kw_max = 30\n")

    async def story(world: PoolWorld) -> None:
        limits = (await world.shown())["limits"]
        assert limits["down_kw_max"] == 30.0
        lower = limits | {"down_kw_max": 20.0, "reason": "storm"}
        assert (await world.call("PUT", "pool/limits", lower)).json() == {"proposal_id": None}
        assert (await world.shown())["limits"]["down_kw_max"] == 20.0
        higher = limits | {"down_kw_max": 25.0, "reason": "over"}
        made = (await world.call("PUT", "pool/limits", higher)).json()
        assert made["proposal_id"] == 1
        assert (await world.shown())["limits"]["down_kw_max"] == 20.0
        runner = world.control.runner
        assert runner is not None
        await runner.approve("by Bo", 1)
        assert (await world.shown())["limits"]["down_kw_max"] == 25.0
        beyond = limits | {"down_kw_max": 31.0, "reason": "more"}
        answer = await world.call("PUT", "pool/limits", beyond)
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["field"] == "down_kw_max"

    in_pool(path, story)


def test_a_charger_of_the_pool_is_not_led_by_hand(tmp_path: Path) -> None:
    path = write_pool(tmp_path, members(1))

    async def story(world: PoolWorld) -> None:
        await asyncio.sleep(20)
        wish = {"power_kw": 5.0, "lease_s": 60, "reason": "by hand"}
        answer = await world.call("PUT", "chargers/CP-1/evses/1/setpoint", wish)
        assert answer.status_code == 422
        assert "led by the pool" in answer.json()["faults"][0]["rule"]

    in_pool(path, story)


def test_all_faults_of_the_files_are_told_at_once(tmp_path: Path) -> None:
    rows = members(3, capacity_kwh="0")
    rows[1] = rows[0]
    rows[2] = members(3, ready_by="25:00", consent="maybe")[2]
    path = write_pool(
        tmp_path, rows, "lease_s = 3\nnonsense = 1\n[pool.limits]\nramp_kw_per_s = -1\n"
    )
    from parkwatt.app.pool.settings import load_pool_settings

    with pytest.raises(InputError) as caught:
        load_pool_settings(path)
    told = str(caught.value)
    for words in (
        "pool.lease_s",
        "pool.nonsense",
        "pool.limits.ramp_kw_per_s",
        "row 2, capacity_kwh: must be 1 to 2000, got 0",
        "row 3, charger_id: must be there once",
        "row 4, ready_by: must be a time such as 07:00, got '25:00'",
        "row 4, consent: must be yes or no",
    ):
        assert words in told, told
