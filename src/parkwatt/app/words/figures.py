"""Numbers and times as the API writes them, and as a reader of another language writes them: 2.5 kW is 2,5 kW in German."""

from __future__ import annotations

import re
from typing import Final

LANGUAGES: Final = ("en", "de")

_NUMBER: Final = r"[+\-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+\-−]?\d+(?:\.\d+)?(?:e[+\-]?\d+)?"
_UNITS: Final = (
    r"kWh \(\d+ %\)",
    r"[A-Za-z.]+/kWh",
    *("kWh", "kW", "W", "Wh", "Hz", "pu", "A", "V", "s", "min", "GB"),
    r"h \d\d min",
    *("h", "%", "[€£$¥]", "kr", "[A-Z]{3}"),
)
# A number, or those of three phases, with or without a unit: 2.5, 64%, 1 h 05 min, 12.3 ct/kWh, 33.0 kWh (43 %).
FIGURE: Final = rf"(?:{_NUMBER})(?:/(?:{_NUMBER}))*(?:[ \N{{NO-BREAK SPACE}}]?(?:{'|'.join(_UNITS)})(?![A-Za-z]))?"
# A time as the API says it: 22:40, tomorrow 07:30, Fri 07:30, 2026-11-22 07:30, 22.11. 07:30.
TIME: Final = r"(?:(?:today|tomorrow|yesterday|Mon|Tue|Wed|Thu|Fri|Sat|Sun|\d{4}-\d\d-\d\d|\d\d\.\d\d\.) )?\d\d:\d\d"
_ISO: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DAYS: Final = {
    "today": "heute",
    "tomorrow": "morgen",
    "yesterday": "gestern",
    "Mon": "Mo",
    "Tue": "Di",
    "Wed": "Mi",
    "Thu": "Do",
    "Fri": "Fr",
    "Sat": "Sa",
    "Sun": "So",
}
_SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}
_SWAPPED: Final = str.maketrans(",.", ".,")
_NUMBERS: Final = re.compile(_NUMBER)
_PER_CENT: Final = re.compile(r"(?<=\d)%")
_CURRENCY: Final = re.compile(r"\b(?:EUR|GBP|USD)\b")


def figure_text(figure: str, language: str) -> str:
    """A figure as the API writes it, as a reader of ``language`` writes it."""
    if language != "de":
        return figure
    shown = _NUMBERS.sub(lambda found: found[0].translate(_SWAPPED), figure)
    shown = shown.replace("-", "−")
    shown = _PER_CENT.sub("\N{NO-BREAK SPACE}%", shown)
    return _CURRENCY.sub(lambda found: _SIGNS[found[0]], shown)


def time_text(time: str, language: str) -> str:
    """A time as the API says it, as a reader of ``language`` says it."""
    if language != "de":
        return time
    day, _, clock = time.rpartition(" ")
    if not day:
        return clock
    iso = _ISO.fullmatch(day)
    day = f"{iso[3]}.{iso[2]}.{iso[1]}" if iso else _DAYS.get(day, day)
    return f"{day} {clock}"
