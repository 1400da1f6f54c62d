"""A process that follows a master's time: it asks a server now and then, and prints what it sees and when."""

from __future__ import annotations

import asyncio
import sys
import time

from parkwatt.io.clock.granted import GrantedPace
from parkwatt.io.clock.warp_loop import run_warped


async def ask(port: int, every_s: float) -> None:
    """Send the time to the master's server, and hold it to answer within no time at all."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        async with asyncio.timeout(1e-6):
            writer.write(f"{loop.time()!r}\n".encode())
            heard = await reader.readline()
        if not heard:
            return
        assert float(heard) == loop.time(), f"{heard!r} at {loop.time()}"
        await asyncio.to_thread(time.sleep, 0.001)
        await asyncio.sleep(every_s)


if __name__ == "__main__":
    control_port, server_port = map(int, sys.argv[1:])
    pace = GrantedPace.connect(control_port)
    run_warped(ask(server_port, 7.0), pace, begin_s=pace.begin_s)
