"""Every test of the server runs on both event loops: asyncio's own and uvloop, which `parkwatt serve` uses."""

import asyncio
from collections.abc import Coroutine

import pytest
import uvloop

from tests.io.ocpp.server.charging_station import Go


@pytest.fixture(params=["asyncio", "uvloop"])
def go(request: pytest.FixtureRequest) -> Go:
    """Runs a coroutine to its end on a loop of its own."""

    def run(work: Coroutine[object, object, None]) -> None:
        factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(work, 30))

    return run
