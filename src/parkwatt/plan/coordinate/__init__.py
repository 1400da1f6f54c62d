"""Cars that share limits and a market, tied by prices (docs/modelling/coordination.md). Needs the extra ``fleet``."""

from parkwatt.plan.coordinate.coordinate import Coordinated, Warm, coordinate
from parkwatt.plan.coordinate.problem import FleetProblem, Market, Nodes, no_market, one_limit

__all__ = [
    "Coordinated",
    "FleetProblem",
    "Market",
    "Nodes",
    "Warm",
    "coordinate",
    "no_market",
    "one_limit",
]
