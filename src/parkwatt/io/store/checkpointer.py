"""Checkpoints that no commit waits for.

SQLite's own checkpoint would run inside whichever commit finds the log long, and sync the whole database there. Here a
thread of its own copies the bulk while the writer goes on; the writer then copies only the few pages that came meanwhile,
after which SQLite begins the log anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from parkwatt.domain.journal import JournalClosed
from parkwatt.io.store import database
from parkwatt.io.store.alarm import Alarm
from parkwatt.io.store.database import Job
from parkwatt.io.store.writer import reason

_ALARM_SOURCE = "checkpoint"


class Checkpointer:
    """A thread that copies the log when `wake` says that much was written. ``ask``: does a job in the writer's thread."""

    def __init__(self, path: Path, ask: Callable[[Job], Future[None]], alarm: Alarm) -> None:
        self._path = path
        self._ask = ask
        self._alarm = alarm
        self._wanted = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="journal-checkpoint", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Much was written since."""
        self._wanted.set()

    def stop(self) -> None:
        """End the thread, after the checkpoint that it may be at."""
        self._stopped = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopped:
                return
            try:
                self._checkpoint()
            except JournalClosed:
                return
            except (sqlite3.Error, OSError) as error:
                self._alarm.set(_ALARM_SOURCE, f"the journal's log grows: {reason(error)}")
            else:
                self._alarm.set(_ALARM_SOURCE, None)

    def _checkpoint(self) -> None:
        connection = database.open_for_writing(self._path)
        try:
            database.checkpoint(connection)
            self._ask(_finish).result()
        finally:
            connection.close()


def _finish(connection: sqlite3.Connection) -> None:
    database.checkpoint(connection)
