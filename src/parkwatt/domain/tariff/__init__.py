"""What energy costs and earns at a site, as a function of time.

A `Price` is a sum of components (flat, by time of use, a series such as day-ahead prices, a share
of another price), with a tax on the sum. A `Tariff` has one price for import, one for export, and
perhaps a demand charge. All prices are in currency per kWh; every price can be read on a regular
grid or over any edges, exactly: where a price changes within a step, the step gets the
time-weighted mean.
"""

from parkwatt.domain.tariff.book import PriceBook, PriceRun
from parkwatt.domain.tariff.price import (
    DayAheadPublication,
    FlatPrice,
    Price,
    PriceComponent,
    SeriesPrice,
    ShareOfPrice,
)
from parkwatt.domain.tariff.tariff import DemandCharge, Tariff
from parkwatt.domain.tariff.time_of_use import PricePeriod, TimeOfUsePrice, YearSpan

__all__ = [
    "DayAheadPublication",
    "DemandCharge",
    "FlatPrice",
    "Price",
    "PriceBook",
    "PriceComponent",
    "PricePeriod",
    "PriceRun",
    "SeriesPrice",
    "ShareOfPrice",
    "Tariff",
    "TimeOfUsePrice",
    "YearSpan",
]
