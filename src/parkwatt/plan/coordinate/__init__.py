"""Cars that share limits and a market, tied by prices (docs/modelling/coordination.md). Needs the extra ``fleet``."""

from parkwatt.plan.coordinate.coordinate import Coordinated, coordinate
from parkwatt.plan.coordinate.problem import (
    FleetProblem,
    Market,
    Nodes,
    Reserve,
    no_market,
    one_limit,
)
from parkwatt.plan.coordinate.search import Warm

__all__ = [
    "Coordinated",
    "FleetProblem",
    "Market",
    "Nodes",
    "Reserve",
    "Warm",
    "coordinate",
    "no_market",
    "one_limit",
]
