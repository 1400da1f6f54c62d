"""What notices are made of: cars, the outage, the generator and the journal as they are now. None is unknown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CarNow:
    """One car. ``linked``: its charger has a link; ``soc``: in its battery, as far as is known, also while it is away.

    ``departs_unix_s``, ``asked_soc``: of the next departure. ``ready``: whether it will be ready for it, with
    ``expected_soc`` then and enough at ``ready_unix_s``. ``charge_h``: how long full power takes for what is missing.
    """

    car_id: str
    charger_id: str
    linked: bool
    plugged_in: bool
    faulted: bool = False
    soc: float | None = None
    departs_unix_s: int | None = None
    asked_soc: float | None = None
    ready: bool | None = None
    expected_soc: float | None = None
    ready_unix_s: int | None = None
    charge_h: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageNow:
    """A home with a backup. ``since_unix_s``: of the outage that runs, None: the grid is there (or a test runs).

    ``carried``: the island's source feeds the home; ``phase``: what it does now, in words. ``hours_*``: how long it lasts.
    ``medical``: each medical circuit's name, and whether it is on. ``generator``: why it did not start, "" where it did.
    """

    since_unix_s: int | None = None
    carried: bool = False
    phase: str = ""
    hours_p10: float | None = None
    hours_p50: float | None = None
    hours_p90: float | None = None
    medical: tuple[tuple[str, bool | None], ...] = ()
    generator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it at one moment. ``outage``: None for a home without a backup. ``journal``: why nothing can be written."""

    cars: tuple[CarNow, ...] = ()
    outage: OutageNow | None = None
    journal: str = ""
