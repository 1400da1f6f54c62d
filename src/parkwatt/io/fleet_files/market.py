"""Reading a market's prices: one row a step with what a MWh costs, as exchanges publish them."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.record import Faults
from parkwatt.domain.series import TimeGrid, utc
from parkwatt.io.fleet_files.prices import FleetPrices, read_prices
from parkwatt.io.tables import ColumnKind, column_names, read_table

_FIELD: Final = "prices"
_PRICE: Final = "price_eur_per_mwh"
_COLUMNS: Final[dict[str, ColumnKind]] = {"ts_utc": "time", _PRICE: "number"}


def read_market_prices(path: Path, faults: Faults) -> FleetPrices | None:
    """Prices in `fleet plan`'s form, or of a market (``ts_utc``, ``price_eur_per_mwh``), then the same for both directions.

    None after a fault.
    """
    found = column_names(path, _FIELD, faults)
    if found is None:
        return None
    if _PRICE not in found:
        return read_prices(path, faults)
    table = read_table(path, _COLUMNS, faults, field=_FIELD, time_zone=ZoneInfo("UTC"))
    if table is None:
        return None
    order = np.argsort(table["ts_utc"], kind="stable")
    starts, price_per_mwh = table["ts_utc"][order], table[_PRICE][order]
    spacings = np.unique(np.diff(starts))
    if len(spacings) != 1 or spacings[0] <= 0:
        rule = f"{path.name} must have a price in each step, and one length of steps"
        wrong = np.flatnonzero(np.diff(starts) != (spacings[0] if len(spacings) else 0))
        at = starts[int(wrong[0])] if len(wrong) else None
        faults.add(_FIELD, rule, f"{utc(int(at)):%Y-%m-%d %H:%M} UTC" if at is not None else None)
        return None
    if np.isnan(price_per_mwh).any():
        count = int(np.isnan(price_per_mwh).sum())
        faults.add(_FIELD, f"{path.name}, column {_PRICE} must have no empty cell", count)
        return None
    grid = TimeGrid(int(starts[0]), int(spacings[0]), len(starts))
    price_per_kwh = (price_per_mwh / 1000.0)[None, :]
    return FleetPrices(grid, ("",), price_per_kwh, price_per_kwh.copy())
