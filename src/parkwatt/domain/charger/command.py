"""What a charger can be told in words of the domain. Wire forms are the adapter's matter."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


class FrequencyCurve(msgspec.Struct, frozen=True):
    """A response that the charger gives of its own: linear between points, sorted by frequency, at least two.

    ``power_kw``: what is *added* to the set-point at ``frequency_hz``; negative discharges.
    """

    frequency_hz: tuple[float, ...]
    power_kw: tuple[float, ...]


class SetPower(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hold ``power_kw`` at one connection point of a car (EVSE): positive charges, negative discharges, 0 rests.

    ``lease_s``: after that long without a new set-point the charger charges for its driver and does not discharge.
    ``reason``: why, in words a driver understands. ``frequency_curve``: what the charger adds of its own.
    ``following``: only the meter moved since the last one, which makes it telemetry in the journal.
    """

    evse_id: int
    power_kw: float
    lease_s: int
    reason: str
    frequency_curve: FrequencyCurve | None = None
    following: bool = False


class ReleasePower(msgspec.Struct, frozen=True):
    """End what `SetPower` began: the charger charges for its driver by its default."""

    evse_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A command that the guard let pass: the only thing that an adapter sends.

    Made by `parkwatt.site.guard` and `parkwatt.fleet.guard` alone; a test of the house sees to that.
    """

    charger_id: str
    command: SetPower | ReleasePower
