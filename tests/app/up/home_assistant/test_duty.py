"""The site in Home Assistant, through a real broker: what appears, what is told, what a person changes there, and what goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from parkwatt.app.up.home_assistant import duty
from tests.app.up.home_assistant.hass_home import (
    BACKUP,
    CAR,
    SECOND_CAR,
    SITE,
    backed_site,
    site_toml,
    told_home,
    with_hass,
)
from tests.io.mqtt.broker import TestBroker, running
from tests.io.mqtt.home_assistant.client import hass


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[TestBroker]:
    with running(tmp_path) as one:
        yield one


async def _kept(broker: TestBroker) -> list[str]:
    """The topics on which the broker keeps anything."""
    kept: list[str] = []
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("#")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    kept.append(str((await anext(client.messages)).topic))
    return kept


def test_all_appears_is_valid_and_tells_what_happens(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            await home.site.plugged_in(0.5)
            home.site.charger.read(0.5, 0.0, 3.0)
            home.site.measure(1.25)
            await seen.shows(SITE, "grid_power", "1.25")
            await seen.shows(CAR, "plugged_in", "ON")
            await seen.shows(CAR, "charged_energy", "3.000")
            shown = await home.car()
            await seen.shows(CAR, "power", f"{shown['power_kw']:.2f}")
            assert seen.entity(CAR, "soc").state == f"{100 * shown['soc']:.0f}"
            assert seen.entity(SITE, "import_price").state == "0.3500"
            await seen.says(SITE, "next_action", "from")
            assert seen.devices[CAR]["via_device"] in seen.devices[SITE]["identifiers"]
            assert all(one.available for one in seen.entities.values())
            assert seen.complaints == []

    asyncio.run(live())


def test_what_a_person_changes_is_done_as_by_the_api(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            await home.site.plugged_in(0.5)
            for key, payload, shown in (
                ("target", "90", "90"),
                ("floor", "35.0", "35"),
                ("mode", "home", "home"),
                ("ready_by_friday", "06:15", "06:15"),
                ("ready_by", "05:10", "05:10"),
            ):
                await seen.tell(CAR, key, payload)
                await seen.shows(CAR, key, shown)
            car = await home.car()
            assert car["wishes"]["target_soc"] == 0.9
            assert car["wishes"]["mode"] == "home"
            assert car["wishes"]["ready_by"]["friday"] == "06:15"
            assert car["departure"]["departs_at"] == "2027-01-16T04:10:00Z"
            await seen.tell(CAR, "ready_by", "-")
            await seen.shows(CAR, "ready_by", "-")
            # Consent is taken back, and the mode that needs it gives way.
            await seen.tell(CAR, "discharge", "OFF")
            await seen.shows(CAR, "mode", "smart")
            await seen.tell(CAR, "fill_up_now", "PRESS")
            await seen.shows(CAR, "target", "100")
            assert (await home.car())["wishes"]["until_departure"]
            # Another mode ends what held until the departure.
            await seen.tell(CAR, "mode", "smart")
            await seen.shows(CAR, "target", "90")
            await home.site.durable()
            assert {one.origin for one in home.wishes_set()} == {"Home Assistant"}
            assert seen.complaints == []

    asyncio.run(live())


def test_what_is_not_possible_is_refused_and_told(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            for key, payload, why in (
                ("target", "5", "must be from floor_soc"),
                ("mode", "fast", "must be one of"),
                ("leave_now", "PRESS", "ID.4 is not plugged in"),
                ("discharge", "1", "must be ON or OFF"),
            ):
                await seen.tell(CAR, key, payload)
                await seen.says(SITE, "refused", why)
            await seen.tell(CAR, "discharge", "OFF")
            await seen.shows(CAR, "discharge", "OFF")
            await seen.tell(CAR, "mode", "home")
            await seen.until(
                lambda: (
                    "while the driver does not agree" in (seen.entity(SITE, "refused").state or "")
                )
            )
            await home.site.durable()
            assert len(home.wishes_set()) == 1
            assert seen.complaints == []

    asyncio.run(live())


def test_a_command_that_comes_again_or_was_kept_does_no_harm(
    tmp_path: Path, broker: TestBroker
) -> None:
    async def live() -> None:
        await broker.publish(("parkwatt/car/id_4/mode/set", "now"), retain=True)
        async with with_hass(tmp_path, broker) as (home, seen):
            await seen.says(SITE, "refused", "broker had kept")
            await seen.shows(CAR, "mode", "smart")
            for _ in range(3):
                await seen.tell(CAR, "target", "90")
                await asyncio.sleep(1.1)
            await seen.shows(CAR, "target", "90")
            await home.site.durable()
            assert [one.wishes.target_soc for one in home.wishes_set()] == [0.9]

    asyncio.run(live())


def test_a_flood_is_bounded_and_the_last_word_counts(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            step = home.site.runner.steps.count
            for count in range(2000):
                await seen.tell(CAR, "target", str(50 + count % 40))
            await seen.tell(CAR, "target", "95")
            await seen.shows(CAR, "target", "95", 30.0)
            await home.site.durable()
            assert len(home.wishes_set()) <= 30
            assert home.site.runner.steps.count > step
            assert seen.complaints == []

    asyncio.run(live())


def test_home_assistant_starts_again_and_finds_all(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with told_home(tmp_path, site_toml(broker)) as home:
            async with hass(broker.port) as first:
                await first.until(lambda: (CAR, "mode") in first.entities)
                ids = {key: one.config["unique_id"] for key, one in first.entities.items()}
            await home.site.plugged_in(0.6)
            async with hass(broker.port) as second:
                # Once as the broker kept it, and once more for the birth message.
                await second.until(lambda: second.configs_heard >= 4)
                await second.shows(CAR, "soc", "60")
                await second.until(lambda: all(one.available for one in second.entities.values()))
                assert {key: one.config["unique_id"] for key, one in second.entities.items()} == ids
                assert second.complaints == []

    asyncio.run(live())


@pytest.mark.parametrize("birth", ["homeassistant/status", "ha/status"])
def test_another_prefix_is_used_and_both_births_are_heard(
    tmp_path: Path, broker: TestBroker, birth: str
) -> None:
    async def live() -> None:
        toml = site_toml(broker, 'discovery_prefix = "ha"\ntopic_prefix = "cabin/pw"')
        async with told_home(tmp_path, toml), hass(broker.port, "ha") as seen:
            await seen.until(lambda: ("cabin_pw_site", "alarm") in seen.entities)
            await seen.shows("cabin_pw_site", "alarm", "OFF")
            await asyncio.sleep(1.5)
            heard = seen.configs_heard
            await broker.publish((birth, "online"))
            await seen.until(lambda: seen.configs_heard == heard + 2)
            assert seen.complaints == []

    asyncio.run(live())


def test_the_broker_comes_back_empty_and_is_told_everything(
    tmp_path: Path, broker: TestBroker
) -> None:
    async def live() -> None:
        async with told_home(tmp_path, site_toml(broker)) as home:
            async with hass(broker.port) as seen:
                await seen.until(lambda: (CAR, "mode") in seen.entities)
            broker.stop()
            await asyncio.sleep(0.5)
            broker.start()
            async with hass(broker.port) as seen:
                await seen.until(lambda: (CAR, "mode") in seen.entities, 20.0)
                await seen.shows(CAR, "mode", "smart")
                await seen.until(lambda: seen.entity(CAR, "mode").available)
            sources = home.site.runner.controller.state.sources
            assert sources["home_assistant"].ok

    asyncio.run(live())


def test_what_is_gone_is_not_available(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            await seen.until(lambda: seen.entity(CAR, "power").available)
            # The charger's link is gone: what it tells is; what is wished is not.
            home.site.site.backend.closed("GARAGE", home.site.charger, "gone")
            await seen.until(lambda: not seen.entity(CAR, "power").available)
            assert seen.entity(CAR, "mode").available
            await seen.shows(CAR, "charger", "OFF")
            await home.goes()
            await seen.until(lambda: not any(one.available for one in seen.entities.values()))

    asyncio.run(live())


def test_what_the_file_names_no_more_is_taken_away(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        zoe = "parkwatt_car_zoe"
        both = site_toml(broker, more=SECOND_CAR)
        async with told_home(tmp_path, both), hass(broker.port) as seen:
            await seen.until(lambda: (zoe, "mode") in seen.entities)
        async with hass(broker.port) as seen:
            await seen.until(lambda: (zoe, "mode") in seen.entities)
            # One car less, and nothing to tell a car any more.
            toml = site_toml(broker, "commands = false")
            async with told_home(tmp_path, toml):
                await seen.until(lambda: zoe not in seen.devices)
                await seen.until(lambda: (CAR, "mode") not in seen.entities)
                assert (CAR, "soc") in seen.entities
            async with told_home(tmp_path, site_toml(broker, "enabled = false")):
                await seen.until(lambda: not seen.devices)
                for _ in range(100):
                    kept = await _kept(broker)
                    if not kept:
                        break
                    await asyncio.sleep(0.1)
                assert kept == []
            assert seen.complaints == []

    asyncio.run(live())


def test_circuits_are_decided_on_as_by_the_api(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        toml = backed_site(tmp_path / "file", broker.port).read_text(encoding="utf-8")
        async with told_home(tmp_path, toml) as home, hass(broker.port) as seen:
            await seen.until(lambda: (BACKUP, "circuit_sauna") in seen.entities)
            await seen.shows(BACKUP, "circuit_sauna_choice", "automatic")
            # Nobody tells where the poles are: that is an alarm, and unknown is not off.
            await seen.until(lambda: seen.entity(BACKUP, "phase").state is not None)
            assert seen.entity(BACKUP, "circuit_sauna").state is None
            await broker.publish(("home/circuit/sauna/state", "ON"), retain=False)
            await seen.tell(BACKUP, "circuit_sauna", "OFF")
            await seen.shows(BACKUP, "circuit_sauna_choice", "keep_off")
            await seen.tell(BACKUP, "circuit_sauna_choice", "keep_off")
            await seen.tell(BACKUP, "circuit_fridge", "ON")
            await seen.shows(BACKUP, "circuit_fridge_choice", "keep_on")
            await seen.tell(BACKUP, "circuit_sauna_choice", "automatic")
            await seen.shows(BACKUP, "circuit_sauna_choice", "automatic")
            await home.site.durable()
            assert home.choices() == [
                ("sauna", "keep_off"),
                ("fridge", "keep_on"),
                ("sauna", "automatic"),
            ]
            assert (BACKUP, "circuit_oxygen") not in seen.entities or (
                seen.entity(BACKUP, "circuit_oxygen").platform == "binary_sensor"
            )
            assert seen.complaints == []

    asyncio.run(live())


def test_a_plan_is_made_again_when_asked_for(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            await home.site.plugged_in(0.5)
            await seen.until(lambda: seen.entity(SITE, "plan_made").state is not None)
            trigger = home.site.runner.controller._trigger
            made_unix_us = trigger.made_unix_us
            assert made_unix_us
            home.site.clock[0] += 60_000_000
            await seen.tell(SITE, "plan_again", "PRESS")
            await seen.until(lambda: trigger.made_unix_us > made_unix_us)
            assert seen.complaints == []

    asyncio.run(live())


def test_i_leave_now_holds_until_the_car_is_unplugged(tmp_path: Path, broker: TestBroker) -> None:
    async def live() -> None:
        async with with_hass(tmp_path, broker) as (home, seen):
            await home.site.plugged_in(0.5)
            await seen.shows(CAR, "plugged_in", "ON")
            for _ in range(2):
                await seen.tell(CAR, "leave_now", "PRESS")
                await seen.shows(CAR, "mode", "now")
                await asyncio.sleep(1.1)
            # What is changed meanwhile holds just as long.
            await seen.tell(CAR, "target", "85")
            await seen.shows(CAR, "target", "85")
            home.site.charger.leave()
            for _ in range(3):
                home.site.clock[0] += 300_000_000
                home.site.runner.step()
            for key, state in (("mode", "smart"), ("target", "80"), ("plugged_in", "OFF")):
                await seen.shows(CAR, key, state)
            await home.site.durable()
            assert [one.until_departure for one in home.wishes_set()] == [True, True]
            assert seen.complaints == []

    asyncio.run(live())


def test_what_was_saved_today_begins_at_the_local_midnight(
    tmp_path: Path, broker: TestBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "_FIRST_ACCOUNT_S", 0.5)

    async def live() -> None:
        async with with_hass(tmp_path, broker) as (_, seen):
            await seen.shows(SITE, "saved_today", "0.0")
            # 2027-01-15 in Berlin.
            assert seen.entity(SITE, "saved_today").last_reset == "2027-01-14T23:00:00+00:00"
            more = {"before_wear": 0.0, "wear": 0.0}
            await seen.until(lambda: seen.entity(SITE, "saved_today").attributes == more)
            assert seen.complaints == []

    asyncio.run(live())
