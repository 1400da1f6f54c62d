"""Over a real socket, against the `ocpp` package's own central system, which validates every message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
import pytest
from ocpp.routing import on
from websockets.asyncio.server import Server, ServerConnection, serve

from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.notes import Note
from parkwatt.io.sim.run import run_station, run_stations
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings

SUBPROTOCOLS: Any = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
Serve = Callable[[ServerConnection], Awaitable[None]]


def now() -> str:
    return datetime.now(tz=UTC).isoformat()


class CentralSystem16(ocpp.v16.ChargePoint):  # type: ignore[misc]
    """A stranger's back end of 1.6."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[str] = []

    @on("BootNotification")  # type: ignore[untyped-decorator]
    def boot(self, **_: Any) -> Any:
        return ocpp.v16.call_result.BootNotification(
            current_time=now(), interval=60, status="Accepted"
        )

    @on("Authorize")  # type: ignore[untyped-decorator]
    def authorize(self, **_: Any) -> Any:
        return ocpp.v16.call_result.Authorize(id_tag_info={"status": "Accepted"})

    @on("StatusNotification")  # type: ignore[untyped-decorator]
    def status(self, **_: Any) -> Any:
        return ocpp.v16.call_result.StatusNotification()

    @on("StartTransaction")  # type: ignore[untyped-decorator]
    def start_transaction(self, **_: Any) -> Any:
        self.seen.append("Started")
        return ocpp.v16.call_result.StartTransaction(
            transaction_id=5, id_tag_info={"status": "Accepted"}
        )

    @on("MeterValues")  # type: ignore[untyped-decorator]
    def meter_values(self, **_: Any) -> Any:
        self.seen.append("Updated")
        return ocpp.v16.call_result.MeterValues()

    @on("StopTransaction")  # type: ignore[untyped-decorator]
    def stop_transaction(self, **_: Any) -> Any:
        self.seen.append("Ended")
        return ocpp.v16.call_result.StopTransaction()


def central_system_2(module: Any) -> Any:
    """A stranger's back end of 2.0.1 or 2.1."""

    class CentralSystem2(module.ChargePoint):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.seen: list[str] = []

        @on("BootNotification")  # type: ignore[untyped-decorator]
        def boot(self, **_: Any) -> Any:
            return module.call_result.BootNotification(
                current_time=now(), interval=60, status="Accepted"
            )

        @on("Heartbeat")  # type: ignore[untyped-decorator]
        def heartbeat(self, **_: Any) -> Any:
            return module.call_result.Heartbeat(current_time=now())

        @on("Authorize")  # type: ignore[untyped-decorator]
        def authorize(self, **_: Any) -> Any:
            return module.call_result.Authorize(id_token_info={"status": "Accepted"})

        @on("StatusNotification")  # type: ignore[untyped-decorator]
        def status(self, **_: Any) -> Any:
            return module.call_result.StatusNotification()

        @on("NotifyEVChargingNeeds")  # type: ignore[untyped-decorator]
        def needs(self, **_: Any) -> Any:
            return module.call_result.NotifyEVChargingNeeds(status="Accepted")

        @on("TransactionEvent")  # type: ignore[untyped-decorator]
        def transaction_event(self, event_type: str, **_: Any) -> Any:
            self.seen.append(event_type)
            return module.call_result.TransactionEvent()

    return CentralSystem2


BACK_ENDS: dict[Protocol, Any] = {
    "1.6": CentralSystem16,
    "2.0.1": central_system_2(ocpp.v201),
    "2.1": central_system_2(ocpp.v21),
}

BASE_21: Any = BACK_ENDS["2.1"]


@contextlib.asynccontextmanager
async def back_end(handle: Serve) -> AsyncIterator[tuple[Server, str]]:
    async with serve(handle, "127.0.0.1", 0, subprotocols=SUBPROTOCOLS, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield server, f"ws://127.0.0.1:{port}"


@pytest.mark.parametrize("protocol", ["1.6", "2.0.1", "2.1"])
def test_a_strangers_back_end_sees_a_whole_transaction(protocol: Protocol) -> None:
    async def scenario() -> tuple[list[str], list[Note], float]:
        systems: list[Any] = []
        notes: list[Note] = []
        stop = asyncio.Event()
        control: asyncio.Queue[str] = asyncio.Queue()

        async def handle(connection: ServerConnection) -> None:
            assert connection.request is not None
            system = BACK_ENDS[protocol](connection.request.path.strip("/"), connection)
            systems.append(system)
            with contextlib.suppress(Exception):
                await system.start()

        def on_note(note: Note) -> None:
            notes.append(note)
            if note.kind == "acknowledged" and note.data["import_wh"] > 10:
                control.put_nowait("unplug")
            if note.kind == "acknowledged" and note.data["event"] == "Ended":
                stop.set()

        settings = StationSettings(id="CP é/1", protocol=protocol, meter_interval_s=30)
        async with back_end(handle) as (_, url):
            async with asyncio.timeout(30):
                station = await run_station(
                    url, settings, stop=stop, speed=30, on_note=on_note, control=control
                )
        return systems[0].seen, notes, station.transactions[0].import_wh

    seen, notes, import_wh = asyncio.run(scenario())
    assert seen[0] == "Started"
    assert seen[-1] == "Ended"
    assert "Updated" in seen
    assert import_wh > 10
    sent = [n.data["message_id"] for n in notes if n.kind == "sent"]
    assert sent == [n.data["message_id"] for n in notes if n.kind == "acknowledged"]


def test_a_queue_survives_a_back_end_that_dies() -> None:
    async def scenario() -> tuple[list[Note], list[int]]:
        notes: list[Note] = []
        numbers: list[int] = []
        stop = asyncio.Event()

        class BackEnd(BASE_21):  # type: ignore[misc]
            @on("TransactionEvent")  # type: ignore[untyped-decorator]
            def transaction_event(self, seq_no: int, **_: Any) -> Any:
                numbers.append(seq_no)
                return ocpp.v21.call_result.TransactionEvent()

        async def handle(connection: ServerConnection) -> None:
            with contextlib.suppress(Exception):
                await BackEnd("x", connection).start()

        def on_note(note: Note) -> None:
            notes.append(note)
            if len(numbers) >= 25:
                stop.set()

        settings = StationSettings(meter_interval_s=10)
        async with asyncio.timeout(60):
            async with back_end(handle) as (server, url):
                link = LinkSettings(url, reconnect_s_min=0.2, reconnect_s_max=0.4)
                running = asyncio.create_task(
                    run_stations(link, [settings], stop=stop, speed=60, on_note=on_note)
                )
                await asyncio.sleep(1.5)
                port = server.sockets[0].getsockname()[1]
                server.close()
                await server.wait_closed()
            await asyncio.sleep(1.0)
            async with serve(handle, "127.0.0.1", port, subprotocols=SUBPROTOCOLS):
                await running
        return notes, numbers

    notes, numbers = asyncio.run(scenario())
    assert sorted(set(numbers)) == list(range(max(numbers) + 1))
    assert numbers == sorted(numbers)
    assert any(note.kind == "disconnected" for note in notes)


def test_two_hundred_idle_chargers_are_cheap() -> None:
    async def scenario() -> float:
        booted = 0
        stop = asyncio.Event()

        async def handle(connection: ServerConnection) -> None:
            with contextlib.suppress(Exception):
                await BACK_ENDS["2.1"]("x", connection).start()

        def on_note(note: Note) -> None:
            nonlocal booted
            booted += note.kind == "boot"

        car = CarSettings(plugged_in=False)
        settings = [StationSettings(id=f"CP-{n}", car=car, seed=n) for n in range(200)]
        async with back_end(handle) as (_, url):
            running = asyncio.create_task(
                run_stations(LinkSettings(url), settings, stop=stop, on_note=on_note)
            )
            async with asyncio.timeout(60):
                while booted < 200:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(0.5)
            import time

            before_s = time.process_time()
            await asyncio.sleep(3.0)
            spent_s = time.process_time() - before_s
            stop.set()
            await running
        return spent_s

    assert asyncio.run(scenario()) < 0.6
