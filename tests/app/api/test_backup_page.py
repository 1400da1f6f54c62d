"""What a page about the backup is told: the price of driving, what switching off gains, the contacts, the last test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from parkwatt.app.api.backup_trade_off import distances
from parkwatt.app.api.backup_views import last_test
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import Move
from tests.app.api.live_served import LiveServed, live_served
from tests.app.api.test_backup import Backed
from tests.home.test_controller import SETTINGS, US

BY_CAR = replace(SETTINGS, source_car_id="ID.4")


def in_backed_home(
    directory: Path,
    story: Callable[[Backed], Awaitable[None]],
    settings: HomeSettings = BY_CAR,
) -> None:
    """Run a story in a site with a backup."""

    async def run() -> None:
        async with live_served(directory) as served:
            backed = Backed(served, settings)
            try:
                await story(backed)
            finally:
                backed.end()

    asyncio.run(run())


async def forecast(backed: Backed, holds: Callable[[Any], bool]) -> Any:
    """The backup, once ``holds`` says so of what it shows."""
    async with asyncio.timeout(20):
        while True:
            await backed.live(1)
            shown = await backed.call("GET", "")
            if shown["runtime"] is not None and holds(shown):
                return shown
            await asyncio.sleep(0.02)


def tell_circuits(backed: Backed, *, dryer_on: bool) -> None:
    """The switches tell how they stand."""
    now_unix_us = backed.served.clock[0]
    backed.home.on_circuit(CircuitReading("fridge", now_unix_us, on=True, power_kw=0.1))
    backed.home.on_circuit(CircuitReading("dryer", now_unix_us, on=dryer_on, power_kw=0.0))


def test_each_distance_has_its_price_and_one_that_is_asked_for_is_kept(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(2)
        shown = await backed.call("GET", "/trade-off")
        assert (shown["points"], shown["why_not"]) == ([], "the car is not plugged in")
        await backed.served.plugged_in(0.5)
        tell_circuits(backed, dryer_on=True)
        await forecast(backed, lambda _: True)
        shown = await backed.call("GET", "/trade-off")
        kms = [one["distance_km"] for one in shown["points"]]
        hours = [one["hours"]["hours_p50"] for one in shown["points"]]
        assert kms[0] == 0.0
        assert kms == sorted(kms)
        assert hours == sorted(hours, reverse=True)
        assert hours[0] > 10.0
        assert hours[-1] == 0.0, "all of it is kept"
        # ID.4: 77 kWh, half full, of which a tenth stays: 30.8 kWh for 0.207 kWh/km.
        assert kms[-2] < 30.8 / (0.18 * 1.15) <= kms[-1]
        assert shown["hours_per_10_km"] == pytest.approx(
            (hours[0] - hours[-2]) / (kms[-2] / 10.0), rel=0.01
        )
        assert shown["asked_km"] is None
        # The weekly time of the test's car: Monday 07:30 in Berlin.
        assert shown["ready_at"] == "2027-01-18T06:30:00Z"
        body = {"distance_km": 40, "ready_at": "2027-01-16T07:30:00+01:00"}
        view = await backed.call("PUT", "/mobility/ID.4", body)
        kept_kwh = 7.7 + 40 * 0.18 * 1.15
        assert view["mobility"][0]["energy_kwh"] == pytest.approx(kept_kwh)
        both = await backed.call("PUT", "/mobility/ID.4", body | {"energy_kwh": 3}, 422)
        assert both["faults"][0]["field"] == "distance_km"
        again = await backed.call("GET", "/trade-off")
        assert again["asked_km"] == pytest.approx(40.0)
        assert again["ready_at"] == "2027-01-16T06:30:00Z"
        at_40 = next(one for one in again["points"] if one["distance_km"] == 40.0)
        # What was said is in the next forecast at once, not in a minute.
        shown = await forecast(
            backed, lambda view: view["runtime"]["mobility_costs_hours"] is not None
        )
        assert shown["runtime"]["hours_p50"] == pytest.approx(at_40["hours"]["hours_p50"], rel=0.05)

    in_backed_home(tmp_path, story)


def test_a_home_that_a_battery_carries_trades_nothing(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(1)
        shown = await backed.call("GET", "/trade-off")
        assert (shown["car_id"], shown["points"]) == (None, [])
        assert "a battery" in shown["why_not"]

    in_backed_home(tmp_path, story, replace(SETTINGS, source_car_id=None))


def test_circuits_and_tiers_tell_what_off_gains_and_the_gateway_how_it_stands(
    tmp_path: Path,
) -> None:
    async def story(backed: Backed) -> None:
        await backed.served.plugged_in(0.5)
        tell_circuits(backed, dryer_on=True)
        shown = await forecast(backed, lambda _: True)
        circuits = {one["circuit_id"]: one for one in shown["circuits"]}
        runtime = shown["runtime"]
        gains = {one["circuit_id"]: one["hours"] for one in runtime["gains"]}
        assert circuits["dryer"]["off_gains_hours"] == gains["dryer"] > 0.0
        assert runtime["tiers"]["not_needed"]["off_gains_hours"] == gains["dryer"]
        assert runtime["tiers"]["nice_to_have"]["off_gains_hours"] is None, "nothing of it is on"
        for tier, hours in runtime["hours_by_tier"].items():
            assert runtime["tiers"][tier]["hours"]["hours_p50"] == hours
        assert shown["gateway"]["grid_pole"] == "closed"
        assert not shown["gateway"]["disconnected"]
        tell_circuits(backed, dryer_on=False)
        backed.served.clock[0] += 61 * US
        off = await forecast(
            backed,
            lambda view: "dryer" not in {one["circuit_id"] for one in view["runtime"]["gains"]},
        )
        dryer = next(one for one in off["circuits"] if one["circuit_id"] == "dryer")
        assert dryer["off_gains_hours"] == pytest.approx(gains["dryer"], rel=0.1), "as it saves now"
        backed.voltage_pu = 0.0
        await backed.live(12)
        shown = await backed.call("GET", "")
        assert shown["islanded"]
        assert shown["gateway"]["disconnected"], shown["gateway"]
        backed.served.clock[0] += 600 * US
        old = (await backed.call("GET", ""))["gateway"]
        assert (old["grid_pole"], old["fresh"], old["disconnected"]) == ("open", False, False)

    in_backed_home(tmp_path, story)


def test_the_stream_tells_of_the_backup_when_it_changes(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(2)
        kinds: list[str] = []
        async with asyncio.timeout(20):
            async for kind in _stream_kinds(backed.served):
                kinds.append(kind)
                if kind == "backup" and kinds.count("backup") == 1:
                    backed.voltage_pu = 0.0
                    await backed.live(6)
                elif kinds.count("backup") == 2:
                    break
        assert kinds[0] == "site"

    in_backed_home(tmp_path, story)


async def _stream_kinds(served: LiveServed) -> Any:
    """The kinds of the stream's events, as they come."""
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive() -> Any:
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        await sent.put(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/stream",
        "raw_path": b"/v1/stream",
        "query_string": b"",
        "headers": [(b"authorization", served.client.headers["authorization"].encode())],
    }
    reading = asyncio.create_task(served.application(scope, receive, send))
    try:
        while True:
            for line in (await sent.get()).decode().splitlines():
                if line.startswith("event: "):
                    yield line.removeprefix("event: ")
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def test_distances_are_round_few_and_reach_to_the_end() -> None:
    for most_km in (0.0, 3.0, 40.0, 149.0, 260.0, 740.0, 1900.0):
        found = distances(most_km)
        steps = {round(after - before, 6) for before, after in pairwise(found)}
        assert len(steps) == 1
        assert len(found) <= 40
        assert found[0] == 0.0
        assert found[-2] <= most_km < found[-1] or len(found) == 40


def test_the_last_test_is_told_from_the_phases() -> None:
    begin_unix_us = int((datetime(2027, 1, 1, tzinfo=UTC)).timestamp()) * US

    def moves(*told: tuple[float, str, str]) -> list[Move]:
        return [Move(begin_unix_us + round(s * US), to, why, "") for s, to, why in told]

    assert last_test(moves((0, "outage_suspected", "gone"), (3, "grid", "back"))) is None
    running = moves((0, "opening", "test_asked"), (0.4, "islanding", "x"), (1.5, "test", "x"))
    found = last_test(running)
    assert found is not None
    assert (found.fed_after_s, found.back_at, found.works) == (1.5, None, None)
    over = [*running, *moves((300, "qualifying", "test_over"), (600, "grid", "returned"))]
    found = last_test(over)
    assert found is not None
    assert found.works
    assert found.back_at == found.started_at + timedelta(seconds=600)
    failed = last_test(moves((0, "opening", "test_asked"), (5, "fault", "x"), (60, "grid", "x")))
    assert failed is not None
    assert (failed.works, failed.fed_after_s) == (False, None)
