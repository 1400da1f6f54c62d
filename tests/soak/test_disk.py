"""A disk that fills up and empties again, a locked file, and a damaged byte: under load, with real processes.

One server lives through the first two with a dozen chargers, and is stopped as an operator would. What it leaves is held
against the truth of the chargers, then damaged in one byte after the other.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from parkwatt.io.store.verify import verify
from tests.app.serve.running import RunningServer, running
from tests.soak.kill import JOURNAL, SITE, Load, load, shown_faults
from tests.soak.ledger import Comparison, compare

# Its log, too, is a file that may not grow.
QUIET_SITE = SITE + '[log]\nlevel = "error"\n'
CHARGERS = 12
UNLIMITED = resource.RLIM_INFINITY
POLL_S = 0.02
DAMAGES = 300


@dataclass
class Story:
    """What happened, fault by fault: the alarms in `/health`, and how long the chargers were away after each."""

    directory: Path
    comparison: Comparison
    alarms: dict[str, str] = field(default_factory=dict)
    back_s: dict[str, float] = field(default_factory=dict)
    log: str = ""
    exit_code: int | None = None


class Trouble:
    """Brings a fault about, and watches the server through it."""

    def __init__(self, server: RunningServer, chargers: Load, patience_s: float) -> None:
        self.alarms: dict[str, str] = {}
        self.back_s: dict[str, float] = {}
        self._server = server
        self._load = chargers
        self._patience_s = patience_s

    def live_through(self, name: str, fault: Callable[[], Any]) -> None:
        """Let the fault last until no charger is let in any more, then end it and wait until all are back and well."""
        with fault():
            health = self._health(lambda shown: shown["status"] == "alarm")
            self.alarms[name] = health["alarms"][0]
            self._health(lambda shown: shown["chargers_connected"] == 0)
        ended_s = time.monotonic()
        self._health(lambda shown: shown["status"] == "ok")
        self.back_s[name] = self._load.wait_until_back(ended_s, self._patience_s)

    def _health(self, holds: Callable[[Any], bool]) -> Any:
        deadline_s = time.monotonic() + self._patience_s
        while not holds(shown := self._server.api.get("/health")):
            assert time.monotonic() < deadline_s, shown
            time.sleep(POLL_S)
        return shown


@contextmanager
def full_disk(server: RunningServer, journal: Path) -> Iterator[None]:
    """No file of the server may grow any more, as on a full disk."""
    size_bytes = journal.with_name(f"{journal.name}-wal").stat().st_size // 2
    resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (size_bytes, UNLIMITED))
    try:
        yield
    finally:
        resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))


@contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Another process, this one, holds the lock to write."""
    connection = sqlite3.connect(journal, isolation_level=None, timeout=10.0)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, time_unit_s: float) -> Story:
    directory = tmp_path_factory.mktemp("disk")
    patience_s = 60.0 * time_unit_s
    journal = directory / JOURNAL
    with (
        running(QUIET_SITE, directory, patience_s) as server,
        load(server.ocpp_url, directory, count=CHARGERS, seed=2, reconnect_s=0.5) as chargers,
    ):
        chargers.wait_until_back(0.0, patience_s)
        trouble = Trouble(server, chargers, patience_s)
        trouble.live_through("full", lambda: full_disk(server, journal))
        trouble.live_through("locked", lambda: locked(journal))
        chargers.finish(patience_s)
        shown = shown_faults(server, directory)
        exit_code = server.stop()
        comparison = compare(journal, directory)
        comparison.faults.extend(shown)
        return Story(
            directory, comparison, trouble.alarms, trouble.back_s, server.output, exit_code
        )


def test_the_alarm_says_what_is_wrong(story: Story) -> None:
    assert "SQLITE_FULL" in story.alarms["full"] or "SQLITE_IOERR" in story.alarms["full"]
    assert "SQLITE_BUSY" in story.alarms["locked"]
    assert story.log.count("ALARM: nothing is acknowledged") >= 2
    assert story.exit_code == 0


def test_nothing_acknowledged_is_lost_and_all_come_back(story: Story) -> None:
    sys.stdout.write(f"{story.comparison}\nalarms {story.alarms}\nback after {story.back_s}\n")
    assert story.comparison.faults == []
    assert story.comparison.acknowledged > 200
    assert story.comparison.resent > 0
    assert max(story.back_s.values()) < 10.0, story.back_s


def test_any_damaged_byte_is_noticed(story: Story) -> None:
    journal = story.directory / JOURNAL
    assert verify(journal).sealed
    assert verify(journal).faults == ()
    files = sorted(journal.parent.glob(f"{journal.name}*"))
    assert len(files) > 2, "the journal, its head and a snapshot"
    random = Random(3)  # noqa: S311 the same bytes in each run
    for count in range(DAMAGES):
        # Three quarters of the bytes in the journal, the others beside it.
        path = journal if count % 4 else random.choice(files)
        whole = path.read_bytes()
        offset = random.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[offset] ^= random.randrange(1, 256)
        path.write_bytes(damaged)
        assert verify(journal).faults, f"{path.name}: byte {offset} of {len(whole)}"
        path.write_bytes(whole)
    assert verify(journal).faults == ()
