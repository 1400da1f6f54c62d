"""The VEN against a server on a real socket: its quirks are borne, its faults survived, its reports come right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from parkwatt.io.openadr.known import Change
from parkwatt.io.openadr.settings import OpenadrSettings, ProgramSettings
from parkwatt.io.openadr.ven import Ven
from parkwatt.io.openadr.vtn import VtnError
from tests.io.openadr.vtn import Quirks, TestVtn, event, vtn

BEGIN = 1795194000_000_000  # 2026-11-20T17:00:00Z
US = 1_000_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.us = BEGIN

    def __call__(self) -> int:
        return self.us


def settings_for(server: TestVtn, folder: Path, **changed: Any) -> OpenadrSettings:
    secret = folder / "secret"
    secret.write_text("secret\n", encoding="utf-8")
    given: dict[str, Any] = {"poll_s": 1.0, "lost_s": 30.0, "report_s": 60.0} | changed
    return OpenadrSettings(server.url, "ven", secret, "north", (ProgramSettings("flex"),), **given)


Story = Callable[[TestVtn, Ven, Clock, list[Change]], Awaitable[None]]


def with_ven(tmp_path: Path, story: Story, quirks: Quirks | None = None, **changed: Any) -> None:
    async def live() -> None:
        async with vtn(quirks) as server:
            clock, changes = Clock(), list[Change]()

            def measured(quantity: str, begin: int, end: int) -> float | None:
                return None if quantity == "soc" else (end - begin) / US

            settings = settings_for(server, tmp_path, **changed)
            ven = Ven(settings, tmp_path / "state.json", clock, measured, changes.extend)
            try:
                await story(server, ven, clock, changes)
            finally:
                await ven.close()

    asyncio.run(live())


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        Quirks(basic_only=True),
        Quirks(expires_in=None, zone="", etags=False),
        Quirks(ignores_skip=True, zone="+00:00"),
    ],
    ids=["standard", "basic", "reference", "no paging"],
)
def test_events_are_read_whatever_the_server_s_ways(tmp_path: Path, quirks: Quirks) -> None:
    async def story(server: TestVtn, ven: Ven, _clock: Clock, _changes: list[Change]) -> None:
        program = server.put("programs", {"programName": "flex"})
        server.put("events", event(program, ("DISPATCH_SETPOINT", [-4200.0])))
        assert ven.in_force() == {}, "nothing holds before the server was heard"
        assert [one.what for one in await ven.read_once()] == ["new"]
        assert ven.in_force()["power_kw"].value == -4200.0
        assert await ven.read_once() == []
        assert (server.not_modified > 0) is quirks.etags

    with_ven(tmp_path, story, quirks)


def test_long_lists_come_in_pages(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, _clock: Clock, _changes: list[Change]) -> None:
        program = server.put("programs", {"programName": "flex"})
        for number in range(120):
            server.put("events", event(program, ("PRICE", [float(number)])))
        assert len(await ven.read_once()) == 120

    with_ven(tmp_path, story)


def test_a_token_that_ended_is_asked_for_anew(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, clock: Clock, _changes: list[Change]) -> None:
        await ven.read_once()
        assert len(server.tokens) == 1
        server.tokens.clear()
        await ven.read_once()
        assert len(server.tokens) == 1
        clock.us += 3600 * US
        await ven.read_once()
        assert len(server.tokens) == 2

    with_ven(tmp_path, story)


@pytest.mark.parametrize(
    "quirks", [Quirks(fails=503, retry_after="7"), Quirks(garbles=True)], ids=["503", "garbled"]
)
def test_a_server_out_of_order_is_an_error_and_changes_nothing(
    tmp_path: Path, quirks: Quirks
) -> None:
    async def story(server: TestVtn, ven: Ven, clock: Clock, _changes: list[Change]) -> None:
        sound, server.quirks = server.quirks, Quirks()
        program = server.put("programs", {"programName": "flex"})
        server.put("events", event(program, ("DISPATCH_SETPOINT", [-50.0])))
        server.put("events", event(program, ("IMPORT_CAPACITY_SUBSCRIPTION", [30.0])))
        await ven.read_once()
        server.quirks = sound
        with pytest.raises(VtnError) as caught:
            await ven.read_once()
        assert caught.value.retry_s == (7.0 if sound.fails else 0.0)
        assert set(ven.in_force()) == {"power_kw", "import_subscription_kw"}
        # Silent for too long, only what was subscribed holds.
        clock.us += 31 * US
        assert ven.is_lost()
        assert set(ven.in_force()) == {"import_subscription_kw"}
        server.quirks = Quirks()
        await ven.read_once()
        assert set(ven.in_force()) == {"power_kw", "import_subscription_kw"}

    with_ven(tmp_path, story, quirks)


def test_what_was_cancelled_stays_so_over_a_restart(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, clock: Clock, changes: list[Change]) -> None:
        program = server.put("programs", {"programName": "flex"})
        old = server.put("events", event(program, ("DISPATCH_SETPOINT", [-50.0])))
        replayed = dict(server.objects["events"][old])
        await ven.read_once()
        server.remove("events", old)
        assert [one.what for one in await ven.read_once()] == ["cancelled"]
        again = Ven(ven.settings, tmp_path / "state.json", clock, lambda *_: None, changes.extend)
        server.objects["events"][old] = replayed
        assert [one.what for one in await again.read_once()] == ["refused"]
        assert again.in_force() == {}
        await again.close()

    with_ven(tmp_path, story)


def test_the_pool_is_one_ven_with_one_resource(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, _clock: Clock, _changes: list[Change]) -> None:
        for _ in range(2):
            await ven._register(None)
        assert [one["venName"] for one in server.objects["vens"].values()] == ["north"]
        (resource,) = server.objects["resources"].values()
        assert resource["resourceName"] == "pool"
        assert resource["venID"] in server.objects["vens"]

    with_ven(tmp_path, story)


def test_reports_come_when_they_are_due_each_once(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, clock: Clock, _changes: list[Change]) -> None:
        program = server.put("programs", {"programName": "flex"})
        wanted = [
            {"payloadType": "USAGE"},
            {"payloadType": "STORAGE_CHARGE_LEVEL", "numIntervals": 1, "startInterval": 1},
        ]
        server.put(
            "events",
            event(
                program,
                ("SIMPLE", [1]),
                ("SIMPLE", [1]),
                duration="PT10M",
                reportDescriptors=wanted,
            ),
        )
        await ven.read_once()
        assert await ven.send_reports() == 0
        clock.us += 600 * US
        assert await ven.send_reports() == 1
        (charge,) = server.objects["reports"].values()
        (interval,) = charge["resources"][0]["intervals"]
        assert interval["payloads"] == [{"type": "DATA_QUALITY", "values": ["MISSING"]}]
        assert interval["intervalPeriod"] == {"start": "2026-11-20T17:00:00Z", "duration": "PT600S"}
        clock.us += 600 * US
        server.quirks.fails = 500
        with pytest.raises(VtnError):
            await ven.send_reports()
        server.quirks.fails = 0
        assert await ven.send_reports() == 1
        assert await ven.send_reports() == 0
        usage = list(server.objects["reports"].values())[-1]
        assert usage["resources"][0]["resourceName"] == "AGGREGATED_REPORT"
        values = [one["payloads"][0]["values"] for one in usage["resources"][0]["intervals"]]
        assert values == [[600.0], [600.0]]
        assert usage["payloadDescriptors"][0]["units"] == "KWH"
        # Also not again after a restart.
        again = Ven(ven.settings, tmp_path / "state.json", clock, lambda *_: 1.0, lambda _: None)
        await again.read_once()
        assert await again.send_reports() == 0
        await again.close()

    with_ven(tmp_path, story)


def test_a_call_by_webhook_wakes_and_nothing_in_it_is_believed(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def story(server: TestVtn, ven: Ven, _clock: Clock, changes: list[Change]) -> None:
        tasks = [asyncio.ensure_future(one) for one in ven.duties()]
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", trust_env=False
            ) as caller:
                while not server.objects["subscriptions"]:
                    await asyncio.sleep(0.02)
                (asked,) = server.objects["subscriptions"].values()
                operations = asked["objectOperations"][0]
                echo = await caller.get("/hook/echo", params={"echo": "hello"})
                assert echo.text == "hello"
                forged = await caller.post("/hook", json={"object": {"id": "x"}})
                assert forged.status_code == 401
                program = server.put("programs", {"programName": "flex"})
                server.put("events", event(program, ("SIMPLE", [1])))
                token = {"Authorization": f"Bearer {operations['bearerToken']}"}
                # The body is encoded twice and tells of something else: it is not looked at.
                body = '"{\\"object_type\\": \\"EVENT\\"}"'
                called = await caller.post("/hook", content=body, headers=token)
                assert called.status_code == 204
                for _ in range(100):
                    if changes:
                        break
                    await asyncio.sleep(0.02)
                assert [one.what for one in changes] == ["new"]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # It would be read in five minutes without the call.
    with_ven(
        tmp_path,
        story,
        poll_s=300.0,
        lost_s=3000.0,
        webhook_listen=("127.0.0.1", port),
        webhook_url=f"http://127.0.0.1:{port}/hook",
    )


def test_the_secret_goes_nowhere_unsafe(tmp_path: Path) -> None:
    async def story(server: TestVtn, ven: Ven, _clock: Clock, _changes: list[Change]) -> None:
        with pytest.raises(VtnError, match="not safe"):
            await ven.read_once()
        assert not server.asked

    with_ven(tmp_path, story, Quirks(token_url="http://198.51.100.7/auth/token"))  # noqa: S106 a place, no secret
