"""What a home's circuits use, hour by hour, and what they may use next."""

from parkwatt.home.learning.history import CircuitHistory
from parkwatt.home.learning.use import LearnedUse

__all__ = ["CircuitHistory", "LearnedUse"]
