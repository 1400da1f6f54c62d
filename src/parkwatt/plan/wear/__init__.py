"""Battery wear: ageing of known cells, what grid use costs them, and prices for the planner.

`ageing` simulates years from a history of charge and temperature; `split` says what took the
capacity and how cells differ; `price` turns the model into the planner's two convex prices. Beneath
them `spans` cuts the history, `stress` measures it, `nickel` and `iron` hold the cells' equations,
`law` their forms, and `integrate` solves them.
"""

from parkwatt.plan.wear.ageing import AgeingResult, simulate_ageing
from parkwatt.plan.wear.cells import CELLS, Cell
from parkwatt.plan.wear.price import (
    HoldingPrice,
    WearTier,
    holding_cost_per_h,
    holding_price,
    wear_price,
    wear_price_curve,
)
from parkwatt.plan.wear.split import CellLoss, LossSplit, split_loss, wear_range

__all__ = [
    "CELLS",
    "AgeingResult",
    "Cell",
    "CellLoss",
    "HoldingPrice",
    "LossSplit",
    "WearTier",
    "holding_cost_per_h",
    "holding_price",
    "simulate_ageing",
    "split_loss",
    "wear_price",
    "wear_price_curve",
    "wear_range",
]
