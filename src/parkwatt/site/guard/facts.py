"""What the guard is told: proposals, and the facts by which it judges them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from parkwatt.domain.charger.command import Approved, FrequencyCurve
from parkwatt.domain.home.event import GridCondition
from parkwatt.domain.site.event import GuardChange

# What may flow at the grid connection: nothing back while the grid is there, nothing out of it, or export as agreed.
Interconnection = Literal["backup_only", "no_export", "export"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A power that somebody wants at one connection point, and why. None releases it: the charger's own default holds.

    ``following``: only the meter moved since the last proposal. ``by_driver``: the driver asked for it just now, so
    that ramps and
    the count of switchings do not hold it up.
    """

    charger_id: str
    evse_id: int
    power_kw: float | None
    reason: str
    following: bool = False
    by_driver: bool = False
    frequency_curve: FrequencyCurve | None = None


@dataclass(frozen=True, slots=True)
class ReadyBy:
    """What must be in the battery by a time. ``energy_kwh``: asked, in the battery."""

    at_unix_us: int
    energy_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CarFacts:
    """One connection point with its car. Powers are magnitudes at the charger in kW, energies in the battery in kWh.

    ``charge_kw_max``, ``discharge_kw_max``: of charger and car together, as both and others who limit them say;
    ``*_kw_min``: below it the charger does nothing. ``energy_kwh``: the best estimate, None where it is unknown or
    too old;
    ``energy_kwh_error``: how far the truth may lie from it. ``floor_kwh``: never discharged below.
    ``energy_kwh_max``: full.
    ``may_discharge``: the driver consents and the mode, the charger and the car allow it; ``why_not``: in words where
    not.
    ``may_export``: the car may feed in. ``may_charge``: False in mode *off*. ``ready``: what is asked next.
    ``phases``: those of the grid that the charger uses, 0 to 2. ``measured_kw``: fresh by its own meter, None where
    not.
    ``linked``: whether there is a link; without one the charger's last set-point counts until its lease ends, then
    ``default_kw``, what it charges with of its own. ``circuit``: the name of the circuit that it hangs on.
    ``driven_by_hand``: a person sets its power and no site's control does, so that an unknown energy does not keep it
    from discharging. ``forms_island``: its inverter carries the house when the grid is gone. ``island_charge``: a person
    asked that it be charged even then.
    """

    charger_id: str
    evse_id: int
    car_id: str
    linked: bool
    plugged_in: bool
    charge_kw_max: float
    discharge_kw_max: float
    charge_kw_min: float = 0.0
    discharge_kw_min: float = 0.0
    charge_efficiency: float
    discharge_efficiency: float
    energy_kwh: float | None
    energy_kwh_error: float = 0.0
    floor_kwh: float = 0.0
    energy_kwh_max: float = math.inf
    may_charge: bool = True
    may_discharge: bool = False
    why_not: str = ""
    may_export: bool = False
    ready: ReadyBy | None = None
    phases: tuple[int, ...] = (0, 1, 2)
    voltage_v: float = 230.0
    measured_kw: float | None = None
    default_kw: float = 0.0
    circuit: str | None = None
    driven_by_hand: bool = False
    forms_island: bool = False
    island_charge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A part of the site with a fuse of its own: the import that may flow to its chargers together, in kW."""

    name: str
    import_limit_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """The grid connection now.

    ``base_kw``: load less sun, without the chargers; None where no fresh meter tells it. ``base_kw_highest``: the
    most that was
    seen lately, for when no meter tells it. ``phase_base_a``: likewise by phase (import positive), None where it is
    not told. ``phase_count``: of the connection.
    ``import_limit_kw``, ``export_limit_kw``, ``fuse_a``: None = none. ``grid``: whether the utility's grid carries the
    house, ``grid_before``: that, as it was known last. ``island_kw``: what the island's source can spare for charging.
    ``return_kw``: the most that the cars together may charge or give while the grid has just come back; None: any.
    """

    base_kw: float | None
    base_kw_highest: float = 0.0
    phase_base_a: tuple[float, ...] | None = None
    phase_count: int = 1
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    fuse_a: float | None = None
    interconnection: Interconnection = "no_export"
    circuits: tuple[Circuit, ...] = ()
    cars: tuple[CarFacts, ...] = ()
    grid: GridCondition = "present"
    grid_before: Literal["present", "absent"] = "present"
    island_kw: float = 0.0
    return_kw: float | None = None

    @property
    def is_island(self) -> bool:
        """Whether no car may be charged as from the grid: it is gone, or was when that was known last."""
        return self.grid == "absent" or (self.grid == "unknown" and self.grid_before == "absent")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard made of a proposal. ``approved``: None where nothing is to be sent (no link, no car).

    ``power_kw``: what the charger does then, also after a release; None where nothing is sent. ``lease_s``: 0 for a
    release. ``following``: nothing is new but what the meter shows, which makes it telemetry.
    """

    proposal: Proposal
    power_kw: float | None
    lease_s: int
    approved: Approved | None
    changes: tuple[GuardChange, ...] = ()
    car_id: str = ""
    following: bool = False
