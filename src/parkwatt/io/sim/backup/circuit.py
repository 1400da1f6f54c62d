"""A circuit of the home: a switch, and appliances that draw when it is closed and the home has voltage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parkwatt.domain.home.circuit import Circuit
from parkwatt.io.sim.backup.appliance import Appliance
from parkwatt.io.sim.backup.pole import SECOND_US, Pole

# How long an inrush lasts.
INRUSH_S = 0.3
_INRUSH_US = round(INRUSH_S * SECOND_US)


@dataclass(slots=True)
class VirtualCircuit:
    """``switch``: closed is on; it can stick and lie as a gateway's pole. ``lease_s``: of an off, 0 for ever.

    ``deaf``: commands are lost. ``energy_kwh``: by its meter. ``starts``: how often somebody or something switched it on.
    """

    circuit: Circuit
    appliances: Sequence[Appliance]
    switch: Pole = field(default_factory=lambda: Pole("closed", 0.05))
    lease_s: int = 0
    deaf: bool = False
    power_kw: float = 0.0
    energy_kwh: float = 0.0
    _lease_until_us: int | None = None
    _was_drawing: list[bool] = field(default_factory=list)
    _inrush_until_us: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing draws yet."""
        self._was_drawing = [False] * len(self.appliances)
        self._inrush_until_us = [0] * len(self.appliances)

    @property
    def is_on(self) -> bool:
        """Whether its contacts are closed."""
        return self.switch.actual == "closed"

    def command(self, *, on: bool, now_us: int) -> bool:
        """Switch it; returns whether it took the command."""
        if self.deaf or not self.circuit.switchable:
            return False
        self.switch.command("closed" if on else "open", now_us)
        self._lease_until_us = None
        if not on and self.lease_s > 0:
            self._lease_until_us = now_us + self.lease_s * SECOND_US
        return True

    def set_lease(self, lease_s: int, now_us: int) -> bool:
        """How long an off lasts from now on without another command; 0: for ever."""
        if self.deaf or lease_s < 0:
            return False
        self.lease_s = lease_s
        if self.switch.commanded == "open":
            self._lease_until_us = now_us + lease_s * SECOND_US if lease_s else None
        return True

    def next_change_us(self, now_us: int) -> int | None:
        """When its switch moves, its lease ends or an inrush is over."""
        moments_us = (
            *self._inrush_until_us,
            self.switch.next_move_us(now_us),
            self._lease_until_us,
        )
        return min((one for one in moments_us if one is not None and one > now_us), default=None)

    def move(self, now_us: int) -> None:
        """Let switch and lease do what is due."""
        if self._lease_until_us is not None and self._lease_until_us <= now_us:
            self._lease_until_us = None
            self.switch.command("closed", now_us)
        self.switch.move(now_us, _always)

    def wanted_kw(self, now_us: int, *, live: bool) -> float:
        """What it draws, as `drawn_kw` found it, or misses."""
        if live and self.is_on:
            return self.power_kw
        return sum(appliance.missed_kw(now_us) for appliance in self.appliances)

    def drawn_kw(self, now_us: int, *, live: bool) -> float:
        """What it draws now, inrush included; sees what begins to draw. ``live``: the home has voltage."""
        powered = live and self.is_on
        total_kw = 0.0
        for number, appliance in enumerate(self.appliances):
            wanted_kw = appliance.wanted_kw(now_us) if powered else 0.0
            if wanted_kw > 0.0 and not self._was_drawing[number] and appliance.inrush_kw > 0.0:
                self._inrush_until_us[number] = now_us + _INRUSH_US
            self._was_drawing[number] = wanted_kw > 0.0
            in_inrush = wanted_kw > 0.0 and now_us < self._inrush_until_us[number]
            total_kw += max(wanted_kw, appliance.inrush_kw) if in_inrush else wanted_kw
        self.power_kw = total_kw
        return total_kw

    def pass_time(self, duration_s: float, *, live: bool) -> None:
        """Let its appliances live; count what it draws."""
        powered = live and self.is_on
        self.energy_kwh += self.power_kw * duration_s / 3600.0
        for appliance in self.appliances:
            appliance.pass_time(duration_s, powered=powered)


def _always() -> bool:
    return True
