"""What a car's energy cost: the site's bill as it was, less the bill it would have been without the cars.

Import is paid at the import price, export earns the export price. In a row with import I and export X (both may be above 0),
cars that had taken Δ kWh more would have changed the bill by

    F(Δ) = export price · min(Δ, X) + import price · (Δ − X)⁺           Δ ≥ 0: less is exported, then more imported
    F(Δ) = −import price · min(−Δ, I) − export price · (−Δ − I)⁺        Δ < 0: less is imported, then more exported

Cars that took n in all cost −F(−n); each kWh of the row, in or out, counts with the same price −F(−n)/n. The order of the
parts is that of the dearer for the cars: within a row nobody knows which kWh was charged while the sun shone. So where
export earns less than import costs, a car's energy is never made cheaper, and what it gave never worth more, than it was.

Where the exchange is not known, what was charged is taken as imported, and what was discharged as worth the lower of both
prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parkwatt.domain.record import FloatArray
from parkwatt.site.account.rows import Exchange, Rows

_NOTHING_KWH: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class RowMoney:
    """[R] each. ``price_per_kwh``: of each kWh that cars took or gave. ``sun_share``: of what was charged, the part
    that would have been exported; ``grid_share``: of what was discharged, the part that was.
    """

    price_per_kwh: FloatArray
    sun_share: FloatArray
    grid_share: FloatArray


def row_money(rows: Rows, exchanged: Exchange, cars_kwh: FloatArray) -> RowMoney:
    """Prices and shares of the rows, in which cars took ``cars_kwh`` [R] in all."""
    buy, sell = rows.import_price_per_kwh, rows.export_price_per_kwh
    known = exchanged.known
    imported = np.where(known, exchanged.import_kwh, 0.0)
    exported = np.where(known, exchanged.export_kwh, 0.0)
    amount = np.abs(cars_kwh)
    some = amount > _NOTHING_KWH
    divisor = np.where(some, amount, 1.0)
    charging = cars_kwh > 0
    bought_share = np.where(some, np.minimum(amount, imported) / divisor, 1.0)
    sold_share = np.where(some, np.minimum(amount, exported) / divisor, 0.0)
    price = np.where(
        charging,
        buy * bought_share + sell * (1.0 - bought_share),
        sell * sold_share + buy * (1.0 - sold_share),
    )
    price = np.where(some, price, np.where((imported > 0) | (exported <= 0), buy, sell))
    lower = np.minimum(buy, sell)
    price = np.where(known, price, np.where(charging | ~some, buy, lower))
    return RowMoney(
        price,
        np.where(known & charging & some, 1.0 - bought_share, 0.0),
        np.where(known & ~charging, sold_share, 0.0),
    )


def bill_change(rows: Rows, exchanged: Exchange, more_kwh: FloatArray) -> FloatArray:
    """[R] F(Δ): by how much the bill rises where cars take ``more_kwh`` [R] more than they did."""
    buy, sell = rows.import_price_per_kwh, rows.export_price_per_kwh
    # Without a meter all of it is imported.
    imported = np.where(exchanged.known, exchanged.import_kwh, np.inf)
    exported = np.where(exchanged.known, exchanged.export_kwh, 0.0)
    more, less = np.maximum(more_kwh, 0.0), np.maximum(-more_kwh, 0.0)
    rises = sell * np.minimum(more, exported) + buy * np.maximum(more - exported, 0.0)
    falls = buy * np.minimum(less, imported) + sell * np.maximum(less - imported, 0.0)
    result: FloatArray = rises - falls
    return result
