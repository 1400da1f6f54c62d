"""Energy of a transaction from a register that should only grow, and sometimes does not.

A register is a sum since whenever the meter began. The energy of a transaction is the register's last value less its first,
by the charger's own time, so that a late or repeated reading changes nothing that is not new. Chargers also restart at 0 in
the middle (after a boot, or with each session: OCPP leaves that open): a value below the last one ends a segment and begins another.
The energy between the last value before and the restart is unknown and not counted; what the new register shows is counted
from 0, unless it is more than the charger can have moved since, in which case it is another meter's sum and counted from there.
"""

from __future__ import annotations

import msgspec

# A meter may round its last digit: less than this back is no restart.
_TOLERANCE_KWH = 0.0011
# What any charger of a car or truck can move, to tell a restarted register from another meter's sum.
_POWER_KW_MAX = 4000.0


class RegisterEnergy(msgspec.Struct, omit_defaults=True):
    """Energy by one register. ``segments_kwh``: of segments that ended; ``first_kwh``, ``last_kwh``: of the one that runs."""

    first_kwh: float | None = None
    last_kwh: float | None = None
    first_unix_us: int = 0
    last_unix_us: int = 0
    segments_kwh: float = 0.0

    @property
    def energy_kwh(self) -> float | None:
        """Energy so far; None before the first value."""
        if self.first_kwh is None or self.last_kwh is None:
            return None
        return self.segments_kwh + self.last_kwh - self.first_kwh

    def add(self, register_kwh: float, measured_unix_us: int) -> None:
        """Take in a value of the register."""
        if self.first_kwh is None or self.last_kwh is None:
            self.first_kwh = self.last_kwh = register_kwh
            self.first_unix_us = self.last_unix_us = measured_unix_us
        elif measured_unix_us < self.last_unix_us:
            self._add_earlier(register_kwh, measured_unix_us)
        elif register_kwh >= self.last_kwh:
            self.last_kwh = register_kwh
            self.last_unix_us = measured_unix_us
        elif register_kwh < self.last_kwh - _TOLERANCE_KWH and measured_unix_us > self.last_unix_us:
            self._restart(register_kwh, measured_unix_us)

    def _add_earlier(self, register_kwh: float, measured_unix_us: int) -> None:
        """A value from before the last one: new only where it lies before the first of an unbroken sum."""
        assert self.first_kwh is not None
        if (
            measured_unix_us < self.first_unix_us
            and register_kwh <= self.first_kwh
            and not self.segments_kwh
        ):
            self.first_kwh = register_kwh
            self.first_unix_us = measured_unix_us

    def _restart(self, register_kwh: float, measured_unix_us: int) -> None:
        assert self.first_kwh is not None
        assert self.last_kwh is not None
        hours = (measured_unix_us - self.last_unix_us) / 3.6e9
        self.segments_kwh += self.last_kwh - self.first_kwh
        self.first_kwh = 0.0 if register_kwh <= _POWER_KW_MAX * hours else register_kwh
        self.last_kwh = register_kwh
        self.first_unix_us = self.last_unix_us = measured_unix_us
