"""What a site is told from outside: meters, broker, prices, calendars. Asked of the running server, else tried from here."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.app.api.reasons import seq_before
from parkwatt.app.api.site_words import clock as clock_words
from parkwatt.app.api.site_words import local
from parkwatt.app.live_settings import CarSources, LiveSettings
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import IntervalClosed, PricesReceived, SourceChanged, TripsRead
from parkwatt.io.calendars import trip_calendar
from parkwatt.io.meter_reading import Partial
from parkwatt.io.meter_settings import Metering
from parkwatt.io.meter_source import meter_sources
from parkwatt.io.prices import FeedSettings, price_feed
from parkwatt.io.store.reader import JournalReader

_US: Final = 1_000_000
_PATIENCE_S: Final = 20.0
_POLL_S: Final = 2.0
_FRESH_S: Final = 60.0
_NIGHT_HOURS: Final = range(4)
_LOOKED_AT_S: Final = 7 * 86_400
_NIGHT_QUARTERS_MIN: Final = 8
_NO_METER = "without one the house's power is not known: no discharging, and limits by the house's usual peak"

Told = PricesReceived | TripsRead | SourceChanged | str


def checks(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """All about sources."""
    if seen.site is not None:
        yield from _as_the_server_sees(settings, seen.site)
    else:
        yield from _tried(settings)
    yield from _history(settings)


def _as_the_server_sees(settings: LiveSettings, site: dict[str, Any]) -> Iterator[Check]:
    zone, now_unix_s = settings.site.time_zone, datetime.fromisoformat(site["at"]).timestamp()
    if not settings.metering.has("grid", "load"):
        yield Check("warning", "meter", "no grid meter", f"set [meter.grid]: {_NO_METER}")
    elif site["meter_read_at"] is None:
        yield Check("error", "meter", "told nothing yet", "check its address in [meter.grid]")
    else:
        read_at = datetime.fromisoformat(site["meter_read_at"]).timestamp()
        age_s = now_unix_s - read_at
        message = f"read {age_s:.0f} s ago"
        if age_s > _FRESH_S:
            at = clock_words(read_at, now_unix_s, zone)
            remedy = "check the meter and the way to it"
            yield Check("error", "meter", f"last read at {at}", remedy)
        else:
            yield Check("ok", "meter", message)
    until = site["prices_known_until"]
    if site["price_now"]["import_price_per_kwh"] is None:
        yield Check("error", "prices", "not known now", "see what the sources say below")
    elif until is None:
        yield Check("ok", "prices", "known for all time")
    else:
        at = clock_words(datetime.fromisoformat(until).timestamp(), now_unix_s, zone)
        yield Check("ok", "prices", f"known until {at}")
    for source in site["sources"]:
        if source["ok"]:
            yield Check("ok", source["source"], "gives what it should")
        else:
            remedy = "check its settings and the network; it is tried again by itself"
            yield Check("error", source["source"], source["reason"] or "gives nothing", remedy)


def _tried(settings: LiveSettings) -> Iterator[Check]:
    """Each source asked once."""
    if not settings.metering.has("grid", "load"):
        yield Check("warning", "meter", "no grid meter", f"set [meter.grid]: {_NO_METER}")
    yield from asyncio.run(_try_all(settings))


async def _try_all(settings: LiveSettings) -> list[Check]:
    tries: list[Awaitable[list[Check]]] = [_try_feed(settings, feed) for feed in settings.feeds]
    tries += [
        _try_calendar(settings, car_id, sources)
        for car_id, sources in settings.car_sources.items()
        if sources.trips is not None
    ]
    if settings.metering.meters:
        tries.append(_try_meters(settings.metering))
    return [check for found in await asyncio.gather(*tries) for check in found]


async def _first_word(run: Callable[[Callable[[Any], None]], Awaitable[Any]]) -> Told:
    """What a source tells first; a sentence where it tells nothing in time."""
    told: asyncio.Queue[Told] = asyncio.Queue()
    task = asyncio.ensure_future(run(told.put_nowait))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                first = await told.get()
                if not isinstance(first, SourceChanged) or not first.ok:
                    return first
    except TimeoutError:
        return f"told nothing within {_PATIENCE_S:.0f} s"
    finally:
        task.cancel()


async def _try_feed(settings: LiveSettings, feed: FeedSettings) -> list[Check]:
    source = price_feed(
        feed,
        clock=lambda: time.time_ns() // 1000,
        known_until=lambda: None,
        folder=settings.folder,
    )
    told = await _first_word(lambda tell: source.run(tell, tell))
    subject, now_unix_s = f"prices {feed.name}", time.time()
    if isinstance(told, PricesReceived):
        end_unix_s = told.start_unix_s + told.step_s * len(told.price_per_kwh)
        until = clock_words(end_unix_s, now_unix_s, settings.site.time_zone)
        notes = f" ({'; '.join(told.notes)})" if told.notes else ""
        if end_unix_s <= now_unix_s:
            remedy = "check the source and its zone"
            return [Check("error", subject, f"{feed.title} ends at {until}", remedy)]
        return [Check("ok", subject, f"{feed.title} gives them until {until}{notes}")]
    reason = told.reason if isinstance(told, SourceChanged) else str(told)
    remedy = "check the network and the keys of this source in [tariff]"
    return [Check("error", subject, reason, remedy)]


async def _try_calendar(settings: LiveSettings, car_id: str, sources: CarSources) -> list[Check]:
    source = trip_calendar(
        car_id,
        sources.trips or "",
        match=sources.trips_match,
        zone=settings.site.time_zone,
        clock=lambda: time.time_ns() // 1000,
        folder=settings.folder,
    )
    told = await _first_word(lambda tell: source.run(tell, tell))
    subject = f"calendar {car_id}"
    if isinstance(told, TripsRead):
        return [Check("ok", subject, _trips_words(told, settings.site.time_zone))]
    reason = told.reason if isinstance(told, SourceChanged) else str(told)
    return [Check("error", subject, reason, "check trips of this car: a file, or its address")]


def _trips_words(told: TripsRead, zone: ZoneInfo) -> str:
    if not told.trips:
        return "can be read; no trips in the next month"
    first = told.trips[0]
    at = clock_words(first.departs_unix_s, time.time(), zone)
    return f"{len(told.trips)} trips in the next month, the first {at}: {first.title}".rstrip(": ")


async def _try_meters(metering: Metering) -> list[Check]:
    """Listen until each meter told its power, or for a while; the broker is heard of where it gives nothing."""
    wanted = {f"{meter.role}_kw": meter for meter in metering.meters}
    powers_kw: dict[str, float] = {}
    faults: dict[str, str] = {}
    done = asyncio.Event()

    def on_reading(told: Partial) -> None:
        powers_kw.update({name: told[name] for name in wanted if told.get(name) is not None})
        if powers_kw.keys() >= wanted.keys():
            done.set()

    def on_state(state: SourceChanged) -> None:
        faults[state.source] = "" if state.ok else state.reason

    sources = meter_sources(metering, clock=lambda: time.time_ns() // 1000, poll_s=lambda: _POLL_S)
    tasks = [asyncio.create_task(source.run(on_reading, on_state)) for source in sources]
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await done.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [
        _meter_check(meter.source, powers_kw.get(name), faults.get(meter.source, ""))
        for name, meter in wanted.items()
    ] + [
        Check("error", source, reason, "check its settings, and that it runs")
        for source, reason in faults.items()
        if reason and source not in {meter.source for meter in metering.meters}
    ]


def _meter_check(source: str, power_kw: float | None, fault: str) -> Check:
    if power_kw is not None:
        return Check("ok", source, f"shows {power_kw:+.2f} kW now")
    reason = fault or f"told nothing within {_PATIENCE_S:.0f} s"
    return Check("error", source, reason, f"check the keys of [{source}] and the way to it")


def _history(settings: LiveSettings) -> Iterator[Check]:
    """What the last week in the journal says of the meter's sign and of the house's peak."""
    journal = settings.serve.store.journal
    if not journal.exists() or not settings.metering.has("grid"):
        return
    try:
        quarters = list(_quarters(journal))
    except (ParkwattError, msgspec.MsgspecError):
        return  # the check of the journal told it
    yield from _sign(quarters, settings.site.time_zone)
    yield from _peak(quarters, settings)


def _quarters(journal: Path) -> Iterator[IntervalClosed]:
    reader = JournalReader(journal)
    last = reader.last()[0]
    newest = next((entry.recorded_unix_us for entry in reader.read(after_seq=last - 1)), 0)
    from_unix_us = newest - _LOOKED_AT_S * _US
    for entry in reader.read(
        after_seq=seq_before(reader, from_unix_us),
        subject=site_event.SUBJECT,
        kinds=("site.interval",),
        from_unix_us=from_unix_us,
    ):
        if entry.payload is not None:
            event = site_event.decode(entry.payload)
            if isinstance(event, IntervalClosed):
                yield event


def _sign(quarters: list[IntervalClosed], zone: ZoneInfo) -> Iterator[Check]:
    """At night a house without a discharging car buys: where it seems to sell, the meter's sign is the other one."""
    nights = [
        quarter
        for quarter in quarters
        if local(quarter.start_unix_s, zone).hour in _NIGHT_HOURS
        and quarter.import_kwh is not None
        and quarter.export_kwh is not None
        and not any(car.out_kwh for car in quarter.cars.values())
    ]
    if len(nights) < _NIGHT_QUARTERS_MIN:
        yield Check("skipped", "meter's sign", "told after a night's readings")
        return
    sold_kwh = sum(quarter.export_kwh or 0.0 for quarter in nights)
    bought_kwh = sum(quarter.import_kwh or 0.0 for quarter in nights)
    if sold_kwh > bought_kwh:
        message = f"{sold_kwh:.1f} kWh fed in at night, {bought_kwh:.1f} kWh bought"
        yield Check("error", "meter's sign", message, "turn sign in [meter.grid] round")
    else:
        yield Check("ok", "meter's sign", f"the house buys at night ({bought_kwh:.1f} kWh)")


def _peak(quarters: list[IntervalClosed], settings: LiveSettings) -> Iterator[Check]:
    loads_kw = [
        quarter.load_kwh * 3600.0 / quarter.duration_s
        for quarter in quarters
        if quarter.load_kwh is not None
    ]
    if not loads_kw:
        return
    peak_kw, allowed_kw = max(loads_kw), settings.connection.household_kw_max
    message = f"the house drew at most {peak_kw:.1f} kW in a quarter of an hour of the last week"
    if peak_kw > allowed_kw:
        remedy = f"raise household_kw_max, now {allowed_kw:g}, in [connection]"
        yield Check("warning", "house", message, remedy)
    else:
        yield Check("ok", "house", message)
