"""The physics of a transfer switch: a pole to the grid, a contact to the island's source, and the bond of neutral to earth.

A hardware interlock keeps both sources from being closed at a time. It goes by the real positions, as a mechanical one does,
and can be taken out, so that a test sees whether the software above it is safe without it; what is closed together is counted
either way. A closed island source opens by itself when its lease is not renewed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from parkwatt.domain.home.gateway import Contact, GatewayReading, TransferAction
from parkwatt.io.sim.backup.pole import SECOND_US, Pole

Sense = Literal["honest", "silent", "dead", "normal", "frozen"]
PoleName = Literal["grid_pole", "island_source", "bond"]
POLES: tuple[PoleName, ...] = ("grid_pole", "island_source", "bond")
ACTIONS: dict[TransferAction, tuple[PoleName, Contact]] = {
    "open_grid_pole": ("grid_pole", "open"),
    "close_grid_pole": ("grid_pole", "closed"),
    "close_bond": ("bond", "closed"),
    "open_bond": ("bond", "open"),
    "close_island_source": ("island_source", "closed"),
    "open_island_source": ("island_source", "open"),
}
# From this voltage on the utility's side the gateway itself says that the grid is there.
_PRESENT_PU = 0.8


@dataclass(frozen=True, slots=True)
class Side:
    """Voltage by phase, of the nominal one, and frequency; None where nothing swings."""

    voltage_pu: tuple[float, ...]
    frequency_hz: float | None


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """``interlock``: whether the hardware keeps both sources from being closed. ``lease_s``: until one is asked for.

    ``reports_bond``, ``reports_output_voltage``, ``reports_grid_voltage``: what it has feedback for.
    """

    interlock: bool = True
    lease_s: int = 15
    actuation_s: float = 0.1
    reports_bond: bool = True
    reports_output_voltage: bool = True
    reports_grid_voltage: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command: whether the gateway took it, and why not."""

    accepted: bool
    reason: str = ""


@dataclass(slots=True)
class GatewayCounters:
    """What must never happen, in seconds that both were closed, and how often somebody asked for it.

    ``both_closed_s``: grid pole and island source. ``double_bond_s``: grid pole and bond, so that neutral is earthed twice.
    ``interlock_blocks``: closings that the interlock kept from happening. ``leases_expired``: openings by the lease.
    """

    both_closed_s: float = 0.0
    double_bond_s: float = 0.0
    interlock_blocks: int = 0
    leases_expired: int = 0


@dataclass(slots=True)
class GatewayFaults:
    """``sense``: what it tells of the grid's voltage and frequency. ``silent``: it tells nothing new.

    ``deaf``: commands are lost. ``text``: a fault that it tells of itself.
    """

    sense: Sense = "honest"
    silent: bool = False
    deaf: bool = False
    text: str = ""


@dataclass(slots=True)
class VirtualGateway:
    """The gateway; at first on the grid. ``now_us``: how far its time has come."""

    now_us: int
    settings: GatewaySettings = field(default_factory=GatewaySettings)
    faults: GatewayFaults = field(default_factory=GatewayFaults)
    counters: GatewayCounters = field(default_factory=GatewayCounters)
    poles: dict[PoleName, Pole] = field(default_factory=dict)
    lease_s: int = 0
    lease_until_us: int | None = None
    interlock: bool = True
    _reading: GatewayReading | None = None
    _sensed: Side | None = None

    def __post_init__(self) -> None:
        """Poles as on the grid."""
        at_first: dict[PoleName, Contact] = {
            "grid_pole": "closed",
            "island_source": "open",
            "bond": "open",
        }
        for name, actual in at_first.items():
            self.poles.setdefault(name, Pole(actual, self.settings.actuation_s))
        self.lease_s, self.interlock = self.settings.lease_s, self.settings.interlock

    def is_closed(self, name: PoleName) -> bool:
        """Whether a pole's contacts really are closed."""
        return self.poles[name].actual == "closed"

    def command(self, action: TransferAction) -> Answer:
        """Do what is asked, now. Closing the island source once more renews its lease."""
        if self.faults.deaf:
            return Answer(False, "no answer")
        name, wanted = ACTIONS[action]
        if wanted == "closed" and self._is_interlocked(name):
            self.counters.interlock_blocks += 1
            return Answer(False, f"interlock: {_rival(name)} is closed")
        self.poles[name].command(wanted, self.now_us)
        if name == "island_source":
            self.lease_until_us = self._lease_end_us() if wanted == "closed" else None
        return Answer(True)

    def renew_lease(self, lease_s: int) -> Answer:
        """Set how long the island source stays closed from now, and from each renewal, without another one."""
        if self.faults.deaf:
            return Answer(False, "no answer")
        if lease_s < 1:
            return Answer(False, "a lease lasts at least a second")
        self.lease_s = lease_s
        if self.lease_until_us is not None:
            self.lease_until_us = self._lease_end_us()
        return Answer(True)

    def _lease_end_us(self) -> int:
        return self.now_us + self.lease_s * SECOND_US

    def _is_interlocked(self, name: PoleName) -> bool:
        return self.interlock and name != "bond" and self.is_closed(_rival(name))

    def next_change_us(self) -> int | None:
        """When something moves by itself."""
        due_us = [self.poles[name].next_move_us(self.now_us) for name in POLES]
        return min((one for one in (*due_us, self.lease_until_us) if one is not None), default=None)

    def pass_time(self, until_us: int) -> None:
        """Let poles move and the lease run out, in their order, and count what is closed together."""
        while True:
            due_us = self.next_change_us()
            if self.now_us >= until_us and (due_us is None or due_us > self.now_us):
                return
            at_us = until_us if due_us is None else max(min(due_us, until_us), self.now_us)
            self._count(at_us - self.now_us)
            self.now_us = at_us
            if self.lease_until_us is not None and self.lease_until_us <= at_us:
                self.lease_until_us = None
                self.counters.leases_expired += 1
                self.poles["island_source"].command("open", at_us)
            for name in POLES:
                if not self.poles[name].move(at_us, partial(self._may_close, name)):
                    self.counters.interlock_blocks += 1

    def _may_close(self, name: PoleName) -> bool:
        return not self._is_interlocked(name)

    def _count(self, duration_us: int) -> None:
        if self.is_closed("grid_pole"):
            if self.is_closed("island_source"):
                self.counters.both_closed_s += duration_us / SECOND_US
            if self.is_closed("bond"):
                self.counters.double_bond_s += duration_us / SECOND_US

    def reading(self, grid: Side, output_voltage_pu: float) -> GatewayReading:
        """What it tells now; a silent one tells what it told last."""
        if self.faults.silent and self._reading is not None:
            return self._reading
        settings, sensed = self.settings, self._sense(grid)
        tells = sensed is not None and settings.reports_grid_voltage
        self._reading = GatewayReading(
            measured_unix_us=self.now_us,
            grid_voltage_pu=sensed.voltage_pu if sensed is not None and tells else None,
            grid_frequency_hz=sensed.frequency_hz if sensed is not None and tells else None,
            grid_present=None if sensed is None else min(sensed.voltage_pu) >= _PRESENT_PU,
            grid_pole=self.poles["grid_pole"].auxiliary(),
            island_source=self.poles["island_source"].auxiliary(),
            bond=self.poles["bond"].auxiliary() if settings.reports_bond else None,
            output_voltage_pu=output_voltage_pu if settings.reports_output_voltage else None,
            fault=self.faults.text,
        )
        return self._reading

    def _sense(self, grid: Side) -> Side | None:
        """The utility's side as the gateway measures it."""
        kind = self.faults.sense
        if kind == "silent":
            return None
        if kind == "dead":
            return Side((0.0,) * len(grid.voltage_pu), None)
        if kind == "normal":
            return Side((1.0,) * len(grid.voltage_pu), grid.frequency_hz or 50.0)
        if kind == "honest" or self._sensed is None:
            self._sensed = grid
        return self._sensed


def _rival(name: PoleName) -> PoleName:
    """The other source."""
    return "island_source" if name == "grid_pole" else "grid_pole"
