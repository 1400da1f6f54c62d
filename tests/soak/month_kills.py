"""Kills the whole program again and again in a simulated month, and holds what remains against truth and journal.

`python -m tests.soak.month_kills --days 30 --kills 200 --seed 1 --faults`. The program is a process of its own that follows the
month's time; it is killed with SIGKILL in the middle of its work, is gone for seconds to half an hour, and starts again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from parkwatt.app.live_settings.settings import load_live_settings
from parkwatt.app.site_report.settings import account_settings
from parkwatt.app.site_report.view import account_view
from parkwatt.domain.journal import Entry
from parkwatt.domain.site import event as events
from parkwatt.domain.site.event import SUBJECT, SiteSnapshot
from parkwatt.io.clock.granted import MasterPace
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.sim.home.truth import Truth
from parkwatt.io.sim.notes import Note
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.verify import verify
from parkwatt.site.account import KINDS, Accounts
from parkwatt.site.live.state import SiteState
from tests.soak.month_home import ZONE, MonthData, month_data
from tests.soak.month_judge import Verdict, judge, local
from tests.soak.month_site import accounts_digest, digest
from tests.soak.month_world import World, mishaps_of, world

JOURNAL = Path("site-data", "journal.sqlite")
RESTORED = "restored.jsonl"
SETPOINTS = ("SetChargingProfile", "UpdateDynamicSchedule")
LEASE_DISCHARGE_S = 30
# What a charger needs to ramp down, and the truth's seconds.
LEASE_TOLERANCE_S = 4
BACK_S_MAX = 10.0
# Registers count in watt-hours, and the last reading may be a minute old at the end.
ACCOUNTED_PART = 0.01
ACCOUNTED_KWH = 0.3


@dataclass
class Death:
    """One kill. ``back_unix_us``: when it was started again; ``linked_unix_us``, ``told_unix_us``: its charger's link and
    first set-point after that.
    """

    killed_unix_us: int
    back_unix_us: int = 0
    linked_unix_us: int | None = None
    told_unix_us: int | None = None
    start_wall_s: float = 0.0


@dataclass
class Program:
    """Parkwatt's process. ``deaths``: of it so far."""

    around: World
    pace: MasterPace
    directory: Path
    gone: asyncio.Event
    deaths: list[Death] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it while time stands still; returns when it has done all that it does at once."""
        begun_s, loop = time.monotonic(), self.around.loop
        start_unix_us = self.around.data.start_unix_s * 1_000_000
        with loop.holding(), socket.create_server(("127.0.0.1", 0)) as listening:
            arguments = (
                *(str(self.around.site), str(listening.getsockname()[1]), str(start_unix_us)),
                str(self.directory / RESTORED),
            )
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.month_site", *arguments]
            )
            listening.setblocking(False)
            control, _ = await loop.sock_accept(listening)
        self.pace.follow(control)
        await asyncio.sleep(0.001)
        if self.deaths:
            self.deaths[-1].start_wall_s = time.monotonic() - begun_s

    async def kill(self, delay_s: float) -> None:
        """Kill it after so much of the wall's time, whatever it does then."""
        assert self.process is not None
        self.gone.clear()
        threading.Timer(delay_s, self.process.kill).start()
        await self.gone.wait()
        self.process.wait()
        self.deaths.append(Death(self.around.clock.true_unix_us()))

    async def stop(self) -> int:
        """Stop it politely; returns its exit status."""
        assert self.process is not None
        self.gone.clear()
        self.process.send_signal(signal.SIGTERM)
        await self.gone.wait()
        return self.process.wait()

    def heard(self, note: Note) -> None:
        """Note when the charger is back, and when it is told something."""
        death = self.deaths[-1] if self.deaths else None
        if death is None or not death.back_unix_us:
            return
        if note.kind == "connected" and death.linked_unix_us is None:
            death.linked_unix_us = note.at_unix_us
        elif (
            note.kind == "received"
            and death.told_unix_us is None
            and note.text.removeprefix("asked: ") in SETPOINTS
        ):
            death.told_unix_us = note.at_unix_us


def _outage_s(random: Random) -> float:
    """Mostly a restart at once, now and then a longer absence."""
    kind = random.random()
    if kind < 0.6:
        return random.uniform(1.0, 8.0)
    return random.uniform(40.0, 120.0) if kind < 0.9 else random.uniform(300.0, 1800.0)


async def _die_often(program: Program, kills: int, random: Random) -> None:
    """Kill it at moments spread over the span."""
    seconds = program.around.data.seconds
    moments_s = sorted(random.uniform(600.0, seconds - 7200.0) for _ in range(kills))
    loop = program.around.loop
    for moment_s in moments_s:
        await asyncio.sleep(max(moment_s - loop.time(), 0.0))
        await program.kill(random.uniform(0.0, 0.05))
        await asyncio.sleep(_outage_s(random))
        program.deaths[-1].back_unix_us = program.around.clock.true_unix_us()
        await program.start()


async def _month(
    directory: Path, data: MonthData, seed: int, kills: int, faults: bool, pace: MasterPace
) -> tuple[Verdict, list[Death]]:
    gone, stopping = asyncio.Event(), asyncio.Event()
    pace.on_gone = gone.set
    program: Program | None = None

    def on_note(note: Note) -> None:
        if program is not None:
            program.heard(note)

    async with world(directory, data, seed, "2.1", faults=faults, on_note=on_note) as around:
        program = Program(around, pace, directory, gone)
        await program.start()
        random = Random(seed)  # noqa: S311 the same moments in each run
        dying = asyncio.create_task(_die_often(program, kills, random))
        mishaps = mishaps_of(data, seed, clock=False) if faults else []
        left_s = data.seconds - around.loop.time()
        await around.live(left_s, stopping, mishaps)
        await dying
        status = await program.stop()
    away = [
        (one.killed_unix_us // 1_000_000, one.back_unix_us // 1_000_000) for one in program.deaths
    ]
    troubled = [*around.troubled(), *away]
    verdict = judge(around.home.truth, around.car.station, troubled)
    if status != 0:
        verdict.faults.append(f"the program ended with {status}")
    verdict.faults += verify(directory / JOURNAL).faults
    accounts = Accounts(account_settings(load_live_settings(around.site).site))
    verdict.faults += restored_faults(directory, ZONE, accounts)
    _accounted(accounts, around.home.truth, verdict)
    verdict.faults += lease_faults(around.home.truth, program.deaths)
    _times(around.home.truth, program.deaths, verdict)
    return verdict, program.deaths


def restored_faults(directory: Path, zone: ZoneInfo, accounts: Accounts) -> list[str]:
    """Where a start found another state or other accounts than the journal's fold from its very beginning, in one go.

    ``accounts``: empty; afterwards they hold the whole journal.
    """
    found = [json.loads(line) for line in (directory / RESTORED).read_text().splitlines()]
    state, faults = SiteState(), []
    entries = JournalReader(directory / JOURNAL).read()
    entry = next(entries, None)
    for start in found:
        while entry is not None and entry.seq <= start["seq"]:
            _fold(entry, state, accounts, zone)
            entry = next(entries, None)
        if digest(state) != start["digest"]:
            faults.append(
                f"after entry {start['seq']} a start found another state than the journal"
            )
        if accounts_digest(account_view(accounts)) != start["accounts"]:
            faults.append(f"after entry {start['seq']} a start found other accounts")
    while entry is not None:
        _fold(entry, state, accounts, zone)
        entry = next(entries, None)
    return faults


def _fold(entry: Entry, state: SiteState, accounts: Accounts, zone: ZoneInfo) -> None:
    if entry.kind in KINDS:
        accounts.take(entry)
    if entry.payload is not None and entry.subject == SUBJECT and entry.kind in events.KINDS:
        event = events.decode(entry.payload)
        if not isinstance(event, SiteSnapshot):
            state.apply(event, entry.recorded_unix_us, zone)


def _accounted(accounts: Accounts, truth: Truth, verdict: Verdict) -> None:
    """Hold the energy that was accounted against what physically moved."""
    energy = account_view(accounts).total.energy
    moved_kw = truth.car_kw[0].astype(float)
    true_kwh = {"charged": moved_kw.clip(0.0).sum(), "discharged": -moved_kw.clip(None, 0.0).sum()}
    for name, told_kwh in (
        ("charged", energy.charged_kwh),
        ("discharged", energy.discharged_kwh),
    ):
        moved_kwh = true_kwh[name] / 3600
        verdict.figures[f"{name}, accounted kWh"] = round(told_kwh, 2)
        verdict.figures[f"{name}, physically kWh"] = round(moved_kwh, 2)
        if abs(told_kwh - moved_kwh) > ACCOUNTED_PART * moved_kwh + ACCOUNTED_KWH:
            verdict.faults.append(
                f"{name}: accounts tell {told_kwh:.2f} kWh, there were {moved_kwh:.2f}"
            )


def lease_faults(truth: Truth, deaths: list[Death]) -> list[str]:
    """Where a car was still discharged when its lease was over and nobody was there to renew it."""
    faults = []
    for death in deaths:
        first = truth.index(death.killed_unix_us) + LEASE_DISCHARGE_S + LEASE_TOLERANCE_S
        last = truth.index(death.back_unix_us)
        discharged = (truth.car_kw[0, first:last] < -0.05).sum() if last > first else 0
        if discharged:
            at = local(death.killed_unix_us // 1_000_000)
            faults.append(f"killed at {at}: discharged for {discharged} s after its lease")
    return faults


def _times(truth: Truth, deaths: list[Death], verdict: Verdict) -> None:
    """How soon set-points came again, where a car was there to be told."""
    told_s, after_link_s = [], []
    for death in deaths:
        index = truth.index(death.back_unix_us)
        if index >= len(truth) or death.linked_unix_us is None:
            continue
        if death.told_unix_us is not None and death.told_unix_us - death.back_unix_us < 60_000_000:
            told_s.append((death.told_unix_us - death.back_unix_us) / 1e6)
            after_link_s.append((death.told_unix_us - death.linked_unix_us) / 1e6)
    figures = verdict.figures
    figures["kills"] = len(deaths)
    figures["starts after which a set-point was sent within a minute"] = len(told_s)
    figures["set-point after a start, most s"] = max(told_s, default=0.0)
    figures["set-point after the charger's link, most s"] = max(after_link_s, default=0.0)
    figures["start on the wall's clock, most s"] = max(
        (death.start_wall_s for death in deaths), default=0.0
    )
    verdict.faults += [
        f"a set-point came {late_s:.1f} s after a start" for late_s in told_s if late_s > BACK_S_MAX
    ]


def run(
    directory: Path, data: MonthData, *, seed: int, kills: int, faults: bool
) -> tuple[Verdict, list[Death]]:
    """Live through the data's span with so many kills, and judge it."""
    pace = MasterPace()
    return run_warped(_month(directory, data, seed, kills, faults, pace), pace)


def main() -> int:
    """Run and tell; 1 where a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="store_true", help="let other things go wrong, too")
    parser.add_argument("--made", action="store_true", help="made-up data in place of real ones")
    arguments = parser.parse_args()
    shared = Path(__file__).parents[3] / "shared"
    is_real = shared.is_dir() and not arguments.made
    data = month_data(shared if is_real else None, arguments.seed, arguments.days)
    directory = Path(tempfile.mkdtemp(prefix="parkwatt-month-"))
    print(f"files: {directory}; {'real' if is_real else 'made-up'} data", flush=True)  # noqa: T201
    begun_s = time.monotonic()
    verdict, _ = run(
        directory, data, seed=arguments.seed, kills=arguments.kills, faults=arguments.faults
    )
    print(f"{time.monotonic() - begun_s:.0f} s\n{verdict}")  # noqa: T201
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
