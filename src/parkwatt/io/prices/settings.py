"""Which prices a running site receives, and from where: the keys of `[tariff.import.day_ahead]` and its like.

source = "energy-charts"       energy-charts, entsoe, nordpool, awattar, octopus or tibber, in place of `file`
zone = "DE-LU"                 the bidding zone, for the first four
currency = "EUR"               of the source's prices, where it is not the tariff's; `factor` then holds the rate
token_file = "entsoe.token"    the file with the access token, for entsoe and tibber
tariff_code = "E-1R-…-C"       octopus: the tariff with its region
payment = "direct_debit"       octopus: or "other", where a tariff has two prices
vat = true                     octopus: prices with value-added tax
home_id = "…"                  tibber: which home, where there are several
part = "total"                 tibber: or "energy", without tax and fees
url = "https://…"              a mirror, in place of the source's own address

Addresses, zones and times of publication of each source stand in sources.toml beside this module.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal
from zoneinfo import ZoneInfo

from parkwatt.domain.calendar import DAY_S
from parkwatt.domain.record import Record
from parkwatt.domain.tariff import DayAheadPublication
from parkwatt.io.series_source import SeriesSource, read_time_zone
from parkwatt.io.tariff_periods import read_clock

SourceName = Literal["energy-charts", "entsoe", "nordpool", "awattar", "octopus", "tibber", "file"]

_ZONED = ("energy-charts", "entsoe", "nordpool", "awattar")
_WITH_TOKEN = ("entsoe", "tibber")
_TARIFF_CODE = re.compile(r"E-1R-[A-Z0-9-]+-[A-P]")
_AREA_CODE = re.compile(r"[0-9]{2}[A-Z][A-Z0-9-]{13}")
_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_LOCAL_ADDRESS = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """One feed. ``name``: by which the tariff asks for it (`import.day_ahead`).

    ``publication``: when the next day's prices appear, None: all of a file is known beforehand. ``zone``: what the
    settings say, for words; ``area``: what the source calls it. ``currency``: of the prices as they are received.
    ``file``: of the source `file`.
    """

    name: str
    source: SourceName
    currency: str
    publication: DayAheadPublication | None
    zone: str = ""
    area: str = ""
    url: str = ""
    token_file: str | None = None
    tariff_code: str = ""
    direct_debit: bool = True
    with_vat: bool = True
    home_id: str | None = None
    part: Literal["total", "energy"] = "total"
    history_days: int = 0
    file: SeriesSource | None = None

    @property
    def title(self) -> str:
        """What the source is called in words."""
        if self.source == "file":
            return self.file.file if self.file is not None else "the file"
        return str(_known()["source"][self.source]["title"])


@cache
def _known() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("sources.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def read_feed(
    record: Record, name: str, *, currency: str, time_zone: ZoneInfo
) -> FeedSettings | None:
    """The feed that ``record`` describes by its ``source``; None after a fault.

    ``currency``, ``time_zone``: the tariff's. Reads its own fields only: the caller reads what else may stand there and
    calls ``record.finish()``.
    """
    faults_before = len(record.faults.found)
    source = record.text("source", choices=tuple(_known()["source"]))
    if len(record.faults.found) > faults_before:
        return None
    known = _known()["source"][source]
    zone, area, zone_url = _read_zone(record, source)
    url = record.optional_text("url") or zone_url or known.get("url", "")
    has_no_lock = url.startswith("http:") and not _LOCAL_ADDRESS.fullmatch(url)
    if url and (not _ADDRESS.fullmatch(url) or (has_no_lock and source in _WITH_TOKEN)):
        record.fault("url", "must be an https address", url)
    tariff_code = record.text("tariff_code") if source == "octopus" else ""
    if tariff_code.strip() and not _TARIFF_CODE.fullmatch(tariff_code):
        rule = "must be the code of a tariff with one rate, such as E-1R-AGILE-24-10-01-C"
        record.fault("tariff_code", rule, tariff_code)
    settings = FeedSettings(
        name=name,
        source=source,  # type: ignore[arg-type] # one of the choices
        currency=_read_currency(record, known.get("currency"), currency),
        publication=read_publication(record, name, source, time_zone),
        zone=zone,
        area=area,
        url=url.rstrip("/"),
        token_file=record.text("token_file") if source in _WITH_TOKEN else None,
        tariff_code=tariff_code,
        direct_debit=source != "octopus"
        or record.text("payment", "direct_debit", choices=("direct_debit", "other")) != "other",
        with_vat=source != "octopus" or record.boolean("vat", True),
        home_id=record.optional_text("home_id") if source == "tibber" else None,
        part=_read_part(record) if source == "tibber" else "total",
        history_days=known["history_days"],
    )
    return settings if len(record.faults.found) == faults_before else None


def file_feed(
    name: str, file: SeriesSource, currency: str, publication: DayAheadPublication | None
) -> FeedSettings:
    """A feed from a file, which is read anew whenever it changes."""
    return FeedSettings(
        name=name, source="file", currency=currency, publication=publication, file=file
    )


def read_publication(
    record: Record, name: str, source: str | None, time_zone: ZoneInfo
) -> DayAheadPublication | None:
    """When tomorrow's prices appear: ``published_at`` and ``market_time_zone``, else the source's; None for a whole series.

    Only a day-ahead price has these fields; what else is asked of a source follows the source's own times.
    """
    known = {} if source is None else _known()["source"].get(source, {})
    zone = ZoneInfo(known["market_time_zone"]) if known.get("market_time_zone") else time_zone
    published_at = known.get("published_at", "13:00")
    if not name.endswith("day_ahead"):
        if not known:
            return None
        hour, minute = published_at.split(":")
        return DayAheadPublication(int(hour) * 3600 + int(minute) * 60, zone)
    published_at_s = read_clock(record, "published_at", published_at)
    if published_at_s == DAY_S:
        record.fault("published_at", "must be before 24:00", "24:00")
    return DayAheadPublication(published_at_s, read_time_zone(record, "market_time_zone") or zone)


def _read_zone(record: Record, source: str) -> tuple[str, str, str | None]:
    """The zone, what the source calls it, and the address that answers for it where it has its own."""
    if source not in _ZONED:
        return "", "", None
    zone = record.text("zone")
    zones = {name: areas[source] for name, areas in _known()["zone"].items() if source in areas}
    if source == "entsoe" and _AREA_CODE.fullmatch(zone):
        return zone, zone, None
    if zone.strip() and zone not in zones:
        record.fault("zone", f"must be one of {', '.join(zones)}", zone)
    area = zones.get(zone, "")
    return (zone, zone, area) if source == "awattar" else (zone, area, None)


def _read_currency(record: Record, of_source: str | None, of_tariff: str) -> str:
    """The currency of the prices that are received."""
    currency = record.optional_text("currency") or of_source or of_tariff
    if of_source is not None and currency != of_source:
        record.fault("currency", f"must be {of_source}: the source has no other", currency)
    elif currency != of_tariff and not record.has("factor"):
        rule = f"is required: the source gives {currency}, the tariff is in {of_tariff}"
        record.fault("factor", f"{rule} (say how many {of_tariff} a {currency} is)")
    return currency


def _read_part(record: Record) -> Literal["total", "energy"]:
    return (
        "energy"
        if record.text("part", "total", choices=("total", "energy")) == "energy"
        else "total"
    )
