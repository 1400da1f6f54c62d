"""What a person may do to a virtual home, by lines and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest

from parkwatt.domain.errors import InputError
from parkwatt.io.sim.backup.build import HomeSettings
from parkwatt.io.sim.backup.control import apply_control
from parkwatt.io.sim.backup.control_server import ControlServer
from parkwatt.io.sim.backup.generator import GeneratorSettings
from tests.io.sim.backup.homes import HandClock, a_life


def test_an_outage_comes_when_it_was_told_to_and_ends() -> None:
    life, clock = a_life()
    said = apply_control(life, "outage in 10m for 1h gap 10s")
    assert said == "no voltage in 10 min, over after 60.5 min"
    seen = []
    for wait_s in (599, 2, 3600 - 2, 2, 20, 11):
        clock.wait(wait_s)
        life.now_us()
        seen.append(life.home.bus)
    assert seen == ["grid", "dark", "dark", "grid", "dark", "grid"]


def test_an_outage_is_stopped() -> None:
    life, clock = a_life()
    apply_control(life, "outage for 1h")
    assert life.home.bus == "dark"
    clock.wait(60)
    apply_control(life, "outage stop")
    assert str(life.home.bus) == "grid"
    clock.wait(2 * 3600)
    life.now_us()
    assert life.home.truth.totals.seconds["dark"] == pytest.approx(60)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sag 0.6 for 30s", "60% of its voltage"),
        ("frequency 51.2 for 60s", "51.2 Hz"),
        ("phase for 60s", "one phase is dead"),
        ("flicker 5", "no voltage"),
    ],
)
def test_other_mishaps_of_the_grid(line: str, words: str) -> None:
    life, clock = a_life()
    assert words in apply_control(life, line)
    assert life.home.grid.words(life.home.now_us) == words
    clock.wait(120)
    assert life.home.grid.words(life.now_us()) == "normal"


def test_what_a_person_does_at_the_devices() -> None:
    life, clock = a_life(HomeSettings(generator=GeneratorSettings()))
    assert apply_control(life, "press close_island_source").startswith("refused")
    assert apply_control(life, "press open_grid_pole") == "taken"
    assert apply_control(life, "circuit hob off") == "taken"
    assert apply_control(life, "generator on") == "taken"
    assert apply_control(life, "soc 0.25") == "the car holds 15.0 kWh"
    apply_control(life, "unplug")
    assert not life.home.source.is_plugged
    apply_control(life, "plug")
    assert life.home.source.is_plugged
    clock.wait(2)
    life.now_us()
    assert life.home.bus == "dark"
    assert not life.home.circuits["hob"].is_on
    assert life.home.parts.generator is not None
    assert life.home.parts.generator.phase == "warming_up"
    apply_control(life, "interlock off")
    apply_control(life, "press close_grid_pole")
    apply_control(life, "press close_island_source")
    clock.wait(2)
    life.now_us()
    assert life.home.gateway.counters.both_closed_s > 1.5
    assert "both poles closed for 1.9 s" in apply_control(life, "status")


def test_faults_are_set_and_taken_back() -> None:
    life, clock = a_life()
    for text in (
        *("grid_pole.sticks=yes", "island_source.chatter_s=0.5", "bond.slow_s=3"),
        *("grid_pole.auxiliary=open", "circuit.hob.sticks", "circuit.dryer.deaf=yes"),
        *("gateway.sense=dead", "gateway.silent", "gateway.deaf=yes", "gateway.text=too hot"),
    ):
        apply_control(life, f"fault {text}")
    gateway = life.home.gateway
    pole = gateway.poles["grid_pole"]
    assert (pole.faults.sticks, pole.faults.auxiliary) == (True, "open")
    assert gateway.poles["island_source"].faults.chatter_s == 0.5
    assert gateway.poles["bond"].faults.slow_s == 3.0
    assert life.home.circuits["hob"].switch.faults.sticks
    assert apply_control(life, "circuit dryer off") == "the switch took no command"
    faults = gateway.faults
    assert (faults.sense, faults.silent, faults.deaf, faults.text) == (
        "dead",
        True,
        True,
        "too hot",
    )
    apply_control(life, "fault grid_pole.sticks=no")
    assert not pole.faults.sticks
    apply_control(life, "fault grid_pole.chatter=1")
    clock.wait(2)
    life.now_us()
    assert pole.operations == 20


def test_the_link_is_cut_for_a_while() -> None:
    life, _ = a_life()
    apply_control(life, "link 30s")
    assert life.link_lost_until_us == life.home.now_us + 30_000_000


@pytest.mark.parametrize(
    "line",
    [
        *("", "burn", "outage", "outage for", "outage for ever", "sag", "sag 3 for 1s", "sag 0.5"),
        *("press", "press everything", "circuit", "circuit roof", "circuit hob maybe"),
        *("generator", "interlock maybe", "soc 2", "link", "frequency x for 1s", "flicker 0"),
        *("fault", "fault nothing=1", "fault grid_pole.mood=bad", "fault gateway.sense=some"),
        *("fault grid_pole.auxiliary=some", "fault grid_pole.chatter_s=-1", "fault gateway.x=1"),
        *("fault bond.deaf=yes", "fault circuit.roof.sticks=yes", "fault bond.sticks=maybe"),
    ],
)
def test_what_cannot_be_read_is_refused(line: str) -> None:
    life, _ = a_life()
    with pytest.raises(InputError):
        apply_control(life, line)


def over_http(steps: Callable[[httpx.AsyncClient, HandClock], Awaitable[None]]) -> None:
    async def main() -> None:
        life, clock = a_life()
        server = ControlServer(life)
        port = await server.start()
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            await steps(client, clock)
        await server.stop()

    asyncio.run(main())


def test_over_http() -> None:
    async def steps(client: httpx.AsyncClient, clock: HandClock) -> None:
        tell = partial(client.post, "/control")
        answer = await tell(json={"line": "outage for 1h"})
        assert (answer.status_code, answer.json()["said"]) == (
            200,
            "no voltage in 0 s, over after 60 min",
        )
        clock.wait(30)
        status = (await client.get("/status")).json()
        assert status["bus"] == "dark"
        assert status["truth"]["seconds"]["dark"] == 30.0
        assert status["truth"]["both_closed_s"] == 0.0
        assert status["poles"]["grid_pole"] == "closed"
        answer = await tell(json={"line": "burn"})
        assert answer.status_code == 422
        assert "must be one of" in answer.json()["faults"][0]
        assert (await tell(json={"line": 5})).status_code == 422
        assert (
            await tell(content=b"{", headers={"Content-Type": "application/json"})
        ).status_code == 422
        assert (await tell(content=b'{"line": "outage stop"}')).status_code == 415
        assert (await client.get("/control")).status_code == 404
        assert (await tell(json={"line": "x" * 20_000})).status_code == 413
        assert (await client.get("/status")).json()["bus"] == "dark"

    over_http(steps)
