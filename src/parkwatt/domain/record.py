"""Reading untrusted nested tables (JSON, TOML) into typed values, collecting every fault on the way.

A `Record` wraps one table and remembers its path. Each reader (``number``, ``text``, ``numbers``, …) takes
one field, checks its type and range, and returns a value; where a rule is broken it notes an `InputFault` in the shared
`Faults` and returns a stand-in of the right type, so that reading goes on and *all* faults are told at once. ``finish``
reports fields that nobody asked for: a misspelt field must not be silently ignored. The caller ends with
``faults.raise_if_any()``, and before that call no value that was read may be used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.errors import Description, InputError, InputFault

FloatArray = NDArray[np.float64]

# An elementwise fault in a long series is told this often at most; the count of the rest follows.
_FAULTS_PER_SERIES_MAX = 5


class Faults:
    """The faults found so far while one input is read."""

    def __init__(self) -> None:
        self.found: list[InputFault] = []

    def add(self, field: str, rule: str, value: object = None) -> None:
        """Note that ``field`` breaks ``rule``; ``value`` is what was found (None: nothing to show)."""
        self.found.append(InputFault(field, rule, value))

    def raise_if_any(self) -> None:
        """Raise `InputError` with all faults if there is at least one."""
        if self.found:
            raise InputError(self.found)


class Record:
    """One table of an input at ``path``, read field by field."""

    def __init__(self, table: object, path: str, faults: Faults) -> None:
        self.path = path
        self.faults = faults
        self._asked: set[str] = set()
        self._table: Mapping[str, object] = {}
        self._is_table = isinstance(table, Mapping)
        if isinstance(table, Mapping):
            self._table = table
        else:
            faults.add(path or "the input", "must be a table of named fields", kind_of(table))

    def field(self, name: str) -> str:
        """The full path of the field ``name``."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field is there (also when it is null)."""
        return name in self._table

    def value(self, name: str) -> object:
        """The field as it stands in the input, unchecked; None where it is absent."""
        self._asked.add(name)
        return self._table.get(name)

    def fault(self, name: str, rule: str, value: object = None) -> None:
        """Note a fault of the field ``name``."""
        self.faults.add(self.field(name), rule, value)

    def free_fields(self, name: str) -> dict[str, object]:
        """All fields of the optional table ``name``, whose names are the user's own; their values are unchecked."""
        value = self._take(name, required=False)
        if name not in self._table:
            return {}
        if not isinstance(value, Mapping):
            self.fault(name, "must be a table of named fields", kind_of(value))
            return {}
        return dict(value)

    def dates(self, name: str) -> list[date]:
        """The optional list of dates in field ``name``: TOML dates, or texts such as 2024-12-24."""
        values = self._take(name, required=False)
        if name not in self._table:
            return []
        if not isinstance(values, list):
            self.fault(name, "must be a list of dates", kind_of(values))
            return []
        found = [self._as_date(f"{name}[{index}]", value) for index, value in enumerate(values)]
        return [day for day in found if day is not None]

    def optional_date(self, name: str) -> date | None:
        """A date, or None where it is absent or null."""
        value = self._take(name, required=False)
        return None if value is None else self._as_date(name, value)

    def _as_date(self, name: str, value: object) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.fault(name, "must be a date such as 2024-12-24", kind_of(value))
        return None

    def finish(self) -> None:
        """Report each field that no reader asked for."""
        for name in self._table:
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.fault(str(name), f"is not a known field (known: {known})")

    def _take(self, name: str, *, required: bool) -> object:
        self._asked.add(name)
        if name not in self._table:
            # What is not a table has been told as such; that it lacks each field would only bury that.
            if required and self._is_table:
                self.fault(name, "is required")
            return None
        return self._table[name]

    def number(
        self,
        name: str,
        default: float | None = None,
        *,
        minimum: float = -math.inf,
        maximum: float = math.inf,
        above: float = -math.inf,
    ) -> float:
        """A finite number in [minimum, maximum] and > above; required where there is no default."""
        value = self._take(name, required=default is None)
        if name not in self._table:
            return math.nan if default is None else default
        return self._checked_number(name, value, minimum, maximum, above)

    def optional_number(
        self, name: str, *, minimum: float = -math.inf, maximum: float = math.inf
    ) -> float | None:
        """Like `number`, but absent or null gives None."""
        value = self._take(name, required=False)
        if value is None:
            return None
        return self._checked_number(name, value, minimum, maximum, -math.inf)

    def _checked_number(
        self, name: str, value: object, minimum: float, maximum: float, above: float
    ) -> float:
        number = as_number(value)
        if number is None:
            self.fault(name, "must be a number", kind_of(value))
            return math.nan
        rule = range_rule(number, minimum, maximum, above)
        if rule is not None:
            self.fault(name, rule, value)
            return math.nan
        return number

    def integer(
        self, name: str, default: int | None = None, *, minimum: int, maximum: int | None = None
    ) -> int:
        """A whole number in [minimum, maximum]; ``minimum`` stands in for a faulty one."""
        value = self._take(name, required=default is None)
        if name not in self._table:
            return minimum if default is None else default
        number = as_number(value)
        if number is None or not number.is_integer():
            self.fault(name, "must be a whole number", kind_of(value) if number is None else value)
            return minimum
        rule = range_rule(number, minimum, math.inf if maximum is None else maximum, -math.inf)
        if rule is not None:
            self.fault(name, rule, value)
            return minimum
        return int(number)

    def boolean(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self._take(name, required=False)
        if name not in self._table:
            return default
        if not isinstance(value, bool):
            self.fault(name, "must be true or false", kind_of(value))
            return default
        return value

    def text(self, name: str, default: str | None = None, *, choices: Sequence[str] = ()) -> str:
        """A text that is not empty, one of ``choices`` where they are given; required without a default."""
        value = self._take(name, required=default is None)
        if name not in self._table:
            return "" if default is None else default
        if not isinstance(value, str):
            self.fault(name, "must be a text", kind_of(value))
            return ""
        if not value.strip():
            self.fault(name, "must not be empty", value)
        elif choices and value not in choices:
            self.fault(name, f"must be one of {', '.join(choices)}", value)
        return value

    def optional_text(self, name: str) -> str | None:
        """Like `text`, but absent or null gives None."""
        if self._table.get(name) is None:
            self._asked.add(name)
            return None
        return self.text(name)

    def texts(self, name: str, *, choices: Sequence[str] = ()) -> list[str] | None:
        """A list of texts, each one of ``choices`` (empty: any); None where it is absent."""
        values = self._take(name, required=False)
        if name not in self._table:
            return None
        if not isinstance(values, list):
            self.fault(name, "must be a list of texts", kind_of(values))
            return []
        rule = f"must be one of {', '.join(choices)}" if choices else "must be a text"
        known: list[str] = []
        for index, value in enumerate(values):
            if isinstance(value, str) and (value in choices or not choices):
                known.append(value)
            else:
                self.fault(f"{name}[{index}]", rule, value)
        return known

    def with_fields(self, **fields: object) -> Record:
        """The same table with these fields set, for a reader of one thing where this table describes several alike.

        What that reader asks for counts as asked here too.
        """
        copy = Record({**self._table, **fields}, self.path, self.faults)
        copy._asked = self._asked
        return copy

    def time_utc(self, name: str) -> datetime:
        """An aware time in ISO 8601, converted to UTC; a time without a zone is a fault."""
        value = self._take(name, required=True)
        stand_in = datetime(1970, 1, 1, tzinfo=UTC)
        if name not in self._table:
            return stand_in
        if isinstance(value, datetime):
            time = value
        elif isinstance(value, str):
            try:
                time = datetime.fromisoformat(value)
            except ValueError:
                self.fault(name, "must be a time such as 2026-01-15T16:00:00Z", value)
                return stand_in
        else:
            self.fault(name, "must be a time such as 2026-01-15T16:00:00Z", kind_of(value))
            return stand_in
        if time.tzinfo is None:
            self.fault(name, "must name its zone (Z or +01:00)", value)
            return stand_in
        try:
            return time.astimezone(UTC)
        except (OverflowError, ValueError):
            self.fault(name, "must be a time between the years 1 and 9999", value)
            return stand_in

    def numbers(
        self,
        name: str,
        *,
        length: int | None = None,
        minimum: float = -math.inf,
        default: float | None = None,
    ) -> FloatArray:
        """A series of finite numbers ≥ minimum, of ``length`` where that is known; ``default`` fills an absent one."""
        value = self._take(name, required=default is None)
        stand_in = np.full(length or 0, 0.0 if default is None else default)
        if name not in self._table:
            return stand_in
        if not isinstance(value, list):
            self.fault(name, "must be a list of numbers", kind_of(value))
            return stand_in
        if length is not None and len(value) != length:
            self.fault(
                name, f"must have {length} values, one a step", Description(f"{len(value)} values")
            )
            return stand_in
        if set(map(type, value)) <= {int, float}:
            try:
                array = np.array(value, dtype=np.float64)
            except OverflowError:
                pass
            else:
                if np.isfinite(array).all() and (not array.size or array.min() >= minimum):
                    return array
        self._element_faults(name, value, minimum)
        return stand_in

    def _element_faults(self, name: str, values: list[object], minimum: float) -> None:
        broken = 0
        for index, value in enumerate(values):
            number = as_number(value)
            rule: str | None = "must be a number"
            if number is not None:
                rule = range_rule(number, minimum, math.inf, -math.inf)
            if rule is None:
                continue
            broken += 1
            if broken <= _FAULTS_PER_SERIES_MAX:
                shown = kind_of(value) if number is None else value
                self.faults.add(f"{self.field(name)}[{index}]", rule, shown)
        if broken > _FAULTS_PER_SERIES_MAX:
            rest = broken - _FAULTS_PER_SERIES_MAX
            self.fault(name, f"breaks these rules in {rest} more places")

    def record(self, name: str, *, required: bool = True) -> Record:
        """The table in field ``name``; an absent optional one reads as an empty table."""
        value = self._take(name, required=required)
        if name not in self._table:
            return Record({}, self.field(name), Faults() if required else self.faults)
        return Record(value, self.field(name), self.faults)

    def records(self, name: str) -> list[Record]:
        """The list of tables in field ``name``; absent gives an empty list."""
        value = self._take(name, required=False)
        if name not in self._table:
            return []
        if not isinstance(value, list):
            self.fault(name, "must be a list of tables", kind_of(value))
            return []
        return [
            Record(item, f"{self.field(name)}[{index}]", self.faults)
            for index, item in enumerate(value)
        ]


def as_number(value: object) -> float | None:
    """The value as a float, or None where it is not a number (true, false and texts are not)."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return None


def range_rule(number: float, minimum: float, maximum: float, above: float) -> str | None:
    """The rule that ``number`` breaks, in words, or None."""
    if not math.isfinite(number):
        return "must be finite"
    if number < minimum:
        return f"must be at least {minimum:g}"
    if number <= above:
        return f"must be greater than {above:g}"
    if number > maximum:
        return f"must be at most {maximum:g}"
    return None


def kind_of(value: object) -> Description:
    """What a value is, in a user's words."""
    if value is None:
        return Description("null")
    if isinstance(value, bool):
        return Description("true" if value else "false")
    if isinstance(value, str):
        return Description(f"the text {value!r}")
    if isinstance(value, Mapping):
        return Description("a table")
    if isinstance(value, list):
        return Description("a list")
    return Description(value)
