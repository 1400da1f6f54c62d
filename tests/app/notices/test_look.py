"""What notices are made of, seen at a site that runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from parkwatt.app.notices.look import GENERATOR_TROUBLE, facts_of
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.home import generator
from parkwatt.home.generator import GeneratorInputs, GeneratorState
from parkwatt.site.notices import NoticeState, Rules, step
from tests.app.api.live_served import LiveServed, in_live_site
from tests.app.up.backup.home_world import BEGIN_UNIX_S, HomeWorld, Wanted, in_home_world


def test_a_car_that_will_not_be_ready_and_its_charger(tmp_path: Path) -> None:
    async def story(running: LiveServed) -> None:
        site = running.runner
        before = facts_of(site, None).cars[0]
        assert (before.car_id, before.charger_id, before.plugged_in) == ("ID.4", "GARAGE", False)
        await running.plugged_in(0.2)
        departs_unix_s = running.clock[0] // 1_000_000 + 1800
        answer = await running.client.put(
            "/v1/cars/ID.4/departure",
            json={
                "departs_at": datetime.fromtimestamp(departs_unix_s, tz=UTC).isoformat(),
                "target_soc": 0.8,
            },
        )
        assert answer.status_code in (200, 204), answer.text
        await running.shows(
            "/v1/cars/ID.4",
            lambda car: car["departure"] is not None and car["departure"]["ready"] is False,
        )
        car = facts_of(site, None).cars[0]
        assert (car.linked, car.plugged_in, car.ready) == (True, True, False)
        assert car.departs_unix_s == departs_unix_s
        assert car.asked_soc == 0.8
        assert car.soc is not None
        assert abs(car.soc - 0.2) < 0.02
        assert car.expected_soc is not None
        assert 0.2 < car.expected_soc < 0.4
        assert car.ready_unix_s is not None
        assert car.ready_unix_s > departs_unix_s
        assert facts_of(site, "the disk is full").journal == "the disk is full"

        zone = running.settings.site.time_zone
        told = [
            notice.items[0].topic
            for passed_s in range(0, 300, 10)
            if (
                notice := step(state, facts_of(site, None), Rules(time_zone=zone), passed_s + 10**9)
            )
        ]
        assert told == ["at_risk"]
        running.site.backend.closed("GARAGE", running.charger, "cable cut")
        await running.shows("/v1/cars/ID.4", lambda car: not car["connected"])
        assert not facts_of(site, None).cars[0].linked

    state = NoticeState()
    in_live_site(tmp_path, story)


def test_an_outage_hours_left_and_a_home_without_power(tmp_path: Path) -> None:
    async def story(world: HomeWorld) -> None:
        assert world.control is not None
        await asyncio.sleep(30.0)
        site = world.control.runner
        assert site is not None
        calm = facts_of(site, None)
        assert calm.outage is not None
        assert calm.outage.since_unix_s is None
        world.do("outage for 12h")
        await world.until_phase("opening")
        dark = facts_of(site, None).outage
        assert dark is not None
        assert not dark.carried
        await world.until_phase("islanded")
        await asyncio.sleep(90.0)
        lit = facts_of(site, None).outage
        assert lit is not None
        assert lit.carried
        assert lit.since_unix_s is not None
        assert abs(lit.since_unix_s - BEGIN_UNIX_S - world.now_s()) < 200.0
        assert lit.hours_p10 is not None
        assert lit.hours_p50 is not None
        assert lit.hours_p10 <= lit.hours_p50
        assert lit.phase == "the island's source feeds the home"

    in_home_world(tmp_path, story, Wanted())


def test_the_generators_sentence_is_known_by_its_beginning() -> None:
    state = GeneratorState(on=True, since_unix_us=0)
    inputs = GeneratorInputs(
        feeding=True,
        usable_kwh=1.0,
        capacity_kwh=50.0,
        reading=CircuitReading("generator", 200_000_000, on=False),
    )
    ran = generator.step(
        state, inputs, warm_up_s=30, cool_down_s=30, lease_s=60, now_unix_us=200_000_000
    )
    assert ran.trouble.startswith(GENERATOR_TROUBLE)
    runs = replace(inputs, reading=CircuitReading("generator", 200_000_000, on=True))
    ran = generator.step(
        state, runs, warm_up_s=30, cool_down_s=30, lease_s=60, now_unix_us=200_000_000
    )
    assert ran.trouble == ""
