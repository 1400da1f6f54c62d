"""Two processes in one simulated time, and one of them killed."""

from __future__ import annotations

import asyncio
import math
import socket
import subprocess
import sys

import pytest

from parkwatt.io.clock.granted import MasterPace
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped


def test_a_follower_has_the_master_s_time_and_may_be_killed() -> None:
    gone_s: list[float] = []
    heard: list[tuple[float, float]] = []
    pace = MasterPace(on_gone=lambda: gone_s.append(asyncio.get_running_loop().time()))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while line := await reader.readline():
            heard.append((loop.time(), float(line)))
            await asyncio.to_thread(lambda: None)
            writer.write(f"{loop.time()!r}\n".encode())
        writer.close()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WarpLoop)
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        control = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        control.close()
        await control.wait_closed()
        for round_number in range(3):
            process = await start(loop, pace, server)
            begun_s, before = loop.time(), len(heard)
            assert pace.has_follower
            for _ in range(1000):
                await asyncio.sleep(0.5)
            assert len(heard) - before == math.floor(500 / 7.0) + 1
            process.kill()
            process.wait()
            await asyncio.sleep(60.0)  # time goes on without it
            assert not pace.has_follower
            assert len(gone_s) == round_number + 1
            assert gone_s[-1] == pytest.approx(begun_s + 500.0, abs=0.5)
        server.close()
        await server.wait_closed()

    run_warped(main(), pace)
    assert all(at_s == sent_s for at_s, sent_s in heard)


async def start(
    loop: WarpLoop, pace: MasterPace, server: asyncio.Server
) -> subprocess.Popen[bytes]:
    """Start a follower while time stands still."""
    with loop.holding(), socket.create_server(("127.0.0.1", 0)) as listening:
        ports = (listening.getsockname()[1], server.sockets[0].getsockname()[1])
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.io.clock.follower", *map(str, ports)]
        )
        listening.setblocking(False)
        control, _ = await loop.sock_accept(listening)
    pace.follow(control)
    return process
