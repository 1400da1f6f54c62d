"""Durations as people write them."""

from __future__ import annotations

import re
from typing import Final

from parkwatt.domain.errors import InputError, InputFault

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def read_duration_s(name: str, text: str) -> float:
    """Seconds from ``90s``, ``10m``, ``1h30m``, ``2d``. Raises InputError naming ``name``."""
    if not _DURATION.fullmatch(text):
        raise InputError([InputFault(name, "must be a duration such as 90s, 10m or 1h30m", text)])
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
