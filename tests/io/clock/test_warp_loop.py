"""Time jumps only when nothing is under way: on sockets, under TLS, in threads."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.credentials.authority import create_authority

Talk = Callable[[int], Awaitable[None]]


def here() -> WarpLoop:
    """The loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WarpLoop)
    return loop


async def tick_beside(talk: Talk, times: int) -> None:
    """Talk so often, with a timer beside it that would strike at once if time moved within a talk."""
    loop = here()
    for number in range(times):
        begun_s = loop.time()
        async with asyncio.timeout(1e-6):
            await talk(number)
        assert loop.time() == begun_s
        await asyncio.sleep(3.0)
        assert loop.time() == pytest.approx(begun_s + 3.0, abs=1e-6)


def test_a_month_of_timers_takes_no_month() -> None:
    order: list[tuple[str, float]] = []

    async def tell(name: str, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < 30 * 86_400:
            await asyncio.sleep(every_s)
            order.append((name, loop.time()))

    async def main() -> None:
        await asyncio.gather(tell("day", 86_400.0), tell("hour", 3_600.0), tell("odd", 5_000.1))

    begun_s = time.monotonic()
    run_warped(main())
    assert time.monotonic() - begun_s < 5.0
    times_s = [at_s for _, at_s in order]
    assert times_s == sorted(times_s)
    assert sum(name == "hour" for name, _ in order) == 30 * 24


def test_nothing_is_under_way_on_a_socket_when_time_moves() -> None:
    async def main() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0, limit=1 << 22)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)

        async def talk(number: int) -> None:
            line = b"x" * (3 << (number % 20)) + b"\n"  # up to 1.5 MB: more than a socket holds
            writer.write(line)
            assert await reader.readline() == line

        await tick_beside(talk, 300)
        writer.close()
        await asyncio.sleep(1.0)  # the server closes its side
        server.close()
        await server.wait_closed()

    run_warped(main())


def test_connections_are_made_and_refused_without_time() -> None:
    async def main() -> None:
        def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "localhost", 0)
        port = server.sockets[0].getsockname()[1]

        async def talk(_: int) -> None:
            reader, writer = await asyncio.open_connection("localhost", port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

        await tick_beside(talk, 50)
        server.close()
        await server.wait_closed()
        with pytest.raises(OSError, match="onnect"):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1e-6)

    run_warped(main())


@pytest.mark.parametrize("encrypted", [False, True])
def test_nothing_is_under_way_on_a_websocket_when_time_moves(
    tmp_path: Path, encrypted: bool
) -> None:
    serving = trusting = None
    if encrypted:
        now = datetime.now(UTC)
        authority = create_authority(tmp_path / "authority", "test", now)
        issued = authority.issue_server_certificate(["localhost"], now)
        issued.write(tmp_path / "server.pem", tmp_path / "server.key")
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
        trusting = ssl.create_default_context(cadata=authority.certificate_pem)

    async def main() -> None:
        async def echo(connection: ServerConnection) -> None:
            async for message in connection:
                await connection.send(message)

        async with serve(echo, "localhost", 0, ssl=serving, ping_interval=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            scheme = "wss" if encrypted else "ws"
            async with connect(
                f"{scheme}://localhost:{port}", ssl=trusting, ping_interval=None, proxy=None
            ) as client:

                async def talk(number: int) -> None:
                    await client.send(str(number) * 100)
                    assert await client.recv() == str(number) * 100

                await tick_beside(talk, 300)

    run_warped(main())


def test_keep_alive_of_websockets_lasts_for_days() -> None:
    async def main() -> None:
        async def stay(connection: ServerConnection) -> None:
            await connection.wait_closed()

        async with serve(stay, "127.0.0.1", 0, ping_interval=20, ping_timeout=1) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            url = f"ws://127.0.0.1:{port}"
            async with connect(url, ping_interval=20, ping_timeout=1, proxy=None) as client:
                await asyncio.sleep(2 * 86_400)
                assert client.close_code is None

    run_warped(main())


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> None:
        loop = here()
        struck = loop.call_later(0.5, pytest.fail, "time moved")
        begun_s = time.monotonic()
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.2), 1e-6)
        assert time.monotonic() - begun_s >= 0.2
        assert loop.time() == 0.0
        struck.cancel()

    run_warped(main())


def test_time_stands_still_while_a_thread_works_that_nobody_waits_for() -> None:
    async def main() -> None:
        loop = here()
        ended = threading.Event()

        def work() -> None:
            time.sleep(0.2)
            ended.set()

        job = loop.run_in_executor(None, work)
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.sleep(1.0)
        assert ended.is_set()

    run_warped(main())


def test_an_error_in_a_thread_lets_time_go_on() -> None:
    async def main() -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await asyncio.to_thread(lambda: 1 / 0)
            await asyncio.sleep(1.0)
        assert here().time() == pytest.approx(3.0)

    run_warped(main())


def test_time_stands_still_while_it_is_held() -> None:
    async def main() -> None:
        loop = here()
        loop.hold()
        threading.Timer(0.1, partial(loop.call_soon_threadsafe, loop.release)).start()
        begun_s = time.monotonic()
        await asyncio.sleep(1.0)
        assert time.monotonic() - begun_s >= 0.09
        with pytest.raises(ValueError, match="more often"):
            loop.release()

    run_warped(main())


def test_time_stands_still_while_a_condition_holds() -> None:
    async def main() -> None:
        ends_s = time.monotonic() + 0.1
        here().hold_while(lambda: time.monotonic() < ends_s)
        await asyncio.sleep(1.0)
        assert time.monotonic() >= ends_s

    run_warped(main())


def test_without_timers_it_waits_for_others() -> None:
    async def main() -> None:
        loop = here()
        told = loop.create_future()
        threading.Timer(0.1, partial(loop.call_soon_threadsafe, told.set_result, "word")).start()
        assert await told == "word"
        assert loop.time() == 0.0

    run_warped(main())


def test_it_begins_when_it_is_told() -> None:
    async def main() -> float:
        await asyncio.sleep(1.0)
        return asyncio.get_running_loop().time()

    assert run_warped(main(), begin_s=1e7) == pytest.approx(1e7 + 1.0)


def test_an_other_end_that_reads_nothing_does_not_stop_time() -> None:
    async def main() -> None:
        loop = here()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            _, writer = await asyncio.open_connection(*listening.getsockname())
            other, _ = listening.accept()
            writer.write(b"x" * (1 << 24))
            begun_s = time.monotonic()
            while loop.time() < 10_000.0:
                await asyncio.sleep(1.0)
            assert time.monotonic() - begun_s < 3.0
            writer.transport.abort()
            other.close()

    run_warped(main())
