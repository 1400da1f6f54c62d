"""A home's backup as its events tell it: the same events give the same state, live and after a restart.

`HomeState.apply` folds an entry of the journal. What the rooms decide themselves (`island.step`, `shedding.step`,
`generator.step`) is in their own states already when their events come out; `HomeState.note` takes in the rest.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from parkwatt.domain.home.event import (
    BackupForecast,
    CircuitChosen,
    CircuitHour,
    CircuitSwitched,
    GeneratorSwitched,
    HomeEvent,
    IslandChargeAsked,
    IslandMoved,
    IslandTestAsked,
    MobilityAsked,
    OutageAnnounced,
)
from parkwatt.home.announced import AnnouncedState, fold
from parkwatt.home.generator import GeneratorState
from parkwatt.home.island import IslandState
from parkwatt.home.island.state import APART
from parkwatt.home.learning import CircuitHistory
from parkwatt.home.shedding import SheddingState

STATE_VERSION: Final = 1
_US: Final = 1_000_000
_MOVES_MAX: Final = 60
_OUTAGES_MAX: Final = 100


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """A phase that was entered, for whoever asks what happened."""

    at_unix_us: int
    to_phase: str
    because: str
    reason: str


class HomeState(msgspec.Struct, omit_defaults=True):
    """All that a home's backup knows.

    ``before``: whether the grid carried the house, as it was known last. ``returned_unix_us``: when it last took the house
    over again. ``out_since_unix_us``: the outage that runs (no test) began then; ``in_test``: it is an off-grid test.
    ``outages_s``: how long past ones lasted. ``choices``, ``island_charge``: until the outage is over. ``mobility``: by car.
    ``test``: the off-grid test asked for.
    """

    island: IslandState = msgspec.field(default_factory=IslandState)
    shedding: SheddingState = msgspec.field(default_factory=SheddingState)
    generator: GeneratorState = msgspec.field(default_factory=GeneratorState)
    history: CircuitHistory = msgspec.field(default_factory=CircuitHistory)
    announced: AnnouncedState = msgspec.field(default_factory=AnnouncedState)
    before: Literal["present", "absent"] = "present"
    returned_unix_us: int | None = None
    out_since_unix_us: int | None = None
    in_test: bool = False
    outages_s: list[float] = msgspec.field(default_factory=list)
    choices: dict[str, CircuitChosen] = msgspec.field(default_factory=dict)
    mobility: dict[str, MobilityAsked] = msgspec.field(default_factory=dict)
    island_charge: list[str] = msgspec.field(default_factory=list)
    test: IslandTestAsked | None = None
    forecast: BackupForecast | None = None
    moves: list[Move] = msgspec.field(default_factory=list)

    def apply(self, event: HomeEvent, at_unix_us: int, forget_s: float) -> None:
        """Take in an entry of the journal, recorded at ``at_unix_us``. ``forget_s``: the island machine's."""
        if isinstance(event, IslandMoved):
            self.island.moved(event, at_unix_us, forget_s)
        elif isinstance(event, CircuitSwitched):
            self.shedding.apply(event, at_unix_us)
        elif isinstance(event, GeneratorSwitched):
            self.generator.apply(event, at_unix_us)
        self.note(event, at_unix_us)

    def note(self, event: HomeEvent, at_unix_us: int) -> None:
        """Take in what an event means beyond the rooms that made it."""
        if isinstance(event, IslandMoved):
            self._moved(event, at_unix_us)
        elif isinstance(event, CircuitHour):
            self.history.add(event)
        elif isinstance(event, OutageAnnounced):
            self.announced = fold(self.announced, event, at_unix_us // _US)
        elif isinstance(event, CircuitChosen):
            if event.choice == "automatic":
                self.choices.pop(event.circuit_id, None)
            else:
                self.choices[event.circuit_id] = event
        elif isinstance(event, MobilityAsked):
            if event.energy_kwh is None:
                self.mobility.pop(event.car_id, None)
            else:
                self.mobility[event.car_id] = event
        elif isinstance(event, IslandChargeAsked):
            others = [car_id for car_id in self.island_charge if car_id != event.car_id]
            self.island_charge = sorted([*others, event.car_id] if event.allowed else others)
        elif isinstance(event, IslandTestAsked):
            self.test = None if event.start_unix_s is None else event
        elif isinstance(event, BackupForecast):
            self.forecast = event

    def _moved(self, event: IslandMoved, at_unix_us: int) -> None:
        self.moves.append(Move(at_unix_us, event.to_phase, event.because, event.reason))
        del self.moves[:-_MOVES_MAX]
        to_phase = event.to_phase
        if event.because == "test_asked":
            self.in_test = True
        elif to_phase in ("grid", "islanded", "outage_confirmed"):
            self.in_test = False
        if to_phase == "grid":
            self._on_grid_again(at_unix_us)
        elif to_phase in APART or to_phase == "outage_confirmed":
            self.before = "absent"
        if self.out_since_unix_us is None and not self.in_test and self.before == "absent":
            self.out_since_unix_us = at_unix_us
        if event.because == "test_over":
            self.test = None

    def _on_grid_again(self, at_unix_us: int) -> None:
        if self.before == "absent":
            self.returned_unix_us = at_unix_us
        if self.out_since_unix_us is not None:
            self.outages_s.append(round((at_unix_us - self.out_since_unix_us) / _US, 1))
            del self.outages_s[:-_OUTAGES_MAX]
        if self.before == "absent":
            self.choices = {
                key: chosen
                for key, chosen in self.choices.items()
                if chosen.until_unix_s is not None
            }
            self.island_charge = []
        self.before, self.out_since_unix_us = "present", None

    def choice(self, circuit_id: str, now_unix_s: int) -> CircuitChosen | None:
        """What a person decided on a circuit, while that holds."""
        chosen = self.choices.get(circuit_id)
        if chosen is None or (
            chosen.until_unix_s is not None and chosen.until_unix_s <= now_unix_s
        ):
            return None
        return chosen

    def test_until_unix_us(self, now_unix_us: int) -> int | None:
        """Until when an off-grid test is wanted now; None: none is."""
        if self.test is None or self.test.start_unix_s is None:
            return None
        end_unix_us = (self.test.start_unix_s + self.test.duration_s) * _US
        return end_unix_us if self.test.start_unix_s * _US <= now_unix_us < end_unix_us else None


def encode_state(state: HomeState) -> msgspec.Raw:
    """The state as JSON, for a snapshot."""
    return msgspec.Raw(msgspec.json.encode(state))


def decode_state(payload: msgspec.Raw) -> HomeState:
    """A state from a snapshot. Raises msgspec.MsgspecError where it is none."""
    return msgspec.json.decode(payload, type=HomeState)
