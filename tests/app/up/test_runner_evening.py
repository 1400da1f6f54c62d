"""An hour in which the house is run from the car, and a wish, through real sockets on simulated time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import numpy as np

from parkwatt.domain.site.wish import Mode
from parkwatt.io.sim.home.household import household
from parkwatt.io.sim.home.judging import above
from parkwatt.io.sim.home.profile import StepProfile
from tests.app.up.faulty_home import ZONE, FaultyHome, in_faulty_home, local_unix_s

_STEP_S = 2


def _load() -> StepProfile:
    """From six in the evening on, when people cook."""
    midnight = local_unix_s(0.0)
    return household(np.random.default_rng(7), midnight, 2, ZONE)


def test_the_grid_is_held_at_zero_through_an_hour_of_cooking(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(19.0)

    home = in_faulty_home(tmp_path, story, hour=17.9, soc=0.85, step_s=_STEP_S, load=_load())
    first, last = (local_unix_s(hour) - home.start_unix_s for hour in (18.0, 19.0))
    house_kw = home.truth.house_kw[first:last]
    assert (np.abs(np.diff(house_kw)) > 0.5).sum() >= 4, (
        "an evening without appliances shows little"
    )
    grid_kw = home.truth.grid_kw()
    assert abs(grid_kw[first:last].mean()) < 0.05
    grid_kw[:first] = grid_kw[last:] = 0.0
    assert above(home.truth, -grid_kw, 0.2).longest_s <= 5
    assert above(home.truth, grid_kw, 0.2).longest_s <= 5


def test_a_wish_moves_the_charger_within_two_seconds(tmp_path: Path) -> None:
    taken_s: list[float] = []
    modes: tuple[Mode, ...] = ("now", "off", "now", "home")

    async def story(home: FaultyHome) -> None:
        loop = asyncio.get_running_loop()
        await home.until(18.0)
        runner = home.runner
        for number, mode in enumerate(modes):
            # Each at another time within a step.
            await asyncio.sleep(120.0 + 0.37 * number)
            before_kw = home.home.stations[0].power_kw
            begun_s = loop.time()
            wishes = msgspec.structs.replace(runner.controller.cars[0].wishes, mode=mode)
            await runner.set_wishes("car", wishes, until_departure=False, origin="api")
            while abs(home.home.stations[0].power_kw - before_kw) < 0.5:
                assert loop.time() - begun_s < 10.0
                await asyncio.sleep(0.02)
                home.home.pass_time()
            taken_s.append(loop.time() - begun_s)

    in_faulty_home(tmp_path, story, hour=17.95, soc=0.5, step_s=_STEP_S)
    assert len(taken_s) == len(modes)
    assert max(taken_s) <= 2.0
