"""Driving against the house: how long the home lasts for each of many energies that are kept in a car.

All see the same courses of load and sun, so that the hours fall steadily with what is kept, and what the next ten
kilometres cost is not the dice's. One draw and one run serve them all, which makes it fast enough to be dragged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from parkwatt.home.runtime.battery import Mobility
from parkwatt.home.runtime.hours import Hours
from parkwatt.home.runtime.request import RuntimeRequest
from parkwatt.home.runtime.supply import Supply, supplies
from parkwatt.home.runtime.variants import Variants


@dataclass(frozen=True, slots=True)
class Kept:
    """``energy_kwh`` is kept in the car's battery: so long the home lasts then."""

    energy_kwh: float
    hours: Hours


def trade_off(
    request: RuntimeRequest,
    battery_id: str,
    ready_unix_s: int,
    energies_kwh: Sequence[float],
    count: int = 200,
    seed: int = 0,
) -> tuple[Kept, ...]:
    """The hours with the circuits that are on, for each energy kept in the battery ``battery_id`` for ``ready_unix_s``.

    What ``request`` keeps itself does not count; with none of it kept for a driver ask for an energy of 0. The same for the
    same seed. Raises ValueError for a battery that the request does not have.
    """
    if not energies_kwh:
        return ()
    asked = [
        replace(
            request,
            mobility=Mobility(
                battery_id=battery_id, energy_kwh=energy_kwh, ready_unix_s=ready_unix_s
            ),
        )
        for energy_kwh in energies_kwh
    ]
    drawn = Variants.of(asked[0], count, seed)
    variants = replace(drawn, supplies=_side_by_side(asked, drawn))
    now_on = np.array([one.circuit_id not in request.off for one in request.use.circuits])
    on = np.repeat(now_on[np.newaxis], len(asked), axis=0)
    courses = variants.run(on, np.ones(len(asked), dtype=np.bool_), until_dark=True)
    return tuple(
        Kept(energy_kwh, Hours.of(lasted, reached))
        for energy_kwh, lasted, reached in zip(
            energies_kwh, courses.lasted_h, courses.reached, strict=True
        )
    )


def _side_by_side(asked: Sequence[RuntimeRequest], drawn: Variants) -> list[Supply]:
    """The supplies with what each variant keeps: [T, V, 1] in place of [T]."""
    each = [supplies(one, drawn.edges_unix_s) for one in asked]
    return [
        replace(
            same[0],
            kept_kwh=np.stack([one.kept_kwh for one in same], axis=1)[:, :, np.newaxis],
        )
        for same in zip(*each, strict=True)
    ]
