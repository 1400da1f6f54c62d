"""The mean day of a report: by local hour what cars took and gave, what charging at once would have taken, and the price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.site.account import Ledger
from parkwatt.site.account.pieces import summed

HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class DayProfile:
    """[24] by local hour: mean kWh a day, and the mean import price (NaN where no quarter fell into the hour)."""

    charged_kwh: FloatArray
    discharged_kwh: FloatArray
    at_once_kwh: FloatArray
    import_price_per_kwh: FloatArray


def day_profile(ledger: Ledger, from_unix_s: int, until_unix_s: int) -> DayProfile:
    """The mean day of a span."""
    rows, pieces = ledger.rows, ledger.pieces
    row_within = (rows.start_unix_s >= from_unix_s) & (rows.start_unix_s < until_unix_s)
    within = row_within[pieces.row]
    row_hour = rows.local.second_of_day // 3600
    hour = row_hour[pieces.row]
    days = max(len(np.unique(rows.local.day[row_within])), 1)

    def mean(values: FloatArray) -> FloatArray:
        return summed(hour[within], values[within], HOURS) / days

    count = summed(row_hour[row_within], np.ones(int(row_within.sum())), HOURS)
    paid = summed(row_hour[row_within], rows.import_price_per_kwh[row_within], HOURS)
    return DayProfile(
        mean(pieces.in_kwh),
        mean(pieces.out_kwh),
        mean(ledger.columns["at_once_kwh"]),
        np.where(count > 0, paid / np.maximum(count, 1.0), np.nan),
    )
