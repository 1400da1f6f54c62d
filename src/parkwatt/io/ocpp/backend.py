"""The back end: all stations, their links and the journal, on one event loop.

Nothing is acknowledged before it is durable (`outbox`). While the journal cannot write (a full disk), frames wait; when that
lasts, links are closed and none is let in, because a charger without a link keeps what it has to report, and one that waits for
an answer gives up on it. A restart folds the newest snapshot (`cut`) and the entries after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.command import Approved, SetPower
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import Entry, Journal, JournalDamaged
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.cut import CUT_VERSION, read_cut
from parkwatt.io.ocpp.fold import Fold
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.outbox import Outbox
from parkwatt.io.ocpp.session.inbound import CertificateOffice
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.slot import MESSAGE_CHARACTERS_MAX, Outlet, Slot
from parkwatt.io.ocpp.snapshots import ENTRIES_A_SNAPSHOT, Snapshots
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version

# A charger asks one thing at a time; one that sends on without its answers gets its link closed, and keeps its queue.
WITHHELD_FRAMES_MAX = 64
# How long answers may wait for the journal before links are closed.
ALARM_PATIENCE_US = 5_000_000
TRY_AGAIN_LATER = 1013
# How long a stop waits for the journal.
CLOSE_S = 10.0

Listener = Callable[[str, Sequence[ChargerEvent], int], None]


@dataclass(slots=True)
class Counts:
    """What metrics show. ``frames_in``, ``frames_out``: messages; ``entries``: events that became durable."""

    frames_in: int = 0
    frames_out: int = 0
    entries: int = 0
    links_closed_for_alarm: int = 0
    snapshots_failed: int = 0


class Backend:
    """All chargers of a site or a fleet.

    ``journal``: None keeps nothing, for measurements; its callbacks have to come in the loop's thread. ``settings_of``: a
    charger's settings by its id. ``clock``: µs since 1970 UTC, never going back. ``listener``: told of each step's events as
    they happen, before they are durable, with the charger's id.
    """

    def __init__(
        self,
        *,
        journal: Journal | None,
        settings_of: Callable[[str], ChargerSettings],
        clock: Callable[[], int],
        office: CertificateOffice | None = None,
        listener: Listener | None = None,
        entries_a_snapshot: int = ENTRIES_A_SNAPSHOT,
    ) -> None:
        self._counts = Counts()
        self._journal = journal
        self._settings_of = settings_of
        self._clock = clock
        self._office = office
        self._listener = listener
        self._slots: dict[str, Slot] = {}
        self._outbox: Outbox | None = None
        self._snapshots: Snapshots | None = None
        if journal is not None:
            self._snapshots = Snapshots(journal, self._slots, entries_a_snapshot)
            self._outbox = Outbox(journal, clock, self._snapshots.handed, self._snapshots.durable)
        self._awaited: dict[str, asyncio.Future[Answer]] = {}
        self._asked_count = 0
        self._ticking: set[str] = set()
        self._due_unix_us: int | None = None
        self._due_sooner = asyncio.Event()
        self._alarm_unix_us: int | None = None
        self._run_id = f"{clock() // 1000:x}"

    # What is known.

    @property
    def counts(self) -> Counts:
        """What went in and out so far."""
        counts = replace(self._counts)
        if self._outbox is not None and self._snapshots is not None:
            counts.entries = self._outbox.entries
            counts.frames_out += self._outbox.frames
            counts.snapshots_failed = self._snapshots.failed_count
        return counts

    @property
    def charger_ids(self) -> list[str]:
        """Every charger that was ever heard of."""
        return sorted(self._slots)

    @property
    def connected_count(self) -> int:
        """How many have a link."""
        return sum(slot.outlet is not None for slot in self._slots.values())

    @property
    def withholding(self) -> bool:
        """Whether no link should be let in: the journal has not been able to write for a while, or has stood still."""
        if self._outbox is not None and self._outbox.waits_s * 1e6 > ALARM_PATIENCE_US:
            return True
        alarm_unix_us = self._alarm_unix_us
        return alarm_unix_us is not None and self._clock() - alarm_unix_us > ALARM_PATIENCE_US

    @property
    def is_settled(self) -> bool:
        """Whether all that happened is durable and answered."""
        return self._outbox is None or self._outbox.is_empty

    def station(self, charger_id: str) -> Station | None:
        """A charger that was heard of."""
        slot = self._slots.get(charger_id)
        return None if slot is None else slot.station

    def last_messages(self, charger_id: str) -> list[tuple[int, bool, str]]:
        """The newest frames of a charger, oldest first: when, whether sent, how it began."""
        slot = self._slots.get(charger_id)
        return [] if slot is None else slot.last_messages()

    # Life.

    def restore(self) -> int:
        """Fold the journal; returns the number of entries read. Chargers that had a link when it stopped have none now.

        Raises JournalDamaged where an entry cannot be read as what it says it is.
        """
        if self._journal is None or self._snapshots is None:
            return 0
        after_seq, folds = self._newest_snapshot(self._journal)
        count = 0
        for entry in self._journal.read(after_seq=after_seq):
            count += 1
            self._fold(folds, entry)
        self._snapshots.entries_since = count
        for charger_id, fold in folds.items():
            settings = self._settings_of(charger_id)
            station = Station(fold.state, settings, office=self._office, ladder=fold.ladder)
            self._slots[charger_id] = Slot(charger_id, station)
        now_unix_us = self._clock()
        for slot in self._slots.values():
            step = slot.station.disconnect("Parkwatt was stopped", now_unix_us)
            self._take(slot, step, now_unix_us)
        return count

    def _newest_snapshot(self, journal: Journal) -> tuple[int, dict[str, Fold]]:
        """The number of its last entry, and the chargers then; without a usable one all is folded from the beginning."""
        snapshot = journal.snapshot()
        if snapshot is None or snapshot.version != CUT_VERSION:
            return 0, {}
        try:
            kept = read_cut(snapshot.payload)
            folds = {
                charger_id: charger.fold(self._settings_of(charger_id))
                for charger_id, charger in kept.items()
            }
        except msgspec.MsgspecError:
            return 0, {}
        return snapshot.seq, folds

    def _fold(self, folds: dict[str, Fold], entry: Entry) -> None:
        if entry.payload is None or entry.kind not in events.KINDS:
            return
        fold = folds.get(entry.subject)
        if fold is None:
            ladder = Ladder(self._settings_of(entry.subject))
            fold = folds[entry.subject] = Fold(ChargerState(entry.subject), ladder)
        try:
            event = events.decode(entry.payload)
        except msgspec.MsgspecError as error:
            raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error
        fold.take(event, entry.recorded_unix_us)

    async def close(self) -> None:
        """End all links, journal what is left, keep a snapshot. What cannot be written within 10 s is given up."""
        for slot in list(self._slots.values()):
            self._hang_up(slot, 1001, "Parkwatt stops")
        if self._journal is None or self._outbox is None or self._snapshots is None:
            return
        self._outbox.flush()
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + CLOSE_S
        while not self._outbox.is_empty and loop.time() < ends_s:
            await asyncio.sleep(0.005)
        if self._outbox.is_empty and self._journal.last_seq:
            await self._snapshots.close(self._journal.last_seq)

    # Links.

    def opened(
        self, charger_id: str, outlet: Outlet, version: Version, security_profile: int, peer: str
    ) -> None:
        """A link was let in; one that the charger had before is over."""
        slot = self._touched(charger_id)
        if slot is None:
            station = Station(
                ChargerState(charger_id), self._settings_of(charger_id), office=self._office
            )
            slot = self._slots[charger_id] = Slot(charger_id, station)
        self._hang_up(slot, 1000, "a new link took its place")
        slot.outlet = outlet
        slot.link_count += 1
        now_unix_us = self._clock()
        prefix = f"{self._run_id}-{slot.link_count}-"
        step = slot.station.connect(version, security_profile, peer, now_unix_us, prefix=prefix)
        self._take(slot, step, now_unix_us)

    def received(self, charger_id: str, outlet: Outlet, data: str | bytes) -> None:
        """A frame came."""
        slot = self._slots[charger_id]
        if slot.outlet is not outlet:
            return
        if self._snapshots is not None and self._snapshots.cut is not None:
            self._snapshots.cut.keep(charger_id)
        self._counts.frames_in += 1
        now_unix_us = self._clock()
        slot.recent.append((now_unix_us, False, data[:MESSAGE_CHARACTERS_MAX]))
        self._take(slot, slot.station.receive(data, now_unix_us), now_unix_us)

    def closed(self, charger_id: str, outlet: Outlet, reason: str) -> None:
        """The link is gone."""
        slot = self._touched(charger_id)
        if slot is None or slot.outlet is not outlet:
            return
        slot.outlet = None
        now_unix_us = self._clock()
        self._take(slot, slot.station.disconnect(reason, now_unix_us), now_unix_us)

    def _hang_up(self, slot: Slot, code: int, reason: str) -> None:
        """End a link, if there is one."""
        outlet, slot.outlet = slot.outlet, None
        if outlet is None:
            return
        self._touched(slot.charger_id)
        outlet.close(code, reason)
        now_unix_us = self._clock()
        self._take(slot, slot.station.disconnect(reason, now_unix_us), now_unix_us)

    # Commands.

    def command(self, approved: Approved) -> bool:
        """Send what the guard let pass; False where the charger was never heard of.

        Raises TypeError for anything else, InputError for what cannot be meant.
        """
        if not isinstance(approved, Approved):
            raise TypeError(f"only what the guard approved is sent, not {approved!r}")
        slot = self._touched(approved.charger_id)
        if slot is None:
            return False
        now_unix_us = self._clock()
        command = approved.command
        if isinstance(command, SetPower):
            step = slot.station.set_power(command, now_unix_us)
        else:
            step = slot.station.release_power(command, now_unix_us)
        self._take(slot, step, now_unix_us)
        return True

    def forget_rung(self, charger_id: str, evse_id: int) -> bool:
        """Let a charger prove anew what it can; False where it was never heard of."""
        slot = self._touched(charger_id)
        if slot is None:
            return False
        now_unix_us = self._clock()
        self._take(slot, slot.station.forget_rung(evse_id, now_unix_us), now_unix_us)
        return True

    async def call(self, charger_id: str, call: Call) -> Answer:
        """Send one call and wait for what comes of it: an answer, or why there is none."""
        slot = self._touched(charger_id)
        if slot is None:
            return Answer(call, error="Disconnected", description="no such charger was heard of")
        self._asked_count += 1
        tag = f"asked-{self._asked_count}"
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._awaited[tag] = future
        try:
            now_unix_us = self._clock()
            step = slot.station.send(replace(call, tag=tag), now_unix_us)
            self._take(slot, step, now_unix_us)
            return replace(await future, call=call)
        finally:
            self._awaited.pop(tag, None)

    async def wait_for_due(self, least_s: float, most_s: float) -> None:
        """Wait until `sweep` has something to do, at least and at most so long; the least while the journal is awaited."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        while True:
            is_troubled = self._alarm_unix_us is not None or not self.is_settled
            wait_s = begun_s + most_s - loop.time()
            due_unix_us = self._clock() if is_troubled else self._due_unix_us
            if due_unix_us is not None:
                due_s = (due_unix_us - self._clock()) / 1e6
                wait_s = min(wait_s, max(due_s, begun_s + least_s - loop.time()))
            if wait_s <= 0.0:
                return
            self._due_sooner.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._due_sooner.wait()

    def sweep(self) -> None:
        """Let time pass where something waits for it. To be called a few times a second, or after `wait_for_due`."""
        now_unix_us = self._clock()
        self._due_unix_us = None
        for charger_id in list(self._ticking):
            slot = self._slots[charger_id]
            due_unix_us = slot.station.next_tick_unix_us
            if due_unix_us is None:
                self._ticking.discard(charger_id)
            elif due_unix_us <= now_unix_us:
                self._touched(charger_id)
                self._take(slot, slot.station.tick(now_unix_us), now_unix_us)
            else:
                self._note_due(due_unix_us)
        if self.withholding:
            for slot in self._slots.values():
                self._counts.links_closed_for_alarm += slot.outlet is not None
                self._hang_up(slot, TRY_AGAIN_LATER, "Parkwatt cannot store what you report")

    def alarmed(self, alarm: str | None) -> None:
        """The journal began to fail (``alarm`` says how), or works again (None)."""
        if alarm is None:
            self._alarm_unix_us = None
        elif self._alarm_unix_us is None:
            self._alarm_unix_us = self._clock()
            self._due_sooner.set()

    # Steps on their way.

    def _touched(self, charger_id: str) -> Slot | None:
        """The place of a charger that is about to change; None where it was never heard of."""
        if self._snapshots is not None and self._snapshots.cut is not None:
            self._snapshots.cut.keep(charger_id)
        return self._slots.get(charger_id)

    def _take(self, slot: Slot, step: Step, now_unix_us: int) -> None:
        """Journal a step's events, then send its frames."""
        if step.answers:
            self._resolve(step.answers)
        due_unix_us = slot.station.next_tick_unix_us
        if due_unix_us is not None:
            self._ticking.add(slot.charger_id)
            self._note_due(due_unix_us)
        if step.events and self._listener is not None:
            self._listener(slot.charger_id, step.events, now_unix_us)
        if self._outbox is not None and (step.events or (slot.undurable and step.frames)):
            self._outbox.put(slot, step, now_unix_us)
            if slot.withheld > WITHHELD_FRAMES_MAX:
                self._hang_up(slot, TRY_AGAIN_LATER, "too much was sent before it was answered")
        elif slot.outlet is not None:
            self._counts.frames_out += len(step.frames)
            for frame in step.frames:
                slot.send(frame, now_unix_us)
        if step.fault is not None:
            self._report(slot, step.fault)

    def _note_due(self, due_unix_us: int) -> None:
        if self._due_unix_us is None or due_unix_us < self._due_unix_us:
            self._due_unix_us = due_unix_us
            self._due_sooner.set()

    def _resolve(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            future = self._awaited.get(answer.call.tag) if answer.call.tag else None
            if future is not None and not future.done():
                future.set_result(answer)

    def _report(self, slot: Slot, fault: Exception) -> None:
        """A programming error goes where the loop's own go."""
        context = {"message": f"a message of {slot.charger_id} was not handled", "exception": fault}
        asyncio.get_running_loop().call_exception_handler(context)
