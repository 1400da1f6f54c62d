"""Reading JSON that a price source answered: each helper takes a value of unknown shape and gives one of the right type.

Raises SourceError (*broken*) where the answer is something else, above all a page for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from parkwatt.domain.series import unix_s
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import QUOTES_MAX

_SHOWN = 120


def json_of(body: bytes, who: str) -> Mapping[str, object]:
    """The table that ``body`` holds."""
    if body.lstrip()[:1] == b"<":
        raise SourceError(f"{who} answers with a web page in place of prices", "broken")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError(f"{who} answers with something that is not JSON", "broken") from None
    return table_of(value, "the answer", who)


def table_of(value: object, what: str, who: str) -> Mapping[str, object]:
    """``value`` as a table of named fields. ``what``: its name, for the error."""
    if not isinstance(value, Mapping):
        raise SourceError(f"{who} answers in another form: {what} is not a table", "broken")
    return value


def list_of(value: object, what: str, who: str) -> list[object]:
    """``value`` as a list that is not absurdly long."""
    if not isinstance(value, list):
        raise SourceError(f"{who} answers in another form: {what} is not a list", "broken")
    if len(value) > QUOTES_MAX:
        raise SourceError(f"{who} answers with more than {QUOTES_MAX} prices", "broken")
    return value


def price_of(value: object, per_kwh: float) -> float | None:
    """A number times ``per_kwh``; None for whatever is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        price = float(value) * per_kwh
    except OverflowError:
        return None
    return price if math.isfinite(price) else None


def whole_of(value: object) -> int | None:
    """A whole number below 10^15, also where it is written with a fraction of zero; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return int(value) if float(value).is_integer() else None


def text_of(value: object) -> str:
    """A text on one line and not too long, fit for a sentence; empty where it is no text."""
    if not isinstance(value, str):
        return ""
    text = "".join(letter if letter.isprintable() else " " for letter in value[:_SHOWN])
    return " ".join(text.split())


class Clock:
    """Reads the times of one answer in order. Those without an offset are read on the clock of ``zone``.

    In the hour that such a clock shows twice, the second pass begins where the times would not go on rising.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._read_locally = False
        self._before_unix_s: int | None = None

    def unix_s(self, value: object) -> int | None:
        """Seconds since 1970 of a time in ISO 8601; None for whatever is none."""
        time = _time_of(value)
        if time is None:
            return None
        try:
            return unix_s(time) if time.tzinfo is not None else self._local_unix_s(time)
        except (ValueError, OverflowError):
            return None

    def span(self, start: object, end: object) -> tuple[int | None, int | None]:
        """Start and end of a price. On a local clock the end is left open: twice a year it would be in doubt."""
        time = _time_of(start)
        is_local = time is not None and time.tzinfo is None
        return self.unix_s(start), None if is_local else self.unix_s(end) or 0

    def _local_unix_s(self, time: datetime) -> int:
        self._read_locally = True
        found = unix_s(time.replace(tzinfo=self.zone))
        before = self._before_unix_s
        if before is not None and found <= before < found + 7200:
            found = unix_s(time.replace(tzinfo=self.zone, fold=1))
        self._before_unix_s = found
        return found

    def notes(self) -> list[str]:
        """What is to be told of the times."""
        return [f"times without a zone are read as {self.zone.key}"] if self._read_locally else []


def _time_of(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > _SHOWN:
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None
