"""What is told of a gateway and of a circuit, and where: the same whether a value stands on a topic or in a register.

A reading folds several places. Its time is that of the oldest of them: where one falls silent, the whole grows old, and what
is old is unknown to whoever decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar, get_args

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.gateway import Contact, GatewayReading, TransferAction

Where = TypeVar("Where")
Order = TypeVar("Order")

ACTIONS: Final[tuple[TransferAction, ...]] = get_args(TransferAction)
FlagName = Literal["grid_present", "grid_pole", "island_source", "bond"]
FLAGS: Final[tuple[FlagName, ...]] = get_args(FlagName)

# Beyond it a value is a fault of whoever measures, not a voltage or a frequency.
_VOLTAGE_PU_MAX: Final = 3.0
_FREQUENCY_HZ_MAX: Final = 1000.0
_POWER_KW_MAX: Final = 1000.0
_ENERGY_KWH_MAX: Final = 1e10
_UNIX_S_MAX: Final = 1e11


@dataclass(frozen=True, slots=True)
class Flag(Generic[Where]):
    """A place that tells one of two words, in upper or lower case; anything else is unknown. ``yes``: closed, present, on."""

    where: Where
    yes: str
    no: str

    def read(self, word: str | None) -> bool | None:
        """What the word means."""
        said = None if word is None else word.casefold()
        if said == self.yes.casefold():
            return True
        return False if said == self.no.casefold() else None


@dataclass(frozen=True, slots=True)
class Quantity(Generic[Where]):
    """A place that tells a number. ``scale``: what to multiply it with for V, Hz, W, kWh or a share."""

    where: Where
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPoints(Generic[Where]):
    """All that a gateway tells; absent is what it does not.

    ``grid_voltage``: of the phases on the utility's side. ``nominal_voltage_v``: what 1 pu is. ``fault``: a text, or a number
    that is 0 without a fault. ``measured_at``: when the gateway measured by its own clock, in seconds since 1970.
    """

    flags: Mapping[FlagName, Flag[Where]] = field(default_factory=dict)
    grid_voltage: tuple[Quantity[Where], ...] = ()
    grid_frequency: Quantity[Where] | None = None
    output_voltage: Quantity[Where] | None = None
    nominal_voltage_v: float = 230.0
    fault: Where | None = None
    measured_at: Quantity[Where] | None = None

    def quantities(self) -> Iterator[Quantity[Where]]:
        """All places of numbers."""
        yield from self.grid_voltage
        yield from (one for one in (self.grid_frequency, self.output_voltage) if one is not None)

    def places(self) -> Iterator[Where]:
        """All places that count for safety: each has to be told for a reading to be fresh."""
        yield from (flag.where for flag in self.flags.values())
        yield from (quantity.where for quantity in self.quantities())

    def missing(self) -> tuple[str, ...]:
        """What a gateway could tell and this one does not, by its name in the settings."""
        told: dict[str, bool] = {
            "grid_voltage": bool(self.grid_voltage),
            "grid_frequency": self.grid_frequency is not None,
            "output_voltage": self.output_voltage is not None,
        }
        told.update({name: name in self.flags for name in FLAGS})
        return tuple(name for name, there in told.items() if not there)


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPoints(Generic[Where, Order]):
    """All that a circuit tells, and how it is switched; absent is what it does not.

    ``lease``: where the seconds are written after which an *off* lapses. ``power``: W; ``energy``: kWh.
    """

    circuit_id: str
    state: Flag[Where] | None = None
    power: Quantity[Where] | None = None
    energy: Quantity[Where] | None = None
    switch_on: Order | None = None
    switch_off: Order | None = None
    lease: Order | None = None

    def places(self) -> Iterator[Where]:
        """The places of switch and power; a register of energy may be told as rarely as it likes."""
        if self.state is not None:
            yield self.state.where
        if self.power is not None:
            yield self.power.where


Word = Callable[[Where], str | None]
Number = Callable[[Where], float | None]


def gateway_reading(
    points: GatewayPoints[Where],
    word: Callable[[Where], str | None],
    number: Callable[[Where], float | None],
    told_unix_us: int,
) -> GatewayReading:
    """A reading from the places' words and numbers, None where unknown. One unknown phase makes all of them unknown.

    ``told_unix_us``: when the oldest of them was told; by its own clock the gateway may have measured before.
    """

    def flag(name: FlagName) -> bool | None:
        known = points.flags.get(name)
        return None if known is None else known.read(word(known.where))

    def contact(name: FlagName) -> Contact | None:
        closed = flag(name)
        return None if closed is None else "closed" if closed else "open"

    def voltage_pu(place: Quantity[Where]) -> float | None:
        return _scaled(number(place.where), place.scale / points.nominal_voltage_v, _VOLTAGE_PU_MAX)

    voltages_pu = [voltage_pu(place) for place in points.grid_voltage]
    known_pu = tuple(value for value in voltages_pu if value is not None)
    frequency, output = points.grid_frequency, points.output_voltage
    said = None if points.fault is None else word(points.fault)
    return GatewayReading(
        measured_unix_us=_measured_unix_us(points.measured_at, number, told_unix_us),
        grid_voltage_pu=known_pu if known_pu and len(known_pu) == len(voltages_pu) else None,
        grid_frequency_hz=None
        if frequency is None
        else _scaled(number(frequency.where), frequency.scale, _FREQUENCY_HZ_MAX),
        grid_present=flag("grid_present"),
        grid_pole=contact("grid_pole"),
        island_source=contact("island_source"),
        bond=contact("bond"),
        output_voltage_pu=None if output is None else voltage_pu(output),
        fault=fault_words(said),
    )


def _measured_unix_us(
    place: Quantity[Where] | None, number: Callable[[Where], float | None], told_unix_us: int
) -> int:
    """The earlier of both times; 0 where the gateway should tell its own and does not."""
    if place is None:
        return told_unix_us
    own_s = _scaled(number(place.where), place.scale, _UNIX_S_MAX)
    return 0 if own_s is None else min(told_unix_us, round(own_s * 1e6))


def fault_words(said: str | None) -> str:
    """A gateway's fault in words; "" for none."""
    told = (said or "").strip()
    if told.casefold() in ("", "0", "none", "ok", "off", "false", "no"):
        return ""
    return f"code {told}" if told.lstrip("-").isdecimal() else told[:200]


def circuit_reading(
    points: CircuitPoints[Where, Order],
    word: Callable[[Where], str | None],
    number: Callable[[Where], float | None],
    measured_unix_us: int,
) -> CircuitReading:
    """A circuit's reading from the places' words and numbers, None where unknown."""
    state, power, energy = points.state, points.power, points.energy
    power_w = None if power is None else number(power.where)
    energy_kwh = None if energy is None else number(energy.where)
    return CircuitReading(
        circuit_id=points.circuit_id,
        measured_unix_us=measured_unix_us,
        on=None if state is None else state.read(word(state.where)),
        power_kw=None
        if power is None
        else _scaled(power_w, power.scale / 1000.0, _POWER_KW_MAX, signed=True),
        energy_kwh=None if energy is None else _scaled(energy_kwh, energy.scale, _ENERGY_KWH_MAX),
    )


def share(value: float | None, scale: float) -> float | None:
    """A share from 0 to 1; None where it is unknown or none. A battery that shows exactly 0 is believed."""
    return _scaled(value, scale, 1.0)


def _scaled(
    value: float | None, scale: float, most: float, *, signed: bool = False
) -> float | None:
    """The scaled value; None where it is unknown, not finite or impossible."""
    if value is None:
        return None
    scaled = value * scale
    if not math.isfinite(scaled) or scaled > most or scaled < (-most if signed else 0.0):
        return None
    return scaled
