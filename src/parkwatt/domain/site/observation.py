"""What a site's control looks at in each step: its chargers and its meters, as they are known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from parkwatt.domain.charger.event import CarNeeds
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState, EvseState
from parkwatt.domain.home.event import GridCondition
from parkwatt.domain.site.reading import SiteReading


@dataclass(frozen=True, slots=True)
class ChargerSeen:
    """One connection point. ``transaction_id``: None while no car can be driven there. ``soc``: as last believed, with its
    time; it may be old; ``moved_since_soc_kwh``: import less export at the charger since then. ``power_kw``: by the
    charger's meter, received at ``power_unix_us``. ``import_kwh``, ``export_kwh``: its
    registers. ``limit_kw``: the least of what others limit it to. ``connected``: whether there is a link now.
    """

    charger_id: str
    evse_id: int
    connected: bool
    plugged_in: bool
    transaction_id: str | None = None
    started_unix_us: int | None = None
    soc: float | None = None
    soc_unix_us: int | None = None
    moved_since_soc_kwh: float | None = None
    power_kw: float | None = None
    power_unix_us: int | None = None
    import_kwh: float | None = None
    export_kwh: float | None = None
    rung: Rung = Rung.LIMITS_ONLY
    rung_highest: Rung = Rung.LIMITS_ONLY
    needs: CarNeeds | None = None
    limit_kw: float | None = None
    faulted: bool = False


@dataclass(frozen=True, slots=True)
class OutageReserve:
    """What a car keeps for an outage that was announced.

    ``energy_kwh``: in its battery. ``by_unix_s``: when it is to be there.
    """

    energy_kwh: float
    by_unix_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSeen:
    """What carries the house. A site without a backup is always on the grid.

    ``condition``: of the grid as the house sees it: *absent* also while the house is cut off from one that is there.
    ``before``: as it was known last. ``returned_unix_us``: when the grid last took the house over again, None: never.
    ``return_kw``: the most that the cars may charge or give together since then; None: any. ``source_car_id``: whose inverter
    carries the house in an outage. ``may_charge``: the cars that a person asked to be charged from the island.
    ``island_kw``: what its source can spare for them. ``reserves``: by car.
    """

    condition: GridCondition = "present"
    before: Literal["present", "absent"] = "present"
    returned_unix_us: int | None = None
    return_kw: float | None = None
    source_car_id: str | None = None
    may_charge: frozenset[str] = frozenset()
    island_kw: float = 0.0
    reserves: Mapping[str, OutageReserve] = field(default_factory=dict)

    @property
    def is_island(self) -> bool:
        """Whether the house is carried by something else than the grid, as far as is known."""
        return self.condition == "absent" or (
            self.condition == "unknown" and self.before == "absent"
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """All chargers of the site that it was told of, the meters' last readings, and what carries the house."""

    chargers: tuple[ChargerSeen, ...] = ()
    reading: SiteReading = field(default_factory=SiteReading)
    grid: GridSeen = field(default_factory=GridSeen)

    def charger(self, charger_id: str, evse_id: int) -> ChargerSeen | None:
        """A connection point; None where it was never heard of."""
        for seen in self.chargers:
            if seen.charger_id == charger_id and seen.evse_id == evse_id:
                return seen
        return None


def seen(state: ChargerState, evse_id: int) -> ChargerSeen:
    """A connection point of a charger as its state knows it."""
    evse = state.evses.get(evse_id)
    if evse is None:
        return ChargerSeen(state.charger_id, evse_id, state.connected, plugged_in=False)
    transaction = state.open_transaction(evse_id)
    reading, believed = evse.reading, evse.believed
    limits = list(evse.external_limits_kw.values())
    whole = state.evses.get(0)
    if whole is not None and evse_id != 0:
        limits += whole.external_limits_kw.values()
    return ChargerSeen(
        charger_id=state.charger_id,
        evse_id=evse_id,
        connected=state.connected,
        plugged_in=bool(evse.car_connected) or transaction is not None,
        transaction_id=None if transaction is None else transaction.transaction_id,
        started_unix_us=None if transaction is None else transaction.started_unix_us,
        soc=None if believed is None else believed.soc,
        soc_unix_us=None if believed is None else believed.measured_unix_us,
        moved_since_soc_kwh=_moved_since_soc(evse),
        power_kw=None if reading is None else reading.power_kw,
        power_unix_us=evse.reading_received_unix_us,
        import_kwh=None if reading is None else reading.energy_import_kwh,
        export_kwh=None if reading is None else reading.energy_export_kwh,
        rung=evse.rung,
        rung_highest=evse.rung_highest,
        needs=evse.needs,
        limit_kw=min(limits) if limits else None,
        faulted=evse.availability == "faulted",
    )


def _moved_since_soc(evse: EvseState) -> float | None:
    reading, believed = evse.reading, evse.believed
    if reading is None or believed is None or believed.moved_kwh is None:
        return None
    import_kwh, export_kwh = reading.energy_import_kwh, reading.energy_export_kwh
    if import_kwh is None and export_kwh is None:
        return None
    return (import_kwh or 0.0) - (export_kwh or 0.0) - believed.moved_kwh
