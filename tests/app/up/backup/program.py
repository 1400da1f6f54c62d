"""Parkwatt with a home's backup as a process of its own on the simulated time of another.

`python -m tests.app.up.backup.program SITE.toml CONTROL_PORT START_UNIX_US` follows the master that listens on the port.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from parkwatt.app.live_settings import LiveSettings, load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import site_control
from parkwatt.io.clock.granted import GrantedPace
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import run_warped


async def _serve(settings: LiveSettings, start_unix_us: int) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    await serve(
        settings.serve,
        stopping,
        clock=SteadyClock(SimClock(loop.time, start_unix_us), loop.time),
        control=site_control(settings),
        on_start=lambda *_: None,
    )


def main() -> None:
    """Run until killed."""
    site, control_port, start_unix_us = sys.argv[1:]
    settings = load_live_settings(Path(site))
    set_up_logs(settings.serve.log_format, settings.serve.log_level)
    pace = GrantedPace.connect(int(control_port))
    run_warped(_serve(settings, int(start_unix_us)), pace, begin_s=pace.begin_s)


if __name__ == "__main__":
    main()
