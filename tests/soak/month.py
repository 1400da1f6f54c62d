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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parkwatt.app.live_settings.settings import load_live_settings
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.run import serve
from parkwatt.app.up.run import SiteControl, site_control
from parkwatt.domain.site.event import SiteEvent, kind
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.home.truth import Truth
from parkwatt.io.sim.settings import Protocol
from parkwatt.io.store.verify import verify
from tests.soak.month_home import MonthData, month_data
from tests.soak.month_judge import Verdict, judge, percentile
from tests.soak.month_study import compared, loaded_study, words
from tests.soak.month_world import World, mishaps_of, world

JOURNAL = Path("site-data", "journal.sqlite")
DAY_S = 86_400


@dataclass
class Outcome:
    """What a run showed."""

    verdict: Verdict
    wall_s: float
    simulated_s: float
    jumps: int
    truth: Truth
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


def time_steps(control: SiteControl, taken_ms: list[float]) -> None:
    """Note the milliseconds of each step of the control, from now on."""
    runner = control.runner
    assert runner is not None
    step = runner.controller.step

    def timed(*arguments: object) -> object:
        begun_s = time.perf_counter()
        done = step(*arguments)  # type: ignore[arg-type]
        taken_ms.append(1000 * (time.perf_counter() - begun_s))
        return done

    setattr(runner.controller, "step", timed)  # noqa: B010 measured from outside


async def _month(
    directory: Path,
    data: MonthData,
    seed: int,
    protocol: Protocol,
    often: float,
    tell: Callable[[str], None],
) -> Outcome:
    stopping = asyncio.Event()
    events: Counter[str] = Counter()
    step_ms: list[float] = []

    def written(told: Sequence[SiteEvent], _: int) -> None:
        events.update(kind(event) for event in told)

    async with world(directory, data, seed, protocol, faults=often > 0) as around:
        settings = load_live_settings(around.site)
        set_up_logs(settings.serve.log_format, settings.serve.log_level)
        control = site_control(settings)
        control.on_written = written
        begun_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(
                serve(
                    settings.serve,
                    stopping,
                    clock=SteadyClock(around.clock, around.loop.time),
                    control=control,
                    on_start=lambda *_: time_steps(control, step_ms),
                )
            )
            mishaps = mishaps_of(data, seed, often=often) if often else []
            days = group.create_task(_tell_days(around, events, tell))
            await around.live(data.seconds, stopping, mishaps)
            days.cancel()
        wall_s = time.perf_counter() - begun_s
    verdict = judge(around.home.truth, around.car.station, around.troubled())
    report = verify(directory / JOURNAL)
    verdict.faults += report.faults
    verdict.figures["journal entries"] = report.entry_count
    seconds, jumps, truth = float(data.seconds), around.loop.jumps, around.home.truth
    return Outcome(verdict, wall_s, seconds, jumps, truth, step_ms, events)


async def _tell_days(around: World, events: Counter[str], tell: Callable[[str], None]) -> None:
    """A line for each day that is over."""
    begun_s, truth = time.perf_counter(), around.home.truth
    for day in range(1, 1 + around.data.seconds // DAY_S):
        await asyncio.sleep(DAY_S)
        moved_kw = truth.car_kw[0, (day - 1) * DAY_S : day * DAY_S]
        tell(
            f"day {day} after {time.perf_counter() - begun_s:.0f} s: charged {moved_kw.clip(0).sum() / 3600:.1f} kWh, "
            f"discharged {-moved_kw.clip(None, 0).sum() / 3600:.1f} kWh; {events['setpoint.decided']} set-points so far"
        )


def run(
    directory: Path,
    data: MonthData,
    *,
    seed: int,
    protocol: Protocol = "2.1",
    often: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Live through the data's span and judge it. ``often``: how often things go wrong, 1 as usual, 0 never.

    ``tell``: hears of each day that is over.
    """
    return run_warped(_month(directory, data, seed, protocol, often, tell))


def main() -> int:
    """Run and tell; 1 where a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=("1.6", "2.0.1", "2.1"), default="2.1")
    parser.add_argument("--faults", action="store_true", help="let things go wrong")
    parser.add_argument("--study", action="store_true", help="hold it against the study")
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
        often=1.0 if arguments.faults else 0.0,
        tell=_say,
    )
    _say(str(outcome))
    if arguments.study:
        _say(words(compared(loaded_study(directory / "study", data), outcome.truth)))
    return 1 if outcome.verdict.faults else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
