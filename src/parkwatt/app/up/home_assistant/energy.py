"""The site's energies as counters that only grow, for Home Assistant's energy dashboard.

Where the grid's meter tells its registers, they are taken. Where it told its power for a quarter of an hour and no register,
the closed quarters are added up from the program's start on; Home Assistant takes a counter that begins anew for a new one and
goes on adding (its documentation of `total_increasing`). One kind never takes the place of the other while the program runs:
the difference would count as energy.
"""

from __future__ import annotations

from parkwatt.domain.site.event import IntervalClosed
from parkwatt.domain.site.reading import SiteReading


class EnergyCounters:
    """The counters of one run of the program, in kWh."""

    def __init__(self) -> None:
        self._added = {"import": 0.0, "export": 0.0}
        self._without_register: set[str] = set()
        self.load_kwh = self.solar_kwh = 0.0

    def take(self, closed: IntervalClosed, reading: SiteReading) -> None:
        """A quarter of an hour is over. ``reading``: the meters' last."""
        told = {"import": reading.import_kwh, "export": reading.export_kwh}
        for name, energy_kwh in (("import", closed.import_kwh), ("export", closed.export_kwh)):
            if energy_kwh is not None:
                self._added[name] += energy_kwh
                if told[name] is None:
                    self._without_register.add(name)
        self.load_kwh += closed.load_kwh or 0.0
        self.solar_kwh += closed.solar_kwh or 0.0

    def import_kwh(self, reading: SiteReading) -> float | None:
        """From the grid; None where it is not known yet whether the meter has a register."""
        return self._counter("import", reading.import_kwh)

    def export_kwh(self, reading: SiteReading) -> float | None:
        """Into the grid."""
        return self._counter("export", reading.export_kwh)

    def _counter(self, name: str, register_kwh: float | None) -> float | None:
        return self._added[name] if name in self._without_register else register_kwh
