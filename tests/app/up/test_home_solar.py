"""The forecast of hours left is told the sun by the plan's own steps, and what the meter measured of it in the last days."""

from __future__ import annotations

import asyncio
from pathlib import Path

from parkwatt.app.up.home_runner import HomeRunner
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.home.observation import SolarAhead
from tests.app.api.live_served import NOW_UNIX_US, live_served
from tests.app.api.test_backup import SayingGateway
from tests.home.test_controller import SETTINGS, US

NOW_S = NOW_UNIX_US // US
# As plans have them: a step that is cut, quarter hours, an hour.
EDGES_S = (NOW_S, NOW_S + 300, NOW_S + 1200, NOW_S + 4800)
SUN_KW = (1.0, 2.0, 3.0)
NOTHING = (0.0, 0.0, 0.0)
PLAN = LivePlan(
    made_unix_s=NOW_S,
    edges_unix_s=EDGES_S,
    currency="EUR",
    grid_kw=NOTHING,
    load_kw=NOTHING,
    solar_kw=SUN_KW,
    import_price_per_kwh=NOTHING,
    export_price_per_kwh=NOTHING,
    price_known_until_unix_s=NOW_S,
    cost=0.0,
)


def _seen(folder: Path, plan: LivePlan | None, days: int) -> SolarAhead | None:
    """What a home's control looked at first, with so many days of 2 kW behind it."""

    async def scenario() -> SolarAhead | None:
        async with live_served(folder) as served:
            state = served.runner.controller.state
            state.plan = plan
            for step in range(-96 * days, 0):
                state.history.add(NOW_S + 900 * step, 0.5, 2.0)
            home = HomeRunner(
                SETTINGS,
                served.runner,
                served.site.journal,
                lambda: served.clock[0],
                SayingGateway(),
            )
            tasks = [asyncio.ensure_future(duty) for duty in home.duties()]
            try:
                async with asyncio.timeout(20):
                    while not home.controller.observation.cars:
                        await asyncio.sleep(0.02)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            return home.controller.observation.solar_ahead

    return asyncio.run(scenario())


def test_the_sun_is_told_by_the_plans_own_steps_and_by_the_last_fifteen_days(
    tmp_path: Path,
) -> None:
    seen = _seen(tmp_path, PLAN, 20)
    assert seen == SolarAhead(
        edges_unix_s=EDGES_S,
        power_kw=SUN_KW,
        past_kw=(2.0,) * (15 * 96),
        past_end_unix_s=NOW_S,
    )


def test_without_a_plan_the_past_days_tell_it(tmp_path: Path) -> None:
    seen = _seen(tmp_path, None, 2)
    assert seen == SolarAhead(past_kw=(2.0,) * (2 * 96), past_end_unix_s=NOW_S)


def test_without_sun_nothing_tells_it(tmp_path: Path) -> None:
    assert _seen(tmp_path, None, 0) is None
