"""When the utility's grid counts as back: the voltages, frequencies, delay and ramp of a grid code."""

from parkwatt.home.grid_code.custom import custom_grid_code
from parkwatt.home.grid_code.enter_service import (
    EnterServiceState,
    Qualification,
    qualify,
    ramp_kw,
)
from parkwatt.home.grid_code.profiles import GRID_CODES, GridCode

__all__ = [
    "GRID_CODES",
    "EnterServiceState",
    "GridCode",
    "Qualification",
    "custom_grid_code",
    "qualify",
    "ramp_kw",
]
