"""Where a series comes from: the file, its columns, their unit and the meaning of its stamps, as
TOML says it.

file = "prices.csv"            relative to the TOML file's folder
time_column = "time"
value_column = "price"
unit = "EUR/MWh"               see `Quantity`
time_zone = "Europe/Amsterdam" for stamps without a zone
stamps = "start"               or "end": which end of the interval a stamp marks
interval_minutes = 60          else up to the next stamp, at most the most common spacing
end_column = "until"           instead: the end of each interval
time_format = "%d.%m.%Y %H:%M" for texts that are not ISO 8601
where = { home_id = 3 }        only rows in which these columns hold these values
shift_days = 1827              moves the series in time
shift_hours = 9                on top of that
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from parkwatt.domain.record import Record, kind_of
from parkwatt.io.raw_table import Condition

Quantity = Literal["power", "price", "raw"]

POWER_KW = {"W": 0.001, "kW": 1.0, "MW": 1000.0}
ENERGY_KWH = {"Wh": 0.001, "kWh": 1.0, "MWh": 1000.0}
_PRICE = re.compile(r"(?P<money>[A-Z]{3}|currency|ct|cent|cents)/(?P<energy>kWh|MWh)")
_UNIT_RULES: dict[Quantity, str] = {
    "power": "must be W, kW or MW, or for energy in each interval Wh, kWh or MWh",
    "price": "must be a price such as EUR/kWh, EUR/MWh or ct/kWh",
    "raw": "must be raw (the values are taken as they are)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSource:
    """One series in a file. ``field``: the path of its table in the input, for faults.

    ``factor`` turns a value into kW, kWh (where ``is_energy``: per interval), currency per kWh or
    itself; ``currency``: the code that the unit names, if any.
    """

    field: str
    file: str
    time_column: str
    value_column: str
    factor: float
    is_energy: bool = False
    currency: str | None = None
    time_zone: ZoneInfo | None = None
    stamps: Literal["start", "end"] = "start"
    interval_s: int | None = None
    end_column: str | None = None
    time_format: str | None = None
    where: tuple[tuple[str, Condition], ...] = ()
    shift_s: int = 0


def read_series_source(record: Record, quantity: Quantity) -> SeriesSource:
    """The source described by ``record``, whose values are a ``quantity``.

    Reads its own fields only: the caller reads what else may stand there and calls
    ``record.finish()``. Where faults were noted, the result is a stand-in that must not be used.
    """
    factor, is_energy, currency = _unit(record, quantity)
    marks = record.text("stamps", "start", choices=("start", "end"))
    interval_minutes = record.optional_number("interval_minutes", minimum=1 / 60, maximum=527_040)
    end_column = record.optional_text("end_column")
    if end_column is not None and (interval_minutes is not None or marks == "end"):
        record.fault("end_column", "must not stand beside interval_minutes or stamps = 'end'")
    shift_days = record.integer("shift_days", 0, minimum=-73_000, maximum=73_000)
    shift_hours = record.integer("shift_hours", 0, minimum=-8760, maximum=8760)
    return SeriesSource(
        field=record.path,
        file=record.text("file"),
        time_column=record.text("time_column"),
        value_column=record.text("value_column"),
        factor=factor,
        is_energy=is_energy,
        currency=currency,
        time_zone=read_time_zone(record, "time_zone"),
        stamps="end" if marks == "end" else "start",
        interval_s=_interval_s(record, interval_minutes),
        end_column=end_column,
        time_format=read_time_format(record),
        where=read_where(record),
        shift_s=shift_days * 86_400 + shift_hours * 3600,
    )


def _interval_s(record: Record, interval_minutes: float | None) -> int | None:
    if interval_minutes is None or interval_minutes != interval_minutes:  # NaN: already a fault
        return None
    interval_s = round(interval_minutes * 60)
    if abs(interval_s - interval_minutes * 60) > 1e-6:
        record.fault("interval_minutes", "must be whole seconds", interval_minutes)
    return interval_s


def _unit(record: Record, quantity: Quantity) -> tuple[float, bool, str | None]:
    unit = record.text("unit")
    if quantity == "power" and unit in POWER_KW:
        return POWER_KW[unit], False, None
    if quantity == "power" and unit in ENERGY_KWH:
        return ENERGY_KWH[unit], True, None
    if quantity == "price" and (match := _PRICE.fullmatch(unit)):
        money = match["money"]
        cents = money in ("ct", "cent", "cents")
        currency = None if cents or money == "currency" else money
        return (0.01 if cents else 1.0) / ENERGY_KWH[match["energy"]], False, currency
    if quantity == "raw" and unit == "raw":
        return 1.0, False, None
    if unit.strip():  # else the fault is noted already
        record.fault("unit", _UNIT_RULES[quantity], unit)
    return 1.0, False, None


def read_time_zone(record: Record, name: str) -> ZoneInfo | None:
    """The zone of an IANA name such as Europe/Amsterdam; None where absent, and after a fault."""
    key = record.optional_text(name)
    if not key:
        return None
    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # unknown, no proper key, a folder of zones
        record.fault(name, "must be a time zone such as Europe/Amsterdam", key)
        return None


def read_time_format(record: Record) -> str | None:
    """How times are written, in the codes of Python's strptime; None where absent."""
    time_format = record.optional_text("time_format")
    if not time_format:
        return None
    example = datetime(2026, 1, 15, 16, tzinfo=UTC)
    try:
        parsed = datetime.strptime(example.strftime(time_format), time_format)  # noqa: DTZ007
        tells_the_date = parsed.date() == example.date()
    except (ValueError, re.error):  # no such code; a code that occurs twice
        tells_the_date = False
    if not tells_the_date:
        rule = "must hold codes for a whole date, such as %d.%m.%Y %H:%M"
        record.fault("time_format", rule, time_format)
    return time_format


def read_where(record: Record) -> tuple[tuple[str, Condition], ...]:
    """The column names and values of the table ``where``."""
    conditions: list[tuple[str, Condition]] = []
    for column, value in record.free_fields("where").items():
        if isinstance(value, str | int | float):
            conditions.append((column, value))
        else:
            record.fault(f"where.{column}", "must be a text, number or truth", kind_of(value))
    return tuple(conditions)
