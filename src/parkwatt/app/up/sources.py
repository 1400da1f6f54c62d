"""What a running site is told by beside its chargers: price feeds, calendars, meters, cars' own services, Home Assistant."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.up.home_assistant import home_assistant
from parkwatt.app.up.runner import SiteRunner
from parkwatt.io.calendars.trip_calendar import trip_calendar
from parkwatt.io.meter_source import meter_sources
from parkwatt.io.prices.feed import price_feed


def live_sources(
    settings: LiveSettings, runner: SiteRunner, clock: Callable[[], int]
) -> Iterator[Coroutine[Any, Any, object]]:
    """One endless task for each source that the site's file names."""
    for feed in settings.feeds:
        prices = price_feed(
            feed,
            clock=clock,
            known_until=partial(runner.known_until, feed.name),
            folder=settings.folder,
        )
        yield prices.run(runner.on_event, runner.on_event)
    for car_id, car in settings.car_sources.items():
        if car.trips is not None:
            calendar = trip_calendar(
                car_id,
                car.trips,
                zone=settings.site.time_zone,
                clock=clock,
                match=car.trips_match,
                folder=settings.folder,
            )
            yield calendar.run(runner.on_event, runner.on_event)
    topics = [car.soc for car in settings.car_sources.values() if car.soc is not None]
    for source in meter_sources(
        settings.metering,
        clock=clock,
        poll_s=runner.poll_s,
        soc_topics=topics,
        on_soc=runner.on_soc,
    ):
        yield source.run(runner.on_reading, runner.on_event)
    yield from home_assistant(settings, runner, clock)
