"""What load shedding remembers: the fold of what it switched, so that a restart switches on again what it had switched off."""

from __future__ import annotations

from typing import Final

import msgspec

from parkwatt.domain.home.event import CircuitSwitched

OVERLOAD: Final = "overload"
ENERGY: Final = "energy"
_US: Final = 1_000_000
# What ran that long without an overload begins to wait anew.
_FORGET_S: Final = 7200.0


class CircuitMemory(msgspec.Struct, omit_defaults=True):
    """One circuit. ``off``: Parkwatt switched it off, ``because`` of that rule, at ``switched_unix_us``.

    ``returning``: Parkwatt switched it on, and its switch has not shown that yet. ``overloads``, ``shortages``: how often it
    was shed for overload and for energy in this outage. Not from the journal, and harmless to lose: ``seen_off_unix_us``: its
    switch showed last that it is off; ``told_unix_us``: commanded last; ``allowed_unix_us``: its energy has sufficed since;
    ``shed_kw``: what it drew when it was switched off.
    """

    off: bool = False
    because: str = ""
    switched_unix_us: int | None = None
    returning: bool = False
    overloads: int = 0
    shortages: int = 0
    seen_off_unix_us: int | None = None
    told_unix_us: int | None = None
    allowed_unix_us: int | None = None
    shed_kw: float = 0.0

    def since_s(self, now_unix_us: int) -> float | None:
        """Seconds since it was switched; None where it never was, or a clock was put back."""
        if self.switched_unix_us is None or now_unix_us < self.switched_unix_us:
            return None
        return (now_unix_us - self.switched_unix_us) / _US


class SheddingState(msgspec.Struct, omit_defaults=True):
    """``circuits``: by id. ``admitted_unix_us``: when one was switched on last. ``over_unix_us``: overloaded since then."""

    circuits: dict[str, CircuitMemory] = msgspec.field(default_factory=dict)
    admitted_unix_us: int | None = None
    over_unix_us: int | None = None

    def circuit(self, circuit_id: str) -> CircuitMemory:
        """What is remembered of a circuit."""
        return self.circuits.setdefault(circuit_id, CircuitMemory())

    def off(self) -> frozenset[str]:
        """The circuits that Parkwatt holds off."""
        return frozenset(key for key, one in self.circuits.items() if one.off)

    def apply(self, event: CircuitSwitched, now_unix_us: int) -> None:
        """Take in what was switched."""
        one = self.circuit(event.circuit_id)
        since_s = one.since_s(now_unix_us)
        if not event.on and not one.off and since_s is not None and since_s >= _FORGET_S:
            one.overloads = one.shortages = 0
        one.off, one.because, one.switched_unix_us = not event.on, event.because, now_unix_us
        one.returning, one.seen_off_unix_us = event.on, None
        if event.on:
            self.admitted_unix_us = now_unix_us
        elif event.because == OVERLOAD:
            one.overloads += 1
        elif event.because == ENERGY:
            one.shortages += 1

    def outage_over(self) -> None:
        """The grid carries the home and nothing is held off: the next outage begins anew. What is to come on still is kept."""
        self.circuits = {key: one for key, one in self.circuits.items() if one.returning}
        self.over_unix_us = None
