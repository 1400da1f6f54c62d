"""One step of load shedding. It looks at everything anew: what is overloaded, what lacks energy, what may be on again.

    commands that lapse are repeated -> what a person switched by hand is noted -> overload is ended
      -> what is not wanted goes off -> the most important circuit that is off, is wanted and fits goes on, one at a time

The grid present: what Parkwatt switched off is switched on again in the same order and spacing; nothing else is touched.
Laws (tests/home/shedding/test_laws.py): a medical circuit is never switched off; an admission fits continuous and surge power;
two are `spacing_s` apart; nothing lesser is switched on that leaves no room for a must-have circuit that Parkwatt holds off,
unless that could not run with all lesser ones off; none of those is shed while a lesser one draws anything that may be shed;
a circuit that was off before is not switched on unless a person asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from parkwatt.domain.home.circuit import CircuitCommand
from parkwatt.domain.home.event import CircuitChosen, CircuitSwitched
from parkwatt.home.shedding.inputs import Question, SheddingInputs
from parkwatt.home.shedding.powers import CircuitNow, circuits_now, fits, running_kw, staying_kw
from parkwatt.home.shedding.settings import SheddingSettings
from parkwatt.home.shedding.state import ENERGY, OVERLOAD, SheddingState
from parkwatt.home.shedding.wanted import NOT_NEEDED, TIER, Want, wanted

_US = 1_000_000
_RESTORED = "restored"
_START = "start"
_MUST = 1


@dataclass(slots=True)
class SheddingStep:
    """``events``: applied already; they are journalled before ``commands`` are sent. ``questions``: for persons, those that
    still stand. ``troubles``: in words, switches that do not obey.
    """

    state: SheddingState
    commands: list[CircuitCommand] = field(default_factory=list)
    events: list[CircuitSwitched | CircuitChosen] = field(default_factory=list)
    questions: tuple[Question, ...] = ()
    troubles: tuple[str, ...] = ()


def step(
    state: SheddingState, inputs: SheddingInputs, settings: SheddingSettings, now_unix_us: int
) -> SheddingStep:
    """Decide at ``now_unix_us``. ``state`` is changed by what is returned."""
    found = circuits_now(inputs, state, settings, now_unix_us)
    shedder = _Shedder(SheddingStep(state), inputs, settings, now_unix_us, found)
    shedder.note_hands()
    if inputs.mode == "grid":
        shedder.restore()
    else:
        shedder.island()
    shedder.repeat()
    return shedder.done


@dataclass(slots=True)
class _Shedder:
    """The step while it runs. ``switched``: what it has switched in this step."""

    done: SheddingStep
    inputs: SheddingInputs
    settings: SheddingSettings
    now_unix_us: int
    found: list[CircuitNow]
    switched: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)

    def note_hands(self) -> None:
        """A circuit that was off and is on without Parkwatt's doing: somebody switched it on, and that counts.

        Only where it was watched: what comes on while nothing is heard of it is a lapsed lease, or a switch that started anew.
        """
        for one in self.found:
            memory = one.memory
            if one.reading is None or one.reading.on is None:
                continue
            if one.reading.on:
                memory.returning = False
            if not memory.off:
                continue
            if not one.reading.on:
                memory.seen_off_unix_us = one.reading.measured_unix_us
                continue
            unseen_s = _passed_s(memory.seen_off_unix_us, one.reading.measured_unix_us)
            memory.seen_off_unix_us = None
            if unseen_s is None:
                continue
            if unseen_s > self.settings.fresh_s:
                memory.told_unix_us = None  # so that it is told again at once
                continue
            memory.off = False
            self.by_hand.add(one.circuit.circuit_id)
            if self.inputs.mode != "grid":
                self.done.events.append(CircuitChosen(one.circuit.circuit_id, "keep_on", "by hand"))

    def restore(self) -> None:
        """The grid is there: switch on again what was switched off, one after another."""
        state = self.done.state
        state.over_unix_us = None
        held = [one for one in self.found if one.memory.off]
        if not held:
            state.outage_over()
            return
        choices = self.inputs.choices
        off = [one for one in held if choices.get(one.circuit.circuit_id) != "keep_off"]
        rested = [one for one in off if self._rested(one)]
        if rested and self._may_admit():
            self._switch(rested[0], _RESTORED, "the grid is back", on=True)

    def island(self) -> None:
        """The grid is gone."""
        wants = {
            one.circuit.circuit_id: self._wanted(one)
            for one in self.found
            if one.circuit.circuit_id not in self.by_hand
        }
        for one in reversed(self.found):
            want = wants.get(one.circuit.circuit_id)
            if want is not None and not want.on and self._may_go_off(one, want):
                self._switch(one, want.because, want.reason, on=False)
        self._end_overload()
        if self.inputs.mode == "outage":
            self._make_ready()
        else:
            self._admit(wants)
        self.done.questions = tuple(
            want.question for want in wants.values() if want.question is not None
        )

    def _wanted(self, one: CircuitNow) -> Want:
        key = one.circuit.circuit_id
        want = wanted(one.circuit, self.inputs.verdicts.get(key), self.inputs.choices.get(key))
        unused = one.circuit.tier == "not_needed" and one.memory.switched_unix_us is None
        if want.on and unused and not want.chosen and not one.fixed:
            # Off at once; what the energy suffices for is admitted afterwards like everything else.
            return Want(False, TIER, NOT_NEEDED, at_once=True)
        if want.on:
            since = one.memory.allowed_unix_us
            if since is None or since > self.now_unix_us:
                one.memory.allowed_unix_us = self.now_unix_us
        else:
            one.memory.allowed_unix_us = None
        return want

    # Off.

    def _may_go_off(self, one: CircuitNow, want: Want) -> bool:
        if one.fixed or one.memory.off or not one.on:
            return False
        since_s = one.memory.since_s(self.now_unix_us)
        return want.at_once or since_s is None or since_s >= one.circuit.on_s_min

    def _end_overload(self) -> None:
        """Shed what ends an overload: of the least tier, and there the fewest and smallest that suffice."""
        state, settings = self.done.state, self.settings
        if self.inputs.mode != "islanded":
            state.over_unix_us = None
            return
        drawn = staying_kw(self.found, self.inputs.island_kw, settings, self.now_unix_us)
        over_kw = drawn - settings.continuous_kw
        if over_kw <= 0:
            state.over_unix_us = None
            return
        if state.over_unix_us is None or state.over_unix_us > self.now_unix_us:
            state.over_unix_us = self.now_unix_us
        lasted_s = (self.now_unix_us - state.over_unix_us) / _US
        if lasted_s < settings.overload_s and drawn < settings.surge_share * settings.surge_kw:
            return
        reason = f"the house draws {drawn:.1f} kW, {settings.continuous_kw:.1f} kW is what the inverter gives"
        sheddable = [one for one in self.found if one.on and not one.fixed and not one.memory.off]
        for level in sorted({one.level for one in sheddable}, reverse=True):
            tier = [one for one in sheddable if one.level == level and one.power_kw > 0]
            while over_kw > 0 and tier:
                enough = [one for one in tier if one.power_kw >= over_kw]
                one = min(enough, key=_power) if enough else max(tier, key=_power)
                tier.remove(one)
                over_kw -= one.power_kw
                self._switch(one, OVERLOAD, reason, on=False)
        if over_kw <= 0:
            state.over_unix_us = None

    def _make_ready(self) -> None:
        """Before the island's source starts: only what it can start at one blow stays on, the most important first."""
        steady_kw = start_kw = 0.0
        surge_kw = self.settings.surge_share * self.settings.surge_kw
        carried_kw = self.settings.admit_share * self.settings.continuous_kw
        for one in self.found:
            if one.memory.off or not one.on:
                continue
            circuit = one.circuit
            inrush_kw = max(circuit.inrush_kw, circuit.power_kw_rated)
            is_too_much = (
                steady_kw + circuit.power_kw_rated > carried_kw or start_kw + inrush_kw > surge_kw
            )
            if is_too_much and not one.fixed:
                reason = f"waits until the house runs: all at once would need {start_kw + inrush_kw:.1f} kW"
                self._switch(one, _START, reason, on=False)
                continue
            steady_kw += circuit.power_kw_rated
            start_kw += inrush_kw

    # On.

    def _may_admit(self) -> bool:
        last = self.done.state.admitted_unix_us
        if last is None or last > self.now_unix_us:
            return True
        return self.now_unix_us - last >= self.settings.spacing_s * _US

    def _admit(self, wants: dict[str, Want]) -> None:
        """Switch on the first that is off, is wanted, has waited and fits; nothing while an overload lasts."""
        if self.done.state.over_unix_us is not None or self.switched or not self._may_admit():
            return
        beside_kw = running_kw(self.found, self.inputs.island_kw, self.settings, self.now_unix_us)
        waits: CircuitNow | None = None
        for one in self.found:
            want = wants.get(one.circuit.circuit_id)
            if want is None or not want.on or not self._is_off(one, want):
                continue
            if not self._waited(one, want):
                could_run = one.level <= _MUST and fits(one.circuit, 0.0, self.settings)
                waits = waits or (one if could_run else None)
                continue
            is_lesser = waits is not None and waits.level < one.level
            kept_kw = waits.circuit.power_kw_rated if waits is not None and is_lesser else 0.0
            if fits(one.circuit, beside_kw + kept_kw, self.settings):
                words = f"{want.reason}; {beside_kw:.1f} kW run, it adds up to {one.circuit.power_kw_rated:.1f} kW"
                self._switch(one, want.because, words, on=True)
                return
            if self._make_room(one, beside_kw):
                return

    def _is_off(self, one: CircuitNow, want: Want) -> bool:
        """Whether Parkwatt may switch it on: it had switched it off, or a person asks for it."""
        return one.memory.off or (want.chosen and not one.on and one.circuit.switchable)

    def _rested(self, one: CircuitNow) -> bool:
        """Whether it was off for its least time. What waited only for the start had lost its power anyway, and need not."""
        since_s = one.memory.since_s(self.now_unix_us)
        return since_s is None or one.memory.because == _START or since_s >= one.circuit.off_s_min

    def _waited(self, one: CircuitNow, want: Want) -> bool:
        memory = one.memory
        if not self._rested(one):
            return False
        since_s = memory.since_s(self.now_unix_us)
        if since_s is not None and memory.because == OVERLOAD:
            again_s = self.settings.backoff_s * 2.0 ** (memory.overloads - 1)
            if since_s < min(again_s, self.settings.backoff_s_max):
                return False
        if memory.because == ENERGY and not want.chosen and memory.allowed_unix_us is not None:
            calm_s = self.settings.calm_s * 2.0 ** (memory.shortages - 1)
            calm_s = min(calm_s, self.settings.backoff_s_max)
            return self.now_unix_us - memory.allowed_unix_us >= calm_s * _US
        return True

    def _make_room(self, one: CircuitNow, beside_kw: float) -> bool:
        """For a circuit that the house must have: shed the fewest lesser ones that make it fit. It goes on in a later step."""
        if one.level > _MUST:
            return False
        chosen: list[CircuitNow] = []
        for other in reversed(self.found):
            if fits(one.circuit, beside_kw, self.settings):
                break
            lesser = other.on and not other.fixed and other.level > one.level
            if lesser and not other.memory.off and other.power_kw > 0:
                chosen.append(other)
                beside_kw -= other.power_kw
        if not fits(one.circuit, beside_kw, self.settings):
            return False
        for other in tuple(chosen):
            if fits(one.circuit, beside_kw + other.power_kw, self.settings):
                chosen.remove(other)
                beside_kw += other.power_kw
        for other in chosen:
            reason = f"makes room for {one.circuit.name}, which comes first"
            self._switch(other, OVERLOAD, reason, on=False)
        return bool(chosen)

    # What was said.

    def _switch(self, one: CircuitNow, because: str, reason: str, *, on: bool) -> None:
        event = CircuitSwitched(one.circuit.circuit_id, on, because, reason)
        self.done.state.apply(event, self.now_unix_us)
        self.done.events.append(event)
        self.switched.add(one.circuit.circuit_id)
        one.memory.shed_kw = 0.0 if on else one.power_kw
        self._command(one, reason, on=on)

    def _command(self, one: CircuitNow, reason: str, *, on: bool) -> None:
        one.memory.told_unix_us = self.now_unix_us
        lease_s = 0 if on else self.settings.lease_s
        self.done.commands.append(CircuitCommand(one.circuit.circuit_id, on, reason, lease_s))

    def repeat(self) -> None:
        """Say again what would lapse, and what was not obeyed."""
        troubles = []
        for one in self.found:
            memory, circuit = one.memory, one.circuit
            if circuit.circuit_id in self.switched or not (memory.off or memory.returning):
                continue
            told_s = _passed_s(memory.told_unix_us, self.now_unix_us)
            told_on = None if one.reading is None else one.reading.on
            since_s = memory.since_s(self.now_unix_us)
            disobeys = told_on is memory.off and (
                since_s is None or since_s >= self.settings.obeys_s
            )
            if disobeys:
                words = "off and is on" if memory.off else "on and is off"
                troubles.append(f"{circuit.name} was told to be {words}")
            # A switch that tells nothing is told to be on for as long as the lease of an *off* would have run.
            unheard = memory.returning and told_on is None
            if unheard and since_s is not None and since_s >= self.settings.lease_s:
                memory.returning = False
                continue
            lapses = memory.off and (told_s is None or told_s >= self.settings.lease_s / 2)
            insists = (disobeys or unheard) and (told_s is None or told_s >= self.settings.insist_s)
            if lapses or insists:
                self._command(one, memory.because, on=not memory.off)
        self.done.troubles = tuple(troubles)


def _power(one: CircuitNow) -> float:
    return one.power_kw


def _passed_s(then_unix_us: int | None, now_unix_us: int) -> float | None:
    if then_unix_us is None or then_unix_us > now_unix_us:
        return None
    return (now_unix_us - then_unix_us) / _US
