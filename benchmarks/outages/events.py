"""Real outages: PG&E, June to December 2019, on the local wall clock; generated ones where the data are missing.

Taken: outages of 12 to 120 hours whose start and end were both seen. Those that were ever called a public-safety shut-off
are *planned*; the others are not. Outages of one start and one end are one, however many places they befell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import duckdb
import numpy as np

from benchmarks.outages.homes import DATA, is_real
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock

HOURS_MIN: Final = 12
HOURS_MAX: Final = 120
_FILE: Final = "pge_outages_2019H2.parquet"
_SEEN_WITHIN_S: Final = 2 * HOUR_S
_MADE: Final = 60
_MADE_START_S: Final = 1_570_500_000


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage: its start on the local wall clock as seconds, its length, and whether it was announced."""

    start_local_s: int
    duration_s: int
    planned: bool


@cache
def outages() -> tuple[Outage, ...]:
    """All outages that are taken, in order."""
    return _real() if is_real() else made_outages()


def _real() -> tuple[Outage, ...]:
    path = DATA / "outages" / _FILE
    query = (
        "select distinct epoch(start_utc)::bigint as start, epoch(last_seen_utc)::bigint as end, "  # noqa: S608
        f"cause = 'psps' from '{path}' where not end_censored and not start_before_window "
        f"and epoch(first_seen_utc) - epoch(start_utc) between 0 and {_SEEN_WITHIN_S} "
        f"and epoch(last_seen_utc) - epoch(start_utc) between {HOURS_MIN * HOUR_S} and {HOURS_MAX * HOUR_S} "
        "order by 1, 2, 3"
    )
    rows = duckdb.execute(query).fetchall()
    clock = LocalClock.of("America/Los_Angeles")
    starts = clock.local_s(np.array([row[0] for row in rows], dtype=np.int64)).tolist()
    return tuple(
        Outage(start_s, int(row[1] - row[0]), bool(row[2]))
        for start_s, row in zip(starts, rows, strict=True)
    )


def made_outages(seed: int = 5) -> tuple[Outage, ...]:
    """Shut-offs of a median of 42 hours, and faults of a median of 18."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(_MADE):
        planned = number % 2 == 0
        hours = np.exp(random.normal(np.log(42.0 if planned else 18.0), 0.6))
        duration_s = int(np.clip(hours, HOURS_MIN, HOURS_MAX) * HOUR_S)
        start_s = _MADE_START_S + int(random.integers(0, 20 * DAY_S))
        found.append(Outage(start_s, duration_s, planned))
    return tuple(found)
