"""What goes to the journal, and the frames that wait for it.

What a loop turn brings, from however many chargers, is appended to the journal at once (group commit). Each step's frames
wait for its events, and a later frame to the same charger waits behind them, also one without events: the answer to a
repeated report says that the first one is safe. The order per charger is that of its steps.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from parkwatt.domain.charger import event as events
from parkwatt.domain.journal import Journal, JournalClosed, JournalFull, Note
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.slot import Outlet, Slot

RETRY_S = 0.05


@dataclass(slots=True)
class Batch:
    """What goes to the journal together. ``releases``: frames that wait for it, and the link that they are for."""

    number: int
    begun_s: float = 0.0
    notes: list[Note] = field(default_factory=list)
    releases: list[tuple[Slot, Outlet | None, list[bytes]]] = field(default_factory=list)


class Outbox:
    """The way of steps to the journal and out.

    ``journal``: its callbacks must come in the loop's thread, later. ``on_handed``: called when all there is has been handed
    to the journal, with the batch's number and its count of notes; ``on_durable``: once a batch is durable, with its number
    and the number of its last entry. ``clock``: µs since 1970.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], int],
        on_handed: Callable[[int, int], None],
        on_durable: Callable[[int, int], None],
    ) -> None:
        self.entries = 0
        self.frames = 0
        self._journal = journal
        self._clock = clock
        self._on_handed = on_handed
        self._on_durable = on_durable
        self._batch = Batch(0)
        self._in_flight: deque[Batch] = deque()
        self._flush_due = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._in_flight or self._batch.notes or self._batch.releases)

    @property
    def waits_s(self) -> float:
        """How long the oldest batch has waited for the journal. By the loop's clock: the wall's may be set."""
        if not self._in_flight:
            return 0.0
        return asyncio.get_running_loop().time() - self._in_flight[0].begun_s

    def put(self, slot: Slot, step: Step, now_unix_us: int) -> None:
        """Journal a step's events, then send its frames over the link that the charger has now."""
        batch = self._batch
        if step.events:
            for event in step.events:
                batch.notes.append(
                    Note(
                        now_unix_us,
                        event.__struct_config__.tag,  # type: ignore[arg-type]
                        slot.charger_id,
                        events.encode(event),
                        events.is_telemetry(event),
                    )
                )
        slot.undurable += 1
        slot.withheld += len(step.frames)
        batch.releases.append((slot, slot.outlet, step.frames))
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Hand what there is to the journal."""
        self._flush_due = False
        batch = self._batch
        if not batch.notes:
            # Answers to what was repeated: they wait for the newest notes under way, theirs among them.
            self._batch = Batch(batch.number)
            if self._in_flight:
                self._in_flight[-1].releases += batch.releases
            else:
                self._release(batch)
            return
        self._in_flight.append(batch)
        batch.begun_s = asyncio.get_running_loop().time()
        try:
            self._journal.append_then(batch.notes, partial(self._durable, batch))
        except JournalFull:
            self._in_flight.pop()
            # What happened has happened: it stays in memory and in order until there is room. Links close meanwhile.
            self._flush_due = True
            asyncio.get_running_loop().call_later(RETRY_S, self.flush)
            return
        except JournalClosed:
            # The program ends while the journal takes nothing: nothing is acknowledged, so chargers say it again.
            self._in_flight.pop()
            return
        self._batch = Batch(batch.number + 1)
        self._on_handed(batch.number, len(batch.notes))

    def _durable(self, batch: Batch, last_seq: int) -> None:
        self._in_flight.remove(batch)
        self.entries += len(batch.notes)
        self._release(batch)
        self._on_durable(batch.number, last_seq)

    def _release(self, batch: Batch) -> None:
        now_unix_us = self._clock()
        for slot, outlet, frames in batch.releases:
            slot.undurable -= 1
            slot.withheld -= len(frames)
            if outlet is not None and slot.outlet is outlet:
                self.frames += len(frames)
                for frame in frames:
                    slot.send(frame, now_unix_us)
