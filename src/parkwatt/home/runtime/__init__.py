"""How long a home lasts without the grid, what each circuit costs, and what may stay on."""

from parkwatt.home.runtime.battery import Absence, Generator, IslandBattery, Mobility
from parkwatt.home.runtime.forecast import Gain, Runtime, forecast_runtime
from parkwatt.home.runtime.hours import Hours
from parkwatt.home.runtime.outage_length import PLANNED, UNPLANNED, OutageLengths
from parkwatt.home.runtime.request import RuntimeRequest
from parkwatt.home.runtime.trade_off import Kept, trade_off
from parkwatt.home.runtime.verdicts import EnergyVerdict, energy_verdicts, expected_end
from parkwatt.home.runtime.what_if import WhatIf, what_if

__all__ = [
    "PLANNED",
    "UNPLANNED",
    "Absence",
    "EnergyVerdict",
    "Gain",
    "Generator",
    "Hours",
    "IslandBattery",
    "Kept",
    "Mobility",
    "OutageLengths",
    "Runtime",
    "RuntimeRequest",
    "WhatIf",
    "energy_verdicts",
    "expected_end",
    "forecast_runtime",
    "trade_off",
    "what_if",
]
