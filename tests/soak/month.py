"""A month of a whole site on simulated time: real prices, a virtual home over real sockets, everything that goes wrong.

`python -m tests.soak.month --days 30 --seed 1 --faults` runs it in one process and judges it by what physically happened.
`tests/soak/test_month.py` is a short one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from parkwatt.app.live_settings.settings import load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import SiteControl, site_control
from parkwatt.domain.site.event import SiteEvent, kind
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import WarpLoop, run_warped
from parkwatt.io.sim.faults import Faults
from parkwatt.io.sim.home.mishaps import Misfortune, draw_mishaps
from parkwatt.io.sim.home.price_server import PriceServer
from parkwatt.io.sim.home.virtual_home import VirtualHome
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.settings import Protocol
from parkwatt.io.sim.sunspec_meter import SunSpecServer
from parkwatt.io.store.verify import verify
from tests.soak.month_home import MonthData, Ports, free_ports, home_car, month_data, write_site
from tests.soak.month_judge import Verdict, judge, percentile

JOURNAL = Path("site-data", "journal.sqlite")
CHARGER_FAULTS = Faults(
    link_loss_every_s=6 * 3600.0,
    link_loss_s=45.0,
    late_s=3.0,
    duplicate=0.01,
    malformed=0.002,
    reboot_every_s=4 * 86_400.0,
)


@dataclass
class Outcome:
    """What a run showed."""

    verdict: Verdict
    wall_s: float
    simulated_s: float
    jumps: int
    step_ms: list[float] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """All of it in lines."""
        days = self.simulated_s / 86_400
        return (
            f"{days:g} days in {self.wall_s:.1f} s ({self.wall_s / days:.1f} s a day), {self.jumps} jumps of time\n"
            f"control steps: {len(self.step_ms)}, median {percentile(self.step_ms, 50):.2f} ms, "
            f"99th percentile {percentile(self.step_ms, 99):.2f} ms, most {max(self.step_ms, default=0.0):.1f} ms\n"
            f"events: {dict(self.events.most_common())}\n{self.verdict}"
        )


def time_steps(control: SiteControl) -> list[float]:
    """Milliseconds of each step of the control, from now on."""
    taken_ms: list[float] = []
    runner = control.runner
    assert runner is not None
    step = runner.controller.step

    def timed(*arguments: object) -> object:
        begun_s = time.perf_counter()
        done = step(*arguments)  # type: ignore[arg-type]
        taken_ms.append(1000 * (time.perf_counter() - begun_s))
        return done

    setattr(runner.controller, "step", timed)  # noqa: B010 measured from outside
    return taken_ms


async def _month(
    directory: Path, data: MonthData, seed: int, protocol: Protocol, faults: bool
) -> Outcome:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WarpLoop)
    clock = SimClock(loop.time, data.start_unix_s * 1_000_000)
    ports = Ports(*free_ports(4))
    settings = load_live_settings(write_site(directory, data, ports))
    set_up_logs(settings.serve.log_format, settings.serve.log_level)
    car = home_car(data, protocol, CHARGER_FAULTS if faults else Faults(), seed)
    home = VirtualHome(
        data.start_unix_s,
        data.seconds,
        load=data.load,
        solar=data.solar,
        cars=[car],
        clock=clock.true_unix_us,
    )
    meter = SunSpecServer(meter=home.meter, inverter_kw=home.solar_kw)
    prices = PriceServer(data.prices, clock.true_unix_us)
    await meter.start(port=ports.meter)
    await prices.start(port=ports.prices)
    control, stopping = site_control(settings), asyncio.Event()
    events: Counter[str] = Counter()
    step_ms: list[float] = []

    def written(told: Sequence[SiteEvent], _: int) -> None:
        events.update(kind(event) for event in told)

    def started(*_: int) -> None:
        nonlocal step_ms
        step_ms = time_steps(control)

    control.on_written = written
    begun_s = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(
                settings.serve,
                stopping,
                clock=SteadyClock(clock, loop.time),
                control=control,
                on_start=started,
            )
        )
        group.create_task(home.run(LinkSettings(f"ws://127.0.0.1:{ports.ocpp}"), stopping))
        mishaps = draw_mishaps(Random(seed), data.seconds) if faults else []  # noqa: S311
        misfortune = Misfortune(home, meter, ports.meter, prices, clock)
        befalling = group.create_task(misfortune.befall(mishaps))
        await asyncio.sleep(data.seconds)
        befalling.cancel()
        stopping.set()
    wall_s = time.perf_counter() - begun_s
    await meter.stop()
    await prices.stop()
    verdict = judge(home.truth, car.station)
    report = verify(directory / JOURNAL)
    verdict.faults += report.faults
    verdict.figures["journal entries"] = report.entry_count
    return Outcome(verdict, wall_s, float(data.seconds), loop.jumps, step_ms, events)


def run(
    directory: Path,
    data: MonthData,
    *,
    seed: int,
    protocol: Protocol = "2.1",
    faults: bool = False,
) -> Outcome:
    """Live through the data's span and judge it."""
    return run_warped(_month(directory, data, seed, protocol, faults))


def main() -> int:
    """Run and tell; 1 where a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=("1.6", "2.0.1", "2.1"), default="2.1")
    parser.add_argument("--faults", action="store_true", help="let things go wrong")
    parser.add_argument("--made", action="store_true", help="made-up data in place of real ones")
    arguments = parser.parse_args()
    shared = Path(__file__).parents[3] / "shared"
    is_real = shared.is_dir() and not arguments.made
    data = month_data(shared if is_real else None, arguments.seed, arguments.days)
    directory = Path(tempfile.mkdtemp(prefix="parkwatt-month-"))
    _say(f"files: {directory}; {'real' if is_real else 'made-up'} data")
    outcome = run(
        directory,
        data,
        seed=arguments.seed,
        protocol=arguments.protocol,
        faults=arguments.faults,
    )
    _say(str(outcome))
    return 1 if outcome.verdict.faults else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
