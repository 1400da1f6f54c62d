"""The published JSON contract: a plan problem and its plan, read and written
(docs/reference/contract.md)."""

from parkwatt.io.contract.plan import plan_from_json, plan_to_json, stated_cost
from parkwatt.io.contract.problem import problem_from_json, problem_to_json

__all__ = [
    "plan_from_json",
    "plan_to_json",
    "problem_from_json",
    "problem_to_json",
    "stated_cost",
]
