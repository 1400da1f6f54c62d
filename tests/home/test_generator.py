"""When a generator runs: it starts in time, does not flicker, cools down, is renewed, and nobody's hand is fought."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.event import GeneratorSwitched
from parkwatt.home import generator
from parkwatt.home.generator import GENERATOR_ID, GeneratorInputs, GeneratorState

US = 1_000_000
BEGIN = 1_700_000_000 * US
WARM_UP_S, COOL_DOWN_S, LEASE_S = 10, 60, 15


@dataclass
class Story:
    """A home of 60 kWh whose generator does what it is told, or not."""

    state: GeneratorState = field(default_factory=GeneratorState)
    now: int = BEGIN
    feeding: bool = True
    usable_kwh: float | None = 30.0
    obeys: bool = True
    runs: bool = False
    events: list[tuple[int, GeneratorSwitched]] = field(default_factory=list)
    commands: list[tuple[int, CircuitCommand]] = field(default_factory=list)
    trouble: str = ""

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += US
            reading = CircuitReading(GENERATOR_ID, self.now, on=self.runs)
            inputs = GeneratorInputs(
                feeding=self.feeding,
                usable_kwh=self.usable_kwh,
                capacity_kwh=60.0,
                reading=reading,
            )
            step = generator.step(
                self.state,
                inputs,
                warm_up_s=WARM_UP_S,
                cool_down_s=COOL_DOWN_S,
                lease_s=LEASE_S,
                now_unix_us=self.now,
            )
            self.events += [(self.now, event) for event in step.events]
            self.trouble = step.trouble
            if step.command is not None:
                self.commands.append((self.now, step.command))
                if self.obeys:
                    self.runs = step.command.on

    def switched(self) -> list[bool]:
        return [event.on for _, event in self.events]


def test_it_starts_when_little_is_left_and_stops_when_there_is_enough() -> None:
    story = Story()
    story.run(60)
    assert (story.switched(), story.commands) == ([], [])
    story.usable_kwh = 8.9
    story.run(5)
    assert story.runs
    assert "8.9 kWh left for the home, less than 9.0 kWh" in story.events[0][1].reason
    story.usable_kwh = 29.0
    story.run(600)
    assert story.runs, "between the thresholds it goes on"
    story.usable_kwh = 31.0
    story.run(COOL_DOWN_S - 1)
    assert story.runs, "it cools down"
    story.run(5)
    assert not story.runs
    assert story.switched() == [True, False]
    story.usable_kwh = 29.0
    story.run(600)
    assert story.switched() == [True, False], "and it does not start again above the lower one"


def test_the_grid_is_back() -> None:
    story = Story(usable_kwh=3.0)
    story.run(30)
    story.feeding = False
    story.run(COOL_DOWN_S - 5)
    assert story.runs
    story.run(10)
    assert not story.runs
    assert story.events[-1][1].reason.startswith("the island's source does not feed the home")


def test_a_gap_in_what_is_told_stops_nothing() -> None:
    story = Story(usable_kwh=3.0)
    story.run(30)
    story.feeding = False
    story.run(COOL_DOWN_S // 2)
    story.feeding, story.usable_kwh = True, None
    story.run(2)
    story.usable_kwh = 3.0
    story.run(600)
    assert story.switched() == [True]


def test_what_is_not_known_starts_nothing() -> None:
    story = Story(usable_kwh=None)
    story.run(600)
    assert story.commands == []


def test_on_is_renewed_within_its_lease_and_off_is_not_said_for_ever() -> None:
    story = Story(usable_kwh=3.0)
    story.run(300)
    times = [at for at, command in story.commands if command.on]
    assert max(b - a for a, b in itertools.pairwise(times)) < LEASE_S * US
    story.feeding = False
    story.run(COOL_DOWN_S + 300)
    offs = [at for at, command in story.commands if not command.on]
    assert len(offs) > 1
    assert offs[-1] - offs[0] <= 60 * US


def test_a_person_who_starts_it_by_hand_is_left_alone() -> None:
    story = Story(feeding=False, runs=True)
    story.run(600)
    assert story.runs
    assert story.commands == []


def test_one_that_does_not_start_is_told() -> None:
    story = Story(usable_kwh=3.0, obeys=False)
    story.run(WARM_UP_S + 25)
    assert story.trouble == ""
    story.run(10)
    assert "does not run" in story.trouble
    story.runs = True
    story.run(1)
    assert story.trouble == ""


def test_a_restart_goes_on_where_the_journal_ends() -> None:
    story = Story(usable_kwh=3.0)
    story.run(30)
    story.state = GeneratorState()
    for at, event in story.events:
        story.state.apply(event, at)
    story.feeding = False
    story.now += 3600 * US
    story.run(COOL_DOWN_S + 2)
    assert not story.runs


@given(
    st.lists(
        st.tuples(st.booleans(), st.none() | st.floats(0.0, 60.0), st.integers(1, 90)),
        min_size=1,
        max_size=30,
    )
)
def test_it_never_flickers_and_starts_only_in_an_island(
    parts: list[tuple[bool, float | None, int]],
) -> None:
    story = Story()
    for story.feeding, story.usable_kwh, seconds in parts:
        before = len(story.events)
        story.run(seconds)
        for _, event in story.events[before:]:
            if event.on:
                assert story.feeding
                assert story.usable_kwh is not None
                assert story.usable_kwh < 9.0
    times = [at for at, _ in story.events]
    assert story.switched() == [bool(number % 2 == 0) for number in range(len(times))]
    for start, stop in zip(times[::2], times[1::2], strict=False):
        assert stop - start >= COOL_DOWN_S * US
