"""`parkwatt virtual` as a user runs it: options, output, truth and a clean end."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from parkwatt.app.cli import main
from parkwatt.app.virtual.arguments import add_arguments, station_settings
from parkwatt.io.sim.settings import Trip

COMMAND = [sys.executable, "-m", "parkwatt.app.cli", "virtual"]
ANSWERS = {
    "BootNotification": {
        "currentTime": "2026-01-01T00:00:00Z",
        "interval": 60,
        "status": "Accepted",
    },
    "Authorize": {"idTokenInfo": {"status": "Accepted"}},
    "NotifyEVChargingNeeds": {"status": "Accepted"},
}


@pytest.fixture
def url() -> Iterator[str]:
    """A back end that says yes to all."""

    def handle(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            for frame in connection:
                parts: list[Any] = json.loads(frame)
                if parts[0] == 2:
                    connection.send(json.dumps([3, parts[1], ANSWERS.get(parts[2], {})]))

    with serve(handle, "127.0.0.1", 0, subprotocols=["ocpp2.1"]) as server:  # type: ignore[list-item]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["--url", "ws://localhost", *options])


def test_it_tells_in_words_writes_the_truth_and_ends_on_an_interrupt(
    url: str, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    options = ["--url", url, "--count", "2", "--speed", "60", "--truth", str(truth), "--control"]
    with subprocess.Popen(
        [*COMMAND, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        lines = []
        charging: set[str] = set()
        for line in process.stdout:
            lines.append(line)
            if "Charging" in line and len(charging) < 2:
                charging.add("CP-1-2" if "CP-1-2" in line else "CP-1")
                if len(charging) == 2:
                    process.stdin.write("unplug\n")
                    process.stdin.flush()
            if sum("ended (" in told for told in lines) == 2:
                break
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (0, "")
    written = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    ended = {line["station"]: line for line in written if line["kind"] == "transaction_ended"}
    assert set(ended) == {"CP-1", "CP-1-2"}
    assert all(line["import_wh"] > 0 for line in ended.values())


def test_all_faults_of_the_options_come_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["--count", "0", "--soc", "2", "--trip", "7-8", "--speed", "0"]
    assert main(["virtual", "--url", "ws://localhost", *wrong]) == 2
    error = capsys.readouterr().err
    for option in ("--count", "--soc", "--trip", "--speed"):
        assert f"{option}: must" in error


@pytest.mark.parametrize(
    "wrong",
    [
        ["--url", "http://x"],
        ["--url", "ws://x", "--fault", "nonsense"],
        ["--url", "wss://x", "--ca", "missing.pem"],
    ],
)
def test_bad_input_is_told_in_a_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["virtual", *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_options_become_settings() -> None:
    first, second = station_settings(
        parsed("--count", "2", "--dc", "--trip", "07:30-17:15=8.5", "--lenient", "--token", "")
    )
    assert (first.id, second.id) == ("CP-1", "CP-1-2")
    assert first.car.trips == (Trip(27_000, 62_100, 8.5),)
    assert first.is_dc
    assert first.id_token is None
    assert not first.strict_transfer
    assert first.seed != second.seed
