"""The batch planner: many cars at once, each alone at its connection (docs/modelling/batch.md). Needs the extra ``fleet``."""

from parkwatt.plan.batch.cars import BatchPrices, CarStays, MissPrices, faults_of
from parkwatt.plan.batch.kernels import KERNEL_NAMES
from parkwatt.plan.batch.planner import BatchPlan, plan_batch
from parkwatt.plan.batch.reserve import ReservePrices

__all__ = [
    "KERNEL_NAMES",
    "BatchPlan",
    "BatchPrices",
    "CarStays",
    "MissPrices",
    "ReservePrices",
    "faults_of",
    "plan_batch",
]
