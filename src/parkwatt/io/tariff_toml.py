"""The table [tariff] of a TOML file; docs/guides/tariffs.md shows it with examples."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.calendar import day_number
from parkwatt.domain.record import Record, as_number, kind_of, range_rule
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.tariff import (
    DemandCharge,
    FlatPrice,
    Price,
    PriceComponent,
    SeriesPrice,
    ShareOfPrice,
    Tariff,
)
from parkwatt.io.prices.settings import FeedSettings, file_feed, read_feed, read_publication
from parkwatt.io.public_holidays import public_holidays
from parkwatt.io.series_source import SeriesSource, read_series_source, read_time_zone
from parkwatt.io.tariff_periods import read_periods

LoadSeries = Callable[[SeriesSource], IntervalSeries | None]
AddFeed = Callable[[FeedSettings], None]

_CURRENCY = re.compile(r"[A-Z]{3}")
_WHOLE_PRICES = ("periods", "day_ahead", "series")
_SHARES = ("share_of_import", "share_of_spot")
_NOTHING = IntervalSeries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class _Setting:
    """What all prices of a tariff share."""

    currency: str
    time_zone: ZoneInfo
    holidays: frozenset[int]
    load_series: LoadSeries
    add_feed: AddFeed | None


def read_tariff(record: Record, load_series: LoadSeries, add_feed: AddFeed | None = None) -> Tariff:
    """The tariff in the table ``record``. ``load_series`` reads a series, and notes its own faults.

    ``add_feed``: for a running site, takes each feed that the prices follow, from a source or a
    file; no file is read then, and the tariff has no such prices until `Tariff.with_feeds`. Without
    it, as in a study, each series comes from its file.

    Faults are noted in ``record.faults``; the result must not be used if there are any.
    """
    currency = record.text("currency")
    if currency.strip() and not _CURRENCY.fullmatch(currency):
        record.fault("currency", "must be a code of three capitals such as EUR", currency)
    if not record.has("time_zone"):
        record.fault("time_zone", "is required")
    time_zone = read_time_zone(record, "time_zone") or ZoneInfo("UTC")
    setting = _Setting(currency, time_zone, _read_holidays(record), load_series, add_feed)
    bought = record.record("import")
    import_price, spot = _read_price(bought, setting)
    export_price = Price(())
    if record.has("export"):
        export = record.record("export")
        shares = _read_shares(export, import_price, spot)
        if export.has("share_of_spot") and not bought.has("day_ahead"):
            export.fault("share_of_spot", "needs tariff.import.day_ahead")
        export_price, _ = _read_price(export, setting, shares)
    demand_charge = _read_demand_charge(record)
    record.finish()
    return Tariff(currency, time_zone, import_price, export_price, demand_charge)


def _read_holidays(record: Record) -> frozenset[int]:
    """Days since 1970-01-01."""
    days = {day_number(day) for day in record.dates("holiday_dates")}
    code = record.optional_text("holidays")
    if code:
        found = public_holidays(code)
        if found is None:
            record.fault("holidays", "must be a country such as NL, or a part such as US-CA", code)
        else:
            days.update(day_number(day) for day in found)
    return frozenset(days)


def _read_price(
    record: Record, setting: _Setting, shares: list[PriceComponent] | None = None
) -> tuple[Price, SeriesPrice | None]:
    """The price in ``record`` with the ``shares`` read already, and its day-ahead component if it
    has one.
    """
    components = list(shares or ())
    flat = record.optional_number("price_per_kwh")
    if flat is not None:
        components.append(FlatPrice(flat))
        for name in (*_WHOLE_PRICES, *_SHARES):
            if record.has(name):
                record.fault(
                    "price_per_kwh",
                    f"must not stand beside {name}: use adders_per_kwh for what comes on top, "
                    "otherwise_per_kwh for times in no period",
                )
    components += [FlatPrice(adder) for adder in _read_adders(record)]
    periods = read_periods(record, setting.time_zone, setting.holidays)
    if periods is not None:
        components.append(periods)
    spot = _read_series_price(record, "day_ahead", setting)
    series = _read_series_price(record, "series", setting)
    components += [part for part in (spot, series) if part is not None]
    if not any(record.has(name) for name in ("price_per_kwh", *_WHOLE_PRICES, *_SHARES)):
        choices = ", ".join(("price_per_kwh", *_WHOLE_PRICES[:-1]))
        record.faults.add(record.path, f"must have a price: {choices} or {_WHOLE_PRICES[-1]}")
    price = Price(tuple(components), record.number("tax", 0.0, minimum=0.0, maximum=1.0))
    record.finish()
    return price, spot


def _read_adders(record: Record) -> list[float]:
    adders = []
    for name, value in record.free_fields("adders_per_kwh").items():
        number = as_number(value)
        rule = "must be a number" if number is None else range_rule(number, -1e9, 1e9, -1e10)
        if number is None or rule is not None:
            record.fault(f"adders_per_kwh.{name}", rule or "", kind_of(value))
        else:
            adders.append(number)
    return adders


def _read_shares(
    record: Record, import_price: Price, spot: SeriesPrice | None
) -> list[PriceComponent]:
    """The parts of the export price that are shares of the import price and of its day-ahead
    series.
    """
    components: list[PriceComponent] = []
    share_of_import = record.optional_number("share_of_import", minimum=0.0, maximum=10.0)
    if share_of_import is not None:
        components.append(ShareOfPrice(import_price, share_of_import))
    share_of_spot = record.optional_number("share_of_spot", minimum=0.0, maximum=10.0)
    if share_of_spot is not None and spot is not None:
        components.append(replace(spot, factor=share_of_spot, adder_per_kwh=0.0))
    return components


def _read_series_price(parent: Record, name: str, setting: _Setting) -> SeriesPrice | None:
    """A price that follows a series: of a feed where a site runs, else of a file."""
    if not parent.has(name):
        return None
    faults_before = len(parent.faults.found)
    record = parent.record(name)
    factor = record.number("factor", 1.0)
    adder_per_kwh = record.number("adder_per_kwh", 0.0)
    feed_name = f"{parent.path.rpartition('.')[2]}.{name}"
    feed = None
    if record.has("source"):
        feed = read_feed(record, feed_name, currency=setting.currency, time_zone=setting.time_zone)
    publication = feed.publication if feed is not None else None
    if not record.has("source"):
        publication = read_publication(record, feed_name, None, setting.time_zone)
    file = _read_file(record, setting)
    record.finish()
    if len(record.faults.found) > faults_before:
        return None
    if setting.add_feed is not None:
        if feed is None and file is not None:
            feed = file_feed(feed_name, file, setting.currency, publication)
        if feed is not None:
            setting.add_feed(feed)
        return SeriesPrice(_NOTHING, factor, adder_per_kwh, feed=feed_name)
    series = None if file is None else setting.load_series(file)
    return None if series is None else SeriesPrice(series, factor, adder_per_kwh, publication)


def _read_file(record: Record, setting: _Setting) -> SeriesSource | None:
    """The file with the series; None where a source takes its place, and that is enough."""
    if record.has("source") and not record.has("file"):
        if setting.add_feed is None:
            record.fault("file", "is required here: a source is asked by a running site only")
        return None
    source = read_series_source(record, "price")
    if source.currency not in (None, setting.currency):
        record.fault("unit", f"must be in the tariff's currency, {setting.currency}")
    return source


def _read_demand_charge(parent: Record) -> DemandCharge | None:
    if not parent.has("demand_charge"):
        return None
    record = parent.record("demand_charge")
    charge = DemandCharge(
        record.number("price_per_kw_month", minimum=0.0),
        record.number("minimum_kw", 0.0, minimum=0.0),
    )
    record.finish()
    return charge
