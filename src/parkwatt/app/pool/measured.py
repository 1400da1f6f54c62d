"""What a pool's operator is told of the past: means of its seconds and minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from parkwatt.domain.fleet.operation import PoolMinute

_MINUTE_US: Final = 60_000_000
_MINUTES_KEPT: Final = 3 * 24 * 60
# Of a span, so much has to be known.
_KNOWN_SHARE: Final = 0.5
_HOUR_US: Final = 3_600_000_000

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
    """The minutes of the last three days, by the time at which each ended."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, PoolMinute]] = deque(maxlen=_MINUTES_KEPT)

    def add(self, minute: PoolMinute, ended_unix_us: int) -> None:
        """Take in a minute; later ones come later."""
        self._minutes.append((ended_unix_us, minute))

    def mean(self, quantity: str, begin_unix_us: int, end_unix_us: int) -> float | None:
        """The mean over a span (of energy: the sum); None where less than half of it is known."""
        of_minute = _OF_MINUTE.get(quantity)
        if of_minute is None or end_unix_us <= begin_unix_us:
            return None
        known_us, total = 0.0, 0.0
        for covered_us, minute in self._within(begin_unix_us, end_unix_us):
            value = of_minute(minute)
            if value is not None:
                known_us += covered_us
                total += covered_us * value
        if known_us < _KNOWN_SHARE * (end_unix_us - begin_unix_us):
            return None
        mean = total / known_us
        hours = (end_unix_us - begin_unix_us) / _HOUR_US
        return mean * hours if quantity == "energy_kwh" else mean

    def _within(self, begin: int, end: int) -> Iterable[tuple[int, PoolMinute]]:
        for ended, minute in self._minutes:
            covered = min(ended, end) - max(ended - _MINUTE_US, begin)
            if covered > 0:
                yield covered, minute
