"""What happens to the demo home's backup, one line each, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.home.event import (
    BackupForecast,
    CircuitSwitched,
    HomeEvent,
    IslandMoved,
    IslandPhase,
    TransferRefused,
)

_US: Final = 1_000_000
# In an outage the hours left are told this often.
_HOURS_TOLD_S: Final = 7200
# What a phase means to who lives there; the others are told with the machine's own words.
_MEANINGS: Final[Mapping[IslandPhase, str]] = {
    "outage_suspected": "the grid's voltage is gone",
    "opening": "an outage: the gateway is asked to open the grid pole",
    "islanding": "the pole's contact says open: the car's inverter is asked to start",
    "islanded": "the house has voltage again: the car runs it",
    "qualifying": "the grid is back, its voltage and frequency are good: they have to stay so",
    "transferring_back": "they did: the car's inverter is asked to stop, then the pole to close",
    "grid": "the grid pole is closed: the house is on the grid",
}
# Passed through at once, or said by what follows.
_UNTOLD: Final[frozenset[IslandPhase]] = frozenset({"outage_confirmed", "grid_seen"})


class HomeNarrator:
    """Tells a home's events as they are written down. ``circuits``: those that have names."""

    def __init__(
        self, zone: ZoneInfo, circuits: Sequence[Circuit], say: Callable[[str], None]
    ) -> None:
        self._zone = zone
        self._names = {one.circuit_id: one.name for one in circuits}
        self._say = say
        self._told_unix_s: int | None = None

    def tell(self, events: Sequence[HomeEvent], now_unix_us: int) -> None:
        """Say what is worth it."""
        when = datetime.fromtimestamp(now_unix_us / _US, tz=self._zone)
        for event in events:
            line = self._line(event)
            if line:
                self._say(f"{when:%a %H:%M:%S}  {line}")

    def _line(self, event: HomeEvent) -> str:
        if isinstance(event, IslandMoved):
            return self._moved(event)
        if isinstance(event, CircuitSwitched):
            name = self._names.get(event.circuit_id, event.circuit_id)
            return f"{name} {'on' if event.on else 'off'}: {event.reason}"
        if isinstance(event, TransferRefused):
            return f"refused to {event.action.replace('_', ' ')}: {event.reason}"
        return self._hours(event) if isinstance(event, BackupForecast) else ""

    def _moved(self, event: IslandMoved) -> str:
        if event.to_phase == "grid":
            self._told_unix_s = None
        if event.to_phase in _UNTOLD:
            return ""
        return _MEANINGS.get(event.to_phase, f"{event.to_phase}: {event.reason}")

    def _hours(self, event: BackupForecast) -> str:
        last = self._told_unix_s
        if not event.islanded or (last is not None and event.at_unix_s - last < _HOURS_TOLD_S):
            return ""
        self._told_unix_s = event.at_unix_s
        return (
            f"{event.usable_kwh:.1f} kWh are left to use: enough for {event.hours_p50:.0f} h, "
            f"between {event.hours_p10:.0f} and {event.hours_p90:.0f}"
        )
