"""Durations and times as OpenADR 3 writes them: ISO 8601, with encodings of its own for *now* and *for ever*."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_DURATION: Final = re.compile(
    r"([+-])?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_UNITS_S: Final = (31_557_600, 2_629_800, 604_800, 86_400, 3600, 60, 1)
# From so many years on a duration has no end (the standard writes P9999Y).
_FOREVER_YEARS: Final = 1000


def read_duration_s(text: str) -> float | None:
    """Seconds, infinite for what is meant for ever; None where it is no duration. Years and months count as mean ones."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or text.strip().rstrip("T").lstrip("+-") == "P":
        return None
    sign, *numbers = match.groups()
    if int(numbers[0] or 0) >= _FOREVER_YEARS:
        return float("inf")
    seconds = sum(float(one) * unit for one, unit in zip(numbers, _UNITS_S, strict=True) if one)
    return -seconds if sign == "-" else seconds


def read_time_us(text: str) -> int | None:
    """µs since 1970; None where it is no time. One without a zone is taken for UTC, as the reference server writes it."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return round(time.timestamp() * 1e6)
    except (OverflowError, ValueError):
        return None


def means_now(text: str) -> bool:
    """Whether a start stands for *now* (0001-01-01) or *follows at once* (0000)."""
    return text.strip().startswith(("0001-01-01", "0000"))


def iso_time(unix_us: int) -> str:
    """A time as it is sent."""
    return datetime.fromtimestamp(unix_us / 1e6, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_duration(seconds: float) -> str:
    """A duration as it is sent, in whole seconds."""
    return f"PT{round(seconds)}S"
