"""Whether a generator runs: started while the batteries still carry the home as it warms up, stopped when it is not needed.

Pure, and looked at anew in each step. In an island that is fed by its source it starts when the batteries have less than
`STARTS_SHARE` of their capacity left for the home, and is needed until they have `STOPS_SHARE`: the thresholds that the
forecast of hours left reckons with. When it is needed no longer, or the island's source feeds the home no longer (the grid is
back), it runs on to cool down, and is stopped. *On* is told again and again, so that a device that knows a lease stops
it when nobody renews it. What a person started by hand Parkwatt does not stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from parkwatt.domain.home.circuit import CircuitCommand, CircuitReading
from parkwatt.domain.home.event import GeneratorSwitched

# The name under which its switch is commanded and read.
GENERATOR_ID: Final = "generator"
STARTS_SHARE: Final = 0.15
STOPS_SHARE: Final = 0.5
# A generator that does not run so long after its warm-up did not start.
_STARTED_S: Final = 30
# *Off* is said for so long; who starts it after that is a person.
_STOPPING_S: Final = 60
_READING_AGE_S: Final = 60
_US: Final = 1_000_000


class GeneratorState(msgspec.Struct, omit_defaults=True):
    """``on``: as it was told since ``since_unix_us``, None: never. The rest are timers of this run of the program.

    ``idle_unix_us``: since when it is not needed; ``told_unix_us``: when its device was told last.
    """

    on: bool = False
    since_unix_us: int | None = None
    idle_unix_us: int | None = None
    told_unix_us: int | None = None

    def apply(self, event: GeneratorSwitched, at_unix_us: int) -> None:
        """Take in what was decided, as it happens or as the journal tells it."""
        self.on, self.since_unix_us = event.on, at_unix_us
        self.idle_unix_us = self.told_unix_us = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorInputs:
    """``feeding``: fresh feedback says that the island's source feeds the home. ``usable_kwh``: what the batteries have left
    for the home, None: unknown; ``capacity_kwh``: what they hold when full. ``reading``: of its switch, None: nothing was told.
    """

    feeding: bool
    usable_kwh: float | None
    capacity_kwh: float
    reading: CircuitReading | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorStep:
    """``events`` are in the state already. ``command``: to its switch. ``trouble``: what a person should know, "" for none."""

    events: tuple[GeneratorSwitched, ...] = ()
    command: CircuitCommand | None = None
    trouble: str = ""


def step(
    state: GeneratorState,
    inputs: GeneratorInputs,
    *,
    warm_up_s: int,
    cool_down_s: int,
    lease_s: int,
    now_unix_us: int,
) -> GeneratorStep:
    """Decide; ``state`` is changed. ``lease_s``: how long an *on* holds where the device knows leases."""
    needed, reason = _needed(state, inputs)
    events: list[GeneratorSwitched] = []
    if state.on and not needed:
        idle_unix_us = state.idle_unix_us
        if idle_unix_us is None or idle_unix_us > now_unix_us:
            idle_unix_us = state.idle_unix_us = now_unix_us
        if now_unix_us - idle_unix_us >= cool_down_s * _US:
            words = f"{reason}; it cooled down for {cool_down_s} s" if cool_down_s else reason
            events.append(GeneratorSwitched(False, "not_needed", words))
    elif needed:
        state.idle_unix_us = None
        if not state.on:
            events.append(GeneratorSwitched(True, "batteries_low", reason))
    for event in events:
        state.apply(event, now_unix_us)
    command = _command(state, lease_s, now_unix_us, events)
    return GeneratorStep(
        events=tuple(events),
        command=command,
        trouble=_trouble(state, inputs.reading, warm_up_s, now_unix_us),
    )


def _needed(state: GeneratorState, inputs: GeneratorInputs) -> tuple[bool, str]:
    """Whether it has to run, and why or why not."""
    if not inputs.feeding:
        return False, "the island's source does not feed the home any more"
    if inputs.usable_kwh is None:
        return state.on and state.idle_unix_us is None, "what the batteries hold is not known"
    runs = state.on and state.idle_unix_us is None
    limit_kwh = (STOPS_SHARE if runs else STARTS_SHARE) * inputs.capacity_kwh
    left = f"the batteries have {inputs.usable_kwh:.1f} kWh left for the home"
    if inputs.usable_kwh < limit_kwh:
        return True, f"{left}, less than {limit_kwh:.1f} kWh"
    return False, f"{left}, at least {limit_kwh:.1f} kWh"


def _command(
    state: GeneratorState, lease_s: int, now_unix_us: int, events: Sequence[GeneratorSwitched]
) -> CircuitCommand | None:
    """What its switch is told now: *on* is renewed within its lease, *off* for a minute."""
    since_unix_us = state.since_unix_us
    if since_unix_us is None:
        return None
    if not state.on and now_unix_us - since_unix_us > _STOPPING_S * _US:
        return None
    told = state.told_unix_us
    if told is not None and 0 <= now_unix_us - told < lease_s * _US // 3:
        return None
    state.told_unix_us = now_unix_us
    renewed = "it is still needed" if state.on else "it is to stop"
    reason = events[-1].reason if events else renewed
    return CircuitCommand(GENERATOR_ID, state.on, reason, lease_s)


def _trouble(
    state: GeneratorState, reading: CircuitReading | None, warm_up_s: int, now_unix_us: int
) -> str:
    """That it was told to run, and does not."""
    if not state.on or state.since_unix_us is None:
        return ""
    waited_s = (now_unix_us - state.since_unix_us) / _US
    if waited_s < warm_up_s + _STARTED_S or reading is None or reading.on is not False:
        return ""
    if now_unix_us - reading.measured_unix_us > _READING_AGE_S * _US:
        return ""
    return f"the generator was told to start {waited_s:.0f} s ago and does not run"
