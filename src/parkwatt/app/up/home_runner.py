"""Runs a home's backup on the event loop: readings in, events to the journal, requests to the gateway and circuits out.

All decisions are `HomeController`'s. What closes a contact is sent once the journal holds why, and only while what it was
approved on is still fresh: the control asks again by itself. What opens one is sent at once, whatever the journal does.
Nothing is renewed when this stands still or dies: then the devices' own leases end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, Final, NoReturn

import msgspec
import structlog

from parkwatt.app.api.live_backup import BackupSnapshot, PersonAsks
from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.app.up.home_settings import home_settings
from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.home import event as events
from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.event import (
    SNAPSHOT,
    SUBJECT,
    HomeEvent,
    HomeSnapshot,
    OutageAnnounced,
)
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.journal import Entry, Journal, JournalClosed, JournalDamaged, JournalFull, Note
from parkwatt.home.cars import home_car
from parkwatt.home.controller import HomeController, HomeStep
from parkwatt.home.forecasting import ForecastRequest, make_forecast
from parkwatt.home.generator import GENERATOR_ID
from parkwatt.home.observation import (
    SOLAR_PAST_DAYS,
    SOLAR_STEP_S,
    HomeObservation,
    SolarAhead,
)
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import STATE_VERSION, HomeState, decode_state
from parkwatt.io.alerts import AlertSettings, alert_feed
from parkwatt.io.gateway.build import DeviceLinks
from parkwatt.io.gateway.link import (
    BatteryLink,
    BatteryReading,
    CircuitsLink,
    DeviceError,
    GatewayLink,
)
from parkwatt.io.store.reader import JournalReader

_US: Final = 1_000_000
# Without a reading that wakes it, the control steps this often.
STEP_S: Final = 1.0
_LEAST_STEP_S: Final = 0.1
# A closing that could not be sent for so long is not sent any more.
_STALE_US: Final = 2 * _US
_BATTERY_AGE_US: Final = 600 * _US
_SOLAR_PAST_STEPS: Final = SOLAR_PAST_DAYS * 86_400 // SOLAR_STEP_S
_OPENINGS: Final = frozenset({"open_grid_pole", "open_island_source"})

OnHomeWritten = Callable[[Sequence[HomeEvent], int], None]


class HomeRunner:
    """One home's backup that runs; implements `parkwatt.app.api.live_backup.LiveBackup`. ``clock``: µs since 1970.

    ``on_written``: hears of each event that was given to the journal.
    """

    def __init__(
        self,
        settings: HomeSettings,
        site: SiteRunner,
        journal: Journal,
        clock: Callable[[], int],
        gateway: GatewayLink,
        circuits: Sequence[CircuitsLink] = (),
        battery: BatteryLink | None = None,
        alerts: AlertSettings | None = None,
    ) -> None:
        self.settings = settings
        self.controller = HomeController(settings, HomeState())
        self._site, self._journal, self._clock = site, journal, clock
        self._gateway, self._circuits, self._battery_link = gateway, tuple(circuits), battery
        self._alerts = alerts
        self._reading: GatewayReading | None = None
        self._readings: dict[str, CircuitReading] = {}
        self._battery: BatteryReading | None = None
        self._wake = asyncio.Event()
        self._transfers: asyncio.Queue[tuple[ApprovedTransfer, int]] = asyncio.Queue()
        self._commands: asyncio.Queue[CircuitCommand] = asyncio.Queue()
        self._unwritten: list[tuple[HomeEvent, int]] = []
        self._alarm = self._device_alarm = ""
        self._forecasting: asyncio.Task[None] | None = None
        self.on_written: OnHomeWritten | None = None
        site.backup = self
        site.on_grid(self.controller.grid)

    # The journal.

    def restore(self, journal: JournalReader) -> int:
        """Fold the home's entries, from the last snapshot on where there is one. Returns how many were folded.

        Raises JournalDamaged where an entry cannot be read as what it says it is.
        """
        state, after_seq, count = HomeState(), 0, 0
        snapshot = journal.newest(SNAPSHOT)
        if snapshot is not None:
            event = _decoded(snapshot)
            if isinstance(event, HomeSnapshot) and event.version == STATE_VERSION:
                state, after_seq = decode_state(event.state), snapshot.seq
        for entry in journal.read(after_seq=after_seq, subject=SUBJECT):
            event = _decoded(entry)
            if event is not None and not isinstance(event, HomeSnapshot):
                state.apply(event, entry.recorded_unix_us, self.settings.island.forget_s)
                count += 1
        self.controller = HomeController(self.settings, state)
        self._site.on_grid(self.controller.grid)
        return count

    def _write(self, written: Iterable[HomeEvent], then: Callable[[], None]) -> None:
        """Journal events that are applied already; ``then`` once they are durable. What cannot be written now waits."""
        now_unix_us = self._clock()
        self._unwritten += [(event, now_unix_us) for event in written]
        if not self._unwritten:
            then()
            return
        notes = [_note(event, at_unix_us) for event, at_unix_us in self._unwritten]
        try:
            self._journal.append_then(notes, lambda _: then())
        except (JournalFull, JournalClosed) as error:
            self._alarm = f"the backup closes no contact: {error}"
            return
        self._alarm = ""
        for event, at_unix_us in self._unwritten:
            _log(event)
            if self.on_written is not None:
                self.on_written([event], at_unix_us)
        self._unwritten = []

    # What comes in.

    def on_gateway(self, reading: GatewayReading) -> None:
        """The gateway told something."""
        self._reading = reading
        self._wake.set()

    def on_circuit(self, reading: CircuitReading) -> None:
        """A circuit told something; it is looked at with the next step."""
        self._readings[reading.circuit_id] = reading

    def on_battery(self, reading: BatteryReading) -> None:
        """The stationary battery told its state of charge."""
        self._battery = reading

    def on_announced(self, event: OutageAnnounced) -> None:
        """A feed announces an outage, or takes that back; while the journal's disk is full it counts all the same."""
        self.controller.take(event, self._clock())
        self._write([event], lambda: None)
        self._wake.set()

    def _announcements(self) -> tuple[OutageAnnounced, ...]:
        return self.controller.state.announced.announcements

    # The loop.

    def duties(self) -> Iterator[Coroutine[Any, Any, object]]:
        """All that runs for ever: the control, its senders, and the links."""
        yield self.run()
        yield self._send_transfers()
        yield self._send_commands()
        yield self._gateway.run(self.on_gateway, self._site.on_event)
        for link in self._circuits:
            yield link.run(self.on_circuit, self._site.on_event)
        if self._battery_link is not None:
            yield self._battery_link.run(self.on_battery, self._site.on_event)
        if self._alerts is not None:
            feed = alert_feed(self._alerts, clock=self._clock, standing=self._announcements)
            yield feed.run(self.on_announced, self._site.on_event)

    async def run(self) -> NoReturn:
        """Step whenever the gateway told something, and at least every second."""
        while True:
            try:
                async with asyncio.timeout(STEP_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self.step()
            await asyncio.sleep(_LEAST_STEP_S)

    def step(self) -> HomeStep:
        """One step: look, decide, tell the site's control, write down, send."""
        now_unix_us = self._clock()
        step = self.controller.step(self._observe(now_unix_us), now_unix_us)
        self._site.on_grid(step.grid)
        openings, rest = _split(step.transfers)
        for transfer in openings:
            self._transfers.put_nowait((transfer, now_unix_us))

        def send() -> None:
            for transfer in rest:
                self._transfers.put_nowait((transfer, now_unix_us))
            for command in step.circuit_commands:
                self._commands.put_nowait(command)
            if step.generator_command is not None:
                self._commands.put_nowait(step.generator_command)

        self._write(step.events, send)
        if step.request is not None and self._forecasting is None:
            self._forecasting = asyncio.create_task(self._forecast(step.request))
        return step

    async def _forecast(self, request: ForecastRequest) -> None:
        try:
            forecast = await asyncio.to_thread(make_forecast, request)
        except ValueError as error:
            structlog.get_logger().error("no forecast of the backup", reason=str(error))
            return
        finally:
            self._forecasting = None
        events_made = self.controller.forecasted(forecast, self._clock())
        self._write(events_made, lambda: None)

    async def _send_transfers(self) -> NoReturn:
        """Send to the gateway in order, what closes only while it is fresh."""
        while True:
            transfer, approved_unix_us = await self._transfers.get()
            late = self._clock() - approved_unix_us > _STALE_US
            if late and transfer.action not in _OPENINGS:
                continue
            try:
                await self._gateway.request(transfer)
            except DeviceError as error:
                self._device_alarm = f"the gateway was not told to {transfer.action}: {error}"
                structlog.get_logger().warning("gateway", action=transfer.action, error=str(error))
            else:
                self._device_alarm = ""

    async def _send_commands(self) -> NoReturn:
        while True:
            command = await self._commands.get()
            link = next(
                (one for one in self._circuits if command.circuit_id in one.circuit_ids), None
            )
            if link is None:
                continue
            try:
                await link.command(command)
            except DeviceError as error:
                log = structlog.get_logger()
                log.warning("circuit", circuit=command.circuit_id, error=str(error))

    def _observe(self, now_unix_us: int) -> HomeObservation:
        _, solar_kw, load_kw = self._site.powers_kw()
        soc = None
        if (
            self._battery is not None
            and now_unix_us - self._battery.measured_unix_us <= _BATTERY_AGE_US
        ):
            soc = self._battery.soc
        circuits = dict(self._readings)
        runs = self.settings.generator is not None and self.settings.generator.switchable
        return HomeObservation(
            gateway=self._reading,
            generator=circuits.pop(GENERATOR_ID, None) if runs else None,
            circuits=circuits,
            cars=tuple(home_car(car) for car in self._site.controller.cars),
            battery_soc=soc,
            load_kw=load_kw,
            solar_kw=solar_kw,
            solar_ahead=self._solar_ahead(),
        )

    def _solar_ahead(self) -> SolarAhead | None:
        """The sun as the last plan forecast it, and as the meter told it in the last days; None where there is none."""
        state = self._site.controller.state
        plan, history = state.plan, state.history
        past_kw = tuple(history.solar_kw[-_SOLAR_PAST_STEPS:])
        ahead_kw = () if plan is None else plan.solar_kw
        if not any(past_kw) and not any(ahead_kw):
            return None
        return SolarAhead(
            edges_unix_s=() if plan is None else plan.edges_unix_s,
            power_kw=ahead_kw,
            past_kw=past_kw,
            past_end_unix_s=history.end_unix_s,
        )

    # What the API sees and asks (`LiveBackup`).

    def snapshot(self) -> BackupSnapshot:
        """The backup now."""
        found = (self.controller.alarm, self._alarm, self._device_alarm)
        alarms = tuple(alarm for alarm in found if alarm)
        return BackupSnapshot(self._clock(), self.controller, alarms)

    async def tell(self, event: HomeEvent) -> None:
        """See `LiveBackup`."""
        now_unix_us = self._clock()
        done = asyncio.wrap_future(self._journal.append([_note(event, now_unix_us)]))
        self.controller.take(event, now_unix_us)
        self._wake.set()
        try:
            await done
        except JournalClosed as error:
            raise ParkwattError(f"not written down: {error}") from error

    def ask(self, what: PersonAsks) -> None:
        """See `LiveBackup`."""
        self.controller.person_asks(what, self._clock())
        self._wake.set()


def home_runner(
    backup: BackupSettings, site: SiteRunner, journal: Journal, clock: Callable[[], int]
) -> HomeRunner:
    """The runner with the links to the devices that the settings name."""
    links = DeviceLinks(backup.broker, clock)
    devices = [one.device for one in backup.circuits if one.device is not None]
    if backup.generator is not None and backup.generator.device is not None:
        devices.append(backup.generator.device)
    return HomeRunner(
        home_settings(backup, site.settings),
        site,
        journal,
        clock,
        links.gateway(backup.gateway),
        links.circuits(devices),
        None if backup.battery is None else links.battery(backup.battery.device),
        backup.alerts,
    )


def _split(
    transfers: Sequence[ApprovedTransfer],
) -> tuple[list[ApprovedTransfer], list[ApprovedTransfer]]:
    """Requests that only open; and all, in order, where one closes: it goes behind the opening of the other pole."""
    if all(transfer.action in _OPENINGS for transfer in transfers):
        return list(transfers), []
    return [], list(transfers)


def _decoded(entry: Entry) -> HomeEvent | None:
    """The home's event in an entry; None where it holds none, or was thinned. Raises JournalDamaged."""
    if entry.payload is None or entry.kind not in events.KINDS:
        return None
    try:
        return events.decode(entry.payload)
    except msgspec.MsgspecError as error:
        raise JournalDamaged(f"entry {entry.seq} is no {entry.kind}: {error}") from error


def _note(event: HomeEvent, now_unix_us: int) -> Note:
    return Note(
        now_unix_us, events.kind(event), SUBJECT, events.encode(event), events.is_telemetry(event)
    )


def _log(event: HomeEvent) -> None:
    """What a person who watches wants to know."""
    log = structlog.get_logger()
    if isinstance(event, events.IslandMoved):
        log.warning("backup", phase=event.to_phase, because=event.because, reason=event.reason)
    elif isinstance(event, events.TransferRefused):
        log.warning("refused", action=event.action, reason=event.reason)
    elif isinstance(event, events.CircuitSwitched):
        log.info("circuit", circuit=event.circuit_id, on=event.on, reason=event.reason)
    elif isinstance(event, events.GeneratorSwitched):
        log.warning("generator", on=event.on, reason=event.reason)
