"""A house for tests of load shedding: circuits that obey after a moment, draw what they like, and start with a blow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parkwatt.domain.home.circuit import Circuit, CircuitReading, Tier
from parkwatt.domain.home.event import Choice, CircuitChosen, CircuitSwitched
from parkwatt.home.shedding import (
    Mode,
    SheddingInputs,
    SheddingSettings,
    SheddingState,
    SheddingStep,
    step,
)

US = 1_000_000
BEGIN_UNIX_US = 1_700_000_000 * US
SETTINGS = SheddingSettings(continuous_kw=9.6, surge_kw=12.0)


@dataclass(frozen=True, slots=True)
class Told:
    """What the energy says of a circuit."""

    allowed: bool = True
    asks: bool = False
    reason: str = "the energy suffices"


def circuit(
    circuit_id: str,
    tier: Tier,
    power_kw: float = 1.0,
    *,
    inrush_kw: float | None = None,
    medical: bool = False,
    switchable: bool = True,
    on_s_min: int = 60,
    off_s_min: int = 300,
) -> Circuit:
    """A circuit with a name like its id."""
    return Circuit(
        circuit_id,
        f"the {circuit_id}",
        tier,
        power_kw,
        power_kw if inrush_kw is None else inrush_kw,
        on_s_min,
        off_s_min,
        medical,
        switchable,
    )


@dataclass
class House:
    """``draws_kw``: by circuit, what it draws when it is on (else its rated power). ``on``: its switches' true positions.

    ``stuck``: switches that do not move. ``meter``: whether the island has a meter; ``reads``: whether circuits tell anything.
    ``behind_steps``, ``meter_behind_steps``: how many steps old what the circuits and the island's meter tell is.
    """

    circuits: Sequence[Circuit]
    settings: SheddingSettings = SETTINGS
    mode: Mode = "islanded"
    draws_kw: dict[str, float] = field(default_factory=dict)
    on: dict[str, bool] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    verdicts: Mapping[str, Told] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    meter: bool = True
    reads: bool = True
    behind_steps: int = 0
    meter_behind_steps: int = 0
    state: SheddingState = field(default_factory=SheddingState)
    now_unix_us: int = BEGIN_UNIX_US
    events: list[tuple[int, CircuitSwitched]] = field(default_factory=list)
    commands: int = 0
    told: list[tuple[dict[str, CircuitReading], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self.circuits:
            self.on.setdefault(one.circuit_id, True)

    def power_kw(self, one: Circuit) -> float:
        """What a circuit draws now."""
        if not self.on[one.circuit_id] or self.mode == "outage":
            return 0.0
        return self.draws_kw.get(one.circuit_id, one.power_kw_rated)

    @property
    def island_kw(self) -> float:
        """All that is drawn."""
        return sum(self.power_kw(one) for one in self.circuits)

    def inputs(self) -> SheddingInputs:
        """What shedding sees."""
        readings = {
            one.circuit_id: CircuitReading(
                one.circuit_id, self.now_unix_us, self.on[one.circuit_id], self.power_kw(one)
            )
            for one in self.circuits
            if self.reads
        }
        self.told.append((readings, self.island_kw))
        readings = self.told[max(len(self.told) - 1 - self.behind_steps, 0)][0]
        island_kw = self.told[max(len(self.told) - 1 - self.meter_behind_steps, 0)][1]
        return SheddingInputs(
            mode=self.mode,
            circuits=tuple(self.circuits),
            readings=readings,
            island_kw=island_kw if self.meter and self.mode == "islanded" else None,
            verdicts=self.verdicts,
            choices=self.choices,
        )

    def step(self, passed_s: float = 2.0) -> SheddingStep:
        """Let time pass, decide, and obey."""
        self.now_unix_us += round(passed_s * US)
        done = step(self.state, self.inputs(), self.settings, self.now_unix_us)
        for event in done.events:
            if isinstance(event, CircuitChosen):
                self.choices[event.circuit_id] = event.choice
            else:
                self.events.append((self.now_unix_us, event))
        for command in done.commands:
            self.commands += 1
            if command.circuit_id not in self.stuck:
                self.on[command.circuit_id] = command.on
        return done

    def live(self, seconds: float, step_s: float = 2.0) -> SheddingStep:
        """Step for so long; returns the last step."""
        done = self.step(step_s)
        for _ in range(int(seconds / step_s) - 1):
            done = self.step(step_s)
        return done

    def are_on(self) -> set[str]:
        """The circuits that are on."""
        return {key for key, on in self.on.items() if on}
