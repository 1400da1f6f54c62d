"""The states of charge that were told, in order of time: what a capacity is estimated from.

Each time counts once, in whatever order values come. Inside a quarter of an hour only the ends of a rise or a fall are
kept and when it got full, and of a value that stays only its first and last time.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from parkwatt.site.account.readings import QUARTER_US


class SocReadings(msgspec.Struct):
    """``at_unix_us``, ``soc``: [N] ascending by time; of two values for one time the first that came."""

    at_unix_us: list[int] = msgspec.field(default_factory=list)
    soc: list[float] = msgspec.field(default_factory=list)

    def add(self, at_unix_us: int, soc: float) -> None:
        """Note a value."""
        index = bisect_left(self.at_unix_us, at_unix_us)
        if index < len(self.at_unix_us) and self.at_unix_us[index] == at_unix_us:
            return
        self.at_unix_us.insert(index, at_unix_us)
        self.soc.insert(index, soc)
        for near in (index + 1, index, index - 1):
            self._forget(near)

    def _forget(self, index: int) -> None:
        """Leave out a value that says nothing more than its neighbours."""
        times, values = self.at_unix_us, self.soc
        if not 0 < index < len(times) - 1:
            return
        before, value, after = values[index - 1 : index + 2]
        turns = not (before <= value <= after or before >= value >= after)
        same_quarter = times[index - 1] // QUARTER_US == times[index + 1] // QUARTER_US
        gets_full = before < 1.0 <= value
        if not (turns or gets_full) and (same_quarter or before == value == after):
            del times[index], values[index]
