"""A site's whole tariff: what import costs, what export earns, and what the month's highest import
costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import IntervalSeries, TimeGrid
from parkwatt.domain.tariff.price import Price, earliest


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """Paid per kW of the highest import of each calendar month, of at least ``minimum_kw``."""

    price_per_kw_month: float
    minimum_kw: float = 0.0

    def cost(self, import_peak_kw: float) -> float:
        """What one month costs."""
        return self.price_per_kw_month * max(import_peak_kw, self.minimum_kw)


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """``currency``: its code. ``time_zone``: of the local clock and of the months. Prices in
    currency per kWh.
    """

    currency: str
    time_zone: ZoneInfo
    import_price: Price
    export_price: Price
    demand_charge: DemandCharge | None = None

    def import_price_on(self, grid: TimeGrid) -> FloatArray:
        """[T] the mean price of import in each step; NaN where not wholly known."""
        return self.import_price.over(grid.edges_unix_s())

    def export_price_on(self, grid: TimeGrid) -> FloatArray:
        """[T] the mean price paid for export in each step; NaN where not wholly known."""
        return self.export_price.over(grid.edges_unix_s())

    def known_until_unix_s(self, now_unix_s: int) -> int | None:
        """Up to when both prices are published at ``now``; None where they are known for all time.

        What a planner may use at ``now`` is the price of times before this one.
        """
        return earliest(
            [
                self.import_price.known_until_unix_s(now_unix_s),
                self.export_price.known_until_unix_s(now_unix_s),
            ]
        )

    def with_feeds(self, series: Mapping[str, IntervalSeries]) -> Tariff:
        """The tariff with what a running site has received, by the names of the feeds (`PriceBook.all_series`)."""
        return replace(
            self,
            import_price=self.import_price.with_feeds(series),
            export_price=self.export_price.with_feeds(series),
        )
