"""Fields that a `Record` has no reader for: tables whose names are the user's own, and lists of
dates.
"""

from __future__ import annotations

from datetime import date, datetime

from parkwatt.domain.record import Record, kind_of


def free_fields(parent: Record, name: str) -> dict[str, object]:
    """All fields of the optional table ``name``, whatever they are called; values are unchecked."""
    if not parent.has(name):
        return {}
    # A Record lists no names: it is there to check known ones. Here everything is asked for.
    return dict(parent.record(name)._table)  # noqa: SLF001


def dates(record: Record, name: str) -> list[date]:
    """The optional list of dates ``name``, as TOML dates or as texts such as 2024-12-24."""
    values = record._take(name, required=False)  # noqa: SLF001 - no reader of a Record knows dates
    if values is None:
        return []
    if not isinstance(values, list):
        record.fault(name, "must be a list of dates", kind_of(values))
        return []
    result = []
    for index, value in enumerate(values):
        try:
            is_date = isinstance(value, date) and not isinstance(value, datetime)
            result.append(value if is_date else date.fromisoformat(value))
        except (TypeError, ValueError):
            record.fault(f"{name}[{index}]", "must be a date such as 2024-12-24", kind_of(value))
    return result
