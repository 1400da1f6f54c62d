"""Runs a site's control on the event loop: readings, wishes and prices in, events to the journal, commands to the chargers out.

All decisions are `SiteController`'s. What it says is journalled before its commands are handed to the back end, which journals
them itself before it sends them. Plans are made in a thread while the running one is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec
import structlog

import parkwatt
from parkwatt.app.api.live import LiveCar, LiveSnapshot, Steps
from parkwatt.app.api.live_backup import LiveBackup
from parkwatt.domain.charger.event import ChargerEvent, is_telemetry
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.journal import Entry, Journal, JournalClosed, JournalDamaged, JournalFull, Note
from parkwatt.domain.site import event as events
from parkwatt.domain.site.event import (
    SNAPSHOT,
    SUBJECT,
    DepartureAsked,
    Origin,
    PlanAdopted,
    PricesReceived,
    SetpointDecided,
    SiteEvent,
    SiteSnapshot,
    SiteStarted,
    SocTold,
    SourceChanged,
    TripsRead,
    WishesSet,
)
from parkwatt.domain.site.observation import GridSeen, Observation, seen
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.ocpp.backend import Backend
from parkwatt.io.store.reader import JournalReader
from parkwatt.site.guard.facts import Proposal
from parkwatt.site.live.controller import SiteController, SiteStep
from parkwatt.site.live.planning import make_plan
from parkwatt.site.live.request import PlanRequest
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import STATE_VERSION, SiteState, decode_state
from parkwatt.site.live.what_if import Question, question

OnWritten = Callable[[Sequence[SiteEvent], int], None]

_US: Final = 1_000_000
# Without a car there is nothing to follow.
_IDLE_STEP_S: Final = 15.0
# A car that rests follows nothing: whatever ends its rest wakes the control.
_REST_STEP_S: Final = 8.0
_RESTS_KW: Final = 0.05
# The readings that a step looks at as soon as they come.
_FOLLOWED: Final = frozenset(("grid_kw", "load_kw"))
_LATE_STEPS: Final = 1.5
_CLOCK: Final = "clock"
_CLOCK_AHEAD_US: Final = 5 * _US
# However much happens, steps are at least this far apart.
_LEAST_STEP_S: Final = 0.2


class SiteRunner:
    """One site that runs; implements `parkwatt.app.api.live.LiveSite`. ``clock``: µs since 1970, never going back."""

    def __init__(
        self,
        settings: SiteSettings,
        backend: Backend,
        journal: Journal,
        clock: Callable[[], int],
    ) -> None:
        self.settings = settings
        self.steps = Steps()
        self.controller = SiteController(settings, SiteState())
        self._backend = backend
        self._journal = journal
        self._clock = clock
        self._reading = SiteReading()
        self._grid = GridSeen()
        self.backup: LiveBackup | None = None
        self._wake = asyncio.Event()
        self._alarm = ""
        # Applied, and not in the journal yet: while there are any, nothing is decided.
        self._unwritten: list[tuple[Sequence[SiteEvent], int]] = []
        self.on_written: OnWritten | None = None
        self._decided: dict[str, tuple[SetpointDecided, int]] = {}
        self._planning: asyncio.Task[None] | None = None
        self._chargers = {(car.charger_id, car.evse_id) for car in settings.cars}

    # The journal.

    def restore(self, journal: JournalReader) -> int:
        """Fold the site's entries, from the last snapshot on where there is one. Returns how many were folded.

        Raises JournalDamaged where an entry cannot be read as what it says it is.
        """
        state, after_seq = SiteState(), 0
        snapshot = journal.newest(SNAPSHOT)
        if snapshot is not None:
            event = _decoded(snapshot)
            # One of another version says nothing here: then all is folded.
            if isinstance(event, SiteSnapshot) and event.version == STATE_VERSION:
                state, after_seq = decode_state(event.state), snapshot.seq
        return self._fold(state, journal.read(after_seq=after_seq, subject=SUBJECT))

    def _fold(self, state: SiteState, entries: Iterable[Entry]) -> int:
        count = 0
        for entry in entries:
            event = _decoded(entry)
            if event is None or isinstance(event, SiteSnapshot):
                continue
            state.apply(event, entry.recorded_unix_us, self.settings.time_zone)
            self._remember(event, entry.recorded_unix_us)
            count += 1
        self.controller = SiteController(self.settings, state)
        return count

    def _remember(self, event: SiteEvent, now_unix_us: int) -> None:
        """Keep what was decided last, for whoever asks why."""
        if isinstance(event, SetpointDecided):
            self._decided[event.car_id] = (event, now_unix_us)

    def _write(self, written: Sequence[SiteEvent], now_unix_us: int) -> bool:
        """Journal events that are applied already; False where that is not possible now: then they wait."""
        if written:
            self._unwritten.append((written, now_unix_us))
        return self._write_what_waits()

    def _write_what_waits(self) -> bool:
        """Journal what could not be written before; False where that is still so."""
        if not self._unwritten:
            return True
        waiting = self._unwritten
        notes = [_note(event, at) for written, at in waiting for event in written]
        try:
            self._journal.append_then(notes, lambda _: None)
        except (JournalFull, JournalClosed) as error:
            self._alarm = f"nothing is decided: {error}"
            return False
        self._alarm, self._unwritten = "", []
        for written, at in waiting:
            self._tell(written, at)
        return True

    def _tell(self, written: Sequence[SiteEvent], now_unix_us: int) -> None:
        for event in written:
            self._remember(event, now_unix_us)
            _log(event)
        if self.on_written is not None:
            self.on_written(written, now_unix_us)

    async def _write_durably(self, event: SiteEvent) -> None:
        """Take in an event from outside; returns once it is in the journal. Raises ParkwattError where it cannot be written."""
        if not self._write_what_waits():
            raise JournalFull(self._alarm)
        now_unix_us = self._clock()
        done = asyncio.wrap_future(self._journal.append([_note(event, now_unix_us)]))
        self.controller.take(event, now_unix_us)
        self._tell([event], now_unix_us)
        self._wake.set()
        try:
            await done
        except JournalClosed as error:
            raise ParkwattError(f"not written down: {error}") from error

    # What comes in.

    def on_event(self, event: SiteEvent) -> None:
        """Prices, trips, a state of charge or the health of a source."""
        now_unix_us = self._clock()
        if self._is_known(event):
            return
        self.controller.take(event, now_unix_us)
        self._write([event], now_unix_us)
        self._wake.set()

    def _is_known(self, event: SiteEvent) -> bool:
        """Whether it says nothing new."""
        state = self.controller.state
        if isinstance(event, SourceChanged):
            known = state.sources.get(event.source)
            return known == event or (known is None and event.ok and not event.reason)
        if isinstance(event, TripsRead):
            return state.car(event.car_id).trips == event.trips
        return False

    def on_soc(self, told: SocTold) -> None:
        """The car's own service told its state of charge; what its charger has moved by now is noted beside it."""
        moved_kwh = self.controller.moved_kwh(told.car_id)
        self.on_event(msgspec.structs.replace(told, moved_kwh=moved_kwh))

    def on_reading(self, told: Mapping[str, Any]) -> None:
        """A meter told some fields of `SiteReading`."""
        self._reading = msgspec.structs.replace(self._reading, **told)
        # A device that tells the sun beside the connection is looked at once, not twice.
        if self.is_driving and not _FOLLOWED.isdisjoint(told):
            self._wake.set()

    def on_charger(self, charger_id: str, happened: Sequence[ChargerEvent]) -> None:
        """Something happened at a charger; plain readings are looked at with the next step."""
        if any(known == charger_id for known, _ in self._chargers) and not all(
            is_telemetry(event) for event in happened
        ):
            self._wake.set()

    def on_grid(self, grid: GridSeen) -> None:
        """What carries the house, as its backup sees it."""
        changed = (grid.condition, grid.before) != (self._grid.condition, self._grid.before)
        self._grid = grid
        if changed:
            self._wake.set()

    @property
    def is_driving(self) -> bool:
        """Whether a car is there to be driven."""
        return any(car.here for car in self.controller.cars)

    @property
    def is_following(self) -> bool:
        """Whether power flows through a car, or was asked to: then the meter has to be followed."""
        guard = self.controller.state.guard
        for car in self.controller.cars:
            if not car.here:
                continue
            told = guard.point(car.settings.charger_id, car.settings.evse_id)
            if told is None or told.power_kw != 0.0 or abs(car.seen.power_kw or 0.0) > _RESTS_KW:
                return True
        return False

    def poll_s(self) -> float:
        """How often meters should be read now."""
        step_s = self.settings.control.step_s
        if self.is_following:
            return step_s
        return max(_REST_STEP_S, step_s) if self.is_driving else _IDLE_STEP_S

    def known_until(self, feed: str) -> int | None:
        """Up to when a feed's prices are known; None where none are."""
        return self.controller.state.prices.known_until_unix_s(feed, self._clock() // _US)

    # The loop.

    async def run(self) -> NoReturn:
        """Step whenever something happened, and as often as following the meter needs."""
        started = SiteStarted(parkwatt.__version__)
        now_unix_us = self._clock()
        self.controller.take(started, now_unix_us)
        self._write([started], now_unix_us)
        self._wake.set()  # what chargers were told before has to be said again soon
        loop = asyncio.get_running_loop()
        last_s = loop.time() - _LEAST_STEP_S
        while True:
            # A reading wakes; only where none comes does the clock.
            wait_s = _LATE_STEPS * self.poll_s() if self.is_driving else _IDLE_STEP_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            early_s = last_s + _LEAST_STEP_S - loop.time()
            if early_s > 0:
                await asyncio.sleep(early_s)
            self._wake.clear()
            last_s = loop.time()
            self.step()

    def step(self) -> SiteStep:
        """One step of the control: look, decide, write down, send. Nothing is done while the journal takes nothing."""
        if not self._write_what_waits():
            self.steps.note()
            return SiteStep()
        now_unix_us = self._clock()
        self._tell_of_the_clock()
        step = self.controller.step(self._observe(), now_unix_us)
        if self._write(step.events, now_unix_us):
            for verdict in step.commands:
                if verdict.approved is not None:
                    self._backend.command(verdict.approved)
        if step.request is not None and self._planning is None:
            self._planning = asyncio.create_task(self._plan(step.request))
        self.steps.note()
        return step

    def _tell_of_the_clock(self) -> None:
        """Say when the machine's clock was set back, and when Parkwatt's own agrees with it again."""
        ahead_us = self._clock.ahead_us if isinstance(self._clock, SteadyClock) else 0
        known = self.controller.state.sources.get(_CLOCK)
        was_ahead = known is not None and not known.ok
        if ahead_us > _CLOCK_AHEAD_US and not was_ahead:
            reason = (
                f"this machine's clock was set back by {ahead_us / _US:.0f} s: Parkwatt's own goes more slowly "
                "until both agree; check the time server"
            )
            self.on_event(SourceChanged(_CLOCK, ok=False, reason=reason))
        elif was_ahead and ahead_us < _US:
            self.on_event(SourceChanged(_CLOCK, ok=True))

    def _observe(self) -> Observation:
        found = []
        for charger_id, evse_id in sorted(self._chargers):
            station = self._backend.station(charger_id)
            if station is not None:
                found.append(seen(station.state, evse_id))
        return Observation(tuple(found), self._reading, self._grid)

    async def _plan(self, request: PlanRequest) -> None:
        try:
            planned = await asyncio.to_thread(make_plan, request)
        except ParkwattError as error:
            structlog.get_logger().error("no plan", reason=str(error))
            planned = None
        finally:
            self._planning = None
        now_unix_us = self._clock()
        self._write(self.controller.planned(planned, now_unix_us), now_unix_us)
        self._wake.set()

    # What the API sees and asks (`LiveSite`).

    def snapshot(self) -> LiveSnapshot:
        """The site now."""
        controller, now_unix_us = self.controller, self._clock()
        state = controller.state
        grid_kw, solar_kw, load_kw = self.powers_kw()
        return LiveSnapshot(
            step=self.steps.count,
            now_unix_us=now_unix_us,
            settings=self.settings,
            reading=self._reading,
            tariff=controller.tariff,
            cars=tuple(self._live_car(index) for index in range(len(controller.cars))),
            grid_kw=grid_kw,
            solar_kw=solar_kw,
            load_kw=load_kw,
            plan=state.plan,
            plan_because=state.plan_because,
            sources=dict(state.sources),
            alarms=(self._alarm,) if self._alarm else (),
        )

    def powers_kw(self) -> tuple[float | None, float | None, float | None]:
        """What flows at the grid meter, what the sun gives, and what the house uses without its cars; None: not told now."""
        now_unix_us, reading = self._clock(), self._reading
        fresh_us = self.settings.control.meter_age_s * _US

        def fresh(value: float | None, at_unix_us: int) -> float | None:
            return value if now_unix_us - at_unix_us <= fresh_us else None

        solar_kw = fresh(reading.solar_kw, reading.solar_unix_us)
        load_kw = fresh(reading.load_kw, reading.load_unix_us)
        base_kw = self.controller.base_kw
        if load_kw is None and base_kw is not None:
            load_kw = max(base_kw + (solar_kw or 0.0), 0.0)
        return fresh(reading.grid_kw, reading.grid_unix_us), solar_kw, load_kw

    def _live_car(self, index: int) -> LiveCar:
        view = self.controller.cars[index]
        decided, at_unix_us = self._decided.get(view.car_id, (None, 0))
        lease_until_unix_us = 0 if decided is None else at_unix_us + decided.lease_s * _US
        return LiveCar(
            view=view,
            power_kw=self.controller.power_kw(view, self._clock()),
            decided=decided,
            decided_unix_us=at_unix_us,
            lease_until_unix_us=lease_until_unix_us,
        )

    def question(self, car_id: str, wishes: Wishes, asked: Departure | None) -> Question | None:
        """See `LiveSite`."""
        controller, now_unix_us = self.controller, self._clock()
        return question(
            controller.state,
            controller.cars,
            controller.tariff,
            self.settings,
            car_id,
            wishes,
            asked,
            now_unix_us,
        )

    async def set_wishes(
        self, car_id: str, wishes: Wishes, *, until_departure: bool, origin: Origin
    ) -> None:
        """See `LiveSite`."""
        await self._write_durably(WishesSet(car_id, wishes, origin, until_departure))

    async def ask_departure(
        self, car_id: str, departure: Departure | None, *, origin: Origin
    ) -> None:
        """See `LiveSite`."""
        await self._write_durably(DepartureAsked(car_id, departure, origin))

    async def tell_soc(
        self, car_id: str, soc: float, measured_unix_us: int, *, origin: Origin
    ) -> None:
        """See `LiveSite`."""
        moved_kwh = self.controller.moved_kwh(car_id)
        await self._write_durably(SocTold(car_id, soc, measured_unix_us, origin, moved_kwh))

    def plan_again(self) -> None:
        """A person asks for a new plan; it is followed if it is worth it."""
        self.controller.want_plan("a person asked for it")
        self._wake.set()

    def drives(self, charger_id: str, evse_id: int) -> bool:
        """Whether the site drives this connection point."""
        return (charger_id, evse_id) in self._chargers

    def hand_power(self, proposal: Proposal, lease_s: int) -> None:
        """A person sets the power of a charger, or takes that back (None): as far as the guard lets it pass."""
        self.controller.hold_by_hand(proposal, self._clock() + lease_s * _US)
        self._wake.set()


def _decoded(entry: Entry) -> SiteEvent | None:
    """The site's event in an entry; None where it holds none, or was thinned.

    Raises JournalDamaged where it cannot be read as what it says it is.
    """
    if entry.payload is None or entry.kind not in events.KINDS:
        return None
    try:
        return events.decode(entry.payload)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error


def _note(event: SiteEvent, now_unix_us: int) -> Note:
    return Note(
        now_unix_us, events.kind(event), SUBJECT, events.encode(event), events.is_telemetry(event)
    )


def _log(event: SiteEvent) -> None:
    """What a person who watches wants to know."""
    log = structlog.get_logger()
    if isinstance(event, SetpointDecided) and not event.following:
        log.info(
            "set-point", car=event.car_id, power_kw=round(event.power_kw, 2), reason=event.reason
        )
    elif isinstance(event, PlanAdopted):
        log.info("plan", because=event.because, cost=round(event.plan.cost, 2))
    elif isinstance(event, SourceChanged):
        log.warning("source", source=event.source, ok=event.ok, reason=event.reason)
    elif isinstance(event, PricesReceived):
        log.info("prices", feed=event.feed, source=event.source, count=len(event.price_per_kwh))
    elif isinstance(event, events.PromiseAtRisk):
        log.warning("promise at risk", car=event.car_id, message=event.message)
    elif isinstance(event, events.StayBegan | events.StayEnded):
        log.info(events.kind(event), car=event.car_id, energy_kwh=event.energy_kwh)
