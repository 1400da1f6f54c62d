"""What is known of a pool's past: its seconds for an hour, its minutes for days, and means of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from parkwatt.domain.fleet.operation import PoolMinute

_MINUTE_US: Final = 60_000_000
_MINUTES_KEPT: Final = 3 * 24 * 60
_SECONDS_KEPT: Final = 3600
# What one step is taken to last at most: after a longer gap nothing is known.
_STEP_US_MAX: Final = 60_000_000
# Of a span, so much has to be known.
_KNOWN_SHARE: Final = 0.5
_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class PoolSecond:
    """One step, for who looks on."""

    at_unix_us: int
    power_kw: float
    planned_kw: float
    target_kw: float | None
    up_kw: float
    down_kw: float


_OF_SECOND: Final[dict[str, Callable[[PoolSecond], float]]] = {
    "energy_kwh": lambda one: one.power_kw,
    "power_kw": lambda one: one.power_kw,
    "planned_kw": lambda one: one.planned_kw,
    "target_kw": lambda one: one.planned_kw if one.target_kw is None else one.target_kw,
    "up_kw": lambda one: one.up_kw,
    "down_kw": lambda one: one.down_kw,
    "charge_kw_max": lambda one: one.planned_kw + one.up_kw,
    "discharge_kw_max": lambda one: max(one.down_kw - one.planned_kw, 0.0),
    "operating": lambda one: 0.0 if one.target_kw is None else 1.0,
}
_OF_MINUTE: Final[dict[str, Callable[[PoolMinute], float | None]]] = {
    "energy_kwh": lambda one: one.power_kw,
    "power_kw": lambda one: one.power_kw,
    "planned_kw": lambda one: one.planned_kw,
    "target_kw": lambda one: one.planned_kw if one.target_kw is None else one.target_kw,
    "up_kw": lambda one: one.up_kw,
    "down_kw": lambda one: one.down_kw,
    "soc": lambda one: one.energy_kwh / one.capacity_kwh if one.capacity_kwh > 0.0 else None,
    "usable_kwh": lambda one: one.capacity_kwh,
    "charge_kw_max": lambda one: one.planned_kw + one.up_kw,
    "discharge_kw_max": lambda one: max(one.down_kw - one.planned_kw, 0.0),
    "operating": lambda one: 0.0 if one.target_kw is None else 1.0,
}


class PoolHistory:
    """Seconds by when each step was, minutes by when each ended; later ones come later."""

    def __init__(self) -> None:
        self._seconds: deque[PoolSecond] = deque(maxlen=_SECONDS_KEPT)
        self._minutes: deque[tuple[int, PoolMinute]] = deque(maxlen=_MINUTES_KEPT)

    @property
    def last(self) -> PoolSecond | None:
        """The newest step; None before the first."""
        return self._seconds[-1] if self._seconds else None

    def seconds(self, count: int) -> list[PoolSecond]:
        """The last steps, oldest first."""
        return list(islice(self._seconds, max(0, len(self._seconds) - count), None))

    def add_second(self, second: PoolSecond) -> None:
        """Take in a step."""
        self._seconds.append(second)

    def add_minute(self, minute: PoolMinute, ended_unix_us: int) -> None:
        """Take in a minute."""
        self._minutes.append((ended_unix_us, minute))

    def mean(self, quantity: str, begin_unix_us: int, end_unix_us: int) -> float | None:
        """The mean over a span (of energy: the sum); None where less than half of it is known."""
        parts = self._of_seconds(quantity, begin_unix_us, end_unix_us)
        if sum(length for length, _ in parts) < _KNOWN_SHARE * (end_unix_us - begin_unix_us):
            parts = self._of_minutes(quantity, begin_unix_us, end_unix_us)
        known_us = sum(length for length, _ in parts)
        if not parts or known_us < _KNOWN_SHARE * (end_unix_us - begin_unix_us):
            return None
        mean = sum(length * value for length, value in parts) / known_us
        hours = (end_unix_us - begin_unix_us) / _HOUR_US
        return mean * hours if quantity == "energy_kwh" else mean

    def _of_seconds(self, quantity: str, begin: int, end: int) -> list[tuple[int, float]]:
        """How long each value held; a step's holds until the next one's."""
        of_second = _OF_SECOND.get(quantity)
        if of_second is None or not self._seconds or self._seconds[0].at_unix_us > begin:
            return []
        found = []
        follower: PoolSecond | None = None
        for one in reversed(self._seconds):
            until = one.at_unix_us + _STEP_US_MAX if follower is None else follower.at_unix_us
            length = min(until, end, one.at_unix_us + _STEP_US_MAX) - max(one.at_unix_us, begin)
            if length > 0:
                found.append((length, of_second(one)))
            if one.at_unix_us <= begin:
                break
            follower = one
        return found

    def _of_minutes(self, quantity: str, begin: int, end: int) -> list[tuple[int, float]]:
        of_minute = _OF_MINUTE.get(quantity)
        if of_minute is None:
            return []
        return [
            (length, value)
            for length, minute in self._within(begin, end)
            if (value := of_minute(minute)) is not None
        ]

    def _within(self, begin: int, end: int) -> Iterable[tuple[int, PoolMinute]]:
        for ended, minute in self._minutes:
            length = min(ended, end) - max(ended - _MINUTE_US, begin)
            if length > 0:
                yield length, minute
