"""How much is in a car's battery: the last state of charge that was believed, and what has moved since.

The charger's registers count on from it. A state of charge that contradicts what was counted by far is a message to
doubt: the
lower of the two is taken for the floor, the difference for the error, until it is told again for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parkwatt.domain.problem import Storage
from parkwatt.domain.site.event import SocTold
from parkwatt.domain.site.observation import ChargerSeen

# Cars tell whole per cents.
_ROUNDING_SOC: Final = 0.005
# What counting on loses: efficiencies differ with power and temperature.
_COUNTED_SHARE: Final = 0.04
# Beyond this share of the battery a jump is doubted, for so long.
_JUMP_SHARE: Final = 0.08
_DOUBT_US: Final = 180_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """``energy_kwh`` in the battery, within ``error_kwh``. ``told_unix_us``: when the state of charge behind it was told."""

    energy_kwh: float
    error_kwh: float
    told_unix_us: int
    doubted: bool = False


@dataclass(slots=True)
class Tracker:
    """Follows one car through a stay. Nothing here outlives a restart: the next state of charge begins it anew."""

    last: Estimate | None = None
    moved_kwh: float | None = None
    doubt_since_unix_us: int | None = None

    def forget(self) -> None:
        """Another stay."""
        self.last = self.moved_kwh = self.doubt_since_unix_us = None

    def follow(
        self,
        storage: Storage,
        seen: ChargerSeen,
        told: SocTold | None,
        now_unix_us: int,
        soc_age_s: float,
    ) -> Estimate | None:
        """The estimate now; None where nothing was told, or too long ago."""
        fresh = estimate(storage, seen, told)
        if fresh is None or now_unix_us - fresh.told_unix_us > soc_age_s * 1e6:
            self.forget()
            return None
        counted = self._counted_kwh(storage, seen)
        registers = registers_kwh(seen)
        if counted is None or self.last is None:
            self.last, self.moved_kwh, self.doubt_since_unix_us = fresh, registers, None
            return fresh
        apart_kwh = abs(fresh.energy_kwh - counted)
        if apart_kwh <= _JUMP_SHARE * storage.energy_kwh_max + fresh.error_kwh:
            self.last, self.moved_kwh, self.doubt_since_unix_us = fresh, registers, None
            return fresh
        if self.doubt_since_unix_us is None:
            self.doubt_since_unix_us = now_unix_us
        if now_unix_us - self.doubt_since_unix_us > _DOUBT_US:
            self.last, self.moved_kwh, self.doubt_since_unix_us = fresh, registers, None
            return fresh
        return Estimate(counted, apart_kwh + self.last.error_kwh, self.last.told_unix_us, True)

    def _counted_kwh(self, storage: Storage, seen: ChargerSeen) -> float | None:
        registers = registers_kwh(seen)
        if self.last is None or self.moved_kwh is None or registers is None:
            return None
        return _after(storage, self.last.energy_kwh, registers - self.moved_kwh)


def estimate(storage: Storage, seen: ChargerSeen, told: SocTold | None) -> Estimate | None:
    """From what was told last: by the charger, or by the driver or the car's own service."""
    capacity_kwh = storage.energy_kwh_max
    soc, soc_unix_us, moved_kwh = seen.soc, seen.soc_unix_us, seen.moved_since_soc_kwh
    if told is not None and (soc_unix_us is None or told.measured_unix_us > soc_unix_us):
        soc, soc_unix_us = told.soc, told.measured_unix_us
        registers = registers_kwh(seen)
        moved_kwh = None
        if registers is not None and told.moved_kwh is not None:
            moved_kwh = registers - told.moved_kwh
    if soc is None or soc_unix_us is None:
        return None
    moved = moved_kwh or 0.0
    energy_kwh = _after(storage, soc * capacity_kwh, moved)
    error_kwh = _ROUNDING_SOC * capacity_kwh + _COUNTED_SHARE * abs(moved)
    return Estimate(energy_kwh, error_kwh, soc_unix_us)


def _after(storage: Storage, energy_kwh: float, moved_kwh: float) -> float:
    """The energy once ``moved_kwh`` went in (or, negative, out) at the charger."""
    if moved_kwh >= 0:
        energy_kwh += moved_kwh * storage.charge_efficiency
    else:
        energy_kwh += moved_kwh / storage.discharge_efficiency
    return min(max(energy_kwh, 0.0), storage.energy_kwh_max)


def registers_kwh(seen: ChargerSeen) -> float | None:
    """Import less export by the charger's registers; None without any."""
    if seen.import_kwh is None and seen.export_kwh is None:
        return None
    return (seen.import_kwh or 0.0) - (seen.export_kwh or 0.0)
