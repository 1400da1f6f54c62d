"""A virtual charging station without I/O: frames and time in, frames out; what all versions have in common.

`receive(frame, now)` and `tick(now)` first let the physics run up to ``now`` in steps of at most a second, in each of
which the power is constant, and handle on the way what falls due (meter values, trips, faults) at its own time. The
dialects (`station_v16`, `station_v2`) subclass `VirtualStation` with the messages of their version.

The station is not connected until `connect`; while ``link_wanted`` is False its socket is to be closed. Time is
simulated time in µs since 1970, always an argument.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from parkwatt.io.sim.car import Car
from parkwatt.io.sim.conversation import Conversation, Handler
from parkwatt.io.sim.faults import SLOW_RAMP_KW_PER_S
from parkwatt.io.sim.frames import (
    UnreadableFrameError,
    error_text,
    read_frame,
)
from parkwatt.io.sim.meter import Meter, Sample
from parkwatt.io.sim.power import PowerPath
from parkwatt.io.sim.profiles import DAY_US, SECOND_US, Context
from parkwatt.io.sim.settings import StationSettings

TRANSACTION_WAKE_US = 5 * SECOND_US
REBOOT_US = 10 * SECOND_US
# Told of each moment of constant power in a transaction: from, until (µs since 1970), kW.
OnFlow = Callable[[int, int, float], None]


@dataclass(slots=True)
class SimulatedTransaction:
    """One transaction with its true energy. ``csms_id`` is the back end's number of 1.6, once it is known."""

    id: str
    start_us: int
    import_wh_at_start: float
    export_wh_at_start: float
    id_token: str | None
    remote_start_id: int | None = None
    csms_id: int | None = None
    seq_no: int = 0
    end_us: int | None = None
    import_wh: float = 0.0
    export_wh: float = 0.0
    allows_discharge: bool = True
    has_priority: bool = False


class VirtualStation(Conversation):
    """One station, EVSE, connector and car. Tests read `car`, `meter`, `power_kw`, `transaction`, `transactions`.

    ``on_flow``: who hears of the power as it flows.
    """

    def __init__(
        self, settings: StationSettings, now_unix_us: int, handlers: Mapping[str, Handler]
    ) -> None:
        super().__init__(settings, now_unix_us, handlers)
        self.car = Car(settings.car)
        self.meter = Meter(
            settings.import_wh, settings.export_wh, settings.meter_noise, self.random
        )
        self.power = PowerPath(settings, self.random)
        self.transaction: SimulatedTransaction | None = None
        self.transactions: list[SimulatedTransaction] = []
        self.is_plugged = False
        self.is_available = True
        self.charging_state: str | None = None
        self.meter_interval_s = settings.meter_interval_s
        self._link_down_until_us = 0
        self._meter_us: int | None = None
        self._known_soc = self.car.soc
        self._next_link_loss_us: int | None = None
        self._next_reboot_us: int | None = None
        self._is_away = self._is_on_trip(now_unix_us)
        self._has_plugged = False
        self._out_of_service_next = False
        self.on_flow: OnFlow | None = None

    # What a user of the station calls.

    @property
    def power_kw(self) -> float:
        """The power at the plug now, negative while discharging."""
        return self.car.power_kw

    @property
    def link_wanted(self) -> bool:
        """Whether the socket should be open: not during a simulated loss of the link or a reboot."""
        return self.now_us >= self._link_down_until_us

    @property
    def next_tick_unix_us(self) -> int:
        """When `tick` is due at the latest."""
        due = [self.now_us + DAY_US, self._next_trip_us()]
        if self._link_down_until_us > self.now_us:
            due.append(self._link_down_until_us)
        if self.transaction is not None:
            due += [self.now_us + TRANSACTION_WAKE_US, self.power.until_us]
            if self._meter_us is not None:
                due.append(self._meter_us)
        if self.is_connected:
            due += [at_us for at_us, _ in self._late_answers]
            if self.registration == "Accepted":
                due.append(self._heartbeat_us)
            outbox_us = self.outbox.next_due_us(self.now_us)
            due += [at for at in (outbox_us, self._boot_due_us) if at is not None]
        due += [at for at in (self._next_link_loss_us, self._next_reboot_us) if at is not None]
        due += self.extra_due_us()
        return min(at_us for at_us in due if at_us > self.now_us)

    def connect(self, now_unix_us: int) -> list[str]:
        """The socket is open; returns the frames to send."""
        self._advance(now_unix_us)
        self.is_connected = True
        was_accepted = self.registration == "Accepted" and not self.settings.boot_on_reconnect
        self._offline_since_us = None if was_accepted else self._offline_since_us
        self.power.changed()
        self.note("connected", "connected")
        if self.faults.shuffle:
            self.outbox.shuffle()
        if self.faults.late_s:
            self.outbox.hold(self.now_us + round(self.faults.late_s * SECOND_US))
        if was_accepted:
            self.send_status()
            self._heartbeat_us = self.now_us + self.heartbeat_s * SECOND_US
        else:
            self.registration = None
            self.boot()
        return self._frames()

    def disconnect(self, now_unix_us: int) -> None:
        """The socket is closed."""
        self._advance(now_unix_us)
        self.is_connected = False
        self._offline_since_us = (
            self.now_us if self._offline_since_us is None else self._offline_since_us
        )
        self._late_answers.clear()
        self._out.clear()
        for message in self.outbox.disconnected():
            if message.answered is not None and not message.is_boot:
                message.answered(None)
        self._boot_due_us = None
        self.power.changed()
        self.note("disconnected", "link lost")

    def receive(self, frame: str | bytes, now_unix_us: int) -> list[str]:
        """A frame from the back end; returns the frames to send."""
        self._advance(now_unix_us)
        try:
            read = read_frame(frame)
        except UnreadableFrameError as error:
            self.note("unreadable", f"unreadable frame: {error}")
            self._out.append(error_text(error.message_id, self.format_error, str(error)))
            return self._frames()
        if read.kind == 2:
            self._answer(read)
        elif read.kind in (3, 4):
            self._take_answer(read)
        return self._frames()

    def tick(self, now_unix_us: int) -> list[str]:
        """Let time pass; returns the frames to send."""
        self._advance(now_unix_us)
        return self._frames()

    def pass_time(self, now_unix_us: int) -> None:
        """Let time pass, for whoever looks at the power; what there is to send goes out with the next tick."""
        self._advance(now_unix_us)

    def plug_in(self) -> None:
        """The car is plugged in now."""
        if not self.is_plugged:
            self.is_plugged = True
            self.power.changed()
            self.note("plugged_in", f"car plugged in, SoC {self.car.soc:.0%}")
            self.send_status()
            if self._may_start():
                self.authorize_and_start()

    def unplug(self) -> None:
        """The car is unplugged now; its transaction ends."""
        if self.is_plugged:
            self.end_transaction("EVDisconnected", "EVDeparted")
            self.is_plugged = False
            self.charging_state = None
            self.note("unplugged", f"car unplugged, SoC {self.car.soc:.0%}")
            self.send_status()

    def reboot(self, reason: str = "Watchdog") -> None:
        """Restart: the link falls, a transaction ends, boot follows."""
        stopped = {"RemoteReset": "ImmediateReset", "ScheduledReset": "ImmediateReset"}.get(
            reason, "Reboot"
        )
        self.end_transaction(stopped, "ResetCommand" if "Reset" in reason else "AbnormalCondition")
        self.note("reboot", f"reboot ({reason})")
        self.registration = None
        self.boot_reason = reason
        self._booted_us = self.now_us + REBOOT_US
        self._link_down_until_us = max(self._link_down_until_us, self.now_us + REBOOT_US)

    def drop_link(self, seconds: float) -> None:
        """Lose the link for a while."""
        self._link_down_until_us = self.now_us + round(seconds * SECOND_US)
        self.note("link_loss", f"link is lost for {seconds:g} s")

    # What dialects and handlers use.

    @property
    def context(self) -> Context:
        """What decides which profiles apply."""
        transaction = self.transaction
        if transaction is None:
            return Context(offline_since_us=self._offline_since_us)
        named = transaction.id if transaction.csms_id is None else str(transaction.csms_id)
        return Context(
            named, transaction.start_us, self._offline_since_us, transaction.has_priority
        )

    def sample(self) -> Sample:
        """What the meter shows now, with the faults of the SoC."""
        fault = self.faults.soc
        if fault != "stale":
            self._known_soc = self.car.soc
        soc = {"missing": None, "zero": 0.0}.get(fault, self._known_soc)
        return self.meter.sample(
            self.car.power_kw,
            voltage_v=self.settings.voltage_v,
            phases=1 if self.settings.is_dc else self.settings.phases,
            frequency_hz=self.power.frequency_hz,
            soc=soc if self.is_plugged else None,
        )

    def authorize_and_start(
        self, remote_start_id: int | None = None, id_token: str | None = None
    ) -> None:
        """Authorise the driver and start a transaction; offline, or on a remote start before 2.1, it starts at once."""
        token = id_token or self.settings.id_token
        is_granted = remote_start_id is not None and self.settings.protocol != "2.1"
        if token is None or is_granted or not self.is_online:
            self.start_transaction(
                token, remote_start_id, allows_discharge=self.discharge_allowed(None)
            )
        else:
            self.authorize(token, remote_start_id)

    def discharge_allowed(
        self,
        allowed_transfer: list[str] | None,  # noqa: ARG002 only 2.1 knows it
    ) -> bool:
        """Whether a transaction may discharge, by the energy transfers that the back end allows (None: not told)."""
        return self.settings.discharge_kw_max > 0

    def start_transaction(
        self, id_token: str | None, remote_start_id: int | None, *, allows_discharge: bool
    ) -> None:
        """Start a transaction if a car is plugged in and none runs."""
        if self.transaction is not None or not self.is_plugged or not self.is_available:
            return
        transaction = SimulatedTransaction(
            id=f"{self.random.getrandbits(128):032x}",
            start_us=self.now_us,
            import_wh_at_start=self.meter.import_wh,
            export_wh_at_start=self.meter.export_wh,
            id_token=id_token,
            remote_start_id=remote_start_id,
            allows_discharge=allows_discharge,
        )
        self.transaction = transaction
        self.transactions.append(transaction)
        self.power.changed()
        self.reset_meter_timer()
        self.note(
            "transaction_started",
            f"transaction {transaction.id[:8]} started",
            transaction=transaction.id,
            import_wh=self.meter.import_wh,
            export_wh=self.meter.export_wh,
        )
        self.transaction_started(transaction)
        self.power.changed()

    def end_transaction(self, stopped_reason: str, trigger: str) -> None:
        """End the running transaction, if there is one."""
        transaction = self.transaction
        if transaction is None:
            return
        transaction.end_us = self.now_us
        self._count(transaction)
        self.transaction = None
        self.car.rest()
        self.charging_state = "EVConnected" if self.is_plugged else None
        self._meter_us = None
        self.note(
            "transaction_ended",
            f"transaction {transaction.id[:8]} ended ({stopped_reason}): "
            f"{transaction.import_wh / 1000:.3f} kWh in, {transaction.export_wh / 1000:.3f} kWh out",
            transaction=transaction.id,
            csms_id=transaction.csms_id,
            import_wh=transaction.import_wh,
            export_wh=transaction.export_wh,
            started_unix_us=transaction.start_us,
            stopped_reason=stopped_reason,
        )
        self.transaction_ended(transaction, stopped_reason, trigger)
        if self._out_of_service_next:
            self.change_availability(False)
        self.power.stack.end_transaction(
            transaction.id if transaction.csms_id is None else str(transaction.csms_id)
        )

    def next_seq_no(self, transaction: SimulatedTransaction) -> int:
        """The sequence number of the next event of a transaction, with its faults."""
        seq_no = transaction.seq_no
        transaction.seq_no += (
            2 if self.faults.seq_no == "gaps" and self.random.random() < 0.3 else 1
        )
        return 0 if self.faults.seq_no == "zero" else seq_no

    def reset_meter_timer(self) -> None:
        """Let the next meter values come one interval from now."""
        wanted = self.meter_interval_s > 0 and self.transaction is not None
        self._meter_us = self.now_us + self.meter_interval_s * SECOND_US if wanted else None

    def change_availability(self, is_available: bool) -> str:
        """Put the connector in or out of service, after a running transaction; returns the status."""
        if not is_available and self.transaction is not None:
            self._out_of_service_next = True
            return "Scheduled"
        self._out_of_service_next = False
        self.is_available = is_available
        self.send_status()
        return "Accepted"

    # What a version brings.

    @abstractmethod
    def send_status(self) -> None:
        """Tell the connector's state."""

    @abstractmethod
    def authorize(self, id_token: str, remote_start_id: int | None) -> None:
        """Ask whether the driver may charge, and start if so."""

    @abstractmethod
    def transaction_started(self, transaction: SimulatedTransaction) -> None:
        """Tell the start."""

    @abstractmethod
    def transaction_ended(
        self, transaction: SimulatedTransaction, stopped_reason: str, trigger: str
    ) -> None:
        """Tell the end."""

    @abstractmethod
    def meter_values_due(self, transaction: SimulatedTransaction) -> None:
        """Send the periodic meter values."""

    @abstractmethod
    def charging_state_changed(
        self, transaction: SimulatedTransaction, *, mode_changed: bool
    ) -> None:
        """Tell that charging began, paused or changed its mode."""

    @abstractmethod
    def extra_due_us(self) -> list[int]:
        """When the version has more to do."""

    @abstractmethod
    def extra_tick(self) -> None:
        """Do what the version has to do now."""

    # Inside.

    def accepted(self) -> None:
        """The boot was accepted just now: tell the state, and let a car that is plugged in start."""
        self.power.changed()
        self.send_status()
        if self.is_plugged and self.transaction is None and self._may_start():
            self.authorize_and_start()

    def _may_start(self) -> bool:
        """Whether a car that is plugged in starts by itself: not before the boot was accepted, but offline after it."""
        was_accepted = self.registration == "Accepted" or self.faults.clock_1970
        return self.settings.auto_start and self.is_available and was_accepted

    def _advance(self, now_us: int) -> None:
        """Let the physics run, and handle what falls due on the way in its own time."""
        if not self._has_plugged:
            self._has_plugged = True
            if self.settings.car.plugged_in and not self._is_away:
                self.plug_in()
        while self.now_us < now_us:
            until_us = min(now_us, self.next_tick_unix_us)
            self._flow(until_us)
            self._due()
        if now_us == self.now_us:
            self._due()

    def _flow(self, until_us: int) -> None:
        car = self.car
        slow = self.faults.disobey == "slow_ramp"
        car.ramp_kw_per_s = SLOW_RAMP_KW_PER_S if slow else self.settings.car.ramp_kw_per_s
        while self.now_us < until_us:
            step_us = min(until_us - self.now_us, SECOND_US)
            duration_s = step_us / SECOND_US
            self.power.step_frequency(duration_s)
            if self.transaction is None or not self.is_available:
                car.rest()
                step_us = until_us - self.now_us
            else:
                asked_kw = self.power.asked_kw(
                    self.now_us,
                    self.context,
                    car.soc,
                    self.faults,
                    self.transaction.allows_discharge,
                )
                power_kw = car.step(asked_kw, duration_s)
                self.meter.add(power_kw, duration_s)
                if self.on_flow is not None:
                    self.on_flow(self.now_us, self.now_us + step_us, power_kw)
            self.now_us += step_us
        if self.transaction is not None:
            self._count(self.transaction)
            self._notice_state(self.transaction)

    def _count(self, transaction: SimulatedTransaction) -> None:
        transaction.import_wh = self.meter.import_wh - transaction.import_wh_at_start
        transaction.export_wh = self.meter.export_wh - transaction.export_wh_at_start

    def _notice_state(self, transaction: SimulatedTransaction) -> None:
        if abs(self.car.power_kw) > 1e-9:
            state = "Charging"
        else:
            state = "SuspendedEVSE" if abs(self.power.last_asked_kw) < 1e-9 else "SuspendedEV"
        mode_changed = self.power.take_mode_change()
        if state != self.charging_state or mode_changed:
            self.charging_state = state
            self.note("charging_state", f"{state}, {self.car.power_kw:.2f} kW, {self.power.mode}")
            self.charging_state_changed(transaction, mode_changed=mode_changed)

    def _due(self) -> None:
        now_us = self.now_us
        if self._meter_us is not None and now_us >= self._meter_us and self.transaction is not None:
            self.reset_meter_timer()
            self.meter_values_due(self.transaction)
        if self.is_online and now_us >= self._heartbeat_us:
            self._heartbeat_us = now_us + self.heartbeat_s * SECOND_US
            self.call("Heartbeat", {})
        if self.is_connected and self._boot_due_us is not None and now_us >= self._boot_due_us:
            self.boot()
        late = self.outbox.overdue(now_us)
        if late is not None:
            self._give_up_or_retry(late, "no answer")
        self._make_trips()
        self._fail_at_random()
        self.extra_tick()

    def _make_trips(self) -> None:
        is_away = self._is_on_trip(self.now_us)
        if is_away == self._is_away:
            return
        self._is_away = is_away
        if is_away:
            self.unplug()
        else:
            second = self.now_us // SECOND_US % 86_400
            ended = min(
                self.settings.car.trips, key=lambda trip: (second - trip.returns_s) % 86_400
            )
            self.car.drive(ended.energy_kwh)
            self.plug_in()

    def _is_on_trip(self, at_us: int) -> bool:
        second = at_us // SECOND_US % 86_400
        return any(trip.is_away(second) for trip in self.settings.car.trips)

    def next_departure_us(self) -> int:
        """When the next trip begins; there must be one."""
        midnight_us = self.now_us // DAY_US * DAY_US
        moments = [midnight_us + trip.departs_s * SECOND_US for trip in self.settings.car.trips]
        return min(moment if moment > self.now_us else moment + DAY_US for moment in moments)

    def _next_trip_us(self) -> int:
        midnight_us = self.now_us // DAY_US * DAY_US
        seconds = [s for trip in self.settings.car.trips for s in (trip.departs_s, trip.returns_s)]
        moments = [midnight_us + s * SECOND_US for s in seconds]
        moments += [moment + DAY_US for moment in moments]
        return min((m for m in moments if m > self.now_us), default=self.now_us + DAY_US)

    def _fail_at_random(self) -> None:
        loss_every_s = self.faults.link_loss_every_s if self.is_connected else 0.0
        self._next_link_loss_us = self._draw(self._next_link_loss_us, loss_every_s)
        self._next_reboot_us = self._draw(self._next_reboot_us, self.faults.reboot_every_s)
        if self._next_link_loss_us is not None and self.now_us >= self._next_link_loss_us:
            self._next_link_loss_us = None
            self.drop_link(self.faults.link_loss_s)
        if self._next_reboot_us is not None and self.now_us >= self._next_reboot_us:
            self._next_reboot_us = None
            self.reboot()

    def _draw(self, next_us: int | None, mean_s: float) -> int | None:
        if mean_s <= 0:
            return None
        if next_us is not None:
            return next_us
        return self.now_us + round(self.random.expovariate(1 / mean_s) * SECOND_US)
