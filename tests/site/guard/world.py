"""A little physical world around a guard: cars with batteries, chargers with leases of their own, a meter, a clock
that is wrong.

Nothing here shares code with the guard. The world keeps true time and true energies; the guard is told what a site
would be told. A charger follows a set-point after its lag, holds it until the lease ends by its own clock, and then
does what it does of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.home.event import GridCondition
from parkwatt.domain.site import event
from parkwatt.domain.site.event import SetpointDecided
from parkwatt.site.guard import (
    CarFacts,
    Circuit,
    Guard,
    GuardSettings,
    GuardState,
    Proposal,
    ReadyBy,
    SiteFacts,
    Verdict,
)
from parkwatt.site.guard.facts import Interconnection

US = 1_000_000
NOON_UNIX_US = 1_750_000_000 * US
TINY_KW = 1e-6
VOLTAGE_V = 230.0


@dataclass(slots=True)
class Held:
    """What a charger was told: from when it follows, and until when it holds by its own clock."""

    power_kw: float
    from_s: float
    until_s: float
    floor_kwh: float


@dataclass(slots=True, kw_only=True)
class PhysicalCar:
    """A car with its charger. ``energy_kwh`` is the truth; the guard is told ``energy_kwh`` + ``bias_kwh``."""

    name: str
    capacity_kwh: float = 60.0
    energy_kwh: float = 30.0
    bias_kwh: float = 0.0
    error_kwh: float = 0.0
    told: bool = True
    charge_kw_max: float = 11.0
    discharge_kw_max: float = 10.0
    charge_kw_min: float = 0.0
    discharge_kw_min: float = 0.0
    charge_efficiency: float = 0.9
    discharge_efficiency: float = 0.9
    floor_kwh: float = 12.0
    may_charge: bool = True
    may_discharge: bool = True
    may_export: bool = False
    ready: ReadyBy | None = None
    phases: tuple[int, ...] = (0, 1, 2)
    circuit: str | None = None
    default_kw: float = 11.0
    lag_s: float = 0.0
    plugged: bool = True
    linked: bool = True
    measured: str = "true"
    forms_island: bool = False
    island_charge: bool = False
    held: list[Held] = field(default_factory=list)

    def holding(self, time_s: float) -> Held | None:
        """The set-point that the charger follows at that time; None: its own default."""
        found = None
        for held in self.held:
            if held.from_s <= time_s:
                found = held
        return found if found is not None and time_s < found.until_s else None

    def power_kw(self, time_s: float) -> float:
        """What really flows."""
        if not self.plugged:
            return 0.0
        holding = self.holding(time_s)
        power_kw = self.default_kw if holding is None else holding.power_kw
        if power_kw > 0:
            return power_kw if self.energy_kwh < self.capacity_kwh else 0.0
        return power_kw if self.energy_kwh > 0 else 0.0

    def flow(self, time_s: float, duration_s: float) -> None:
        """Let time pass."""
        power_kw = self.power_kw(time_s)
        factor = self.charge_efficiency if power_kw > 0 else 1 / self.discharge_efficiency
        self.energy_kwh += power_kw * factor * duration_s / 3600.0

    def facts(self, time_s: float) -> CarFacts:
        """What the guard is told."""
        measured_kw = {
            "true": self.power_kw(time_s) if self.linked else None,
            "none": None,
            "high": 40.0,
            "low": -40.0,
            "no number": math.nan,
        }[self.measured]
        return CarFacts(
            charger_id=self.name,
            evse_id=1,
            car_id=f"car at {self.name}",
            linked=self.linked,
            plugged_in=self.plugged,
            charge_kw_max=self.charge_kw_max,
            discharge_kw_max=self.discharge_kw_max,
            charge_kw_min=self.charge_kw_min,
            discharge_kw_min=self.discharge_kw_min,
            charge_efficiency=self.charge_efficiency,
            discharge_efficiency=self.discharge_efficiency,
            energy_kwh=self.energy_kwh + self.bias_kwh if self.told else None,
            energy_kwh_error=self.error_kwh,
            floor_kwh=self.floor_kwh,
            energy_kwh_max=self.capacity_kwh,
            may_charge=self.may_charge,
            may_discharge=self.may_discharge,
            may_export=self.may_export,
            ready=self.ready,
            phases=self.phases,
            measured_kw=measured_kw,
            default_kw=self.default_kw,
            circuit=self.circuit,
            forms_island=self.forms_island,
            island_charge=self.island_charge,
        )


@dataclass(slots=True, kw_only=True)
class World:
    """The site, and the guard at its gate. ``sent``: every command with the guard's time and what was proposed."""

    cars: list[PhysicalCar]
    base_kw: float = 1.0
    base_kw_highest: float = 3.0
    meter_is_fresh: bool = True
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    fuse_a: float | None = None
    interconnection: Interconnection = "no_export"
    circuits: tuple[Circuit, ...] = ()
    settings: GuardSettings = field(default_factory=GuardSettings)
    state: GuardState = field(default_factory=GuardState)
    time_s: float = 0.0
    clock_off_s: int = 0
    grid: GridCondition = "present"
    grid_before: Literal["present", "absent"] = "present"
    island_kw: float = 0.0
    return_kw: float | None = None
    decided: list[tuple[SetpointDecided, int]] = field(default_factory=list)

    @property
    def now_unix_us(self) -> int:
        """The time by the guard's clock."""
        return NOON_UNIX_US + round((self.time_s + self.clock_off_s) * US)

    def car(self, name: str) -> PhysicalCar:
        """A car by its charger."""
        return next(car for car in self.cars if car.name == name)

    @property
    def is_island(self) -> bool:
        """Whether the house is carried by the island's source, as far as anybody knows."""
        return "absent" in (self.grid, self.grid_before if self.grid == "unknown" else "")

    def phase_base_a(self) -> tuple[float, ...]:
        """The base's currents: unevenly spread."""
        total_a = self.base_kw * 1000.0 / VOLTAGE_V
        return total_a * 0.5, total_a * 0.3, total_a * 0.2

    def facts(self) -> SiteFacts:
        """What the guard is told of the site."""
        fresh = self.meter_is_fresh
        return SiteFacts(
            base_kw=self.base_kw if fresh else None,
            base_kw_highest=self.base_kw_highest,
            phase_base_a=self.phase_base_a() if fresh else None,
            phase_count=3,
            import_limit_kw=self.import_limit_kw,
            export_limit_kw=self.export_limit_kw,
            fuse_a=self.fuse_a,
            interconnection=self.interconnection,
            circuits=self.circuits,
            cars=tuple(car.facts(self.time_s) for car in self.cars),
            grid=self.grid,
            grid_before=self.grid_before,
            island_kw=self.island_kw,
            return_kw=self.return_kw,
        )

    def judge(self, proposals: list[Proposal]) -> list[Verdict]:
        """One control step: judge, journal, send. The guard's memory is only ever changed by the events."""
        before = msgspec.json.encode(self.state)
        verdicts = Guard(self.settings, self.state).judge(proposals, self.facts(), self.now_unix_us)
        assert msgspec.json.encode(self.state) == before
        for verdict in verdicts:
            if verdict.approved is not None:
                decided = event.decode(event.encode(Guard.decided(verdict)))
                assert isinstance(decided, SetpointDecided)
                self.state.apply(decided, self.now_unix_us)
                self.decided.append((decided, self.now_unix_us))
                self._deliver(self.car(verdict.approved.charger_id), verdict.approved.command)
        return verdicts

    def _deliver(self, car: PhysicalCar, command: SetPower | ReleasePower) -> None:
        assert car.linked, "a command to a charger without a link"
        from_s = self.time_s + car.lag_s
        if isinstance(command, ReleasePower):
            # What carries the island does no set-point: its flow is the house's, not the control's.
            default_kw = 0.0 if self.is_island and car.forms_island else car.default_kw
            held = Held(default_kw, from_s, math.inf, car.floor_kwh)
        else:
            until_s = self.time_s + command.lease_s
            held = Held(command.power_kw, from_s, until_s, car.floor_kwh)
        following = car.holding(self.time_s)
        coming = [each for each in car.held if each is following or each.from_s > self.time_s]
        car.held = [*coming, held]

    def restart(self) -> None:
        """The program begins anew from its journal."""
        folded = GuardState()
        for decided, at_unix_us in self.decided:
            folded.apply(decided, at_unix_us)
        assert folded == self.state
        self.state = msgspec.json.decode(msgspec.json.encode(folded), type=GuardState)


def proposal(car: PhysicalCar, power_kw: float | None, *, by_driver: bool = False) -> Proposal:
    """What somebody wants of a car."""
    return Proposal(car.name, 1, power_kw, "because", following=True, by_driver=by_driver)
