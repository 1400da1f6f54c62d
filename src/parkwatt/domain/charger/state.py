"""A charger's state: the fold of its events. The same events give the same state, live and in a replay.

`ChargerState.apply` is the only thing that changes it. What is late (queued while the charger had no link) counts in its
transaction's energy and never as the state of now.
"""

from __future__ import annotations

import msgspec

from parkwatt.domain.charger.event import (
    Availability,
    Booted,
    CarNeeds,
    ChargerEvent,
    ChargingState,
    Connected,
    DeviationSeen,
    Disconnected,
    EnterServiceJudged,
    ExternalLimit,
    GridAlarmTold,
    MeterRead,
    RungChanged,
    StatusChanged,
    TransactionReported,
    VariablesReported,
)
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.transaction import Transaction

# Ended transactions that are remembered to recognise what a charger repeats; the journal keeps all.
_ENDED_MAX = 16
# Open transactions that are remembered: more than any charger runs, so that only ones that never ended are forgotten.
_OPEN_MAX = 128
# Connection points of one charger: more than any has, so that a charger that makes numbers up takes no more memory.
_EVSES_MAX = 64
# A SoC is unknown once the car has moved this much energy without a new value, or after this time. Cars tell whole percents:
# one of them is about 1 kWh of a large car's battery, and more of a truck's.
_SOC_STALE_KWH = 2.0
_SOC_STALE_SHARE = 0.02
_SOC_STALE_US = 30 * 60 * 1_000_000
# A reading older than the one that is known is out of order for so long; after that, the clock was set back.
_OUT_OF_ORDER_US = 60 * 1_000_000
# Numbers of OCPP 1.6 transactions are given by Parkwatt and end here.
_TRANSACTION_NUMBER_MAX = 2**31 - 1
# A reported 0 is believed only where the battery was seen near empty before: chargers that know nothing send 0.
_SOC_NEAR_EMPTY = 0.05
_REGISTERS = ("energy_import_kwh", "energy_export_kwh")


# A report this much older than now, from before the link was made, was queued even if the charger does not say so.
_QUEUED_AGE_US = 60_000_000
# An alarm of the grid that nobody ends or repeats lapses, and no charger has so many kinds of them.
GRID_ALARM_US = 15 * 60 * 1_000_000
_GRID_ALARMS_MAX = 32
# Two reports at least this far apart, by both clocks alike within the slack and a twentieth, show how the charger's clock runs.
_CLOCK_APART_US = 3_000_000
_CLOCK_SLACK_US = 1_500_000
# Less than this is the way here, and a clock of whole seconds.
_CLOCK_BEHIND_US = 2_500_000


class BelievedSoc(msgspec.Struct, omit_defaults=True, gc=False):
    """The last SoC that was believed, when it came, and the energy that had moved until then (None: no register yet)."""

    soc: float
    measured_unix_us: int
    moved_kwh: float | None = None


class EvseState(msgspec.Struct, omit_defaults=True, gc=False):
    """One connection point for a car. ``rung``: what it is driven with; ``rung_highest``: what it is still trusted with.

    ``occupied_connector_id``: where a car is, of several connectors.
    """

    evse_id: int
    availability: Availability = "unknown"
    error: str = ""
    car_connected: bool | None = None
    occupied_connector_id: int | None = None
    charging_state: ChargingState = "unknown"
    transaction_id: str | None = None
    reading: MeterReading | None = None
    reading_received_unix_us: int | None = None
    believed: BelievedSoc | None = None
    needs: CarNeeds | None = None
    rung: Rung = Rung.LIMITS_ONLY
    rung_highest: Rung = Rung.LIMITS_ONLY
    rung_proven: bool = False
    rung_reason: str = ""
    external_limits_kw: dict[str, float] = msgspec.field(default_factory=dict)

    def soc(self, now_unix_us: int) -> float | None:
        """The state of charge, fraction; None where it is unknown, stale or not to be believed."""
        believed = self.believed
        if believed is None or now_unix_us - believed.measured_unix_us > _SOC_STALE_US:
            return None
        return None if self.moved_since(believed) else believed.soc

    def moved_since(self, believed: BelievedSoc) -> bool:
        """Whether the battery moved so much since that a SoC must have changed."""
        moved_kwh = _moved_kwh(self.reading)
        if moved_kwh is None or believed.moved_kwh is None:
            return False
        since_kwh = abs(moved_kwh - believed.moved_kwh)
        if since_kwh <= _SOC_STALE_KWH:
            return False
        capacity_kwh = (self.needs.energy_capacity_kwh if self.needs else None) or 0.0
        return since_kwh > _SOC_STALE_SHARE * capacity_kwh

    def forget_car(self) -> None:
        """The car is gone, and what was known of it says nothing of the next one."""
        self.car_connected = False
        self.occupied_connector_id = None
        self.needs = None
        self.believed = None


class ChargerState(msgspec.Struct, omit_defaults=True, gc=False):
    """All that is known of one charger.

    ``transactions``: open ones and the last that ended, oldest first. ``clock_lag_us``: how far its clock is behind, as far
    as it was seen to run; ``clock_seen``: the last time by its clock and by ours. ``grid_alarms``: by the function that told
    it, when it came and what it saw.
    """

    charger_id: str
    protocol: str = ""
    security_profile: int = 0
    peer: str = ""
    connected: bool = False
    connected_unix_us: int | None = None
    seen_unix_us: int | None = None
    disconnect_reason: str = ""
    boot: Booted | None = None
    boot_unix_us: int | None = None
    evses: dict[int, EvseState] = msgspec.field(default_factory=dict)
    transactions: dict[str, Transaction] = msgspec.field(default_factory=dict)
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    unknown_variables: list[str] = msgspec.field(default_factory=list)
    last_transaction_number: int = 0
    deviation_count: int = 0
    grid_alarms: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    enter_service: EnterServiceJudged | None = None
    clock_lag_us: int = 0
    clock_seen: tuple[int, int] | None = None

    def evse(self, evse_id: int) -> EvseState:
        """The connection point, known from now on; beyond any number that a charger has it is not kept."""
        found = self.evses.get(evse_id)
        if found is None:
            found = EvseState(evse_id)
            if len(self.evses) < _EVSES_MAX:
                self.evses[evse_id] = found
        return found

    def open_transaction(self, evse_id: int) -> Transaction | None:
        """The transaction that runs there."""
        evse = self.evses.get(evse_id)
        if evse is None or evse.transaction_id is None:
            return None
        return self.transactions.get(evse.transaction_id)

    def repeats(self, event: TransactionReported) -> bool:
        """Whether the report was heard before, so that it is acknowledged and neither journalled nor counted again."""
        known = self.transactions.get(event.transaction_id)
        return known is not None and known.repeats(event)

    def is_history(self, measured_unix_us: int, now_unix_us: int) -> bool:
        """Whether what was measured then had waited in a queue: from before this link, and more than a minute old.

        By the charger's own clock, as far as it was seen to run: one that is an hour behind queues nothing.
        """
        told_unix_us = measured_unix_us + self.clock_lag_us
        connected_unix_us = self.connected_unix_us
        return (
            connected_unix_us is not None
            and told_unix_us < connected_unix_us
            and told_unix_us < now_unix_us - _QUEUED_AGE_US
        )

    @property
    def clock_behind_us(self) -> int:
        """How far the charger's clock is behind, as far as its last report on this link bears it out; 0: not notably."""
        if self.clock_seen is None:
            return 0
        behind_us = min(self.clock_lag_us, self.clock_seen[1] - self.clock_seen[0])
        return behind_us if behind_us >= _CLOCK_BEHIND_US else 0

    def variable(self, component: str, name: str, *, evse_id: int = 0) -> str | None:
        """A variable's value: of the connection point, else of the charger; None where it was not told."""
        for key in variable_keys(component, name, evse_id):
            if key in self.variables:
                return self.variables[key]
        return None

    def grid_faults(self, now_unix_us: int) -> tuple[str, ...]:
        """What the charger says is wrong with the grid now, each once; empty for nothing, or nothing that is fresh."""
        fresh = (
            fault
            for came_unix_us, fault in self.grid_alarms.values()
            if 0 <= now_unix_us - came_unix_us < GRID_ALARM_US
        )
        return tuple(sorted(set(fresh)))

    def apply(self, event: ChargerEvent, now_unix_us: int) -> None:
        """Take in one event, received at ``now_unix_us``."""
        if isinstance(event, TransactionReported):
            self._transaction(event, now_unix_us)
        elif isinstance(event, MeterRead):
            self._meter(event, now_unix_us)
        elif isinstance(event, StatusChanged):
            self._status(event)
        elif isinstance(event, Connected):
            self._connected(event, now_unix_us)
        elif isinstance(event, Disconnected):
            self.connected = False
            self.disconnect_reason = event.reason
        elif isinstance(event, Booted):
            self.boot = event
            self.boot_unix_us = now_unix_us
            self.grid_alarms.clear()
        elif isinstance(event, VariablesReported):
            self._variables(event)
        elif isinstance(event, CarNeeds):
            self._needs(event, now_unix_us)
        elif isinstance(event, RungChanged):
            self._rung(event)
        elif isinstance(event, ExternalLimit):
            self._external_limit(event)
        elif isinstance(event, DeviationSeen):
            self.deviation_count += 1
        else:
            self._of_the_grid(event, now_unix_us)

    def _rung(self, event: RungChanged) -> None:
        evse = self.evse(event.evse_id)
        evse.rung, evse.rung_highest = event.rung, event.highest
        evse.rung_proven, evse.rung_reason = event.proven, event.reason

    def _of_the_grid(self, event: ChargerEvent, now_unix_us: int) -> None:
        if isinstance(event, EnterServiceJudged):
            self.enter_service = None if event.verdict == "cleared" else event
        elif not isinstance(event, GridAlarmTold):
            return
        elif event.ended:
            self.grid_alarms.pop(event.control, None)
        elif not event.late and (
            event.control in self.grid_alarms or len(self.grid_alarms) < _GRID_ALARMS_MAX
        ):
            self.grid_alarms[event.control] = (now_unix_us, event.fault or "unknown")

    def _connected(self, event: Connected, now_unix_us: int) -> None:
        self.connected = True
        self.protocol = event.protocol
        self.security_profile = event.security_profile
        self.peer = event.peer
        self.connected_unix_us = self.seen_unix_us = now_unix_us
        self.clock_seen = None

    def _note_clock(self, measured_unix_us: int, now_unix_us: int) -> None:
        """Learn how far the charger's clock is behind, from reports that come as fast as they were measured.

        What was queued comes faster; so a report from a queue teaches nothing.
        """
        seen = self.clock_seen
        if seen is not None and now_unix_us - seen[1] < _CLOCK_APART_US:
            if measured_unix_us - seen[0] > _CLOCK_APART_US:
                self.clock_seen = (measured_unix_us, now_unix_us)
            return
        self.clock_seen = (measured_unix_us, now_unix_us)
        if seen is None:
            return
        passed_us = now_unix_us - seen[1]
        if abs(measured_unix_us - seen[0] - passed_us) <= _CLOCK_SLACK_US + passed_us // 20:
            self.clock_lag_us = now_unix_us - measured_unix_us

    def _status(self, event: StatusChanged) -> None:
        evse = self.evse(event.evse_id)
        if event.availability == "available" and evse.occupied_connector_id not in {
            None,
            event.connector_id,
        }:
            return  # the other connector of a place where a car is
        evse.availability = event.availability
        evse.error = event.error
        if event.availability == "occupied":
            evse.occupied_connector_id = event.connector_id
        if event.car_connected is not None:
            evse.car_connected = event.car_connected
        if event.availability == "available":
            evse.forget_car()

    def _transaction(self, event: TransactionReported, now_unix_us: int) -> None:
        transaction = self.transactions.get(event.transaction_id)
        if transaction is None:
            transaction = Transaction(event.transaction_id, event.evse_id)
            self.transactions[event.transaction_id] = transaction
            self._forget_oldest()
            self._note_number(event.transaction_id)
        evse_id_before = transaction.evse_id
        transaction.apply(event, now_unix_us)
        if event.measured_unix_us is not None and not event.offline:
            self._note_clock(event.measured_unix_us, now_unix_us)
        evse = self.evse(transaction.evse_id)
        if transaction.evse_id != evse_id_before:
            self._leave(evse_id_before, event.transaction_id)
        if event.phase == "ended":
            if evse.transaction_id == event.transaction_id:
                evse.transaction_id = None
                evse.charging_state = "idle"
                evse.needs = None
                if event.reason == "EVDisconnected" and not event.late:
                    evse.forget_car()
        elif transaction.open and (not event.late or self._is_newest(transaction)):
            evse.transaction_id = event.transaction_id
            if not event.late:
                evse.charging_state = charging_state = transaction.charging_state
                if charging_state == "idle":  # begun before the car is there, or it has left
                    evse.forget_car()
                else:
                    evse.car_connected = True
        if not event.late:
            for reading in event.readings:
                self._reading(evse, reading, now_unix_us)

    def _leave(self, evse_id: int, transaction_id: str) -> None:
        """A transaction that named its place late does not stay where it was put before."""
        left = self.evses.get(evse_id)
        if left is not None and left.transaction_id == transaction_id:
            left.transaction_id = None

    def _is_newest(self, transaction: Transaction) -> bool:
        """Whether no later transaction began at the same place: a queued report must not bring back an older one."""
        return all(
            other.started_unix_us <= transaction.started_unix_us
            for other in self.transactions.values()
            if other.evse_id == transaction.evse_id
        )

    def _note_number(self, transaction_id: str) -> None:
        if transaction_id.isdecimal() and len(transaction_id) <= len(str(_TRANSACTION_NUMBER_MAX)):
            number = int(transaction_id)
            if self.last_transaction_number < number <= _TRANSACTION_NUMBER_MAX:
                self.last_transaction_number = number

    def _forget_oldest(self) -> None:
        """Forget transactions beyond the bounds; one whose end never came would otherwise stay for good."""
        if len(self.transactions) <= _ENDED_MAX:
            return
        ended = [key for key, known in self.transactions.items() if not known.open]
        for key in ended[: max(0, len(ended) - _ENDED_MAX)]:
            del self.transactions[key]
        unfinished = [key for key, known in self.transactions.items() if known.open]
        for key in unfinished[: max(0, len(unfinished) - _OPEN_MAX)]:
            del self.transactions[key]

    def _meter(self, event: MeterRead, now_unix_us: int) -> None:
        evse = self.evse(event.evse_id)
        transaction_id = event.transaction_id or evse.transaction_id
        transaction = self.transactions.get(transaction_id or "")
        for reading in event.readings:
            self._reading(evse, reading, now_unix_us)
            if transaction is not None and (event.transaction_id or transaction.follows(reading)):
                transaction.add_reading(reading, now_unix_us)

    def _reading(self, evse: EvseState, reading: MeterReading, now_unix_us: int) -> None:
        before, received_unix_us = evse.reading, evse.reading_received_unix_us
        if before is None or received_unix_us is None:
            evse.reading = reading
        else:
            measured_unix_us, known_unix_us = reading.measured_unix_us, before.measured_unix_us
            if (
                measured_unix_us is not None
                and known_unix_us is not None
                and measured_unix_us < known_unix_us
                and now_unix_us - received_unix_us < _OUT_OF_ORDER_US
            ):
                return  # queued: older than what is known
            evse.reading = _newer(before, reading)
        evse.reading_received_unix_us = now_unix_us
        if evse.believed is not None and evse.believed.moved_kwh is None:
            evse.believed.moved_kwh = _moved_kwh(evse.reading)
        if reading.soc is not None:
            _believe(evse, reading.soc, now_unix_us)

    def _needs(self, event: CarNeeds, now_unix_us: int) -> None:
        evse = self.evse(event.evse_id)
        evse.needs = event
        evse.car_connected = True
        if event.soc is not None:
            _believe(evse, event.soc, now_unix_us)

    def _variables(self, event: VariablesReported) -> None:
        for variable in event.variables:
            if variable.attribute == "Actual":
                component, name = variable.component, variable.name
                if variable.component_instance:
                    component = f"{component}[{variable.component_instance}]"
                if variable.instance:
                    name = f"{name}[{variable.instance}]"
                key = variable_keys(component, name, variable.evse_id)[0]
                self.variables[key] = variable.value
        for name in event.unknown:
            if name not in self.unknown_variables:
                self.unknown_variables.append(name)

    def _external_limit(self, event: ExternalLimit) -> None:
        limits_kw = self.evse(event.evse_id).external_limits_kw
        if event.power_kw_max is None:
            limits_kw.pop(event.source, None)
        else:
            limits_kw[event.source] = event.power_kw_max


def variable_keys(component: str, name: str, evse_id: int = 0) -> tuple[str, ...]:
    """Where a variable is kept: of the connection point first, then of the charger. OCPP 1.6 keys have no component."""
    plain = f"{component}.{name}" if component else name
    return (f"{evse_id}:{plain}", plain) if evse_id else (plain,)


def _newer(before: MeterReading, reading: MeterReading) -> MeterReading:
    """The reading, with registers it leaves out taken from the one before: they cannot have gone back.

    Some chargers tell the values of one moment one by one: those are put together.
    """
    if reading.measured_unix_us is not None and reading.measured_unix_us == before.measured_unix_us:
        names = reading.__struct_fields__
    elif reading.energy_import_kwh is None or reading.energy_export_kwh is None:
        names = _REGISTERS
    else:
        return reading
    kept = {
        name: value
        for name in names
        if getattr(reading, name) is None and (value := getattr(before, name)) is not None
    }
    return msgspec.structs.replace(reading, **kept) if kept else reading


def _moved_kwh(reading: MeterReading | None) -> float | None:
    """Import less export by the registers; None without any."""
    if reading is None:
        return None
    import_kwh, export_kwh = reading.energy_import_kwh, reading.energy_export_kwh
    if import_kwh is None and export_kwh is None:
        return None
    return (import_kwh or 0.0) - (export_kwh or 0.0)


def _believe(evse: EvseState, soc: float, now_unix_us: int) -> None:
    """Take over a reported SoC unless it is one that chargers send when they know nothing, or one that stands still."""
    believed = evse.believed
    if not 0.0 <= soc <= 1.0:
        return
    if soc == 0.0 and (believed is None or believed.soc > _SOC_NEAR_EMPTY):
        return
    if believed is None or believed.soc != soc:
        evse.believed = BelievedSoc(soc, now_unix_us, _moved_kwh(evse.reading))
    elif not evse.moved_since(
        believed
    ):  # else the same value although the battery moved: the old one, sent again
        believed.measured_unix_us = now_unix_us
