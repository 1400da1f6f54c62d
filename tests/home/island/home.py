"""A home with its gateway, second by second, for stories: poles follow at once, unless a story says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parkwatt.domain.home.event import HomeEvent, IslandMoved, IslandPhase, TransferRefused
from parkwatt.domain.home.gateway import Contact, GatewayAbilities, GatewayReading
from parkwatt.home.grid_code import GRID_CODES
from parkwatt.home.island import IslandInputs, IslandSettings, IslandState, IslandStep, step

US = 1_000_000
START = 1_800_000_000 * US
FULL = GatewayAbilities(reports_bond=True, reports_output_voltage=True)


@dataclass
class Home:
    """What a story sets, and what came of it."""

    settings: IslandSettings = field(
        default_factory=lambda: IslandSettings(
            grid_code=GRID_CODES["ieee1547-2018"], abilities=FULL
        )
    )
    state: IslandState = field(default_factory=IslandState)
    now: int = START
    grid_pu: float = 1.0
    grid_hz: float = 60.0
    pole: Contact = "closed"
    source: Contact = "open"
    bond: Contact = "open"
    pole_sticks: bool = False
    source_sticks: bool = False
    told_pole: Contact | None = None
    silent: bool = False
    fault: str = ""
    ready: bool = True
    test_until: int | None = None
    asks: Literal["none", "island", "grid"] = "none"
    moves: list[IslandMoved] = field(default_factory=list)
    moved_at: list[int] = field(default_factory=list)
    events: list[HomeEvent] = field(default_factory=list)
    asked: list[tuple[int, str]] = field(default_factory=list)
    last: IslandStep | None = None
    reading: GatewayReading | None = None

    @property
    def live(self) -> bool:
        """Whether the home has power."""
        by_grid = self.pole == "closed" and self.grid_pu > 0.5
        return by_grid or (self.source == "closed" and self.ready)

    @property
    def phase(self) -> str:
        """The machine's phase."""
        return self.state.phase

    @property
    def phases(self) -> list[IslandPhase]:
        """Where the machine has been."""
        return ["grid", *(move.to_phase for move in self.moves)]

    @property
    def alarm(self) -> str:
        """What the last step alarmed of."""
        assert self.last is not None
        return self.last.alarm

    def refusals(self) -> list[TransferRefused]:
        """What was refused."""
        return [event for event in self.events if isinstance(event, TransferRefused)]

    def read(self) -> GatewayReading:
        """What the gateway tells now."""
        fed_back = self.pole == self.source == "closed" and self.ready
        volts = 1.0 if fed_back else self.grid_pu
        return GatewayReading(
            measured_unix_us=self.now,
            grid_voltage_pu=(volts,),
            grid_frequency_hz=self.grid_hz if volts > 0.1 else None,
            grid_pole=self.told_pole or self.pole,
            island_source=self.source,
            bond=self.bond,
            output_voltage_pu=1.0 if self.live else 0.0,
            fault=self.fault,
        )

    def run(self, seconds: float, every_s: float = 1.0) -> None:
        """Live on."""
        until = self.now + int(seconds * US)
        while self.now < until:
            if not self.silent:
                self.reading = self.read()
            inputs = IslandInputs(
                reading=self.reading,
                source_ready=self.ready,
                test_until_unix_us=self.test_until,
                person_asks=self.asks,
            )
            self.last = step(self.state, inputs, self.settings, self.now)
            self.state = self.last.state
            self.events += self.last.events
            moves = [event for event in self.last.events if isinstance(event, IslandMoved)]
            self.moves += moves
            self.moved_at += [self.now] * len(moves)
            for request in self.last.requests:
                self.asked.append((self.now, request.action))
                if not self.silent:
                    self._do(request.action)
            self.now += int(every_s * US)

    def _do(self, action: str) -> None:
        verb, what = action.split("_", 1)
        contact: Contact = "open" if verb == "open" else "closed"
        if what == "bond":
            self.bond = contact
        elif what == "grid_pole" and not self.pole_sticks:
            self.pole = contact
        elif what == "island_source" and not self.source_sticks:
            self.source = contact

    def kill(self, seconds: float = 0.0) -> None:
        """The program dies and is started again: only what the journal tells is left. A long gap lets the lease lapse."""
        state = IslandState()
        for move, at in zip(self.moves, self.moved_at, strict=True):
            state.moved(move, at, self.settings.forget_s)
        self.state = state
        self.now += int(seconds * US)
        if seconds > self.settings.lease_s:
            self.source = "open"
