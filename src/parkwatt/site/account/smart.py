"""Smart charging with hindsight: each stay's energy, charged where it turned out to be cheapest (V1G at its best).

Prices, load, sun, the end of the stay and what the car left with are taken as they turned out, which nobody knew when the car
came. So no way of only charging could have been cheaper for that stay, and what is saved against it is never told too high:
it is what giving back brought, less what a plan misses of a perfect one (docs/decisions/0053-money.md).

In each piece of time the bill rises with what is charged as in `parkwatt.site.account.money`: sun that would have been
exported at the export price, then import at its price. Where that curve is not convex (import and export within one quarter, or
an export price above the import price) its lower convex envelope says where to charge; what it costs is the bill itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from parkwatt.domain.problem import Storage
from parkwatt.domain.record import FloatArray
from parkwatt.site.account.at_once import most_kwh
from parkwatt.site.account.pieces import IndexArray
from parkwatt.site.account.rows import Exchange, Rows


@dataclass(slots=True, eq=False)
class Cheapest:
    """The cheapest way. ``left_kwh``: [R] what may be charged beside load, sun and the cars that came first.

    ``cars_kwh``: [R] what all cars really took.
    """

    rows: Rows
    exchanged: Exchange
    cars_kwh: FloatArray
    left_kwh: FloatArray
    _taken_kwh: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self._taken_kwh = np.zeros(len(self.cars_kwh))

    def take(self, row: IndexArray, hours: FloatArray, need_kwh: float, car: Storage) -> FloatArray:
        """The cheapest pieces first, of equal ones the earliest; what has no room is put at the end."""
        most = most_kwh(self.left_kwh[row], hours, car)
        length_kwh, price_per_kwh = self._segments(row, most)
        order = np.argsort(price_per_kwh.ravel(), kind="stable")
        until = np.minimum(np.cumsum(length_kwh.ravel()[order]), need_kwh)
        by_segment = np.zeros(len(order))
        by_segment[order] = np.diff(until, prepend=0.0)
        taken: FloatArray = by_segment.reshape(length_kwh.shape).sum(axis=1)
        taken[-1] += need_kwh - float(until[-1])
        np.subtract.at(self.left_kwh, row, taken)
        np.add.at(self._taken_kwh, row, taken)
        return taken

    def _segments(self, row: IndexArray, most: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[n, 4] each: how much may be charged at which price, the prices of a piece not falling."""
        buy = self.rows.import_price_per_kwh[row]
        sell = self.rows.export_price_per_kwh[row]
        known = self.exchanged.known[row]
        imported = np.where(known, self.exchanged.import_kwh[row], np.inf)
        exported = np.where(known, self.exchanged.export_kwh[row], 0.0)
        begin = self._taken_kwh[row] - self.cars_kwh[row]
        edges = np.stack([-imported - begin, -begin, exported - begin], axis=1)
        inner = np.clip(edges, 0.0, most[:, None])
        length = np.diff(np.column_stack([np.zeros(len(row)), inner, most]), axis=1)
        price = np.column_stack([sell, buy, sell, buy])
        dearer = sell > buy
        _pool(length, price, ~dearer, slice(1, 3))
        _pool(length, price, dearer, slice(0, 2))
        _pool(length, price, dearer, slice(2, 4))
        _pool(length, price, dearer & (price[:, 1] > price[:, 2]), slice(0, 4))
        return length, price


def _pool(
    length_kwh: FloatArray, price_per_kwh: FloatArray, where: np.ndarray, columns: slice
) -> None:
    """Give these neighbouring segments their mean price, in the rows ``where`` they hold anything."""
    some = where & (length_kwh[:, columns].sum(axis=1) > 0)
    lengths_kwh = length_kwh[some, columns]
    mean = (lengths_kwh * price_per_kwh[some, columns]).sum(axis=1) / lengths_kwh.sum(axis=1)
    price_per_kwh[some, columns] = mean[:, None]
