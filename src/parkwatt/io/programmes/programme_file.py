"""Reading a programme: what it is, and its rules, each with its source."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.fleet.programme import KINDS, METER_POINTS, Programme
from parkwatt.domain.record import Faults, Record
from parkwatt.io.toml_file import read_toml

_HEAD: Final = ("name", "title", "kind", "time_zone", "currency", "meter_point", "notes", "sources")
_RULES: Final = {
    field.name: field.type for field in msgspec.structs.fields(Programme) if field.name not in _HEAD
}
_CLOCK: Final = re.compile(r"(\d{2}):(\d{2})")
_MONTH_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
# Numbers that make sense above nothing only.
_POSITIVE: Final = ("settle_minutes", "meter_minutes", "block_hours", "step_kw")


def known_programmes() -> dict[str, Programme]:
    """The programmes that come with Parkwatt, by name."""
    found = {}
    for item in sorted(resources.files(__package__).iterdir(), key=lambda one: one.name):
        if item.name.endswith(".toml"):
            programme = _shipped(item)
            found[programme.name] = programme
    return found


def read_programme(path: Path) -> Programme:
    """A programme from a file. Raises InputError with all faults."""
    faults = Faults()
    table = read_toml(path, faults)
    if table is None:
        raise InputError(faults.found)
    return _programme(table, faults)


def programme_named(name: str) -> Programme:
    """A programme that comes with Parkwatt, or the one in a file where the name ends in .toml.

    Raises InputError where there is none.
    """
    if name.endswith(".toml"):
        return read_programme(Path(name))
    known = known_programmes()
    if name not in known:
        rule = f"must be one of {', '.join(known)}, or a file that ends in .toml"
        raise InputError([InputFault("programme", rule, name)])
    return known[name]


def _shipped(item: Traversable) -> Programme:
    return _programme(tomllib.loads(item.read_text(encoding="utf-8")), Faults())


@dataclass(slots=True)
class _Rules:
    values: dict[str, Any]
    sources: dict[str, str]


def _programme(table: dict[str, object], faults: Faults) -> Programme:
    head = Record(table, "", faults)
    values: dict[str, Any] = {
        "name": head.text("name"),
        "title": head.text("title"),
        "kind": head.text("kind", choices=KINDS),
        "time_zone": head.text("time_zone"),
        "currency": head.text("currency"),
        "meter_point": head.text("meter_point", choices=METER_POINTS),
        "notes": tuple(head.texts("notes") or ()),
    }
    if values["name"] and not _NAME.fullmatch(values["name"]):
        head.fault("name", "must be small letters, digits and hyphens", values["name"])
    if values["time_zone"]:
        try:
            ZoneInfo(values["time_zone"])
        except (KeyError, ValueError, OSError):
            head.fault(
                "time_zone", "must be a time zone such as Europe/Berlin", values["time_zone"]
            )
    rules = _rules(head.free_fields("rules"), faults)
    head.finish()
    _consistent(rules.values, values["kind"], faults)
    faults.raise_if_any()
    return Programme(**values, **rules.values, sources=rules.sources)


def _rules(table: dict[str, object], faults: Faults) -> _Rules:
    found = _Rules({}, {})
    for name, rule in table.items():
        path = f"rules.{name}"
        if name not in _RULES:
            faults.add(path, f"is not a known rule (known: {', '.join(sorted(_RULES))})")
            continue
        record = Record(rule, path, faults)
        if not record.has("value"):
            record.fault("value", "is required")
        value = record.value("value")
        found.sources[name] = record.text("source")
        record.finish()
        if name.endswith("_minute") and isinstance(value, str):
            clock = _CLOCK.fullmatch(value)
            value = int(clock[1]) * 60 + int(clock[2]) if clock else value
        try:
            found.values[name] = msgspec.convert(value, _RULES[name], strict=True)
        except msgspec.ValidationError as error:
            record.fault("value", f"does not fit: {error}", value)
            continue
        _one_rule(record, name, found.values[name])
    return found


def _one_rule(record: Record, name: str, value: Any) -> None:
    """Rules of single values, beyond their type."""
    if name.startswith("season_") and isinstance(value, str) and not _MONTH_DAY.fullmatch(value):
        record.fault("value", "must be a month and day such as 05-01", value)
    elif name in _POSITIVE and value is not None and value <= 0:
        record.fault("value", "must be greater than 0", value)
    elif name.endswith("_minute") and value is not None and not 0 <= value <= 1440:
        record.fault("value", "must be a time of day such as 16:00", value)
    elif isinstance(value, int) and not isinstance(value, bool) and value < 0:
        record.fault("value", "must be at least 0", value)


def _consistent(values: dict[str, Any], kind: str, faults: Faults) -> None:
    """Rules that bind several."""
    for one, other in (
        ("season_from", "season_until"),
        ("from_minute", "until_minute"),
        ("gate_days_before", "gate_minute"),
    ):
        if (one in values) != (other in values):
            faults.add(f"rules.{one}", f"and {other} must be given together")
    if kind == "event" and "price_per_kwh" not in values:
        faults.add("rules.price_per_kwh", "is required of an event programme")
    if kind == "capacity" and "price_per_kw_year" not in values:
        faults.add("rules.price_per_kw_year", "is required of a capacity programme")
    settle, meter = values.get("settle_minutes", 60), values.get("meter_minutes", 15)
    if meter > 0 and settle % meter:
        faults.add("rules.settle_minutes", "must be a multiple of meter_minutes", settle)
