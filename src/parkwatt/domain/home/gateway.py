"""What a transfer switch or gateway tells, and what it can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

# Of a pole by its auxiliary contact. None in a reading is unknown, never open.
Contact = Literal["open", "closed"]
TransferAction = Literal[
    "open_grid_pole",
    "close_grid_pole",
    "close_bond",
    "open_bond",
    "close_island_source",
    "open_island_source",
]


class GatewayReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gateway at one moment, as last told; None is unknown. All of it was measured at ``measured_unix_us`` or later.

    ``grid_voltage_pu``: on the utility's side, by phase, of the nominal voltage. ``grid_frequency_hz``: there.
    ``grid_present``: the gateway's own word, where it has one; it does not replace voltage and frequency where these are told.
    ``grid_pole``: between utility and home. ``island_source``: the contact between the island's source (a car's inverter, a
    battery's) and the home, or whether that inverter forms the grid. ``bond``: neutral to earth within the island.
    ``output_voltage_pu``: on the home's side of the poles: below 0.1 it is dead. ``fault``: the gateway's own, in its words.
    """

    measured_unix_us: int
    grid_voltage_pu: tuple[float, ...] | None = None
    grid_frequency_hz: float | None = None
    grid_present: bool | None = None
    grid_pole: Contact | None = None
    island_source: Contact | None = None
    bond: Contact | None = None
    output_voltage_pu: float | None = None
    fault: str = ""


class GatewayAbilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gateway has feedback for: what it does not report is not waited for, and nothing else is taken in its place.

    ``transfers_itself``: the switch transfers of its own (automatic transfer switch); then Parkwatt only watches and refuses.
    """

    reports_bond: bool = False
    reports_output_voltage: bool = False
    transfers_itself: bool = False


@dataclass(frozen=True, slots=True)
class ApprovedTransfer:
    """Something that the gateway is asked for: the only thing that a gateway's adapter sends.

    Made by `parkwatt.home.island` alone; a test of the house sees to that. ``lease_s``: a closed island source opens
    after that long without a new request, where the gateway can do so.
    """

    action: TransferAction
    reason: str
    lease_s: int
