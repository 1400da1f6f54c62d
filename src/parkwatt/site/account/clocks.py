"""A charger's clock against ours: when a reading was measured, as far as the charger's word for it can be used.

A clock that is off by hours is off by the same in every report. It shows in reports that come as fast as they were
measured; what was queued while there was no link comes faster, and teaches nothing (as in `parkwatt.domain.charger.state`).
"""

from __future__ import annotations

from typing import Final

import msgspec

# Two reports at least this far apart, by both clocks alike within the slack and a twentieth, show how the clock runs.
_APART_US: Final = 3_000_000
_SLACK_US: Final = 1_500_000
# A smaller lag is the way of the message, and a clock that runs.
_LAG_US: Final = 30_000_000


class ClockFacts(msgspec.Struct, omit_defaults=True):
    """``seen``: a report's time by its clock and by ours. ``lag_us``: how far its clock is behind."""

    seen: tuple[int, int] | None = None
    lag_us: int = 0

    def note(self, measured_unix_us: int, now_unix_us: int) -> None:
        """A report that was sent when it was made, as far as the charger says."""
        seen = self.seen
        if seen is not None and now_unix_us - seen[1] < _APART_US:
            return
        self.seen = (measured_unix_us, now_unix_us)
        if seen is None:
            return
        passed_us = now_unix_us - seen[1]
        if abs(measured_unix_us - seen[0] - passed_us) <= _SLACK_US + passed_us // 20:
            lag_us = now_unix_us - measured_unix_us
            self.lag_us = lag_us if abs(lag_us) > _LAG_US else 0

    def told(self, measured_unix_us: int | None, now_unix_us: int) -> int:
        """When a reading was measured by our clock: never later than it came."""
        if measured_unix_us is None:
            return now_unix_us
        return min(measured_unix_us + self.lag_us, now_unix_us)
