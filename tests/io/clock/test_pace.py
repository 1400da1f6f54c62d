"""Simulated time beside the wall's clock."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial

import pytest

from parkwatt.io.clock.pace import WallPace
from parkwatt.io.clock.warp_loop import run_warped


def test_time_is_never_ahead_of_the_wall() -> None:
    seen: list[tuple[float, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        begun_s = time.monotonic()
        for _ in range(200):
            await asyncio.sleep(1.0)
            seen.append((loop.time(), (time.monotonic() - begun_s) * 1000.0))

    run_warped(main(), WallPace(1000.0))
    assert all(at_s <= wall_s + 1.0 for at_s, wall_s in seen)
    assert seen[-1][1] >= 198.0


def test_slow_work_slows_time_and_strikes_no_timeout() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            begun_s = loop.time()
            async with asyncio.timeout(5.0):
                await asyncio.to_thread(time.sleep, 0.4)  # 400 s at this speed
            assert loop.time() == begun_s
        begun_wall_s, begun_s = time.monotonic(), loop.time()
        await asyncio.sleep(300.0)
        # At most a quarter of a second is caught up, not more than a second that was missed.
        assert time.monotonic() - begun_wall_s >= 0.04
        assert loop.time() == pytest.approx(begun_s + 300.0)

    run_warped(main(), WallPace(1000.0))


def test_word_from_outside_comes_at_its_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()
        struck = loop.call_later(1000.0, pytest.fail, "the word came too late")
        threading.Timer(0.1, partial(loop.call_soon_threadsafe, told.set_result, None)).start()
        await told
        assert 90.0 <= loop.time() < 1000.0
        struck.cancel()

    run_warped(main(), WallPace(1000.0))


def test_the_speed_can_be_changed() -> None:
    pace = WallPace(1.0)

    async def main() -> None:
        await asyncio.sleep(0.05)
        pace.speed = 1e6
        begun_s = time.monotonic()
        await asyncio.sleep(86_400.0)
        assert time.monotonic() - begun_s < 2.0

    run_warped(main(), pace)
    with pytest.raises(ValueError, match="above 0"):
        pace.speed = 0.0
