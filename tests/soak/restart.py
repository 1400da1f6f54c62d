"""How long a server takes to start on a long journal: `python -m tests.soak.restart --entries 200000`.

Without a snapshot it folds every entry, as after a crash with the snapshots lost; with the one that a clean stop leaves, none.
Beside the time by the clock stands the processor's, which does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.event import Booted, ChargerEvent, Connected, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.journal import Note
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.app.serve.running import RunningServer
from tests.soak.kill import JOURNAL, SITE

BATCH = 2000
REPORTS = 60
SECOND_US = 1_000_000


def notes(chargers: int) -> Iterator[Note]:
    """The life of so many chargers without an end: transactions one after the other, a report each second."""
    now_unix_us = time.time_ns() // 1000 - 10 * 86_400 * SECOND_US
    names = [f"CP-{number:03}" for number in range(chargers)]

    def note(name: str, event: ChargerEvent) -> Note:
        kind, payload = events.kind(event), events.encode(event)
        return Note(now_unix_us, kind, name, payload, events.is_telemetry(event))

    for name in names:
        yield note(name, Connected("ocpp2.1", 2, "192.0.2.1:50000"))
        yield note(name, Booted("Vendor", "Model", firmware_version="1.0"))
    for report in itertools.count():
        now_unix_us += SECOND_US
        number, seq_no = divmod(report, REPORTS)
        phase = "started" if seq_no == 0 else "ended" if seq_no == REPORTS - 1 else "updated"
        reading = MeterReading(
            now_unix_us, power_kw=11.0, energy_import_kwh=0.003 * report, energy_export_kwh=0.0
        )
        for name in names:
            yield note(
                name,
                TransactionReported(
                    f"{name}-{number}",
                    phase,  # type: ignore[arg-type]
                    1,
                    1,
                    seq_no,
                    "MeterValuePeriodic",
                    now_unix_us,
                    periodic=phase == "updated",
                    charging_state="charging",
                    readings=(reading,),
                ),
            )


def write(path: Path, count: int, chargers: int) -> None:
    """A journal of so many entries."""
    path.parent.mkdir(mode=0o700, parents=True)
    journal = SqliteJournal(path)
    wanted = itertools.islice(notes(chargers), count)
    while batch := list(itertools.islice(wanted, BATCH)):
        journal.append(batch).result()
    journal.close()


def processor_s(process_id: int) -> float:
    """The processor time that a process has taken so far (Linux)."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Write the journal, start the server on it in both ways, tell the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--chargers", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkwatt-restart-") as directory:
        site = Path(directory, "site.toml")
        site.write_text(SITE, encoding="utf-8")
        write(site.parent / JOURNAL, arguments.entries, arguments.chargers)
        begun_s = time.monotonic()
        server = RunningServer(site, 600.0)
        folded = (time.monotonic() - begun_s, processor_s(server.process_id))
        server.stop()
        begun_s = time.monotonic()
        server.start()
        restored = (time.monotonic() - begun_s, processor_s(server.process_id))
        server.stop()
    for name, (clock_s, busy_s) in (("without a snapshot", folded), ("with one", restored)):
        sys.stdout.write(
            f"{arguments.entries} entries of {arguments.chargers} chargers, {name}: the server listens "
            f"after {clock_s:.2f} s, of which {busy_s:.2f} s of the processor\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
