"""What the site said of itself at random moments, held against what the journal tells of them later."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parkwatt.app.api.reasons import unix_us
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.store.reader import JournalReader
from tests.app.api.live_served import NOW_UNIX_US, LiveServed, in_live_site, live_served
from tests.app.api.test_backup import Backed
from tests.app.api.test_backup_page import BY_CAR

US = 1_000_000
# Readings of the moment, of which the journal holds the minute's mean; and what no journal holds.
POWERS = ("grid_kw", "solar_kw", "load_kw")
UNTOLD = ("meter_read_at", "alarms")
BACKUP_UNTOLD = (
    *("gateway", "grid_qualified", "grid_qualified_in_s", "preparation", "learned", "questions"),
    *("runtime", "circuits", "alarms"),
)


@dataclass
class Watched:
    """A site that is looked at with each step: ``samples`` of time, grid and car in kW; ``shown``: its answers."""

    served: LiveServed
    samples: list[tuple[int, float | None, float | None]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)

    async def live(self, seconds: float, grid_kw: float) -> None:
        """Time passes in steps of five seconds, with a meter that tells ``grid_kw``."""
        served = self.served
        end_unix_us = served.clock[0] + round(seconds * US)
        while served.clock[0] < end_unix_us:
            served.clock[0] = min(served.clock[0] + 5 * US, end_unix_us)
            served.measure(grid_kw)
            self.step()
            await asyncio.sleep(0)

    def step(self) -> None:
        """Look and decide."""
        self.served.runner.step()
        snapshot = self.served.runner.snapshot()
        sample = snapshot.now_unix_us, snapshot.grid_kw, snapshot.cars[0].power_kw
        self.samples.append(sample)

    async def record(self) -> None:
        """Keep what the site says of itself now."""
        await self.served.durable()
        self.step()
        await self.served.durable()
        self.shown.append(await get(self.served, "/v1/site"))
        self.served.clock[0] += 1000  # what happens next happens later

    def bounds_kw(self, start: str, end: str, index: int) -> tuple[float, float] | None:
        """The least and the most of some samples in a span; each holds until the next. None: one is unknown."""
        begin_us, end_us = (unix_us("span", datetime.fromisoformat(one)) for one in (start, end))
        found = [one[index] for one in self.samples if begin_us - 6 * US <= one[0] < end_us]
        known = [one for one in found if one is not None]
        return (min(known), max(known)) if known and len(known) == len(found) else None

    def hold_powers(self, then: dict[str, Any]) -> None:
        """A minute's mean lies between what was said in it."""
        start, end = then["powers_of"]["start"], then["powers_of"]["end"]
        assert start <= then["moment"] < end
        told = {1: then["site"]["grid_kw"], 2: then["site"]["cars"][0]["power_kw"]}
        for index, mean_kw in told.items():
            bounds = self.bounds_kw(start, end, index)
            if bounds is not None and mean_kw is not None:
                assert bounds[0] - 1e-3 <= mean_kw <= bounds[1] + 1e-3


async def pass_time(served: LiveServed, seconds: float, grid_kw: float) -> None:
    """Time passes, with a meter that tells ``grid_kw``."""
    await Watched(served).live(seconds, grid_kw)


async def get(served: LiveServed, path: str, **asked: str) -> Any:
    """What a route answers."""
    answer = await served.client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def past(served: LiveServed, at: str) -> Any:
    """The site at a moment, by the journal."""
    return await get(served, "/v1/at", moment=at)


def held_against(live: dict[str, Any], then: dict[str, Any]) -> None:
    """The same but for what is said not to be in the journal."""
    site, told = dict(live), dict(then["site"])
    for name in (*POWERS, *UNTOLD):
        site.pop(name)
        told.pop(name)
    for live_car, then_car in zip(site.pop("cars"), told.pop("cars"), strict=True):
        mine, past_one = dict(live_car), dict(then_car)
        # The power of the moment, and the words that are made of it.
        for name in ("power_kw", "doing", "activity"):
            mine.pop(name)
            past_one.pop(name)
        for name in ("energy_kwh", "energy_kwh_error", "soc"):
            assert past_one.pop(name) == pytest.approx(mine.pop(name), abs=1e-6), name
        assert past_one == mine
    assert told == site


@pytest.mark.parametrize("seed", [1, 2])
def test_the_past_is_as_the_site_said_it_was(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    recorded: list[dict[str, Any]] = []

    async def live(watched: Watched) -> None:
        served, grid_kw = watched.served, 1.0
        await watched.record()
        await served.plugged_in(0.5)
        await served.shows("/v1/plan", lambda plan: plan is not None)
        for number in range(12):
            if number == 6:  # as each day: what comes later is folded from here on
                served.runner.controller._snapshot_unix_us = 0
            grid_kw = draw.uniform(-2.0, 4.0)
            await watched.live(draw.uniform(130.0, 400.0), grid_kw)
            await something(served, draw)
            served.clock[0] += 1000
            await watched.record()
        served.charger.leave()
        await watched.live(200, 0.5)
        await watched.record()
        await watched.live(200, 0.5)
        await served.durable()

    async def both() -> None:
        async with live_served(tmp_path) as served:
            watched = Watched(served)
            await live(watched)
            recorded.extend(watched.shown)
            measured = [await compare(watched, shown) for shown in recorded]
            assert measured.count(True) > 10
        # After a restart the journal alone is left.
        async with live_served(tmp_path) as again:
            again.clock[0] = NOW_UNIX_US + 86_400 * US
            watched.served = again
            assert [await compare(watched, shown) for shown in recorded] == measured

    async def compare(watched: Watched, shown: dict[str, Any]) -> bool:
        then = await past(watched.served, shown["at"])
        assert then["moment"] == shown["at"]
        assert then["backup"] is None
        held_against(shown, then)
        if then["powers_of"] is None:
            assert any("site.grid_kw" in one["field"] for one in then["unknown"])
            return False
        watched.hold_powers(then)
        return True

    asyncio.run(both())
    (path,) = tmp_path.rglob("journal.sqlite")
    assert JournalReader(path).newest("site.snapshot") is not None
    assert len({one["plan_made_at"] for one in recorded}) > 1, "there were plans"
    assert len({one["cars"][0]["wishes"]["mode"] for one in recorded}) > 1, "and wishes"
    assert {one["cars"][0]["plugged_in"] for one in recorded} == {True, False}


async def something(served: LiveServed, draw: random.Random) -> None:
    """A person, a feed or the charger says something."""
    car = "/v1/cars/ID.4"
    what = draw.randrange(6)
    if what == 0:
        mode = draw.choice(["off", "smart", "home", "now"])
        await served.client.post(f"{car}/mode", json={"mode": mode})
    elif what == 1:
        body = {"target_soc": round(draw.uniform(0.5, 0.9), 2), "until_departure": True}
        await served.client.put(f"{car}/wishes", json=body)
    elif what == 2:
        at = datetime.fromtimestamp(served.clock[0] / US, tz=UTC) + timedelta(hours=9)
        await served.client.put(f"{car}/departure", json={"departs_at": at.isoformat()})
    elif what == 3:
        await served.client.delete(f"{car}/departure")
    elif what == 4:
        ok = draw.random() < 0.5
        served.runner.on_event(SourceChanged("prices of Tibber", ok, "" if ok else "no answer"))
    else:
        served.charger.read(round(draw.uniform(0.45, 0.6), 2), 0.0, 0.0)


def test_a_minute_is_told_as_its_mean_and_one_that_nobody_measured_as_unknown(
    tmp_path: Path,
) -> None:
    async def story(served: LiveServed) -> None:
        await served.plugged_in(0.5)
        await pass_time(served, 300, grid_kw=2.5)
        at = (await get(served, "/v1/site"))["at"]
        await pass_time(served, 120, grid_kw=2.5)
        served.clock[0] += 3600 * US
        await served.durable()
        then = await past(served, at)
        assert then["site"]["grid_kw"] == pytest.approx(2.5, abs=0.01)
        later = datetime.fromtimestamp(served.clock[0] / US, tz=UTC) - timedelta(minutes=30)
        dark = await past(served, later.isoformat())
        assert (dark["powers_of"], dark["site"]["grid_kw"]) == (None, None)
        assert any("site.grid_kw" in one["field"] for one in dark["unknown"])

    in_live_site(tmp_path, story)


def test_what_is_no_moment_of_the_journal_is_refused(tmp_path: Path) -> None:
    async def story(served: LiveServed) -> None:
        async def status(path: str, **asked: str) -> int:
            return (await served.client.get(path, params=asked)).status_code

        served.clock[0] += US
        assert await status("/v1/at", moment="2027-01-16T00:00:00Z") == 422, "to come"
        assert await status("/v1/at", moment="2027-01-15T17:00:00") == 422, "no zone"
        assert await status("/v1/at", moment="2026-01-15T17:00:00Z") == 404, "before all"
        assert await status("/v1/at", moment="0001-01-01T00:00:00Z") in (404, 422)
        assert await status("/v1/at/day", day="2027-03-15") == 422
        assert await status("/v1/at/day", day="0001-01-01") == 422
        assert await status("/v1/at/day", day="2027-01-15") == 200

    in_live_site(tmp_path, story)


def test_a_day_is_shown_by_the_quarter(tmp_path: Path) -> None:
    async def story(served: LiveServed) -> None:
        await served.plugged_in(0.5)
        for _ in range(4):
            await pass_time(served, 900, grid_kw=2.0)
        await served.durable()
        day = await get(served, "/v1/at/day", day="2027-01-15")
        assert day["start"] == "2027-01-14T23:00:00Z"
        assert len(day["steps"]) >= 3
        for step in day["steps"][1:]:
            assert step["grid_kw"] == pytest.approx(2.0, abs=0.05)
            assert step["cars"]["ID.4"]["soc"] == pytest.approx(0.5, abs=0.02)
        assert (await get(served, "/v1/at/day", day="2027-01-14"))["steps"] == []
        starts = [step["start"] for step in day["steps"]]
        assert starts == sorted(set(starts))

    in_live_site(tmp_path, story)


def test_an_outage_is_as_it_was(tmp_path: Path) -> None:
    recorded: list[dict[str, Any]] = []

    async def run() -> None:
        async with live_served(tmp_path) as served:
            await served.plugged_in(0.5)
            backed = Backed(served, BY_CAR)
            try:
                await outage(served, backed)
            finally:
                backed.end()

    async def watch(served: LiveServed, backed: Backed) -> None:
        await backed.live(2)
        await served.durable()
        recorded.append(await get(served, "/v1/backup"))
        served.clock[0] += 1000

    async def outage(served: LiveServed, backed: Backed) -> None:
        served.runner.step()
        await watch(served, backed)
        now_unix_us = served.clock[0]
        backed.home.on_circuit(CircuitReading("dryer", now_unix_us, on=True, power_kw=2.0))
        start = datetime.fromtimestamp(now_unix_us / US, tz=UTC)
        body = {
            "outage": "planned",
            "start": start.isoformat(),
            "end": (start + timedelta(hours=5)).isoformat(),
        }
        await backed.call("PUT", "/outages/WORKS", body)
        await watch(served, backed)
        backed.voltage_pu = 0.0
        for _ in range(6):
            await backed.live(4)
            await watch(served, backed)
        ready_at = (start + timedelta(hours=14)).isoformat()
        await backed.call("PUT", "/mobility/ID.4", {"distance_km": 60, "ready_at": ready_at})
        await backed.call("PUT", "/circuits/dryer/choice", {"choice": "keep_off"})
        await watch(served, backed)
        backed.voltage_pu = 1.0
        for _ in range(3):
            await backed.live(5)
            await watch(served, backed)
        await served.durable()
        for shown in recorded:
            then = (await past(served, shown["at"]))["backup"]
            for name in BACKUP_UNTOLD:
                now, was = shown.pop(name), then.pop(name)
                if name == "circuits":
                    told = ("circuit_id", "name", "tier", "medical", "choice", "shed", "because")
                    assert [{key: one[key] for key in told} for one in was] == [
                        {key: one[key] for key in told} for one in now
                    ]
                    assert all(one["on"] is None for one in was)
            assert then.pop("source_energy_kwh") == pytest.approx(shown.pop("source_energy_kwh"))
            assert then == shown, shown["phase"]

    asyncio.run(run())
    assert {"grid", "islanded"} <= {one["phase"] for one in recorded}
