"""What physically happened in the home: energy that was wanted and got, darkness, and what must never happen."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from parkwatt.domain.record import FloatArray

# What the home's bus has its voltage from.
Bus = Literal["dark", "grid", "island"]
BUSES: tuple[Bus, ...] = ("dark", "grid", "island")


@dataclass(slots=True)
class Totals:
    """Sums since the beginning.

    ``served_kwh``, ``wanted_kwh``: by circuit; what was wanted and not served was dark or switched off. ``backfeed_s``,
    ``backfeed_kwh``: the island's source fed a dead grid. ``paralleled``: how often it was put onto a live one.
    ``unbonded_s``: an island without its bond. ``charged_in_island_kwh``: that chargers drew from an island.
    ``discharged_on_grid_kwh``: that chargers gave while the grid pole was closed.
    """

    served_kwh: dict[str, float]
    wanted_kwh: dict[str, float]
    seconds: dict[Bus, float] = field(default_factory=lambda: dict.fromkeys(BUSES, 0.0))
    backfeed_s: float = 0.0
    backfeed_kwh: float = 0.0
    paralleled: int = 0
    unbonded_s: float = 0.0
    charged_in_island_kwh: float = 0.0
    discharged_on_grid_kwh: float = 0.0
    solar_kwh: float = 0.0
    curtailed_kwh: float = 0.0
    source_given_kwh: float = 0.0
    source_taken_kwh: float = 0.0

    def unserved_kwh(self, circuit_id: str) -> float:
        """What a circuit wanted and did not get."""
        return self.wanted_kwh[circuit_id] - self.served_kwh[circuit_id]


@dataclass(slots=True)
class Flow:
    """What flows over a stretch of at most a second in which nothing changes. Powers by circuit are in their order."""

    bus: Bus
    wanted_kw: Sequence[float]
    served_kw: Sequence[float]
    stations_kw: Sequence[float]
    solar_kw: float
    solar_kw_available: float
    source_kw: float
    grid_kw: float
    is_backfeeding: bool
    is_unbonded: bool
    is_on_grid_pole: bool


class HomeTruth:
    """``totals`` from the beginning; each second in arrays where ``keeps_seconds``."""

    def __init__(self, circuit_ids: Sequence[str], *, keeps_seconds: bool) -> None:
        self.circuit_ids = tuple(circuit_ids)
        self.totals = Totals(
            dict.fromkeys(circuit_ids, 0.0),
            dict.fromkeys(circuit_ids, 0.0),
        )
        self._keeps_seconds = keeps_seconds
        self._served_kw = array("f")
        self._wanted_kw = array("f")
        self._bus = array("b")
        self._now_served_kwh = [0.0] * len(circuit_ids)
        self._now_wanted_kwh = [0.0] * len(circuit_ids)

    def add(self, flow: Flow, duration_s: float) -> None:
        """Count a stretch."""
        totals, hours = self.totals, duration_s / 3600.0
        totals.seconds[flow.bus] += duration_s
        for number, name in enumerate(self.circuit_ids):
            totals.wanted_kwh[name] += flow.wanted_kw[number] * hours
            totals.served_kwh[name] += flow.served_kw[number] * hours
            self._now_wanted_kwh[number] += flow.wanted_kw[number] * hours
            self._now_served_kwh[number] += flow.served_kw[number] * hours
        totals.solar_kwh += flow.solar_kw * hours
        totals.curtailed_kwh += max(flow.solar_kw_available - flow.solar_kw, 0.0) * hours
        totals.source_given_kwh += max(flow.source_kw, 0.0) * hours
        totals.source_taken_kwh += max(-flow.source_kw, 0.0) * hours
        if flow.is_backfeeding:
            totals.backfeed_s += duration_s
            totals.backfeed_kwh += flow.source_kw * hours
        if flow.is_unbonded:
            totals.unbonded_s += duration_s
        for power_kw in flow.stations_kw:
            if flow.bus == "island" and power_kw > 0.0:
                totals.charged_in_island_kwh += power_kw * hours
            if flow.is_on_grid_pole and power_kw < 0.0:
                totals.discharged_on_grid_kwh -= power_kw * hours

    def end_second(self, bus: Bus) -> None:
        """A whole second is over, and the bus is like that at its end."""
        if self._keeps_seconds:
            self._wanted_kw.extend(3600.0 * kwh for kwh in self._now_wanted_kwh)
            self._served_kw.extend(3600.0 * kwh for kwh in self._now_served_kwh)
            self._bus.append(BUSES.index(bus))
        self._now_wanted_kwh = [0.0] * len(self.circuit_ids)
        self._now_served_kwh = [0.0] * len(self.circuit_ids)

    def wanted_kw(self) -> FloatArray:
        """[S, circuits] mean power in each second that the appliances wanted."""
        return self._by_second(self._wanted_kw)

    def served_kw(self) -> FloatArray:
        """[S, circuits] mean power in each second that they got."""
        return self._by_second(self._served_kw)

    def buses(self) -> list[Bus]:
        """[S] what the bus had its voltage from at the end of each second."""
        return [BUSES[code] for code in self._bus]

    def _by_second(self, values: array[float]) -> FloatArray:
        return np.array(values, dtype=float).reshape(-1, len(self.circuit_ids))
