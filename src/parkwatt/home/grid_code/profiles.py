"""Grid codes: profiles whose every number has a source.

A code is listed only where voltages, frequencies, delay and ramp were all found in a document that can be read again.
EN 50549-1, VDE-AR-N 4105, G98/G99, CEI 0-21 and AS/NZS 4777.2 are sold, and what is public of them tells only some of
these numbers; whoever connects under one of them enters the numbers of their utility (`custom_grid_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCode:
    """When a home may go back to the grid, and how fast it may then feed in.

    Voltages are of the nominal voltage; the bounds belong to the band. ``delay_s``: how long voltage and frequency must have
    stayed in the band. ``ramp_s``: from nothing to full power afterwards; 0 is at once. ``source``: where the numbers are from.
    """

    name: str
    voltage_pu_min: float
    voltage_pu_max: float
    frequency_hz_min: float
    frequency_hz_max: float
    delay_s: float
    ramp_s: float
    source: str
    nominal_hz: float


_IEEE_1547_2018: Final = GridCode(
    name="ieee1547-2018",
    voltage_pu_min=0.917,
    voltage_pu_max=1.05,
    frequency_hz_min=59.5,
    frequency_hz_max=60.1,
    delay_s=300.0,
    ramp_s=300.0,
    source="IEEE 1547-2018, 4.10.2 and 4.10.3, default settings; as in EPRI's OpenDER 2.2.0, common file format ES_*",
    nominal_hz=60.0,
)


def _california(name: str, delay_s: float, profile: str) -> GridCode:
    """A variant of California's Rule 21: its own delay, within the band and with the ramp of IEEE 1547-2018."""
    return GridCode(
        name=name,
        voltage_pu_min=_IEEE_1547_2018.voltage_pu_min,
        voltage_pu_max=_IEEE_1547_2018.voltage_pu_max,
        frequency_hz_min=_IEEE_1547_2018.frequency_hz_min,
        frequency_hz_max=_IEEE_1547_2018.frequency_hz_max,
        delay_s=delay_s,
        ramp_s=_IEEE_1547_2018.ramp_s,
        source=f"delay: Tesla, Grid Reconnection Took Too Long, table 1, {profile}; the rest: IEEE 1547-2018, default settings",
        nominal_hz=60.0,
    )


GRID_CODES: Final[Mapping[str, GridCode]] = MappingProxyType(
    {
        code.name: code
        for code in (
            _IEEE_1547_2018,
            _california("california-rule21-2022-sb", 15.0, "IEEE1547-2018_UL1741SB-CA-Rule21_2022"),
            _california("california-rule21-2016-sa", 60.0, "60Hz_240V_s_UL1741SA:2016_California"),
            _california(
                "california-ladwp-2022-sb", 60.0, "IEEE1547-2018_UL1741SB-CA-Rule21_LADWP-2022"
            ),
        )
    }
)
