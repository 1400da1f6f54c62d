"""About where on earth a time zone lies: the place that the time-zone database names for it (`zone.tab`, of tzdata)."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Final

_LINE: Final = re.compile(
    r"^\S+\t([+-])(\d{2,3})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?\t(\S+)", re.MULTILINE
)


def place_of(time_zone: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, north and east positive, of the zone's main town; None for one without a place."""
    return _places().get(time_zone)


@cache
def _places() -> dict[str, tuple[float, float]]:
    text = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    return {
        name: (_degrees(south, a, b, c), _degrees(west, d, e, f))
        for south, a, b, c, west, d, e, f, name in _LINE.findall(text)
    }


def _degrees(sign: str, degrees: str, minutes: str, seconds: str) -> float:
    value = int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600
    return -value if sign == "-" else value
