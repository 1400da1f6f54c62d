"""The exact planner: one site as a linear program, with binaries only where it is not convex (docs/modelling/planner.md)."""

from parkwatt.plan.exact.planner import Outlook, look_ahead, plan

__all__ = ["Outlook", "look_ahead", "plan"]
