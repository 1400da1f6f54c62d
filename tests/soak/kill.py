"""Kills a server under load again and again, and holds its journal against the truth of its chargers.

`python -m tests.soak.kill --times 500 --seed 1` is the long run, `tests/soak/test_kill.py` a short one. Each kill comes up to
0.4 s after the last charger is back; every fourth one is followed by another while the chargers are still coming back. Every
second one stops the server for a moment first, so that messages are certainly on their way to it when it dies.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from parkwatt.app.api.client import ServerRefusedError, ServerUnreachableError
from parkwatt.domain.errors import ParkwattError
from tests.app.serve.running import RunningServer, running
from tests.soak.chargers import TRANSACTIONS_FILE
from tests.soak.ledger import Comparison, compare, tolerance_wh

SITE = """\
[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true
[api]
listen = "127.0.0.1:0"
[charger_defaults]
discharge = true
negative_limit = true
meter_interval_s = 1
"""
DELAY_S_MAX = 0.4
EARLY_SHARE = 0.25
# Chargers tell of their meters every second of theirs, 5 of which pass in one: some of them do within this time.
STOPPED_S = 0.3
BACK_S_MAX = 10.0
JOURNAL = Path("site-data", "journal.sqlite")
POLL_S = 0.005


class Load:
    """The process with the chargers, and when each of their links came up last."""

    def __init__(
        self, url: str, directory: Path, *, count: int, seed: int, speed: float, reconnect_s: float
    ) -> None:
        self.count = count
        self.up_s: dict[str, float] = {}
        words = {
            "--url": url,
            "--directory": directory,
            "--count": count,
            "--seed": seed,
            "--speed": speed,
            "--reconnect-s": reconnect_s,
        }
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.soak.chargers"),
                *(str(word) for pair in words.items() for word in pair),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            state, _, charger_id = line.strip().partition(" ")
            if state == "up":
                self.up_s[charger_id] = time.monotonic()

    def wait_until_back(self, since_s: float, timeout_s: float) -> float:
        """Wait until every charger has a link that is newer than that; returns the seconds from then to the last one."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            back = [up_s for up_s in list(self.up_s.values()) if up_s > since_s]
            if len(back) == self.count:
                return max(back) - since_s
            assert self._process.poll() is None, "the chargers' process ended"
            assert time.monotonic() < deadline_s, f"only {len(back)} of {self.count} came back"
            time.sleep(POLL_S)

    def finish(self, timeout_s: float) -> None:
        """End all transactions, wait until everything is acknowledged, and let the truth be written."""
        assert self._process.stdin is not None
        self._process.stdin.write("calm\n")
        self._process.stdin.flush()
        assert self._process.wait(timeout_s) == 0

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@contextlib.contextmanager
def load(
    url: str,
    directory: Path,
    *,
    count: int,
    seed: int,
    speed: float = 5.0,
    reconnect_s: float = 1.0,
) -> Iterator[Load]:
    """A load on the server at ``url`` that ends with the context."""
    running_load = Load(
        url, directory, count=count, seed=seed, speed=speed, reconnect_s=reconnect_s
    )
    try:
        yield running_load
    finally:
        running_load.close()


@dataclass
class Outcome:
    """What a run showed. ``back_s``: after each kill that let them, from the kill to the last charger's return."""

    comparison: Comparison
    kills: int
    early_kills: int
    back_s: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    verified: str = ""
    replayed: str = ""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.early_kills} of them before all were back; {self.comparison}\n"
            f"chargers back after a kill: median {statistics.median(self.back_s):.2f} s, "
            f"at most {max(self.back_s):.2f} s; server listens after a kill: median "
            f"{statistics.median(self.start_s):.2f} s, at most {max(self.start_s):.2f} s\n"
            f"{self.verified}\n{self.replayed}"
        )


class Run:
    """One run: a server, its load, and the chance that says when to kill."""

    def __init__(self, server: RunningServer, chargers: Load, random: Random) -> None:
        self._server = server
        self._load = chargers
        self._random = random
        self.kills_unix_us: list[int] = []
        self.early_kills = 0
        self.back_s: list[float] = []
        self.start_s: list[float] = []

    def kill(self, timeout_s: float) -> None:
        """Work for a random while, kill, start again, and now and then kill that one before all chargers are back."""
        self._work(self._random.uniform(0.0, DELAY_S_MAX))
        if len(self.kills_unix_us) % 2 == 0:
            self._server.suspend()
            time.sleep(STOPPED_S)
        killed_s = self._kill_and_start()
        if self._random.random() < EARLY_SHARE:
            time.sleep(self._random.uniform(0.0, DELAY_S_MAX))
            self.early_kills += 1
            killed_s = self._kill_and_start()
        self.back_s.append(self._load.wait_until_back(killed_s, timeout_s))

    def _work(self, seconds: float) -> None:
        """Ask for set-points meanwhile, so that there are decisions to replay."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            charger_id = self._random.choice(sorted(self._load.up_s))
            wish = {"power_kw": round(self._random.uniform(-6.0, 9.0), 1), "lease_s": 30}
            with contextlib.suppress(ServerRefusedError, ServerUnreachableError):
                path = f"/v1/chargers/{charger_id}/evses/1/setpoint"
                self._server.api.send("PUT", path, wish)
            time.sleep(min(0.05, max(0.0, left_s)))

    def _kill_and_start(self) -> float:
        killed_s = time.monotonic()
        self._server.kill()
        self.kills_unix_us.append(time.time_ns() // 1000)
        self._server.start()
        self.start_s.append(time.monotonic() - killed_s)
        return killed_s


def run(
    directory: Path,
    *,
    times: int,
    seed: int,
    count: int,
    speed: float = 5.0,
    reconnect_s: float = 1.0,
    time_unit_s: float = 1.0,
    tell_every: int = 0,
) -> Outcome:
    """Kill ``times`` times, then let all chargers finish and compare. ``tell_every``: print the progress so often."""
    patience_s = 60.0 * time_unit_s
    random = Random(seed)  # noqa: S311 the same moments in each run
    with (
        running(SITE, directory, patience_s) as server,
        load(
            server.ocpp_url,
            directory,
            count=count,
            seed=seed,
            speed=speed,
            reconnect_s=reconnect_s,
        ) as chargers,
    ):
        chargers.wait_until_back(0.0, patience_s)
        killing = Run(server, chargers, random)
        while len(killing.kills_unix_us) < times:
            before = len(killing.kills_unix_us)
            killing.kill(patience_s)
            done = len(killing.kills_unix_us)
            if tell_every and done // tell_every > before // tell_every:
                _say(
                    f"{done} kills; the last one kept a charger away for {killing.back_s[-1]:.2f} s"
                )
        chargers.finish(20 * patience_s)  # much is queued while the server is down so often
        shown = shown_faults(server, directory)
        assert server.stop() == 0
        journal = directory / JOURNAL
        comparison = compare(journal, directory, killing.kills_unix_us)
        comparison.faults.extend(shown)
        verify_code, verified = parkwatt("journal", "verify", str(journal))
        replay_code, replayed = parkwatt("replay", str(server.site))
        if verify_code or replay_code:
            comparison.faults.extend([verified, replayed])
        return Outcome(
            comparison,
            len(killing.kills_unix_us),
            killing.early_kills,
            killing.back_s,
            killing.start_s,
            verified,
            replayed,
        )


def parkwatt(*words: str) -> tuple[int, str]:
    """The exit code of a command of the command line, and the last line that it prints."""
    program = Path(sys.executable).with_name("parkwatt")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()[-1]


def shown_faults(server: RunningServer, directory: Path) -> list[str]:
    """Where what the API shows is not what happened."""
    truth = {
        (
            known["station"],
            known["transaction"] if known["csms_id"] is None else str(known["csms_id"]),
        ): known
        for known in json.loads((directory / TRANSACTIONS_FILE).read_text())
    }
    faults = []
    for charger_id in {station for station, _ in truth}:
        for shown in server.api.get(f"/v1/chargers/{charger_id}/transactions"):
            known = truth.get((charger_id, shown["transaction_id"]))
            if known is None:
                faults.append(f"shown, and never happened: {shown}")
                continue
            for direction in ("import", "export"):
                shown_wh = (shown[f"{direction}ed_kwh"] or 0.0) * 1000
                if abs(shown_wh - known[f"{direction}_wh"]) > tolerance_wh(known, direction):
                    faults.append(f"shown {shown}, in truth {known}")
    return faults


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run and tell; 1 where anything was lost, counted twice or wrong, or a charger was not back in time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chargers", type=int, default=16)
    parser.add_argument("--speed", type=float, default=5.0)
    parser.add_argument("--reconnect-s", type=float, default=1.0)
    parser.add_argument("--keep", action="store_true", help="keep the files of a good run, too")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="parkwatt-soak-"))
    _say(f"files: {directory}")
    outcome = run(
        directory,
        times=arguments.times,
        seed=arguments.seed,
        count=arguments.chargers,
        speed=arguments.speed,
        reconnect_s=arguments.reconnect_s,
        tell_every=25,
    )
    _say("\n".join([str(outcome), *outcome.comparison.faults[:20]]))
    is_good = not outcome.comparison.faults and max(outcome.back_s) <= BACK_S_MAX
    if is_good and not arguments.keep:
        shutil.rmtree(directory)
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ParkwattError as error:
        sys.exit(str(error))
