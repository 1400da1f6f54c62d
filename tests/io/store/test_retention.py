"""Retention thins telemetry and nothing else, and what is left verifies and accounts alike."""

import sqlite3
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.event import (
    ChargerEvent,
    CommandAnswered,
    CommandSent,
    MeterRead,
    NoticeReceived,
    SetpointAsked,
    TransactionReported,
    decode,
    encode,
    is_telemetry,
    kind,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import THINNED, Note
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import Measured, SetpointDecided
from parkwatt.io.store.database import reading
from parkwatt.io.store.retention import thin
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.io.store.verify import verify

START_UNIX_US = 1_700_000_100_000_000  # a quarter of an hour begins
MINUTE_US = 60_000_000
FOR_EVER_UNIX_US = 2**62


def note(subject: str, minute: int, event: ChargerEvent) -> Note:
    unix_us = START_UNIX_US + minute * MINUTE_US
    return Note(unix_us, kind(event), subject, encode(event), is_telemetry(event))


def report(phase: str, minute: int, energy_kwh: float, evse_id: int = 1) -> TransactionReported:
    return TransactionReported(
        transaction_id=f"t{evse_id}",
        phase=phase,  # type: ignore[arg-type]
        evse_id=evse_id,
        seq_no=minute,
        measured_unix_us=START_UNIX_US + minute * MINUTE_US,
        periodic=phase == "updated",
        readings=(MeterReading(energy_import_kwh=energy_kwh),),
    )


def folded(journal: SqliteJournal) -> dict[str, float | None]:
    """The energy of each transaction, from what is left."""
    state = ChargerState("c")
    for entry in journal.read():
        if entry.payload is not None and entry.kind != THINNED:
            state.apply(decode(entry.payload), entry.recorded_unix_us)
    return {key: t.imported_kwh for key, t in state.transactions.items()}


def test_of_each_quarter_hour_the_first_and_the_last_stay(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    journal.append([note("c", 0, report("started", 0, 0.0))])
    journal.append([note("c", m, report("updated", m, m * 0.1)) for m in range(1, 45)])
    journal.append([note("c", 45, report("ended", 45, 4.5))]).result()
    before = folded(journal)
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 44 - 6
    left = [e.seq - 1 for e in journal.read() if e.payload is not None and e.kind != THINNED]
    assert left == [0, 1, 14, 15, 29, 30, 44, 45]
    assert folded(journal) == before
    journal.append([note("c", 46, report("started", 46, 0.0, evse_id=2))]).result()
    assert verify(journal.path).thinned_count == 38
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 0
    journal.close()
    assert verify(journal.path).faults == ()


def test_young_entries_stay(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    journal.append([note("c", m, report("updated", m, m * 0.1)) for m in range(30)]).result()
    assert thin(journal, START_UNIX_US + 15 * MINUTE_US, now_unix_us=1) == 13
    assert all(entry.payload is not None for entry in journal.read(after_seq=14))
    journal.close()


def test_interval_energies_and_what_cannot_be_read_stay(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    summed = MeterRead(evse_id=1, readings=(MeterReading(energy_import_interval_kwh=0.1),))
    journal.append([note("c", 0, summed)] * 10)
    journal.append([Note(START_UNIX_US, "meter.read", "c", b"{", telemetry=True)] * 10).result()
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 0
    journal.close()


def test_streams_are_thinned_and_other_notices_stay(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    raw = msgspec.Raw(b"{}")
    for action in ("NotifyPeriodicEventStream", "NotifyDERAlarm"):
        notice = NoticeReceived(action, raw)
        journal.append([note("c", minute, notice) for minute in range(10)]).result()
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 8
    kept = [
        decode(entry.payload) for entry in journal.read() if entry.payload and entry.kind != THINNED
    ]
    assert [notice.action for notice in kept if isinstance(notice, NoticeReceived)].count(
        "NotifyDERAlarm"
    ) == 10
    journal.close()
    assert verify(journal.path).faults == ()


def test_set_points_that_follow_a_meter_are_thinned_with_their_messages(tmp_path: Path) -> None:
    """What was asked for otherwise stays, and so does what was refused."""

    def step(minute: int) -> list[Note]:
        following, raw = minute % 7 != 0, msgspec.Raw(b"{}")
        command = SetPower(1, -1.0 - minute, 30, "the house", following=following)
        update = "UpdateDynamicSchedule"
        status = "Rejected" if minute == 5 else "Accepted"
        return [
            note("c", minute, SetpointAsked(command)),
            note("c", minute, CommandSent(f"m{minute}", update, raw, "setpoint", "", following)),
            note("c", minute, CommandAnswered(f"m{minute}", update, status, following=following)),
        ]

    journal = SqliteJournal(tmp_path / "journal")
    for minute in range(15):
        journal.append(step(minute)).result()
    thin(journal, FOR_EVER_UNIX_US, now_unix_us=1)
    left = [e.seq - 1 for e in journal.read() if e.payload is not None and e.kind != THINNED]
    kept = [0, 1, 7, 13, 14]
    assert [seq // 3 for seq in left if seq % 3 == 0] == kept
    assert [seq // 3 for seq in left if seq % 3 == 1] == kept
    assert [seq // 3 for seq in left if seq % 3 == 2] == [0, 1, 5, 7, 13, 14]
    verify(journal.path)
    journal.close()


def test_a_sites_set_points_that_follow_are_thinned_and_its_decisions_and_minutes_stay(
    tmp_path: Path,
) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    seen: list[Note] = []
    for minute in range(15):
        unix_us = START_UNIX_US + minute * MINUTE_US
        for event in (
            SetpointDecided("c", 1, "car", -1.0, -1.0, 30, "as planned", following=minute != 7),
            SetpointDecided("d", 1, "other", -1.0, -1.0, 30, "as planned", following=True),
            Measured(unix_us // 1_000_000, 60, grid_kw=0.0),
        ):
            telemetry = site_event.is_telemetry(event)
            payload = site_event.encode(event)
            seen.append(
                Note(unix_us, site_event.kind(event), site_event.SUBJECT, payload, telemetry)
            )
    journal.append(seen).result()
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 12 + 13
    left = [e.seq - 1 for e in journal.read() if e.payload is not None and e.kind != THINNED]
    assert [seq // 3 for seq in left if seq % 3 == 0] == [0, 7, 14]
    assert [seq // 3 for seq in left if seq % 3 == 1] == [0, 14]
    assert [seq // 3 for seq in left if seq % 3 == 2] == list(range(15))
    journal.close()
    assert verify(journal.path).faults == ()


def test_the_room_is_used_again(tmp_path: Path) -> None:
    """Thinning makes free pages, not holes."""
    journal = SqliteJournal(tmp_path / "journal")
    readings = (MeterReading(energy_import_kwh=1.0, current_a=(1.0,) * 100),)
    event = MeterRead(evse_id=1, readings=readings)
    journal.append([note("c", i // 300, event) for i in range(3000)]).result()
    assert thin(journal, FOR_EVER_UNIX_US, now_unix_us=1) == 2998
    with reading(journal.path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    assert free > 0.6 * pages
    journal.append([note("c", 20, event) for i in range(1000)]).result()
    with reading(journal.path) as connection:
        assert connection.execute("PRAGMA page_count").fetchone()[0] == pages
    journal.close()
    assert verify(journal.path).faults == ()


def test_a_payload_may_be_gone_only_where_retention_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    journal.append([note("c", m, report("updated", m, m * 0.1)) for m in range(15)]).result()
    thin(journal, FOR_EVER_UNIX_US, now_unix_us=1)
    journal.append([note("c", 16, report("updated", 16, 2.0))]).result()
    drop = "UPDATE entry SET payload = NULL, payload_digest = zeroblob(32) WHERE seq = 17"

    def damage(connection: sqlite3.Connection) -> None:
        connection.execute(drop)

    journal.ask(damage).result()
    journal.close()
    assert verify(journal.path).faults == (
        "entry 17: its payload is missing, and no retention says why",
    )


EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans(), st.floats(0, 5)),
    min_size=1,
    max_size=120,
)


@settings(max_examples=25)
@given(EVENTS, st.sampled_from([60, 300, 900]))
def test_energy_and_chain_survive_any_thinning(
    tmp_path_factory: object, rows: list[tuple[int, int, bool, float]], keep_every_s: int
) -> None:
    """With registers that sometimes restart, several connection points, and other entries in between."""
    folder = tmp_path_factory.mktemp("thin")  # type: ignore[attr-defined]
    journal = SqliteJournal(folder / "journal")
    registers_kwh = {1: 0.0, 2: 0.0, 3: 0.0}
    minute = 0
    notes = [note("c", 0, report("started", 0, 0.0, evse)) for evse in registers_kwh]
    for index, minutes, restarts, energy_kwh in rows:
        minute += minutes + 1
        evse_id = index + 1
        start_kwh = 0.0 if restarts and energy_kwh < 1 else registers_kwh[evse_id]
        registers_kwh[evse_id] = start_kwh + energy_kwh
        notes.append(note("c", minute, report("updated", minute, registers_kwh[evse_id], evse_id)))
    journal.append(notes).result()
    before = folded(journal)
    thin(journal, FOR_EVER_UNIX_US, now_unix_us=1, keep_every_s=keep_every_s)
    after = folded(journal)
    journal.close()
    assert verify(journal.path).faults == ()
    for key, energy_kwh_before in before.items():
        assert after[key] is not None
        assert abs((after[key] or 0) - (energy_kwh_before or 0)) < 1e-9
