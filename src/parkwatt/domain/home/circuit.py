"""The circuits of a home, and how much each matters when the grid is gone."""

from __future__ import annotations

from typing import Literal

import msgspec

# As households sort their loads: until nothing is left; until the reserve of the house; not at all.
Tier = Literal["must_have", "nice_to_have", "not_needed"]


class Circuit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One circuit, or one appliance with a switch of its own.

    ``power_kw_rated``: the most that it draws steadily; ``inrush_kw``: for less than a second when it starts, at least that.
    ``on_s_min``, ``off_s_min``: how long it stays on or off once switched (a compressor: some minutes off).
    ``medical``: never switched off by Parkwatt. ``switchable``: whether there is a switch; without one it counts as always on.
    """

    circuit_id: str
    name: str
    tier: Tier
    power_kw_rated: float
    inrush_kw: float
    on_s_min: int = 60
    off_s_min: int = 300
    medical: bool = False
    switchable: bool = True


class CircuitReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """A circuit as last told; None is unknown. ``on``: its switch's own feedback. ``power_kw``: by its meter."""

    circuit_id: str
    measured_unix_us: int
    on: bool | None = None
    power_kw: float | None = None
    energy_kwh: float | None = None


class CircuitCommand(msgspec.Struct, frozen=True):
    """Switch a circuit. ``lease_s``: an *off* lapses after that long without a new command, where the switch can do so."""

    circuit_id: str
    on: bool
    reason: str
    lease_s: int
