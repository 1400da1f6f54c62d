"""Every reachable state of the island machine together with a virtual gateway, breadth first.

The machine is the real `step`. The gateway here is a small model of our own: two poles that follow what they were
last told unless they stick, a lease on the island's source, a grid, a source with or without energy, a link that may be
cut, feedback that may be missing, silent, faulty or a lie, and a program that may be killed at any time. Time goes in
ticks of a second with settings of a few ticks, and timers saturate where no threshold lies beyond: so there are finitely
many states, and all are seen.

In each tick one thing happens (or nothing), leases run, poles move, a reading is taken, the machine steps, its requests
arrive. A pole that sticks and comes loose is a pole of any delay.

    python -m tests.home.island.explore [faults more at once than CI's]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec

from parkwatt.domain.home.event import IslandMoved
from parkwatt.domain.home.gateway import GatewayAbilities, GatewayReading
from parkwatt.home.grid_code import EnterServiceState, GridCode
from parkwatt.home.island import IslandInputs, IslandSettings, IslandState, IslandStep, step
from parkwatt.home.island.state import DURABLE

_US = 1_000_000
NOW = 1_000_000 * _US
TEST_UNTIL = NOW + 1_000_000 * _US
LEASE_TICKS = 3
# Modes of feedback.
HONEST, MISSING, FAULTY, POLE_LIES_OPEN, POLE_LIES_CLOSED, SOURCE_LIES_OPEN = range(6)
ABSENT, OUT_OF_BAND, IN_BAND = range(3)


class World(NamedTuple):
    """The gateway as it is: ``*_told``: what it was last told. ``held``: the reading before, which may still be fresh."""

    pole: int = 1
    source: int = 0
    bond: int = 0
    pole_told: int = 1
    source_told: int = 0
    pole_sticks: int = 0
    source_sticks: int = 0
    lease: int = 0
    grid: int = IN_BAND
    energy: int = 1
    feedback: int = HONEST
    cut: int = 0
    person: int = 0
    test: int = 0
    held: tuple[int, ...] | None = None
    backfed: int = 0


@dataclass(frozen=True)
class Variant:
    """What is explored: a gateway's abilities, the modes of feedback, whether a pole may move by itself, faults at once."""

    name: str
    abilities: GatewayAbilities
    modes: tuple[int, ...] = (HONEST, MISSING, FAULTY)
    moves_itself: bool = False
    faults_at_once: int = 1
    asks: bool = False

    @property
    def honest(self) -> bool:
        """Whether feedback, where there is any, is true."""
        return max(self.modes) <= FAULTY and not self.moves_itself

    @property
    def lies_only(self) -> bool:
        """Whether contacts lie, and poles move as they are told."""
        return max(self.modes) > FAULTY and not self.moves_itself


def settings_for(abilities: GatewayAbilities) -> IslandSettings:
    """Settings of a few ticks."""
    code = GridCode(
        name="few ticks",
        voltage_pu_min=0.9,
        voltage_pu_max=1.1,
        frequency_hz_min=59.5,
        frequency_hz_max=60.5,
        delay_s=2.0,
        ramp_s=2.0,
        source="exploration",
        nominal_hz=60.0,
    )
    return IslandSettings(
        grid_code=code,
        abilities=abilities,
        confirm_s=1,
        reading_age_s=1,
        silence_s=1,
        answer_s=2,
        source_answer_s=3,
        settle_s=1,
        dead_s=1,
        contradiction_s=1,
        backfeed_s=2,
        lease_s=LEASE_TICKS,
        repeat_s=0,
        pause_s=5,
        restart_first_s=2,
        restart_waits_s=(3,),
        forget_s=3,
        return_wait_s=2,
        retest_s=2,
    )


# How far back each timer matters, in ticks; what lies further back is the same.
_BACK = {
    "stepped": 0,
    "silent": 1,
    "absent": 1,
    "returned": 8,
    "energised": 8,
    "contradicted": 1,
    "consistent": 1,
    "dead": 1,
    "source_dead": 1,
    "asked": 2,
    "repeated": 0,
    "failed": 3,
    "return_failed": 2,
    "tested": 2,
}
_SINCE = {"opening": 2, "islanding": 3, "islanded": 2, "restart_wait": 2, "transferring_back": 7}
# In these it matters how long ago something was first asked for; elsewhere, whether it was.
_ASKED = ("opening", "restart_wait", "transferring_back", "fault")
_TIMERS = tuple(f"{name}_unix_us" for name in _BACK)


def normal(state: IslandState) -> IslandState:
    """The state seen from `NOW` one tick later, with everything that makes no difference taken out."""
    new = msgspec.structs.replace(state)
    for name, timer in zip(_BACK, _TIMERS, strict=True):
        at = getattr(new, timer)
        if at is not None:
            setattr(new, timer, max(at - _US, NOW - (_BACK[name] + 1) * _US))
    back = _SINCE.get(new.phase, 0)
    new.since_unix_us = max(new.since_unix_us - _US, NOW - (back + 1) * _US)
    new.failures, new.suspicions = min(new.failures, 2), min(new.suspicions, 2)
    if not new.failures:
        new.failed_unix_us = NOW - 4 * _US
    if new.phase != "restart_wait":
        new.unready_seen = False
    if new.phase == "islanded" and new.since_unix_us < NOW - 2 * _US:
        new.energised_unix_us = None
    if new.energised_unix_us is None:
        new.returned_unix_us = None
    if new.asked_unix_us is not None and new.phase not in _ASKED:
        new.asked_unix_us = NOW - _US
    new.asked = ()
    new.because = new.reason = new.refused = ""
    if new.phase == "fault":
        new.reason = "why"
    entered = new.enter_service.in_band_since_unix_us
    if entered is not None:
        since = max(entered - _US, NOW - 3 * _US)
        new.enter_service = EnterServiceState(since, NOW - _US)
    return new


State = tuple[int, World]


class Edge(NamedTuple):
    """What the machine did: the state after it, and its requests."""

    machine: int
    requests: tuple[str, ...]


@dataclass
class Explorer:
    """Explores one variant. Machine states are numbered; steps of machine and world are each computed once."""

    variant: Variant
    machines: list[IslandState] = field(default_factory=list)
    states: dict[State, State | None] = field(default_factory=dict)
    edges: int = 0
    parallel: int = 0
    backfed_most: int = 0
    taken: set[tuple[str, str]] = field(default_factory=set)
    stepped: Callable[..., IslandStep] = step

    def __post_init__(self) -> None:
        self.settings = settings_for(self.variant.abilities)
        self._numbers: dict[bytes, int] = {}
        self._steps: dict[tuple[int, tuple[int, ...] | None, int, int, int, int], Edge] = {}
        self._worlds: dict[World, tuple[World, ...]] = {}
        self._restarted: dict[int, int] = {}
        self._moved: dict[World, World] = {}
        self._arrived: dict[tuple[World, tuple[str, ...]], World] = {}
        self._mended: dict[World, tuple[World, ...]] = {}

    # The machine.

    def number(self, state: IslandState) -> int:
        """The number of a machine's state."""
        key = msgspec.msgpack.encode(state)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.machines)
            self.machines.append(state)
        return found

    def restarted(self, machine: int) -> int:
        """What is left of a state after a kill: what the journal tells."""
        found = self._restarted.get(machine)
        if found is None:
            before = self.machines[machine]
            kept = {name: getattr(before, name) for name in DURABLE}
            found = self._restarted[machine] = self.number(IslandState(**kept))
        return found

    def step(self, machine: int, seen: tuple[int, ...] | None, age: int, world: World) -> Edge:
        """The machine's step on a reading; what it may never ask for is looked at here."""
        key = machine, seen, age, world.energy, world.person, world.test
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._step(machine, seen, age, world)
        return found

    def _step(self, machine: int, seen: tuple[int, ...] | None, age: int, world: World) -> Edge:
        reading = None if seen is None else self._reading(seen, age)
        inputs = IslandInputs(
            reading=reading,
            source_ready=bool(world.energy),
            test_until_unix_us=TEST_UNTIL if world.test else None,
            person_asks="island" if world.person else "none",
        )
        before = self.machines[machine]
        result = self.stepped(before, inputs, self.settings, NOW)
        self.taken |= {
            (event.from_phase, event.because)
            for event in result.events
            if isinstance(event, IslandMoved)
        }
        asked = tuple(request.action for request in result.requests)
        check_requests(asked, reading, age, self.settings)
        if (
            reading is not None
            and age <= 1
            and reading.grid_pole == reading.island_source == "closed"
        ):
            assert result.state.phase == "fault", "both poles are visibly closed"
            assert "open_island_source" in asked, "both poles are visibly closed"
            assert result.alarm, "both poles are visibly closed"
        after = normal(result.state)
        if not world.test:
            after.tested_until_unix_us = None
        return Edge(self.number(after), asked)

    def _reading(self, seen: tuple[int, ...], age: int) -> GatewayReading:
        grid, pole, source, bond, dead, faulty = seen
        contact = ("open", "closed", None)
        able = self.variant.abilities
        volts, hertz = ((0.0, None), (0.8, 60.0), (1.0, 60.0))[grid]
        return GatewayReading(
            measured_unix_us=NOW - age * _US,
            grid_voltage_pu=(volts,),
            grid_frequency_hz=hertz,
            grid_pole=contact[pole],  # type: ignore[arg-type]
            island_source=contact[source],  # type: ignore[arg-type]
            bond=contact[bond] if able.reports_bond else None,  # type: ignore[arg-type]
            output_voltage_pu=(0.0 if dead else 1.0) if able.reports_output_voltage else None,
            fault="relay" if faulty else "",
        )

    # The world.

    def happenings(self, world: World) -> tuple[World, ...]:
        """The worlds of the next tick: one thing happens, or nothing, and poles move."""
        found = self._worlds.get(world)
        if found is None:
            found = tuple(dict.fromkeys(self.moved(one) for one in self._events(world)))
            self._worlds[world] = found
        return found

    def _events(self, world: World) -> Iterator[World]:
        variant = self.variant
        yield world
        for grid in (ABSENT, OUT_OF_BAND, IN_BAND):
            yield world._replace(grid=grid)
        yield world._replace(energy=1 - world.energy)
        if variant.asks:
            yield world._replace(test=1 - world.test)
        if variant.asks and not variant.moves_itself:
            yield world._replace(person=1 - world.person)
        faulty = [
            world._replace(pole_sticks=1 - world.pole_sticks),
            world._replace(source_sticks=1 - world.source_sticks),
            world._replace(cut=1 - world.cut),
            *(world._replace(feedback=mode) for mode in variant.modes),
        ]
        yield from (one for one in faulty if _faults(one) <= variant.faults_at_once)
        if variant.moves_itself:
            yield world._replace(pole=1 - world.pole, pole_told=1 - world.pole)
            source = 1 - world.source
            yield world._replace(source=source, source_told=source, lease=source * LEASE_TICKS)

    def moved(self, world: World) -> World:
        """Leases run, poles follow what they were told unless they stick."""
        found = self._moved.get(world)
        if found is not None:
            return found
        lease = max(world.lease - 1, 0)
        source_told = world.source_told if lease else 0
        pole = world.pole if world.pole_sticks else world.pole_told
        source = world.source if world.source_sticks else source_told
        found = world._replace(pole=pole, source=source, source_told=source_told, lease=lease)
        feeds_back = found.pole and found.source and found.energy and found.grid == ABSENT
        watched = not (found.cut or found.source_sticks)
        backfed = min(world.backfed + 1, 9) if feeds_back and watched else 0
        found = self._moved[world] = found._replace(backfed=backfed)
        return found

    def seen(self, world: World) -> tuple[int, ...]:
        """What the gateway tells, with its lies: grid, pole, source, bond, dead, faulty."""
        pole, source = world.pole, world.source
        fed_back = world.pole and world.source and world.energy
        grid = IN_BAND if fed_back and world.grid == ABSENT else world.grid
        live = (world.pole and world.grid != ABSENT) or (world.source and world.energy)
        if world.feedback == MISSING:
            pole = 2
        elif world.feedback == POLE_LIES_OPEN:
            pole = 0
        elif world.feedback == POLE_LIES_CLOSED:
            pole = 1
        elif world.feedback == SOURCE_LIES_OPEN:
            source = 0
        return (grid, pole, source, world.bond, int(not live), int(world.feedback == FAULTY))

    def tick(self, machine: int, world: World) -> tuple[int, World]:
        """A reading, a step, and the arrival of what it asks for."""
        if world.cut:
            edge = self.step(machine, world.held, 1 if world.held else 9, world)
            return edge.machine, world._replace(held=None)
        seen = self.seen(world)
        edge = self.step(machine, seen, 0, world)
        key = world, edge.requests
        after = self._arrived.get(key)
        if after is None:
            after = self._arrived[key] = arrived(world._replace(held=seen), edge.requests)
        return edge.machine, after

    # Exploring.

    def explore(self) -> None:
        """See every state that can be reached; each is checked when it is first seen."""
        start = (self.number(normal(IslandState())), World())
        self.states = {start: None}
        frontier = [start]
        while frontier:
            following = []
            for machine, world in frontier:
                after_kill = self.restarted(machine)
                for index, happened in enumerate(self.happenings(world)):
                    for at in (machine,) if index else (machine, after_kill):
                        self.edges += 1
                        new = self.tick(at, happened)
                        if new not in self.states:
                            self.states[new] = machine, world
                            self._check(new)
                            following.append(new)
            frontier = following

    def _check(self, state: State) -> None:
        world = state[1]
        if world.pole and world.source:
            assert not self.variant.honest, f"both poles are closed\n{self.story(state)}"
            self.parallel += 1
        self.backfed_most = max(self.backfed_most, world.backfed)
        lasts = self.variant.lies_only and world.backfed > 1
        assert not lasts, f"feeds the grid for more than a tick\n{self.story(state)}"

    def story(self, state: State) -> str:
        """How a state came about, tick by tick."""
        lines = list[str]()
        at: State | None = state
        while at is not None:
            lines.append(f"{self.machines[at[0]]}\n    {at[1]}")
            at = self.states.get(at)
        return "\n".join(reversed(lines))

    # Healing.

    def explore_and_heal(self) -> int:
        """All of it; see `check_healing`."""
        self.explore()
        return self.check_healing()

    def check_healing(self) -> int:
        """From each state the home gets light again where a safe path exists, and a good grid takes it back.

        With all faults mended it stays light, and a good grid has it. With a grid pole that still sticks open it is lit by the
        source again and again. With a source that still sticks open, or has no energy, a good grid takes it back.
        Returns how many states were passed on the way.
        """
        mended: dict[State, bool] = {}
        pole_stuck: dict[State, bool] = {}
        for machine, world in self.states:
            if world not in self._mended:
                self._mended[world] = tuple(self._healed(world))
            for healed in self._mended[world]:
                at = self._acknowledged(machine, healed)
                ends = self._ends(at, mended, all_well=True)
                assert ends, f"no light\n{self.story((machine, world))}\nhealed: {healed}"
            if not world.pole:
                stuck = mend(world)._replace(pole_sticks=1, grid=world.grid)
                at = self._acknowledged(machine, stuck)
                ends = self._ends(at, pole_stuck, all_well=False)
                assert ends, f"dark beside a stuck pole\n{self.story((machine, world))}"
        return len(mended) + len(pole_stuck)

    def _healed(self, world: World) -> Iterator[World]:
        for grid in (ABSENT, OUT_OF_BAND, IN_BAND):
            yield mend(world)._replace(grid=grid)
        yield mend(world)._replace(grid=IN_BAND, energy=0)
        if not world.source:
            yield mend(world)._replace(grid=IN_BAND, source_sticks=1)

    def _acknowledged(self, machine: int, world: World) -> State:
        """Where the pole's contact is distrusted and there is no grid, a person looks at it, and asks for the island."""
        state = self.machines[machine]
        if state.suspicions < 2 or (world.grid == IN_BAND and not world.pole_sticks):
            return machine, world
        asked = msgspec.structs.replace(state, person_heard=False)
        return self.number(asked), world._replace(person=1)

    def _ends(self, start: State, known: dict[State, bool], *, all_well: bool) -> bool:
        """Whether the course from a state, if nothing more happens, ends in a circle that is well (always, or at times)."""
        path: dict[State, int] = {}
        at = start
        while at not in known and at not in path:
            path[at] = len(path)
            machine, world = at
            following, after = self.tick(machine, self.moved(world))
            at = following, after._replace(backfed=0)
        if at in known:
            verdict = known[at]
        else:
            circle = [self._is_well(machine, world) for machine, world in list(path)[path[at] :]]
            verdict = all(circle) if all_well else any(circle)
        known.update(dict.fromkeys(path, verdict))
        return verdict

    def _is_well(self, machine: int, world: World) -> bool:
        phase = self.machines[machine].phase
        fed = bool(world.source) and not world.pole
        if world.grid == IN_BAND and not world.pole_sticks:
            return phase == "grid" and bool(world.pole) and not world.source
        on_grid = bool(world.pole) and not world.source and world.grid == OUT_OF_BAND
        return fed or on_grid


def mend(world: World) -> World:
    """The world with its faults gone, energy in the source, and nobody asking for anything."""
    return world._replace(
        pole_sticks=0,
        source_sticks=0,
        cut=0,
        feedback=HONEST,
        energy=1,
        person=0,
        test=0,
        backfed=0,
    )


def _faults(world: World) -> int:
    return world.pole_sticks + world.source_sticks + world.cut + (world.feedback != HONEST)


def arrived(world: World, requests: tuple[str, ...]) -> World:
    """The gateway has heard the requests, in their order."""
    for action in requests:
        if action == "open_grid_pole":
            world = world._replace(pole_told=0)
        elif action == "close_grid_pole":
            world = world._replace(pole_told=1)
        elif action == "open_island_source":
            world = world._replace(source_told=0, lease=0)
        elif action == "close_island_source":
            world = world._replace(source_told=1, lease=LEASE_TICKS)
        else:
            world = world._replace(bond=int(action == "close_bond"))
    return world


def check_requests(
    asked: tuple[str, ...], reading: GatewayReading | None, age: int, settings: IslandSettings
) -> None:
    """What may be asked for on a reading, told a second time and apart from the machine."""
    able = settings.abilities
    closing = [action for action in asked if action in ("close_grid_pole", "close_island_source")]
    assert len(closing) <= 1, asked
    if not closing:
        return
    assert reading is not None, asked
    assert age <= settings.reading_age_s, "closed on a stale reading"
    assert not reading.fault, asked
    dead = not able.reports_output_voltage or (reading.output_voltage_pu or 0.0) < 0.1
    if closing == ["close_island_source"]:
        assert asked == ("open_grid_pole", "close_island_source")
        assert reading.grid_pole == "open"
        assert not able.reports_bond or reading.bond == "closed"
        assert reading.island_source == "closed" or (reading.island_source == "open" and dead)
    else:
        assert asked == ("open_island_source", "close_grid_pole")
        assert reading.island_source == "open"
        assert dead
        assert reading.grid_voltage_pu == (1.0,)
        assert not able.reports_bond or reading.bond == "open"


PLAIN = GatewayAbilities()
FULL = GatewayAbilities(reports_bond=True, reports_output_voltage=True)
OUTPUT = GatewayAbilities(reports_output_voltage=True)
LIES = (HONEST, POLE_LIES_OPEN, POLE_LIES_CLOSED, SOURCE_LIES_OPEN)
VARIANTS = (
    Variant("honest, nothing but contacts", PLAIN),
    Variant("honest, bond and output", FULL),
    Variant("honest, tests and people", PLAIN, modes=(HONEST,), asks=True, faults_at_once=0),
    Variant("lying contacts, output", OUTPUT, modes=LIES, faults_at_once=2),
    Variant("poles that move by themselves", OUTPUT, modes=(HONEST,), moves_itself=True),
    Variant(
        "tests, poles that move by themselves",
        PLAIN,
        modes=(HONEST,),
        moves_itself=True,
        faults_at_once=0,
        asks=True,
    ),
)


def run(variant: Variant) -> tuple[Explorer, str]:
    """Explore a variant, check it, and tell it in a line."""
    began = time.perf_counter()
    explorer = Explorer(variant)
    explorer.explore()
    explored_s = time.perf_counter() - began
    courses = explorer.check_healing()
    seconds = time.perf_counter() - began
    return explorer, (
        f"{variant.name}, {variant.faults_at_once} at once: {len(explorer.states):,} states, "
        f"{explorer.edges:,} steps, {len(explorer.machines):,} of the machine, {courses:,} healed, "
        f"both closed in {explorer.parallel:,}, back-feeding for at most {explorer.backfed_most} ticks; "
        f"{explored_s:.1f} s, {seconds:.1f} s with healing"
    )


if __name__ == "__main__":
    more = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for one in VARIANTS:
        at_once = one.faults_at_once + more
        print(run(replace(one, faults_at_once=at_once))[1], flush=True)  # noqa: T201
