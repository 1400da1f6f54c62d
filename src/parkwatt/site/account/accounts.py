"""The fold of a site's journal to the facts of its accounts: incremental, and the same for the same entries.

Nothing is valued here. Facts are kept so that their order of arrival does not matter where the journal has several: registers
by the time at which they were measured (`parkwatt.site.account.readings`), quarters by their start. What they are
worth is computed from all of them when somebody asks (`parkwatt.site.account.ledger`), and again after the next entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from parkwatt.domain.charger.event import MeterRead, SetpointReleased, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.journal import Entry
from parkwatt.domain.site.event import (
    IntervalClosed,
    Measured,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SocTold,
    StayBegan,
    StayEnded,
    WishesSet,
)
from parkwatt.domain.tariff import Tariff
from parkwatt.domain.tariff.book import PriceBook
from parkwatt.site.account.clocks import ClockFacts
from parkwatt.site.account.days import Days, DaysState
from parkwatt.site.account.ledger import Ledger, make_ledger
from parkwatt.site.account.quarters import Quarters, QuartersState
from parkwatt.site.account.readings import PointReadings
from parkwatt.site.account.settings import AccountSettings
from parkwatt.site.account.soc import SocReadings
from parkwatt.site.account.stays import StayFacts
from parkwatt.site.guard.state import point_key

STATE_VERSION: Final = 2
_US: Final = 1_000_000
# A wish needs a moment to be followed: what the car did until then is judged by the floor before.
_FOLLOWED_S: Final = 60
_MOVED_KWH: Final = 0.005
# What a driver says of the charge is no measurement.
_BY_HAND: Final = "api"


class FloorFacts(msgspec.Struct, omit_defaults=True):
    """A car's floor as its wishes changed it. ``soc`` None: that of the site's file. ``after``: once the car has left."""

    soc: float | None = None
    since_unix_s: int = 0
    after: float | None = None
    ends: bool = False


class AccountState(msgspec.Struct, omit_defaults=True):
    """All facts but the quarters. ``running``: by car, the stay that lasts.

    ``point_socs``: by connection point, what its charger told of the car's charge; ``car_socs``: by car, what its own
    service told.
    """

    version: int = STATE_VERSION
    recorded_unix_us: int = 0
    unreadable: int = 0
    points: dict[str, PointReadings] = msgspec.field(default_factory=dict)
    point_socs: dict[str, SocReadings] = msgspec.field(default_factory=dict)
    car_socs: dict[str, SocReadings] = msgspec.field(default_factory=dict)
    clocks: dict[str, ClockFacts] = msgspec.field(default_factory=dict)
    stays: dict[str, StayFacts] = msgspec.field(default_factory=dict)
    running: dict[str, str] = msgspec.field(default_factory=dict)
    floors: dict[str, FloorFacts] = msgspec.field(default_factory=dict)
    prices: PriceBook = msgspec.field(default_factory=PriceBook)
    days: DaysState = msgspec.field(default_factory=DaysState)
    quarters: QuartersState = msgspec.field(default_factory=QuartersState)


class Accounts:
    """A site's accounts. ``state``: as an earlier `snapshot` kept it."""

    def __init__(self, settings: AccountSettings, state: AccountState | None = None) -> None:
        self.settings = settings
        self._state = AccountState() if state is None else state
        self._quarters = Quarters(self._state.quarters)
        self._state.quarters = QuartersState()
        self._days = Days(
            self._state.days,
            settings.time_zone,
            settings.import_limit_kw,
            settings.export_limit_kw,
        )
        self._tariff: Tariff | None = None
        self._ledger: Ledger | None = None
        self._takers: dict[str, Callable[[Any, Entry], None]] = {
            "meter.read": self._meter_read,
            "transaction.reported": self._transaction,
            "setpoint.released": self._released,
            "car.soc": self._soc_told,
            "site.interval": self._interval,
            "site.measured": self._measured,
            "stay.began": self._began,
            "stay.ended": self._ended,
            "wish.set": self._wishes,
            "promise.at_risk": self._risk,
            _SETPOINT: self._setpoint,
            "prices.received": self._prices,
            "plan.adopted": self._plan,
            "site.started": self._started,
        }

    @property
    def days(self) -> DaysState:
        """What is counted by day."""
        return self._state.days

    @property
    def quarters(self) -> Quarters:
        """The site's quarters of an hour, as they were closed."""
        return self._quarters

    def socs(self, car_id: str) -> tuple[tuple[str, SocReadings], ...]:
        """What was told of a car's charge, by its charger and by its own service; each with the connection point."""
        car = self.settings.car(car_id)
        if car is None:
            return ()
        key = point_key(car.charger_id, car.evse_id)
        told = (self._state.point_socs.get(key), self._state.car_socs.get(car_id))
        return tuple((key, readings) for readings in told if readings is not None)

    @property
    def recorded_unix_us(self) -> int:
        """When the last entry was recorded; 0 before the first."""
        return self._state.recorded_unix_us

    @property
    def unreadable_count(self) -> int:
        """How many entries were not what they said they were, and so were left out."""
        return self._state.unreadable

    @property
    def ledger(self) -> Ledger:
        """All of it, valued as it is known now."""
        if self._ledger is None:
            self._ledger = make_ledger(
                self.settings,
                self._quarters,
                self._state.points,
                list(self._state.stays.values()),
                self._state.recorded_unix_us // _US,
            )
        return self._ledger

    def snapshot(self) -> bytes:
        """All facts, for `restored`."""
        state = msgspec.structs.replace(self._state, quarters=self._quarters.state())
        return msgspec.msgpack.encode(state)

    @classmethod
    def restored(cls, settings: AccountSettings, snapshot: bytes) -> Accounts | None:
        """Accounts that go on from a snapshot; None where it is of another version, and all has to be folded anew.

        Raises msgspec.MsgspecError where it is no snapshot.
        """
        version = msgspec.msgpack.decode(snapshot, type=_Version).version
        if version != STATE_VERSION:
            return None
        return cls(settings, msgspec.msgpack.decode(snapshot, type=AccountState))

    def take(self, entry: Entry) -> None:
        """Take in the next entry of the journal. What an account does not need is passed over."""
        take = self._takers.get(entry.kind)
        if take is None:
            return
        self._ledger = None
        self._state.recorded_unix_us = entry.recorded_unix_us
        if entry.payload is None:
            if entry.kind == _SETPOINT:
                self._days.thinned_setpoint(entry.recorded_unix_us // _US)
            return
        event: Any = None
        decoder = _DECODERS[entry.kind]
        if decoder is not None:
            try:
                event = decoder.decode(entry.payload)
            except msgspec.DecodeError:
                self._state.unreadable += 1
                return
        take(event, entry)

    # The chargers.

    def _meter_read(self, event: MeterRead, entry: Entry) -> None:
        for reading in event.readings:
            self._reading(entry, event.evse_id, reading, reading.measured_unix_us, pinned=False)

    def _transaction(self, event: TransactionReported, entry: Entry) -> None:
        clock = self._clock(entry.subject)
        if event.measured_unix_us is not None and not (event.offline or event.late):
            clock.note(event.measured_unix_us, entry.recorded_unix_us)
        pinned = event.phase != "updated"
        for reading in event.readings:
            measured = reading.measured_unix_us
            measured = event.measured_unix_us if measured is None else measured
            self._reading(entry, event.evse_id, reading, measured, pinned=pinned)

    def _reading(
        self,
        entry: Entry,
        evse_id: int,
        reading: MeterReading,
        measured_unix_us: int | None,
        *,
        pinned: bool,
    ) -> None:
        evse_id = self._evse_id(entry.subject, evse_id)
        if not evse_id:
            return  # the charger's main meter
        key = point_key(entry.subject, evse_id)
        point = self._state.points.get(key)
        if point is None:
            point = self._state.points[key] = PointReadings()
        at_unix_us = self._clock(entry.subject).told(measured_unix_us, entry.recorded_unix_us)
        pinned = pinned or reading.moment in ("begin", "end")
        if reading.soc is not None:
            _noted(self._state.point_socs, key).add(at_unix_us, reading.soc)
        if reading.energy_import_kwh is not None:
            point.imported.add(at_unix_us, reading.energy_import_kwh, pinned)
        if reading.energy_export_kwh is not None:
            point.exported.add(at_unix_us, reading.energy_export_kwh, pinned)
        if reading.energy_import_interval_kwh is not None:
            point.import_intervals.add(at_unix_us, reading.energy_import_interval_kwh)
        if reading.energy_export_interval_kwh is not None:
            point.export_intervals.add(at_unix_us, reading.energy_export_interval_kwh)

    def _soc_told(self, event: SocTold, _: Entry) -> None:
        if event.origin != _BY_HAND:
            _noted(self._state.car_socs, event.car_id).add(event.measured_unix_us, event.soc)

    def _evse_id(self, charger_id: str, evse_id: int) -> int:
        """The connection point; a charger that names none and has one only means that one."""
        if evse_id:
            return evse_id
        only = [car.evse_id for car in self.settings.cars if car.charger_id == charger_id]
        return only[0] if len(only) == 1 else 0

    def _clock(self, charger_id: str) -> ClockFacts:
        clock = self._state.clocks.get(charger_id)
        if clock is None:
            clock = self._state.clocks[charger_id] = ClockFacts()
        return clock

    def _released(self, event: SetpointReleased, entry: Entry) -> None:
        if event.lapsed:
            self._days.at(entry.recorded_unix_us // _US).leases_lapsed += 1

    # The site.

    def _interval(self, event: IntervalClosed, _: Entry) -> None:
        if event.duration_s <= 0:
            return
        self._quarters.add(event, self._known_tariff())
        end_unix_s = event.start_unix_s + event.duration_s
        if event.import_kwh is not None and event.export_kwh is not None:
            self._days.interval(
                event.start_unix_s, event.duration_s, event.import_kwh, event.export_kwh
            )
        for car_id, car in event.cars.items():
            if car.energy_kwh is not None:
                discharged = car.out_kwh > _MOVED_KWH
                self._energy(car_id, car.energy_kwh, discharged, event.start_unix_s, end_unix_s)

    def _measured(self, event: Measured, _: Entry) -> None:
        self._days.measured(event)
        end_unix_s = event.start_unix_s + event.duration_s
        for car_id, car in event.cars.items():
            if car.energy_kwh is not None:
                discharged = car.out_kwh > _MOVED_KWH
                self._energy(car_id, car.energy_kwh, discharged, event.start_unix_s, end_unix_s)

    def _energy(
        self,
        car_id: str,
        energy_kwh: float,
        discharged: bool,
        from_unix_s: int,
        until_unix_s: int,
    ) -> None:
        """Note what is in a car that is here; what it was discharged to is held against its floor."""
        stay = self._state.stays.get(self._state.running.get(car_id, ""))
        if stay is None or stay.since_unix_s > until_unix_s:
            return
        if stay.first_kwh is None:
            stay.first_kwh, stay.first_unix_s = energy_kwh, until_unix_s
        car = self.settings.car(car_id)
        if not discharged or car is None:
            return
        floor = self._state.floors.get(car_id, FloorFacts())
        if from_unix_s - _FOLLOWED_S >= floor.since_unix_s:
            floor_soc = car.floor_soc if floor.soc is None else floor.soc
            stay.discharged(energy_kwh, floor_soc * car.capacity_kwh)

    def _began(self, event: StayBegan, _: Entry) -> None:
        if event.stay_id in self._state.stays:
            return
        before = self._state.stays.get(self._state.running.get(event.car_id, ""))
        if before is not None and before.ended is None:
            before.replaced_unix_s = max(event.since_unix_s, before.since_unix_s)
        self._state.stays[event.stay_id] = StayFacts(
            event.stay_id, event.car_id, event.since_unix_s, began=event
        )
        self._state.running[event.car_id] = event.stay_id

    def _ended(self, event: StayEnded, _: Entry) -> None:
        stay = self._state.stays.get(event.stay_id)
        if stay is None:
            stay = StayFacts(event.stay_id, event.car_id, event.at_unix_s)
            self._state.stays[event.stay_id] = stay
        if stay.ended is None:
            stay.ended = event
        if self._state.running.get(event.car_id) == event.stay_id:
            del self._state.running[event.car_id]
        floor = self._state.floors.get(event.car_id)
        if floor is not None and floor.ends:
            self._state.floors[event.car_id] = FloorFacts(floor.after, event.at_unix_s)

    def _wishes(self, event: WishesSet, entry: Entry) -> None:
        before = self._state.floors.get(event.car_id, FloorFacts())
        now_unix_s = entry.recorded_unix_us // _US
        floor_soc = event.wishes.floor_soc
        floor = FloorFacts(
            floor_soc, before.since_unix_s if floor_soc == before.soc else now_unix_s
        )
        if event.until_departure:
            floor.after, floor.ends = (before.after if before.ends else before.soc), True
        self._state.floors[event.car_id] = floor

    def _risk(self, event: PromiseAtRisk, _: Entry) -> None:
        stay = self._state.stays.get(self._state.running.get(event.car_id, ""))
        if stay is not None:
            stay.risks.append(event.message)

    def _setpoint(self, event: SetpointDecided, entry: Entry) -> None:
        self._days.setpoint(event, entry.recorded_unix_us // _US)

    def _prices(self, event: PricesReceived, entry: Entry) -> None:
        book = self._state.prices
        self._state.prices = book.with_prices(event, entry.recorded_unix_us // _US)
        self._tariff = None
        until_unix_s = event.start_unix_s + event.step_s * len(event.price_per_kwh)
        if event.start_unix_s < self._quarters.end_unix_s:
            self._quarters.fill_prices(self._known_tariff(), event.start_unix_s, until_unix_s)

    def _plan(self, _: None, entry: Entry) -> None:
        self._days.at(entry.recorded_unix_us // _US).plans += 1

    def _started(self, _: None, entry: Entry) -> None:
        self._days.at(entry.recorded_unix_us // _US).starts += 1

    def _known_tariff(self) -> Tariff:
        """The tariff with all prices that were received."""
        if self._tariff is None:
            self._tariff = self.settings.tariff.with_feeds(self._state.prices.all_series())
        return self._tariff


def _noted(socs: dict[str, SocReadings], key: str) -> SocReadings:
    found = socs.get(key)
    if found is None:
        found = socs[key] = SocReadings()
    return found


class _Version(msgspec.Struct):
    version: int = STATE_VERSION


_SETPOINT: Final = "setpoint.decided"
# What each kind of entry is decoded as. Plans are only counted, and large: they are not decoded.
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any] | None]] = {
    "meter.read": msgspec.json.Decoder(MeterRead),
    "transaction.reported": msgspec.json.Decoder(TransactionReported),
    "setpoint.released": msgspec.json.Decoder(SetpointReleased),
    "car.soc": msgspec.json.Decoder(SocTold),
    "site.interval": msgspec.json.Decoder(IntervalClosed),
    "site.measured": msgspec.json.Decoder(Measured),
    "stay.began": msgspec.json.Decoder(StayBegan),
    "stay.ended": msgspec.json.Decoder(StayEnded),
    "wish.set": msgspec.json.Decoder(WishesSet),
    "promise.at_risk": msgspec.json.Decoder(PromiseAtRisk),
    _SETPOINT: msgspec.json.Decoder(SetpointDecided),
    "prices.received": msgspec.json.Decoder(PricesReceived),
    "plan.adopted": None,
    "site.started": None,
}
# The kinds of entries that accounts are made from.
KINDS: Final = tuple(_DECODERS)
