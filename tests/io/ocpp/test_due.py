"""A back end is swept when something is due, and hardly ever when nothing is."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.version import Version

LEAST_S, MOST_S = 0.2, 5.0


class DeafOutlet:
    """A link whose charger answers nothing."""

    def send(self, frame: bytes) -> None:
        """Into the void."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Nobody hears that either."""


def test_what_is_due_sooner_wakes_the_sweep() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        backend = Backend(
            journal=None,
            settings_of=lambda _: ChargerSettings(),
            clock=SimClock(loop.time, 1_800_000_000_000_000),
        )
        swept_s: list[float] = []

        async def sweep() -> None:
            while True:
                await backend.wait_for_due(LEAST_S, MOST_S)
                swept_s.append(loop.time())
                backend.sweep()

        sweeping = asyncio.create_task(sweep())
        await asyncio.sleep(3601.3)
        assert len(swept_s) == 3600 / MOST_S
        backend.opened("CP-1", DeafOutlet(), Version.V201, 1, "nowhere")
        asked_s = loop.time()
        answer = await backend.call("CP-1", Call("GetLocalListVersion", {}, "hand", "a question"))
        assert answer.error is not None
        waited_s = loop.time() - asked_s
        assert 60.0 <= waited_s <= 60.0 + LEAST_S  # when it is due, not at the next round
        gaps_s = [after - before for before, after in pairwise(swept_s)]
        assert LEAST_S - 1e-6 <= min(gaps_s) <= max(gaps_s) <= MOST_S + 1e-6
        sweeping.cancel()

    run_warped(main())
