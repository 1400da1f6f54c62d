"""The runner and its journal: a restart goes on where it was, and nothing is acknowledged or commanded that is not durable."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.journal import JournalClosed, Note
from parkwatt.domain.site.event import SNAPSHOT, SUBJECT, PricesReceived, SourceChanged
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.store.reader import JournalReader
from parkwatt.io.store.sqlite_journal import SqliteJournal
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import encode_state
from tests.app.api.live_served import SayingCharger
from tests.site.live.world import BEGIN_UNIX_S, US, evening_tariff, site_settings, storage

_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)


def _settings() -> SiteSettings:
    car = CarSettings(storage=storage(), charger_id="CP-1", wishes=_HOME, charger_discharges=True)
    return site_settings(_HOME, evening_tariff(), cars=(car,))


@dataclass
class Ran:
    """A runner with a real journal and back end; the test moves its clock."""

    runner: SiteRunner
    backend: Backend
    journal: SqliteJournal
    charger: SayingCharger
    clock: list[int]

    @property
    def state(self) -> msgspec.Raw:
        """All that the site knows."""
        return encode_state(self.runner.controller.state)

    async def durable(self) -> None:
        """Wait until all that happened is in the journal."""
        async with asyncio.timeout(20):
            while self.journal.backlog or not self.backend.is_settled:
                await asyncio.sleep(0.002)

    async def live(self, seconds: float, *, step_s: float = 5.0, grid_kw: float = 1.5) -> None:
        """Step for so long; a meter tells the same each time."""
        for _ in range(round(seconds / step_s)):
            self.clock[0] += round(step_s * US)
            self.runner.on_reading({"grid_kw": grid_kw, "grid_unix_us": self.clock[0]})
            self.runner.step()
            await asyncio.sleep(0)
        await self.planned()

    async def planned(self) -> None:
        """Wait for a plan that is being made."""
        async with asyncio.timeout(60):
            while self.runner._planning is not None:
                await asyncio.sleep(0.005)

    def commands(self) -> int:
        """How many set-points the charger was sent."""
        return sum(
            frame[0] == 2 and frame[2] == "SetChargingProfile" for frame in self.charger.frames
        )


Story = Callable[[Ran], Awaitable[None]]


def _run(directory: Path, story: Story, *, notes_max: int = 200_000) -> msgspec.Raw:
    """Run a story on the journal in a folder; returns the state at its end."""

    async def run() -> msgspec.Raw:
        clock = [_after(directory) + US]
        journal = SqliteJournal(directory / "journal.sqlite", notes_max=notes_max)
        journal.post_with(asyncio.get_running_loop().call_soon_threadsafe)
        backend = Backend(
            journal=journal,
            settings_of=lambda _: ChargerSettings(),
            clock=lambda: clock[0],
            listener=lambda charger_id, happened, _: runner.on_charger(charger_id, happened),
        )
        runner = SiteRunner(_settings(), backend, journal, lambda: clock[0])
        backend.restore()
        runner.restore(JournalReader(journal.path))
        charger = SayingCharger(backend, "CP-1", lambda: clock[0])
        ran = Ran(runner, backend, journal, charger, clock)
        try:
            await story(ran)
            if not journal.alarm:
                await ran.durable()
            return ran.state
        finally:
            await backend.close()
            journal.close()

    return asyncio.run(run())


def _after(directory: Path) -> int:
    """The time of the journal's last entry, or the beginning."""
    path = directory / "journal.sqlite"
    if not path.exists():
        return BEGIN_UNIX_S * US
    last = BEGIN_UNIX_S * US
    for entry in JournalReader(path).read():
        last = max(last, entry.recorded_unix_us)
    return last


def _restored(directory: Path) -> msgspec.Raw:
    """The state that a restart finds."""
    found: list[msgspec.Raw] = []

    async def look(ran: Ran) -> None:
        found.append(ran.state)

    _run(directory, look)
    return found[0]


async def _an_evening(ran: Ran) -> None:
    """A car comes and is driven; its driver wishes this and that; prices come and a source goes."""
    ran.charger.connect()
    await ran.charger.plug_in(0.6)
    await ran.live(1000)
    await ran.runner.ask_departure(
        "car", Departure(BEGIN_UNIX_S + 40_000, "asked", target_soc=0.9), origin="api"
    )
    smart = msgspec.structs.replace(_HOME, mode="smart")
    await ran.runner.set_wishes("car", smart, until_departure=True, origin="api")
    ran.runner.on_event(PricesReceived("import.day_ahead", "x", BEGIN_UNIX_S, 3600, (0.1, None)))
    ran.runner.on_event(SourceChanged("meter.grid", ok=False, reason="silent"))
    await ran.live(1500)
    await ran.runner.tell_soc("car", 0.62, ran.clock[0], origin="api")
    await ran.live(60)


def test_a_restart_finds_the_state_that_was(tmp_path: Path) -> None:
    at_end = _run(tmp_path, _an_evening)
    assert _restored(tmp_path) == at_end


def test_a_restart_goes_on_and_finds_that_too(tmp_path: Path) -> None:
    _run(tmp_path, _an_evening)

    async def leave(ran: Ran) -> None:
        ran.charger.connect()
        await ran.live(120)
        ran.charger.leave()
        await ran.live(300)

    at_end = _run(tmp_path, leave)
    assert b'"stays":[' in bytes(at_end)
    assert _restored(tmp_path) == at_end


def test_a_snapshot_is_kept_each_day_and_used(tmp_path: Path) -> None:
    async def days(ran: Ran) -> None:
        ran.charger.connect()
        await ran.live(2.5 * 86_400, step_s=900.0)

    at_end = _run(tmp_path, days)
    reader = JournalReader(tmp_path / "journal.sqlite")
    snapshots = [entry for entry in reader.read(subject=SUBJECT) if entry.kind == SNAPSHOT]
    assert len(snapshots) == 2
    apart_s = (snapshots[1].recorded_unix_us - snapshots[0].recorded_unix_us) / US
    assert apart_s == pytest.approx(86_400)
    assert _restored(tmp_path) == at_end
    folded: list[int] = []

    async def count(ran: Ran) -> None:
        folded.append(ran.runner.restore(JournalReader(ran.journal.path)))

    _run(tmp_path, count)
    entries = list(reader.read(after_seq=snapshots[1].seq, subject=SUBJECT))
    assert folded == [len(entries)]


class _Locked:
    """Another program that holds the journal's file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        """Let it go."""
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_a_wish_is_acknowledged_when_it_is_durable_and_not_before(tmp_path: Path) -> None:
    async def story(ran: Ran) -> None:
        ran.charger.connect()
        await ran.durable()
        locked = _Locked(ran.journal.path)
        wishes = msgspec.structs.replace(_HOME, mode="off")
        asked = asyncio.create_task(
            ran.runner.set_wishes("car", wishes, until_departure=False, origin="api")
        )
        await asyncio.sleep(0.4)
        assert not asked.done()
        locked.release()
        async with asyncio.timeout(20):
            await asked
        kinds = [entry.kind for entry in JournalReader(ran.journal.path).read(subject=SUBJECT)]
        assert kinds[-1] == "wish.set"

    _run(tmp_path, story)


def test_while_the_journal_is_locked_no_charger_is_told_anything(tmp_path: Path) -> None:
    async def story(ran: Ran) -> None:
        ran.charger.connect()
        await ran.charger.plug_in(0.6)
        await ran.live(60)
        await ran.durable()
        locked = _Locked(ran.journal.path)
        told = ran.commands()
        off = msgspec.structs.replace(_HOME, mode="now")
        asked = asyncio.create_task(
            ran.runner.set_wishes("car", off, until_departure=False, origin="api")
        )
        await ran.live(60)
        await asyncio.sleep(0.3)
        assert ran.commands() == told
        locked.release()
        async with asyncio.timeout(20):
            await asked
        await ran.live(30)
        await ran.durable()
        await asyncio.sleep(0.05)
        assert ran.commands() > told

    at_end = _run(tmp_path, story)
    assert _restored(tmp_path) == at_end


def test_a_full_journal_is_an_alarm_and_what_happened_then_is_not_lost(tmp_path: Path) -> None:
    async def story(ran: Ran) -> None:
        ran.charger.connect()
        await ran.charger.plug_in(0.6)
        await ran.live(120)
        await ran.durable()
        locked = _Locked(ran.journal.path)
        told = ran.commands()
        # The queue is full: nothing more is taken.
        filler = Note(ran.clock[0], "journal.filler", "filler", b"{}")
        for _ in range(60 - ran.journal.backlog):
            ran.journal.append([filler])
        wishes = msgspec.structs.replace(_HOME, mode="now")
        with pytest.raises(ParkwattError):
            await ran.runner.set_wishes("car", wishes, until_departure=False, origin="api")
        assert ran.runner.controller.cars[0].wishes.mode == "home", "what was refused does not hold"
        await ran.live(1000)
        assert ran.commands() == told
        (alarm,) = ran.runner.snapshot().alarms
        assert "nothing is decided" in alarm
        locked.release()
        async with asyncio.timeout(20):
            while ran.journal.backlog:
                await asyncio.sleep(0.01)
        await ran.live(60)
        await ran.durable()
        await asyncio.sleep(0.05)
        assert ran.runner.snapshot().alarms == ()
        assert ran.commands() > told

    at_end = _run(tmp_path, story, notes_max=60)
    assert _restored(tmp_path) == at_end


def test_a_wish_to_a_journal_that_is_closed_is_refused(tmp_path: Path) -> None:
    async def story(ran: Ran) -> None:
        ran.journal.close()
        with pytest.raises(JournalClosed):
            await ran.runner.set_wishes("car", _HOME, until_departure=False, origin="api")

    _run(tmp_path, story)


def test_the_same_news_is_written_once(tmp_path: Path) -> None:
    async def story(ran: Ran) -> None:
        for _ in range(5):
            ran.runner.on_event(SourceChanged("meter.grid", ok=True))
            ran.runner.on_event(SourceChanged("prices", ok=False, reason="down"))
        ran.runner.on_event(SourceChanged("prices", ok=True))

    _run(tmp_path, story)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM entry WHERE kind = 'source.changed'"
        ).fetchone()
    assert count == 2
