"""The back end: all stations, their links and the journal, on one event loop.

Nothing is acknowledged before it is durable. What a loop turn brings, from however many chargers, is appended to the journal
at once (group commit); each step's frames wait for their events, and a later frame to the same charger waits behind them,
also one without events: the answer to a repeated report says that the first one is safe. While the journal cannot write (a full
disk), frames wait; when that lasts, links are closed and none is let in, because a charger without a link keeps what it has
to report, and one that waits for an answer gives up on it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.charger.event import ChargerEvent, Disconnected
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.journal import Entry, Journal, JournalFull, Note, Snapshot
from parkwatt.io.ocpp.call import Answer, Call
from parkwatt.io.ocpp.secrets import SECRET_NAMES
from parkwatt.io.ocpp.session.inbound import CertificateOffice
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version

SNAPSHOT_VERSION = 1
ENTRIES_A_SNAPSHOT = 20_000
# A charger asks one thing at a time; one that sends on without its answers gets its link closed, and keeps its queue.
WITHHELD_FRAMES_MAX = 64
# How long answers may wait for the journal before links are closed.
ALARM_PATIENCE_US = 5_000_000
TRY_AGAIN_LATER = 1013
RETRY_S = 0.05
# Of each charger, for a look at what it is doing; the journal has what counts.
MESSAGES_REMEMBERED = 12
MESSAGE_CHARACTERS_MAX = 300

Listener = Callable[[str, Sequence[ChargerEvent], int], None]


class Outlet(Protocol):
    """Where a charger's frames go: the part of a link that the back end needs."""

    def send(self, frame: bytes) -> None:
        """Send a frame, or drop it where the link is closed."""

    def close(self, code: int, reason: str) -> None:
        """End the link."""


class _Kept(msgspec.Struct):
    """A snapshot's content."""

    chargers: dict[str, ChargerState]
    ladders: dict[str, msgspec.Raw]


@dataclass(slots=True)
class _Slot:
    """A charger's place: its station, its link, and how much of its waits for the journal."""

    station: Station
    outlet: Outlet | None = None
    link_count: int = 0
    undurable: int = 0
    withheld: int = 0
    recent: deque[tuple[int, bool, str | bytes]] = field(
        default_factory=lambda: deque(maxlen=MESSAGES_REMEMBERED)
    )


@dataclass(slots=True)
class _Batch:
    """What goes to the journal together, and the frames that wait for it."""

    notes: list[Note] = field(default_factory=list)
    releases: list[tuple[_Slot, Outlet | None, list[bytes]]] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """What metrics show. ``frames_in``, ``frames_out``: messages; ``entries``: events that became durable."""

    frames_in: int = 0
    frames_out: int = 0
    entries: int = 0
    links_refused: int = 0
    links_closed_for_alarm: int = 0


class Backend:
    """All chargers of a site or a fleet.

    ``journal``: None keeps nothing, for measurements. ``settings_of``: a charger's settings by its id. ``clock``: µs since
    1970 UTC. ``listener``: told of each step's events once they are durable, with the charger's id.
    """

    def __init__(
        self,
        *,
        journal: Journal | None,
        settings_of: Callable[[str], ChargerSettings],
        clock: Callable[[], int],
        office: CertificateOffice | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.counts = Counts()
        self._journal = journal
        self._settings_of = settings_of
        self._clock = clock
        self._office = office
        self._listener = listener
        self._slots: dict[str, _Slot] = {}
        self._batch = _Batch()
        self._flush_due = False
        self._in_flight: list[_Batch] = []
        self._snapshots: deque[asyncio.Future[None]] = deque(maxlen=4)
        self._awaited: dict[str, asyncio.Future[Answer]] = {}
        self._asked_count = 0
        self._entries_since_snapshot = 0
        self._ticking: set[str] = set()
        self._alarm_unix_us: int | None = None
        self._run_id = f"{clock() // 1000:x}"

    # What is known.

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
        """Whether no link should be let in: the journal has not been able to write for a while."""
        return (
            self._alarm_unix_us is not None
            and self._clock() - self._alarm_unix_us > ALARM_PATIENCE_US
        )

    def station(self, charger_id: str) -> Station | None:
        """A charger that was heard of."""
        slot = self._slots.get(charger_id)
        return None if slot is None else slot.station

    def last_messages(self, charger_id: str) -> list[tuple[int, bool, str]]:
        """The newest frames of a charger, oldest first: when, whether sent, how it began."""
        slot = self._slots.get(charger_id)
        if slot is None:
            return []
        return [
            (time, sent, data if isinstance(data, str) else data.decode(errors="replace"))
            for time, sent, data in slot.recent
        ]

    # Life.

    def restore(self) -> int:
        """Fold the journal; returns the number of entries read. Chargers that had a link when it stopped have none now."""
        if self._journal is None:
            return 0
        after_seq, count = 0, 0
        snapshot = self._journal.snapshot()
        if snapshot is not None and snapshot.version == SNAPSHOT_VERSION:
            kept = msgspec.json.decode(snapshot.payload, type=_Kept)
            for charger_id, state in kept.chargers.items():
                station = self._slot(charger_id, state).station
                if charger_id in kept.ladders:
                    station.ladder.restore(bytes(kept.ladders[charger_id]))
            after_seq = snapshot.seq
        for entry in self._journal.read(after_seq=after_seq):
            count += 1
            self._fold(entry)
        self._entries_since_snapshot = count
        now_unix_us = self._clock()
        for charger_id, slot in self._slots.items():
            if slot.station.state.connected:
                gone = Disconnected("Parkwatt was stopped")
                slot.station.fold(gone, now_unix_us)
                self._take(charger_id, slot, Step(events=[gone]), now_unix_us)
        return count

    def _fold(self, entry: Entry) -> None:
        if entry.payload is None or entry.kind not in events.KINDS:
            return
        event = events.decode(entry.payload)
        self._slot(entry.subject).station.fold(event, entry.recorded_unix_us)

    async def close(self) -> None:
        """End all links, journal what is left, keep a snapshot."""
        now_unix_us = self._clock()
        for charger_id, slot in self._slots.items():
            if slot.outlet is not None:
                slot.outlet.close(1001, "Parkwatt stops")
                slot.outlet = None
                step = slot.station.disconnect("Parkwatt stopped", now_unix_us)
                self._take(charger_id, slot, step, now_unix_us)
        self._flush(snapshot=True)
        while self._in_flight or self._batch.notes:
            await asyncio.sleep(0.005)
        await asyncio.gather(*self._snapshots)

    # Links.

    def opened(
        self, charger_id: str, outlet: Outlet, version: Version, security_profile: int, peer: str
    ) -> None:
        """A link was let in; one that the charger had before is over."""
        slot = self._slot(charger_id)
        if slot.outlet is not None:
            slot.outlet.close(1000, "a new link took its place")
        slot.outlet = outlet
        slot.link_count += 1
        now_unix_us = self._clock()
        step = slot.station.connect(
            version,
            security_profile,
            peer,
            now_unix_us,
            prefix=f"{self._run_id}-{slot.link_count}-",
        )
        self._take(charger_id, slot, step, now_unix_us)

    def received(self, charger_id: str, outlet: Outlet, data: str | bytes) -> None:
        """A frame came."""
        slot = self._slots[charger_id]
        if slot.outlet is not outlet:
            return
        self.counts.frames_in += 1
        now_unix_us = self._clock()
        slot.recent.append((now_unix_us, False, data[:MESSAGE_CHARACTERS_MAX]))
        step = slot.station.receive(data, now_unix_us)
        self._take(charger_id, slot, step, now_unix_us)

    def closed(self, charger_id: str, outlet: Outlet, reason: str) -> None:
        """The link is gone."""
        slot = self._slots.get(charger_id)
        if slot is None or slot.outlet is not outlet:
            return
        slot.outlet = None
        now_unix_us = self._clock()
        step = slot.station.disconnect(reason, now_unix_us)
        self._take(charger_id, slot, step, now_unix_us)

    # Wishes.

    def set_power(self, charger_id: str, command: SetPower) -> bool:
        """Hold a power at a charger; False where it was never heard of."""
        slot = self._slots.get(charger_id)
        if slot is None:
            return False
        now_unix_us = self._clock()
        self._take(charger_id, slot, slot.station.set_power(command, now_unix_us), now_unix_us)
        return True

    def release_power(self, charger_id: str, command: ReleasePower) -> bool:
        """End a set-point; False where the charger was never heard of."""
        slot = self._slots.get(charger_id)
        if slot is None:
            return False
        now_unix_us = self._clock()
        step = slot.station.release_power(command, now_unix_us)
        self._take(charger_id, slot, step, now_unix_us)
        return True

    def forget_rung(self, charger_id: str, evse_id: int) -> bool:
        """Let a charger prove anew what it can; False where it was never heard of."""
        slot = self._slots.get(charger_id)
        if slot is None:
            return False
        now_unix_us = self._clock()
        self._take(charger_id, slot, slot.station.forget_rung(evse_id, now_unix_us), now_unix_us)
        return True

    async def call(self, charger_id: str, call: Call) -> Answer:
        """Send one call and wait for what comes of it."""
        slot = self._slots.get(charger_id)
        if slot is None:
            return Answer(call, error="Disconnected", description="no such charger was heard of")
        self._asked_count += 1
        tag = f"asked-{self._asked_count}"
        tagged = replace(call, tag=tag)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._awaited[tag] = future
        try:
            now_unix_us = self._clock()
            self._take(charger_id, slot, slot.station.send(tagged, now_unix_us), now_unix_us)
            return await future
        finally:
            self._awaited.pop(tag, None)

    def sweep(self) -> None:
        """Let time pass where something waits for it. To be called a few times a second."""
        now_unix_us = self._clock()
        for charger_id in list(self._ticking):
            slot = self._slots[charger_id]
            due_unix_us = slot.station.next_tick_unix_us
            if due_unix_us is None:
                self._ticking.discard(charger_id)
            elif due_unix_us <= now_unix_us:
                self._take(charger_id, slot, slot.station.tick(now_unix_us), now_unix_us)
        if self.withholding:
            self._close_all()

    def alarmed(self, alarm: str | None) -> None:
        """The journal began to fail (``alarm`` says how), or works again (None)."""
        if alarm is None:
            self._alarm_unix_us = None
        elif self._alarm_unix_us is None:
            self._alarm_unix_us = self._clock()

    def _close_all(self) -> None:
        for slot in self._slots.values():
            if slot.outlet is not None:
                self.counts.links_closed_for_alarm += 1
                slot.outlet.close(TRY_AGAIN_LATER, "Parkwatt cannot store what you report")

    # Steps on their way.

    def _slot(self, charger_id: str, state: ChargerState | None = None) -> _Slot:
        slot = self._slots.get(charger_id)
        if slot is None:
            station = Station(
                state or ChargerState(charger_id),
                self._settings_of(charger_id),
                office=self._office,
            )
            slot = self._slots[charger_id] = _Slot(station)
        return slot

    def _take(self, charger_id: str, slot: _Slot, step: Step, now_unix_us: int) -> None:
        """Journal a step's events, then send its frames."""
        for frame in step.frames:
            secret = frame.startswith(b"[2,") and any(name in frame for name in SECRET_NAMES)
            shown = b"(holds a password)" if secret else frame[:MESSAGE_CHARACTERS_MAX]
            slot.recent.append((now_unix_us, True, shown))
        if step.answers:
            self._resolve(step.answers)
        if slot.station.next_tick_unix_us is not None:
            self._ticking.add(charger_id)
        outlet = slot.outlet
        if self._journal is None or not (step.events or slot.undurable):
            self._send(outlet, step.frames)
            if step.events and self._listener is not None:
                self._listener(charger_id, step.events, now_unix_us)
            return
        if step.events:
            self._batch.notes += [
                Note(
                    now_unix_us,
                    events.kind(event),
                    charger_id,
                    events.encode(event),
                    events.is_telemetry(event),
                )
                for event in step.events
            ]
            if self._listener is not None:
                self._listener(charger_id, step.events, now_unix_us)
        slot.undurable += 1
        slot.withheld += len(step.frames)
        self._batch.releases.append((slot, outlet, step.frames))
        if slot.withheld > WITHHELD_FRAMES_MAX and outlet is not None:
            outlet.close(TRY_AGAIN_LATER, "too much was sent before it was answered")
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _resolve(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            future = self._awaited.get(answer.call.tag) if answer.call.tag else None
            if future is not None and not future.done():
                future.set_result(answer)

    def _send(self, outlet: Outlet | None, frames: list[bytes]) -> None:
        if outlet is None:
            return
        self.counts.frames_out += len(frames)
        for frame in frames:
            outlet.send(frame)

    def _flush(self, *, snapshot: bool = False) -> None:
        """Hand the loop turn's notes to the journal."""
        self._flush_due = False
        batch, self._batch = self._batch, _Batch()
        journal = self._journal
        if journal is None:
            return
        if not batch.notes:
            if self._in_flight:
                # Answers to what was repeated: they wait for the newest notes under way, theirs among them.
                self._in_flight[-1].releases += batch.releases
            else:
                self._release(batch)
            if not snapshot:
                return
        payload = self._keep(len(batch.notes), now=snapshot)
        if not batch.notes:
            return
        self._in_flight.append(batch)
        try:
            journal.append_then(batch.notes, partial(self._durable, batch, payload))
        except JournalFull:
            # What happened has happened: it stays in memory and in order until there is room. Links close meanwhile.
            self._in_flight.remove(batch)
            batch.notes += self._batch.notes
            batch.releases += self._batch.releases
            self._batch = batch
            self._flush_due = True
            asyncio.get_running_loop().call_later(RETRY_S, self._flush)

    def _keep(self, note_count: int, *, now: bool) -> bytes | None:
        """The state after this batch, if it is time for a snapshot."""
        self._entries_since_snapshot += note_count
        if self._entries_since_snapshot < ENTRIES_A_SNAPSHOT and not now:
            return None
        self._entries_since_snapshot = 0
        kept = _Kept(
            {charger_id: slot.station.state for charger_id, slot in self._slots.items()},
            {
                charger_id: msgspec.Raw(slot.station.ladder.export())
                for charger_id, slot in self._slots.items()
            },
        )
        return msgspec.json.encode(kept)

    def _durable(self, batch: _Batch, payload: bytes | None, last_seq: int) -> None:
        self._in_flight.remove(batch)
        self.counts.entries += len(batch.notes)
        self._release(batch)
        if payload is not None:
            snapshot = Snapshot(last_seq, SNAPSHOT_VERSION, payload)
            self._snapshots.append(asyncio.ensure_future(asyncio.to_thread(self._write, snapshot)))

    def _write(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; without one a restart only takes longer."""
        if self._journal is not None:
            with suppress(OSError):
                self._journal.write_snapshot(snapshot)

    def _release(self, batch: _Batch) -> None:
        for slot, outlet, frames in batch.releases:
            slot.undurable -= 1
            slot.withheld -= len(frames)
            if slot.outlet is outlet:
                self._send(outlet, frames)
