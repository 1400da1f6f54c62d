"""From an event as a server sends it to one of the domain: times, units, signs; what is wrong is a fault of its field.

The standard leaves open what a set-point below 0 means, and its list of values allows none (3.1.0 and 3.1.1: minimum 0).
Servers send them all the same, so they are taken: a programme's ``setpoint_sign`` says whether above 0 is drawing or giving.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from parkwatt.domain.errors import InputError
from parkwatt.domain.grid.event import FOREVER_US, EventInterval, GridEvent, Kind, Signal
from parkwatt.domain.grid.report import Quantity, ReportWanted
from parkwatt.domain.record import Faults, Record, as_number
from parkwatt.io.openadr.durations import means_now, read_duration_s, read_time_us
from parkwatt.io.openadr.settings import ProgramSettings

_US: Final = 1_000_000
_INTERVALS_MAX: Final = 10_000
_VALUES_MAX: Final = 10_000
_TEXT_MAX: Final = 200
_POWER_FACTORS: Final = {"W": 1e-3, "KW": 1.0, "MW": 1e3}
_KINDS: Final[dict[str, Kind]] = {
    "DISPATCH_SETPOINT": "power_kw",
    "PARKWATT_EXPORT_SETPOINT": "power_kw",
    "DISPATCH_SETPOINT_RELATIVE": "change_kw",
    "SIMPLE": "simple_level",
    "PRICE": "import_price_per_kwh",
    "EXPORT_PRICE": "export_price_per_kwh",
    "GHG": "ghg_g_per_kwh",
    "CHARGE_STATE_SETPOINT": "soc",
    "IMPORT_CAPACITY_LIMIT": "import_limit_kw",
    "EXPORT_CAPACITY_LIMIT": "export_limit_kw",
    "IMPORT_CAPACITY_SUBSCRIPTION": "import_subscription_kw",
    "EXPORT_CAPACITY_SUBSCRIPTION": "export_subscription_kw",
    "IMPORT_CAPACITY_RESERVATION": "import_reservation_kw",
    "EXPORT_CAPACITY_RESERVATION": "export_reservation_kw",
}
_REPORTS: Final[dict[str, Quantity]] = {
    "USAGE": "energy_kwh",
    "DEMAND": "power_kw",
    "SETPOINT": "target_kw",
    "BASELINE": "planned_kw",
    "UP_REGULATION_AVAILABLE": "down_kw",
    "DOWN_REGULATION_AVAILABLE": "up_kw",
    "STORAGE_CHARGE_LEVEL": "soc",
    "STORAGE_USABLE_CAPACITY": "usable_kwh",
    "STORAGE_MAX_CHARGE_POWER": "charge_kw_max",
    "STORAGE_MAX_DISCHARGE_POWER": "discharge_kw_max",
    "OPERATING_STATE": "operating",
}
_UNITS: Final[dict[str, tuple[str, ...]]] = {
    "import_price_per_kwh": ("KWH", "MWH"),
    "export_price_per_kwh": ("KWH", "MWH"),
    "ghg_g_per_kwh": ("GHG",),
}


def read_event(
    raw: Mapping[str, Any],
    program: ProgramSettings,
    *,
    ven_name: str,
    first_seen_unix_us: int,
) -> GridEvent:
    """An event of a programme. ``first_seen_unix_us``: what *now* stands for in it. ``ven_name``: decides its random shift.

    Raises InputError where its times or values make no sense; a kind of signal that is not known is a remark.
    """
    faults = Faults()
    record = Record(raw, "", faults)
    event_id = record.text("id")
    changed = record.optional_text("modificationDateTime") or record.optional_text(
        "createdDateTime"
    )
    changed_us = None if changed is None else read_time_us(changed)
    if changed_us is None:
        record.fault("modificationDateTime", "must be a time", changed)
    priority = record.value("priority")
    if priority is not None and (type(priority) is not int or priority < 0):
        record.fault("priority", "must be a whole number of at least 0", priority)
        priority = None
    period = _Period.of(record, "intervalPeriod", faults)
    shift_us = _shift_us(event_id, ven_name, period)
    reader = _Signals(_descriptors(record), program)
    intervals = _intervals(record, period, first_seen_unix_us, shift_us, reader)
    lasts_s = _duration(record, "duration")
    faults.raise_if_any()
    begin = intervals[0].begin_unix_us if intervals else first_seen_unix_us
    end = intervals[-1].end_unix_us if intervals else begin
    repeat = cut = 0
    if lasts_s is not None:
        lasts_until = FOREVER_US if lasts_s == float("inf") else begin + round(lasts_s * _US)
        repeat = lasts_until if lasts_until > end else 0
        cut = lasts_until
    return GridEvent(
        event_id=event_id,
        program_id=str(raw.get("programID", "")),
        program=program.name,
        name=str(raw.get("eventName") or "")[:_TEXT_MAX],
        priority=priority if isinstance(priority, int) else None,
        changed_unix_us=changed_us or 0,
        intervals=intervals,
        repeat_unix_us=repeat,
        cut_unix_us=cut or FOREVER_US,
        remarks=tuple(reader.remarks),
    )


def read_reports(raw: Mapping[str, Any]) -> tuple[ReportWanted, ...]:
    """The reports that an event asks for, as far as they are known. (Up regulation of a grid is that a pool draws less.)"""
    listed = raw.get("reportDescriptors")
    found = []
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, Mapping):
            continue
        name = str(one.get("payloadType"))
        quantity = _REPORTS.get(name)
        if quantity is None:
            continue
        numbers = {
            ours: value if type(value) is int else default
            for ours, theirs, default in _REPORT_NUMBERS
            for value in (one.get(theirs),)
        }
        historical = one.get("historical") is not False
        found.append(ReportWanted(name, quantity, historical=historical, **numbers))
    return tuple(found)


_REPORT_NUMBERS: Final = (
    ("at_interval", "startInterval", -1),
    ("count", "numIntervals", -1),
    ("every", "frequency", -1),
    ("times", "repeat", 1),
)


class _Period:
    """An interval's own times. ``start_us``: None: at once after the one before; ``duration_s``: None: not told."""

    def __init__(self, start_us: int | None, duration_s: float | None, random_s: float) -> None:
        self.start_us, self.duration_s, self.random_s = start_us, duration_s, random_s

    @classmethod
    def of(cls, record: Record, name: str, faults: Faults) -> _Period:
        raw = record.value(name)
        if raw is None:
            return cls(None, None, 0.0)
        period = Record(raw, record.field(name), faults)
        start = period.optional_text("start")
        start_us = None
        if start is not None and not means_now(start):
            start_us = read_time_us(start)
            if start_us is None:
                period.fault("start", "must be a time such as 2026-01-15T16:00:00Z", start)
        duration_s = _duration(period, "duration")
        random_s = _duration(period, "randomizeStart") or 0.0
        return cls(start_us, duration_s, abs(random_s) if random_s < float("inf") else 0.0)


def _duration(record: Record, name: str) -> float | None:
    """Seconds of at least 0; None where it is not told, or is the standard's way of not telling (P0D, PT0S)."""
    text = record.optional_text(name)
    if text is None:
        return None
    seconds = read_duration_s(text)
    if seconds is None or (seconds < 0.0 and name != "randomizeStart"):
        record.fault(name, "must be a duration such as PT15M", text)
        return None
    return seconds or None


def _shift_us(event_id: str, ven_name: str, period: _Period) -> int:
    """The random part of a start, the same after a restart: by the event and the VEN."""
    if not period.random_s:
        return 0
    digest = hashlib.sha256(f"{event_id}\0{ven_name}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return round((2.0 * share - 1.0) * period.random_s * _US)


def _intervals(
    record: Record, period: _Period, first_seen_unix_us: int, shift_us: int, reader: _Signals
) -> tuple[EventInterval, ...]:
    raw = record.value("intervals")
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > _INTERVALS_MAX:
        record.fault("intervals", f"must be a list of at most {_INTERVALS_MAX}", None)
        return ()
    begin = (first_seen_unix_us if period.start_us is None else period.start_us) + shift_us
    found = []
    for number, one in enumerate(raw):
        interval = Record(one, f"intervals[{number}]", record.faults)
        own = _Period.of(interval, "intervalPeriod", record.faults)
        if own.start_us is not None:
            begin = own.start_us + shift_us
        duration_s = own.duration_s if own.duration_s is not None else period.duration_s
        # Without any duration it holds until something else does.
        endless = duration_s is None or duration_s == float("inf")
        end = FOREVER_US if endless else begin + round((duration_s or 0.0) * _US)
        if end <= begin and not record.faults.found:
            interval.fault("intervalPeriod", "must not end before it begins")
        signals = reader.read(
            interval.value("payloads"), f"intervals[{number}].payloads", record.faults
        )
        found.append(EventInterval(begin, end, signals))
        begin = end
        if endless and number < len(raw) - 1 and not _has_start(raw[number + 1]):
            interval.fault("intervalPeriod", "has no end, and another interval follows it")
            break
    return tuple(sorted(found, key=lambda one: one.begin_unix_us))


def _has_start(raw: object) -> bool:
    period = raw.get("intervalPeriod") if isinstance(raw, Mapping) else None
    start = period.get("start") if isinstance(period, Mapping) else None
    return isinstance(start, str) and not means_now(start)


def _descriptors(record: Record) -> dict[str, Mapping[str, Any]]:
    raw = record.value("payloadDescriptors")
    if not isinstance(raw, list):
        return {}
    return {str(one.get("payloadType")): one for one in raw if isinstance(one, Mapping)}


class _Signals:
    """Reads payloads by the event's descriptors and the programme's settings; ``remarks``: what was not understood."""

    def __init__(self, descriptors: dict[str, Mapping[str, Any]], program: ProgramSettings) -> None:
        self._descriptors, self._program = descriptors, program
        self.remarks: list[str] = []

    def read(self, raw: object, field: str, faults: Faults) -> tuple[Signal, ...]:
        if not isinstance(raw, list):
            faults.add(field, "must be a list")
            return ()
        found = []
        for number, one in enumerate(raw):
            payload = Record(one, f"{field}[{number}]", faults)
            name = payload.text("type")[:_TEXT_MAX]
            values = payload.value("values")
            if not isinstance(values, list) or len(values) > _VALUES_MAX:
                payload.fault("values", f"must be a list of at most {_VALUES_MAX}")
                continue
            signal = self._signal(name, values, payload)
            if signal is not None:
                found.append(signal)
        return tuple(found)

    def _signal(self, name: str, values: list[object], payload: Record) -> Signal | None:
        if name.startswith("ALERT_"):
            return Signal("alert", name, text=_joined(values))
        kind = _KINDS.get(name)
        if kind is None:
            self._remark(f"{name} is not known")
            return Signal("other", name, text=_joined(values))
        factor = self._factor(name, kind)
        if factor is None:
            return None
        numbers = [as_number(one) for one in values]
        if not values or any(one is None or not abs(one) < 1e12 for one in numbers):
            payload.fault("values", "must be numbers, at least one", _joined(values))
            return None
        known = tuple(factor * one for one in numbers if one is not None)
        rule = _range_rule(kind, known)
        if rule:
            payload.fault("values", rule, _joined(values))
            return None
        currency = ""
        if kind.endswith("price_per_kwh"):
            currency = str(self._descriptors.get(name, {}).get("currency") or "")[:8]
        return Signal(kind, name, known, currency=currency)

    def _factor(self, name: str, kind: str) -> float | None:
        """What turns the sender's unit and sign into ours; None where the unit is not known."""
        unit = str(self._descriptors.get(name, {}).get("units") or "").upper()
        if kind.endswith("_kw"):
            factor = _POWER_FACTORS.get(unit or "KW")
            if factor is None:
                self._remark(
                    f"{name} is in {unit}, which is no power that is known: it is not followed"
                )
                return None
            gives = name == "PARKWATT_EXPORT_SETPOINT" or self._program.setpoint_sign == "export"
            signed = kind in ("power_kw", "change_kw")
            return -factor if signed and gives else factor
        known = _UNITS.get(kind, ())
        if unit and known and unit not in known:
            self._remark(f"{name} is in {unit}, which is not known: it is left aside")
            return None
        return 1e-3 if unit == "MWH" else 1.0

    def _remark(self, words: str) -> None:
        if words not in self.remarks:
            self.remarks.append(words)


def _range_rule(kind: str, values: tuple[float, ...]) -> str:
    if kind == "simple_level" and any(one not in (0.0, 1.0, 2.0, 3.0) for one in values):
        return "must be 0, 1, 2 or 3"
    if kind.startswith(("import_", "export_")) and kind.endswith("_kw") and min(values) < 0.0:
        return "must be at least 0"
    return ""


def _joined(values: list[object]) -> str:
    return ", ".join(str(one) for one in values)[:_TEXT_MAX]


def faults_of(error: InputError) -> str:
    """All faults of an event in one line."""
    return "; ".join(str(fault) for fault in error.faults)[: 2 * _TEXT_MAX]
