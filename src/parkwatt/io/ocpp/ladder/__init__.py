"""What drives a charger's set-points, and how far it is trusted with them. Pure: no socket, no clock."""

from parkwatt.io.ocpp.ladder.ladder import Ladder
from parkwatt.io.ocpp.ladder.memory import LadderState
from parkwatt.io.ocpp.ladder.turn import LadderStep

__all__ = ["Ladder", "LadderState", "LadderStep"]
