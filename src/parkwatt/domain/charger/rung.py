"""The ladder of control: how far a charger has proved to follow set-points."""

from __future__ import annotations

from enum import IntEnum


class Rung(IntEnum):
    """What a charger is driven with. A higher rung does all that a lower one does."""

    LIMITS_ONLY = 0
    NEGATIVE_LIMIT = 1
    CENTRAL_SETPOINT = 2
    DYNAMIC_SETPOINT = 3
    LOCAL_FREQUENCY = 4

    @property
    def words(self) -> str:
        """The rung in words that a user understands."""
        return _WORDS[self]

    @property
    def discharges(self) -> bool:
        """Whether a charger on this rung can be told to discharge."""
        return self > Rung.LIMITS_ONLY


_WORDS = {
    Rung.LIMITS_ONLY: "charging limits only",
    Rung.NEGATIVE_LIMIT: "negative limits, a convention of its vendor",
    Rung.CENTRAL_SETPOINT: "set-points in charging profiles",
    Rung.DYNAMIC_SETPOINT: "set-points that are updated as they run, with a watchdog",
    Rung.LOCAL_FREQUENCY: "a response to the grid's frequency of its own",
}
