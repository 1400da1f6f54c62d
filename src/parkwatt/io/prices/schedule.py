"""When a price source is asked. Pure but for the seeded generator of small random shares.

What *should* be known at a moment is what was published by then, a little later for each site than for the next: not all
ask in the same second. While something of that is missing, the source is asked again, ever more rarely, at most every half
hour; once nothing is missing, once more some hours later for corrections, and then not before the next publication.
"""

from __future__ import annotations

from random import Random
from typing import Final

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.series import utc
from parkwatt.domain.tariff import DayAheadPublication

SPREAD_S: Final = 300.0
RECHECK_AFTER_S: Final = 6 * 3600.0
BACK_OFF_S: Final = 60.0
BACK_OFF_S_MAX: Final = 1800.0
# A publication that is late by less is nothing to tell.
GRACE_S: Final = 5400.0


class Schedule:
    """The times at which one feed is due. Times in Unix seconds."""

    def __init__(self, publication: DayAheadPublication, random: Random) -> None:
        self._publication = publication
        self._random = random
        self._spread_s = random.uniform(0.0, SPREAD_S)
        self._recheck_unix_s: float | None = None

    def wanted_until_unix_s(self, now_unix_s: int) -> int:
        """Up to when prices should be known at ``now``."""
        return self._publication.known_until_unix_s(now_unix_s - int(self._spread_s))

    def is_overdue(self, now_unix_s: int) -> bool:
        """Whether what should be known should have been there for a while."""
        late_s = now_unix_s - int(self._spread_s + GRACE_S)
        return self._publication.known_until_unix_s(late_s) >= self.wanted_until_unix_s(now_unix_s)

    def fetched(self, now_unix_s: int) -> None:
        """Nothing is missing after a question: look once more for corrections."""
        self._recheck_unix_s = now_unix_s + RECHECK_AFTER_S + self._random.uniform(0.0, SPREAD_S)

    def takes_recheck(self, now_unix_s: int) -> bool:
        """Whether it is time for the second look, which is then spent."""
        if self._recheck_unix_s is None or now_unix_s < self._recheck_unix_s:
            return False
        self._recheck_unix_s = None
        return True

    def rest_s(self, now_unix_s: int) -> float:
        """Seconds until something may be due again, while nothing is missing."""
        publication, spread_s = self._publication, int(self._spread_s)
        zone = publication.time_zone
        today = day_number(utc(now_unix_s - spread_s).astimezone(zone).date())
        dues = [
            float(local_time_unix_s(day, publication.published_at_s, zone) + spread_s)
            for day in (today, today + 1)
        ]
        if self._recheck_unix_s is not None:
            dues.append(self._recheck_unix_s)
        return max(min(due - now_unix_s for due in dues if due > now_unix_s), 1.0)

    def back_off_s(self, failures: int, retry_after_s: float | None) -> float:
        """Seconds to wait after that many failures in a row (at least 1), no less than the source asks for."""
        doubled_s = BACK_OFF_S * 2.0 ** min(failures - 1, 10)
        wait_s = min(doubled_s, BACK_OFF_S_MAX) * self._random.uniform(0.7, 1.0)
        return max(wait_s, retry_after_s or 0.0)
