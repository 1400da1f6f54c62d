"""A local day by quarters of an hour, as they were written down when each was over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from parkwatt.app.api.past.journal import HOUR_US, US, PastJournal
from parkwatt.app.api.past.site import read
from parkwatt.app.api.past.views import DayCarView, DayStepView, DayView
from parkwatt.app.api.views import moment
from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import CarInterval, IntervalClosed
from parkwatt.site.live.settings import SiteSettings

# A program that did not run writes a quarter of an hour down when it does again.
_LATE_US: Final = HOUR_US


def day_view(journal: Path, day: date, settings: SiteSettings) -> DayView:
    """The day, as far as it is over: 23 to 25 hours. Raises JournalDamaged where an entry is not what it says it is."""
    number, zone = day_number(day), settings.time_zone
    start_unix_s = local_time_unix_s(number, 0, zone)
    end_unix_s = local_time_unix_s(number + 1, 0, zone)
    past = PastJournal(journal, end_unix_s * US)
    entries = past.entries(
        ("site.interval",),
        subject=site_event.SUBJECT,
        after_seq=past.seq_ago((end_unix_s - start_unix_s) * US),
        last_seq=past.seq_ago(-_LATE_US),
    )
    closed = {}
    for entry in entries:
        event = read(entry, IntervalClosed)
        if start_unix_s <= event.start_unix_s < end_unix_s:
            closed[event.start_unix_s] = event
    return DayView(
        day=day,
        start=moment(start_unix_s * US),
        end=moment(end_unix_s * US),
        steps=[_step(closed[start], settings) for start in sorted(closed)],
    )


def _step(event: IntervalClosed, settings: SiteSettings) -> DayStepView:
    hours = event.duration_s / 3600.0
    grid_kw = None
    if event.import_kwh is not None and event.export_kwh is not None:
        grid_kw = (event.import_kwh - event.export_kwh) / hours
    cars = {}
    for car_id, car in event.cars.items():
        known = settings.car(car_id)
        if known is not None:
            cars[car_id] = _car(car, hours, known.capacity_kwh)
    return DayStepView(
        start=moment(event.start_unix_s * US),
        end=moment((event.start_unix_s + event.duration_s) * US),
        grid_kw=grid_kw,
        solar_kw=None if event.solar_kwh is None else event.solar_kwh / hours,
        load_kw=None if event.load_kwh is None else event.load_kwh / hours,
        cars=cars,
    )


def _car(car: CarInterval, hours: float, capacity_kwh: float) -> DayCarView:
    return DayCarView(
        power_kw=(car.in_kwh - car.out_kwh) / hours,
        soc=None if car.energy_kwh is None else car.energy_kwh / capacity_kwh,
    )
