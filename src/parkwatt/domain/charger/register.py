"""Energy of a transaction from a register that should only grow, and sometimes does not.

A register is a sum since whenever the meter began. The energy of a transaction is the register's largest value less its
smallest: no order of arrival, no repetition and no clock that is set back changes that of a register that only grows.

Chargers also restart at 0 in the middle (after a boot, or with each session: OCPP leaves that open), and some send one
false value among good ones. A value below the last one that was measured later, or one further above it than any charger
can have moved since, ends a segment and begins another. The energy between the two is unknown and not counted. What a
restarted register shows is counted from 0, unless it is more than a charger can have moved since: then it is
another meter's sum and counted from there. Of a segment that has ended, what comes late is not counted any more.
"""

from __future__ import annotations

import msgspec

# A meter may round its last digit: less than this back is no restart.
_TOLERANCE_KWH = 0.0011
# More than any charger of a car or truck moves (megawatt charging: 1250 A at 1250 V), to tell a sum from another.
_POWER_KW_MAX = 1600.0
# Clocks of chargers have whole seconds, and stand still in some: allowed beside the time that passed by them.
_SLACK_US = 60_000_000
_HOUR_US = 3.6e9
_SLACK_KWH = _POWER_KW_MAX * _SLACK_US / _HOUR_US


class RegisterEnergy(msgspec.Struct, omit_defaults=True, gc=False):
    """Energy by one register. ``segments_kwh``: of segments that ended, ``restart_count`` of them; ``first_kwh``,
    ``last_kwh``: the smallest and largest value of the one that runs.
    """

    first_kwh: float | None = None
    last_kwh: float | None = None
    first_unix_us: int = 0
    last_unix_us: int = 0
    segments_kwh: float = 0.0
    restart_count: int = 0

    @property
    def energy_kwh(self) -> float | None:
        """Energy so far; None before the first value."""
        if self.first_kwh is None or self.last_kwh is None:
            return None
        return self.segments_kwh + self.last_kwh - self.first_kwh

    def add(self, register_kwh: float, measured_unix_us: int) -> None:
        """Take in a value of the register."""
        first_kwh, last_kwh = self.first_kwh, self.last_kwh
        passed_us = measured_unix_us - self.last_unix_us
        if first_kwh is None or last_kwh is None:
            self._begin(register_kwh, register_kwh, measured_unix_us)
        elif self.restart_count and measured_unix_us < self.first_unix_us:
            return  # of a segment that has ended
        elif register_kwh >= last_kwh:
            moved_kwh = register_kwh - last_kwh
            if moved_kwh <= _SLACK_KWH or _can_move(moved_kwh, passed_us):
                if moved_kwh:
                    self.last_kwh = register_kwh
                if passed_us > 0:
                    self.last_unix_us = measured_unix_us
            elif passed_us > 0:
                self._restart(last_kwh - first_kwh, register_kwh, register_kwh, measured_unix_us)
        elif passed_us > 0:
            if register_kwh < last_kwh - _TOLERANCE_KWH:
                counted_from_kwh = 0.0 if _can_move(register_kwh, passed_us) else register_kwh
                self._restart(
                    last_kwh - first_kwh, counted_from_kwh, register_kwh, measured_unix_us
                )
        elif (
            register_kwh < first_kwh
            and measured_unix_us <= self.first_unix_us
            and _can_move(first_kwh - register_kwh, self.first_unix_us - measured_unix_us)
        ):
            self.first_kwh = register_kwh
            self.first_unix_us = measured_unix_us

    def end(self, register_kwh: float, ended_unix_us: int) -> None:
        """Take back what was measured after the end, where the register stood at ``register_kwh``.

        Asked for its meter while the end still waits in its queue, a charger tells what it shows now.
        """
        first_kwh, last_kwh = self.first_kwh, self.last_kwh
        if first_kwh is None or last_kwh is None:
            return
        if (
            self.first_unix_us <= ended_unix_us < self.last_unix_us
            and first_kwh <= register_kwh < last_kwh
        ):
            self.last_kwh = register_kwh
            self.last_unix_us = ended_unix_us

    def _begin(self, first_kwh: float, last_kwh: float, measured_unix_us: int) -> None:
        self.first_kwh, self.last_kwh = first_kwh, last_kwh
        self.first_unix_us = self.last_unix_us = measured_unix_us

    def _restart(
        self, ended_kwh: float, first_kwh: float, last_kwh: float, measured_unix_us: int
    ) -> None:
        self.segments_kwh += ended_kwh
        self.restart_count += 1
        self._begin(first_kwh, last_kwh, measured_unix_us)


def _can_move(energy_kwh: float, passed_us: int) -> bool:
    """Whether a charger can move that much in the time between two values, whichever came first."""
    return energy_kwh <= _POWER_KW_MAX * (abs(passed_us) + _SLACK_US) / _HOUR_US
