"""The back end under load: messages a second against the `ocpp` package's central system, durable ones, many chargers.

The server has one core and the chargers (`ocpp_load.generator`) the other; where there are not two, both share what there is.
Durable figures use a folder beside the repository's temporary files: their disk decides them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.harness import Figure

_ROOT = Path(__file__).parent.parent
_SECONDS = 6.0
_ROUNDS = 3


def figures() -> list[Figure]:
    """Measures throughput, then ten thousand chargers."""
    return [*_throughput(), *_starts(), *_many()]


def _cores() -> tuple[set[int], set[int]]:
    """Cores for the server and for the chargers."""
    cores = sorted(os.sched_getaffinity(0))
    return ({cores[-1]}, {cores[0]}) if len(cores) > 1 else (set(cores), set(cores))


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server:
    """A server in a process of its own, pinned to its core."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, line: str) -> dict[str, float]:
        """One of the server's words, see `ocpp_load.server`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def _process(module: str, argument: str, cores: set[int]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, argument],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.sched_setaffinity(process.pid, cores)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _server(**settings: Any) -> Iterator[_Server]:
    port = _free_port()
    cores = settings.pop("cores", _cores()[0])
    argument = json.dumps({"port": port, **settings})
    with _process("benchmarks.ocpp_load.server", argument, cores) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield _Server(process, port)


@contextmanager
def _stranger() -> Iterator[int]:
    port = _free_port()
    with _process("benchmarks.ocpp_load.stranger", str(port), _cores()[0]) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield port


class _Chargers:
    """A generator that runs: `up` once all are connected, `result` at the end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> dict[str, float]:
        """The next line it prints."""
        assert self._process.stdout is not None
        said: dict[str, float] = json.loads(self._process.stdout.readline())
        return said

    def go(self) -> None:
        """Let it begin, where it waits."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


@contextmanager
def _chargers(port: int, **settings: Any) -> Iterator[_Chargers]:
    argument = json.dumps({"port": port, **settings})
    with _process("benchmarks.ocpp_load.generator", argument, _cores()[1]) as process:
        yield _Chargers(process)


def _load(port: int, **settings: Any) -> dict[str, float]:
    with _chargers(port, **settings) as chargers:
        chargers.line()
        return chargers.line()


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return sorted(rounds, key=lambda figures: figures["per_s"])[len(rounds) // 2]


def _throughput() -> list[Figure]:
    """Updates of a transaction with six sampled values, 1,000 chargers, each asks again when it is answered."""
    load = {"links": 1000, "mode": "updates", "seconds": _SECONDS}
    theirs, ours = [], []
    for _ in range(_ROUNDS):
        with _stranger() as port:
            theirs.append(_load(port, **load))
        with _server() as server:
            ours.append(_load(server.port, **load))
    with (
        TemporaryDirectory(dir=_ROOT) as directory,
        _server(directory=directory, cores=_all_cores()) as server,
    ):
        durable = _load(server.port, **load)
    their, our = _median(theirs), _median(ours)
    baseline = f"central system of the ocpp package, {their['per_s']:.0f}/s"
    return [
        Figure(
            "TransactionEvents, nothing stored, one core",
            our["per_s"],
            "/s",
            baseline,
            our["per_s"] / their["per_s"],
        ),
        Figure(
            "TransactionEvents, durable before the answer, two cores",
            durable["per_s"],
            "/s",
            "CitrineOS 1.8.3 with PostgreSQL, 181/s (docs/concepts/backend.md)",
            durable["per_s"] / 181.0,
        ),
        Figure("TransactionEvents, durable: p99 of the answer", durable["p99_ms"], "ms", "", None),
    ]


def _all_cores() -> set[int]:
    return _cores()[0] | _cores()[1]


def _starts() -> list[Figure]:
    """Ten thousand transactions that start at the same moment, each durable before it is answered."""
    with TemporaryDirectory(dir=_ROOT) as directory, _server(directory=directory) as server:
        result = _load(server.port, links=10_000, mode="starts", seconds=60)
    return [
        Figure("10,000 starts at once: answered", result["answers"], "of 10000", "", None),
        Figure("10,000 starts at once: until the last answer", result["took_s"], "s", "", None),
        Figure("10,000 starts at once: errors", result["errors"], "", "", None),
    ]


def _many() -> list[Figure]:
    """Ten thousand chargers that report every minute, and one set-point to all of them."""
    found = []
    with TemporaryDirectory(dir=_ROOT) as directory, _server(directory=directory) as server:
        before = server.ask("memory")["memory_mb"]
        settings = {
            "links": 10_000,
            "mode": "updates",
            "seconds": 60.0,
            "pause_s": 60.0,
            "warm_s": 10.0,
            "wait_for_line": True,
        }
        with _chargers(server.port, **settings) as chargers:
            up = chargers.line()
            memory = server.ask("memory")["memory_mb"] - before
            found.append(Figure("10,000 chargers: until all are up", up["up_s"], "s", "", None))
            found.append(
                Figure("memory per charger, connected", 1024.0 * memory / up["up"], "kB", "", None)
            )
            chargers.go()
            result = chargers.line()
            found.append(
                Figure("10,000 chargers, values every 60 s: p99", result["p99_ms"], "ms", "", None)
            )
    return [*found, *_fan()]


def _fan() -> list[Figure]:
    """One set-point to ten thousand chargers that charge, each command journalled before it leaves."""
    with (
        TemporaryDirectory(dir=_ROOT) as directory,
        _server(directory=directory) as server,
        _chargers(server.port, links=10_000, mode="fan") as chargers,
    ):
        chargers.line()
        chargers.line()
        asked = server.ask("setpoint 7.0")
        result = chargers.line()
    return [
        Figure("set-point to 10,000 chargers: decided", asked["asked_s"], "s", "", None),
        Figure("set-point to 10,000 chargers: received by", result["calls"], "of 10000", "", None),
        Figure(
            "set-point to 10,000 chargers: first to last received",
            result["calls_spread_s"],
            "s",
            "",
            None,
        ),
    ]
