"""A running site's state: the fold of its events. The same events give the same state, live and after a restart.

`SiteState.apply` is the only thing that changes it. It keeps what planning needs (60 days of load, sun and prices, past
stays),
what was wished, the plan that is followed, and the quarter of an hour that runs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.domain.site.event import (
    CarInterval,
    CarMinute,
    DepartureAsked,
    IntervalClosed,
    Measured,
    PlanAdopted,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SocTold,
    SourceChanged,
    StayBegan,
    StayEnded,
    TripsRead,
    WishesSet,
)
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.wish import Departure, Trip, Wishes
from parkwatt.domain.tariff.book import PriceBook
from parkwatt.site.guard.state import GuardState

STATE_VERSION: Final = 1
INTERVAL_S: Final = 900
HISTORY_S: Final = 60 * 86_400
_STAYS_MAX: Final = 200
_HIGHEST_DAYS: Final = 7
_DAY_S: Final = 86_400


class StayState(msgspec.Struct, omit_defaults=True):
    """The stay that runs. ``arrived_kwh``: in the battery when it began, or when that was told first. ``possible_kwh``:
    what charging at full power since it was asked would have brought by now;
    ``asked_for``: departure and energy that it counts for. ``lowest_kwh``: the least seen while it was discharged.
    """

    began: StayBegan
    arrived_kwh: float | None = None
    possible_kwh: float | None = None
    asked_for: tuple[int, float] | None = None
    lowest_kwh: float | None = None


class PastStay(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stay that ended. ``used_kwh``: what the trip before it took from the battery, None where not known."""

    arrival_unix_s: int
    departure_unix_s: int
    used_kwh: float | None = None


class CarState(msgspec.Struct, omit_defaults=True):
    """What is known of one car beyond the site's file. ``wishes`` None: those of the file hold."""

    wishes: Wishes | None = None
    wishes_after: Wishes | None = None
    wishes_end: bool = False
    asked: Departure | None = None
    trips: tuple[Trip, ...] = ()
    soc_told: SocTold | None = None
    stay: StayState | None = None
    stays: list[PastStay] = msgspec.field(default_factory=list)
    energy_kwh: float | None = None
    left_with_kwh: float | None = None
    risk: PromiseAtRisk | None = None


class RunningInterval(msgspec.Struct, omit_defaults=True):
    """The quarter of an hour that runs, as far as its minutes are known. ``*_s``: seconds for which each is known."""

    start_unix_s: int
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    grid_s: float = 0.0
    load_kwh: float = 0.0
    load_s: float = 0.0
    solar_kwh: float = 0.0
    solar_s: float = 0.0
    cars: dict[str, CarInterval] = msgspec.field(default_factory=dict)


class History(msgspec.Struct, omit_defaults=True):
    """Means of quarter hours from ``start_unix_s`` on, None where not known; [H] each."""

    start_unix_s: int = 0
    load_kw: list[float | None] = msgspec.field(default_factory=list)
    solar_kw: list[float | None] = msgspec.field(default_factory=list)

    @property
    def end_unix_s(self) -> int:
        """Where the next interval begins."""
        return self.start_unix_s + INTERVAL_S * len(self.load_kw)

    def add(self, start_unix_s: int, load_kw: float | None, solar_kw: float | None) -> None:
        """Note an interval; one that lies before the end takes the place of what was there."""
        if not self.load_kw:
            self.start_unix_s = start_unix_s
        index = (start_unix_s - self.start_unix_s) // INTERVAL_S
        if index < 0:
            return
        missing = index - len(self.load_kw)
        if missing * INTERVAL_S > HISTORY_S:
            self.load_kw, self.solar_kw, self.start_unix_s = [], [], start_unix_s
            index, missing = 0, 0
        if missing >= 0:
            self.load_kw += [None] * missing + [load_kw]
            self.solar_kw += [None] * missing + [solar_kw]
        else:
            self.load_kw[index], self.solar_kw[index] = load_kw, solar_kw
        # Whole days go together, so that the history's grid begins at the same time of day.
        while len(self.load_kw) * INTERVAL_S > HISTORY_S + _DAY_S:
            count = _DAY_S // INTERVAL_S
            del self.load_kw[:count], self.solar_kw[:count]
            self.start_unix_s += _DAY_S


class SiteState(msgspec.Struct, omit_defaults=True):
    """All that a running site knows. ``month_peaks_kw``: highest mean import of a quarter hour, by local month.

    ``base_highest_kw``: the highest load less sun of each of the last days, by day since 1970.
    """

    cars: dict[str, CarState] = msgspec.field(default_factory=dict)
    prices: PriceBook = msgspec.field(default_factory=PriceBook)
    history: History = msgspec.field(default_factory=History)
    interval: RunningInterval | None = None
    last_interval_unix_s: int = 0
    plan: LivePlan | None = None
    plan_because: str = ""
    guard: GuardState = msgspec.field(default_factory=GuardState)
    sources: dict[str, SourceChanged] = msgspec.field(default_factory=dict)
    month_peaks_kw: dict[str, float] = msgspec.field(default_factory=dict)
    base_highest_kw: dict[int, float] = msgspec.field(default_factory=dict)

    def car(self, car_id: str) -> CarState:
        """A car, known from now on."""
        found = self.cars.get(car_id)
        if found is None:
            found = self.cars[car_id] = CarState()
        return found

    def apply(self, event: SiteEvent, now_unix_us: int, time_zone: ZoneInfo) -> None:
        """Take in one event, recorded at ``now_unix_us``."""
        if isinstance(event, Measured):
            self._measured(event)
        elif isinstance(event, SetpointDecided):
            self.guard.apply(event, now_unix_us)
        elif isinstance(event, IntervalClosed):
            self._closed(event, time_zone)
        elif isinstance(event, PricesReceived):
            self.prices = self.prices.with_prices(event, now_unix_us // 1_000_000)
        elif isinstance(event, PlanAdopted):
            self.plan, self.plan_because = event.plan, event.because
        elif isinstance(event, SourceChanged):
            self.sources[event.source] = event
        else:
            self._of_a_car(event)

    def _of_a_car(self, event: SiteEvent) -> None:
        if isinstance(event, StayBegan):
            self._began(event)
        elif isinstance(event, StayEnded):
            self._ended(event)
        elif isinstance(event, WishesSet):
            car = self.car(event.car_id)
            if event.until_departure and not car.wishes_end:
                car.wishes_after = car.wishes
            car.wishes, car.wishes_end = event.wishes, event.until_departure
            if not event.until_departure:
                car.wishes_after = None
        elif isinstance(event, DepartureAsked):
            self.car(event.car_id).asked = event.departure
        elif isinstance(event, TripsRead):
            self.car(event.car_id).trips = event.trips
        elif isinstance(event, SocTold):
            self.car(event.car_id).soc_told = event
        elif isinstance(event, PromiseAtRisk):
            self.car(event.car_id).risk = event

    def _began(self, event: StayBegan) -> None:
        car = self.car(event.car_id)
        car.stay = StayState(event, event.energy_kwh)
        car.energy_kwh = event.energy_kwh
        car.risk = None

    def _ended(self, event: StayEnded) -> None:
        car = self.car(event.car_id)
        stay, car.stay = car.stay, None
        car.asked = car.soc_told = car.risk = None
        if car.wishes_end:
            car.wishes, car.wishes_after, car.wishes_end = car.wishes_after, None, False
        if stay is not None:
            used_kwh = None
            if car.left_with_kwh is not None and stay.arrived_kwh is not None:
                used_kwh = max(car.left_with_kwh - stay.arrived_kwh, 0.0)
            car.stays.append(PastStay(stay.began.since_unix_s, event.at_unix_s, used_kwh))
            del car.stays[:-_STAYS_MAX]
        car.left_with_kwh = car.energy_kwh = event.energy_kwh

    def _measured(self, event: Measured) -> None:
        start_unix_s = event.start_unix_s - event.start_unix_s % INTERVAL_S
        interval = self.interval
        if interval is None or interval.start_unix_s != start_unix_s:
            interval = self.interval = RunningInterval(start_unix_s)
        hours, known_s = event.duration_s / 3600.0, event.duration_s * event.coverage
        if event.grid_kw is not None:
            export_kw = event.export_kw or 0.0
            interval.import_kwh += max(event.grid_kw + export_kw, 0.0) * hours * event.coverage
            interval.export_kwh += export_kw * hours * event.coverage
            interval.grid_s += known_s
        if event.load_kw is not None:
            interval.load_kwh += event.load_kw * known_s / 3600.0
            interval.load_s += known_s
            self._note_base(event)
        if event.solar_kw is not None:
            interval.solar_kwh += event.solar_kw * known_s / 3600.0
            interval.solar_s += known_s
        for car_id, minute in event.cars.items():
            before = interval.cars.get(car_id, CarInterval())
            interval.cars[car_id] = CarInterval(
                in_kwh=before.in_kwh + minute.in_kwh,
                out_kwh=before.out_kwh + minute.out_kwh,
                energy_kwh=minute.energy_kwh,
                plugged_s=before.plugged_s + event.duration_s,
            )
            car = self.car(car_id)
            _note_minute(car, minute)

    def _note_base(self, event: Measured) -> None:
        day = event.start_unix_s // _DAY_S
        base_kw = (event.load_kw or 0.0) - (event.solar_kw or 0.0)
        if base_kw > self.base_highest_kw.get(day, 0.0):
            self.base_highest_kw[day] = base_kw
        for old in [known for known in self.base_highest_kw if known <= day - _HIGHEST_DAYS]:
            del self.base_highest_kw[old]

    def _closed(self, event: IntervalClosed, time_zone: ZoneInfo) -> None:
        hours = event.duration_s / 3600.0
        load = None if event.load_kwh is None else event.load_kwh / hours
        solar = None if event.solar_kwh is None else event.solar_kwh / hours
        self.history.add(event.start_unix_s, load, solar)
        self.last_interval_unix_s = max(self.last_interval_unix_s, event.start_unix_s)
        if event.import_kwh is not None:
            month = f"{datetime.fromtimestamp(event.start_unix_s, tz=time_zone):%Y-%m}"
            peak_kw = max(self.month_peaks_kw.get(month, 0.0), event.import_kwh / hours)
            self.month_peaks_kw = {month: peak_kw}
        if self.interval is not None and self.interval.start_unix_s <= event.start_unix_s:
            self.interval = None


def _note_minute(car: CarState, minute: CarMinute) -> None:
    """A car's minute: its energy, and what was asked of it and possible by then."""
    stay = car.stay
    if minute.energy_kwh is not None:
        car.energy_kwh = minute.energy_kwh
        if stay is not None and stay.arrived_kwh is None:
            stay.arrived_kwh = minute.energy_kwh
        if stay is not None and minute.out_kwh > 0:
            lowest = stay.lowest_kwh
            stay.lowest_kwh = (
                minute.energy_kwh if lowest is None else min(lowest, minute.energy_kwh)
            )
    if stay is not None:
        stay.possible_kwh = minute.possible_kwh
        if minute.departs_unix_s is None or minute.asked_kwh is None:
            stay.asked_for = None
        else:
            stay.asked_for = (minute.departs_unix_s, minute.asked_kwh)


def encode_state(state: SiteState) -> msgspec.Raw:
    """The state as JSON, for a snapshot."""
    return msgspec.Raw(msgspec.json.encode(state))


def decode_state(payload: msgspec.Raw) -> SiteState:
    """A state from a snapshot. Raises msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(payload, type=SiteState)
