"""The back end on a real journal: what it holds back, what a restart knows, and what it does when nothing can be written."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from parkwatt.domain.charger.command import Approved, SetPower
from parkwatt.domain.charger.event import Disconnected, TransactionReported
from parkwatt.domain.errors import InputError
from parkwatt.domain.journal import JournalDamaged, Note
from parkwatt.io.ocpp.backend import TRY_AGAIN_LATER, WITHHELD_FRAMES_MAX
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.made_backend import Charger, Site

RESET = Call("Reset", {"type": "Immediate"}, "hand", "a test")
Run = Callable[[Callable[[Site], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a story on a site of its own."""

    def start(story: Callable[[Site], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            site = Site(tmp_path)
            try:
                await story(site)
                assert not site.faults
            finally:
                site.journal.close()

        asyncio.run(whole())

    return start


async def _charging(site: Site, name: str = "C1") -> Charger:
    """A charger with a transaction, with nothing left to say."""
    charger = Charger(site, name)
    charger.connect()
    charger.begin()
    await _heard_out(site, charger)
    return charger


async def _heard_out(site: Site, charger: Charger) -> None:
    for _ in range(60):
        await site.settle()
        if not (charger.queue or charger.replies):
            return
        charger.speak()
    raise AssertionError("it is never done")


def test_nothing_is_acknowledged_before_it_is_durable(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        charger.update()
        before = site.journal.last_seq
        charger.speak()
        assert not charger.acknowledged[1:]
        assert site.journal.last_seq == before
        await site.settle()
        assert len(charger.acknowledged) == 2
        assert site.journal.last_seq > before

    run(story)


def test_a_repeated_report_waits_for_the_first_one_also_over_a_new_link(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        charger.update()
        charger.speak()
        charger.drop()
        charger.connect(boot=False)
        charger.speak()
        assert len(charger.acknowledged) == 1
        await site.settle()
        assert len(charger.acknowledged) == 2
        reports = [e for e in site.events("C1") if isinstance(e, TransactionReported)]
        assert len(reports) == 2

    run(story)


def test_answers_keep_the_order_of_what_was_asked(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        charger.frames.clear()
        charger.update()
        charger.speak()
        charger.say('[2,"beat","Heartbeat",{}]')
        assert not charger.frames
        await site.settle()
        assert [frame.split(b'"')[1] for frame in charger.frames] == [
            charger.acknowledged[-1].encode(),
            b"beat",
        ]

    run(story)


def test_a_charger_that_does_not_wait_for_answers_loses_its_link(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        charger.update()
        charger.speak()
        for number in range(WITHHELD_FRAMES_MAX + 5):
            charger.say(f'[2,"{number}","Heartbeat",{{}}]')
        assert charger.codes == [TRY_AGAIN_LATER]
        await site.settle()
        assert site.backend.connected_count == 0
        assert len(charger.acknowledged) == 1

    run(story)


def test_a_new_link_takes_the_place_of_the_old(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        old = charger.outlet
        charger.connect()
        assert charger.codes == [1000]
        assert old is not None
        site.backend.received("C1", old, '[2,"late","Heartbeat",{}]')
        site.backend.closed("C1", old, "late")
        await site.settle()
        assert site.backend.connected_count == 1
        assert not any(b'"late"' in frame for frame in charger.frames)

    run(story)


def test_a_restart_keeps_leases_and_says_that_links_are_gone(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        site.backend.command(Approved("C1", SetPower(1, 6.0, 300, "a test")))
        await _heard_out(site, charger)
        charger.cut_off()
        site.crash()
        site.start()
        await site.settle()
        assert site.restored > 0
        assert site.events("C1")[-1] == Disconnected("Parkwatt was stopped")
        station = site.backend.station("C1")
        assert station is not None
        assert not station.state.connected
        assert station.state.open_transaction(1) is not None
        wanted = station.ladder.memory.evses[1].wanted
        assert wanted is not None
        assert wanted.power_kw == 6.0
        charger.connect(boot=False)
        charger.update()
        await _heard_out(site, charger)
        assert charger.power_kw == pytest.approx(6.0)

    run(story)


def test_a_lease_lapses_while_the_charger_is_away(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        site.backend.command(Approved("C1", SetPower(1, 6.0, 60, "a test")))
        await _heard_out(site, charger)
        charger.cut_off()
        site.crash()
        site.start()
        site.pass_s(61.0)
        await site.settle()
        station = site.backend.station("C1")
        assert station is not None
        assert station.ladder.memory.evses[1].wanted is None
        assert "setpoint.released" in {entry.kind for entry in site.entries("C1")}

    run(story)


def test_a_stop_keeps_a_snapshot_that_a_start_goes_on_from(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        await site.stop()
        assert charger.codes == [1001]
        site.start()
        assert site.restored == 0
        station = site.backend.station("C1")
        assert station is not None
        assert station.state.open_transaction(1) is not None

    run(story)


def test_an_entry_that_is_not_what_it_says_stops_the_start(run: Run) -> None:
    async def story(site: Site) -> None:
        note = Note(site.now_unix_us, "meter.read", "C1", b'{"kind":"meter.read"}')
        await asyncio.wrap_future(site.journal.append([note]))
        with pytest.raises(JournalDamaged, match=r"entry 1 is no meter\.read"):
            site.backend.restore()

    run(story)


def test_a_call_is_answered_whatever_becomes_of_the_charger(run: Run) -> None:
    async def story(site: Site) -> None:
        unknown = await site.backend.call("nobody", RESET)
        assert unknown.error == "Disconnected"
        charger = await _charging(site)
        charger.silent = True
        first = asyncio.ensure_future(site.backend.call("C1", RESET))
        second = asyncio.ensure_future(site.backend.call("C1", RESET))
        await asyncio.sleep(0)
        charger.drop()
        answers = [await first, await second]
        assert [answer.error for answer in answers] == ["Disconnected"] * 2
        assert all(answer.call == RESET for answer in answers)
        absent = await site.backend.call("C1", RESET)
        assert absent.error == "Disconnected"

    run(story)


def test_a_call_by_hand_waits_its_turn_and_is_bounded(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        calls = [asyncio.ensure_future(site.backend.call("C1", RESET)) for _ in range(40)]
        for _ in range(80):
            await asyncio.sleep(0)
            await site.settle()
            if charger.replies:
                charger.speak()
        answers = [await call for call in calls]
        refused = [answer for answer in answers if answer.error == "Unsendable"]
        assert 0 < len(refused) < 10
        assert {answer.error for answer in answers} == {"Unsendable", "NotSupported"}

    run(story)


def test_a_set_point_that_cannot_be_meant_changes_nothing(run: Run) -> None:
    async def story(site: Site) -> None:
        await _charging(site)
        before = site.journal.last_seq
        with pytest.raises(InputError, match="power_kw"):
            site.backend.command(Approved("C1", SetPower(1, float("nan"), 60, "a test")))
        assert not site.backend.command(Approved("nobody", SetPower(1, 1.0, 60, "a test")))
        for unapproved in (SetPower(1, 1.0, 60, "a test"), ("C1", SetPower(1, 1.0, 60, "a test"))):
            with pytest.raises(TypeError, match="approved"):
                site.backend.command(unapproved)  # type: ignore[arg-type]
        await site.settle()
        assert site.journal.last_seq == before

    run(story)


def test_last_messages_show_no_password(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = Charger(site, "C1", Version.V16)
        charger.connect()
        await _heard_out(site, charger)
        payload = {"key": "AuthorizationKey", "value": "733t"}
        call = Call("ChangeConfiguration", payload, "hand", "a test")
        asking = asyncio.ensure_future(site.backend.call("C1", call))
        await asyncio.sleep(0)
        await _heard_out(site, charger)
        await asking
        assert any(b"733t" in frame for frame in charger.frames)
        assert "733t" not in str(site.backend.last_messages("C1"))
        assert not any(b"733t" in (entry.payload or b"") for entry in site.entries())

    run(story)


def test_a_disk_that_is_full_loses_nothing(run: Run) -> None:
    """A writer that holds the database stands for a disk that takes nothing: the journal's alarm is the same."""

    async def story(site: Site) -> None:
        charger = await _charging(site)
        holder = sqlite3.connect(site.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        charger.update()
        charger.speak()
        async with asyncio.timeout(20):
            while not site.alarms:
                await asyncio.sleep(0.01)
        site.pass_s(4.0)
        assert charger.codes == []
        site.pass_s(1.1)
        assert charger.codes == [TRY_AGAIN_LATER]
        assert site.backend.withholding
        assert site.backend.counts.links_closed_for_alarm == 1
        site.pass_s(1.0)
        assert charger.codes == [TRY_AGAIN_LATER]
        assert len(charger.acknowledged) == 1
        holder.execute("ROLLBACK")
        holder.close()
        async with asyncio.timeout(20):
            while site.alarms[-1] is not None:
                await asyncio.sleep(0.01)
        await site.settle()
        assert not site.backend.withholding
        charger.connect(boot=False)
        await _heard_out(site, charger)
        reports = [e for e in site.events("C1") if isinstance(e, TransactionReported)]
        assert [report.seq_no for report in reports] == [0, 1]
        assert len(charger.acknowledged) == 2

    run(story)


def test_what_the_journal_has_no_room_for_waits_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        site = Site(tmp_path, notes_max=1)
        try:
            chargers = [await _charging(site, f"C{number}") for number in range(3)]
            for _ in range(5):
                for charger in chargers:
                    charger.update()
                    charger.speak()
                await asyncio.sleep(0)
            for charger in chargers:
                await _heard_out(site, charger)
                reports = [
                    event.seq_no
                    for event in site.events(charger.charger_id)
                    if isinstance(event, TransactionReported)
                ]
                assert reports == list(range(6))
            assert not site.faults
        finally:
            site.journal.close()

    asyncio.run(story())


def test_a_programming_error_is_reported_and_answered(run: Run) -> None:
    async def story(site: Site) -> None:
        charger = await _charging(site)
        station = site.backend.station("C1")
        assert station is not None
        station.state.transactions = None  # type: ignore[assignment]
        charger.update()
        charger.speak()
        await site.settle()
        assert b"InternalError" in charger.frames[-1]
        assert [type(fault) for fault in site.faults] == [AttributeError]
        site.faults.clear()

    run(story)


def test_a_journal_of_another_time_opens(tmp_path: Path) -> None:
    """A snapshot that cannot be read is none: all is folded from the beginning."""

    async def story() -> None:
        site = Site(tmp_path)
        await _charging(site)
        await site.stop()
        for snapshot in tmp_path.glob("*snapshot*"):
            if snapshot.is_file():
                snapshot.write_bytes(b"\0" * 100)
            else:
                for file in snapshot.iterdir():
                    file.write_bytes(b"\0" * 100)
        site.start()
        station = site.backend.station("C1")
        assert station is not None
        assert station.state.open_transaction(1) is not None
        assert site.restored == site.journal.last_seq
        site.journal.close()

    asyncio.run(story())
