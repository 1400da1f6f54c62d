"""What the site leaves to its cars: limits that they share, each with what is used of it.

One `Room` for charging, one for discharging. A limit counts kW or, for a phase, amperes; a car takes a fixed amount
of each per kW. In both rooms what flows the other way counts as nothing: a car that discharges may leave at any time,
and so may one that charges.

Each limit is kept in two ways. ``used`` counts what the cars judged so far will do: it bounds every power, and so
brings a sum that is too high down at once. ``held`` counts what every car may still do on its way there: a rise waits
until that room is really free.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from parkwatt.site.guard.facts import CarFacts, Circuit, SiteFacts
from parkwatt.site.guard.known import positive
from parkwatt.site.guard.words import kw

_W_PER_KW = 1000.0
_FUSE_VOLTAGE_V = 230.0
_HALF = 0.5
_ISLAND_BARS = "the grid is gone, and no car charges from the island unless it is asked to"
_ISLAND_FOLLOWS = "the grid is gone: the island's source follows the house by itself"


@dataclass(slots=True)
class Limit:
    """One limit: ``most`` in kW or A; ``reason``: why, for a driver."""

    rule: str
    most: float
    reason: str
    used: float = 0.0
    held: float = 0.0


@dataclass(slots=True)
class Share:
    """A car's part in a limit: ``per_kw`` of it for each kW."""

    limit: Limit
    per_kw: float


@dataclass(slots=True)
class Room:
    """The limits of one direction, and each car's shares in them."""

    limits: list[Limit] = field(default_factory=list)
    shares: dict[str, list[Share]] = field(default_factory=dict)

    def count(self, key: str, stuck_kw: float, held_kw: float) -> None:
        """Note what a car does whatever it is told, and what it may still do. Magnitudes."""
        for share in self.shares[key]:
            share.limit.used += share.per_kw * stuck_kw
            share.limit.held += share.per_kw * held_kw

    def left_kw(self, key: str, stuck_kw: float) -> tuple[float, Limit | None]:
        """What the others leave to a car, and the limit that says so; None: none does."""
        left, binding = math.inf, None
        for share in self.shares[key]:
            limit = share.limit
            free = (limit.most - limit.used) / share.per_kw + stuck_kw
            if free < left:
                left, binding = free, limit
        return max(left, 0.0), binding

    def free_kw(self, key: str, held_kw: float) -> float:
        """What is free even while the others still do what they did."""
        left = math.inf
        for share in self.shares[key]:
            limit = share.limit
            left = min(left, (limit.most - limit.held) / share.per_kw + held_kw)
        return max(left, 0.0)

    def take(
        self, key: str, stuck_kw: float, held_kw: float, aim_kw: float, next_kw: float
    ) -> None:
        """Note what a car will do: ``aim_kw``, and ``next_kw`` on the way there. Magnitudes."""
        more_used, more_held = max(aim_kw - stuck_kw, 0.0), max(next_kw - held_kw, 0.0)
        for share in self.shares[key]:
            share.limit.used += share.per_kw * more_used
            share.limit.held += share.per_kw * more_held


def charging_room(site: SiteFacts, cars: dict[str, CarFacts]) -> Room:
    """Room to charge: the connection's import, the fuse of each phase, the circuits."""
    room = Room(shares={key: [] for key in cars})
    if site.is_island:
        _add_island(room, site, cars)
    _add_return(room, site, cars)
    if site.import_limit_kw is not None:
        _add(room, _import_limit(site, site.import_limit_kw), cars)
    if site.fuse_a is not None:
        _add_phases(room, site, site.fuse_a, cars, sign=1)
    _add_circuits(room, site.circuits, cars)
    return room


def discharging_room(site: SiteFacts, cars: dict[str, CarFacts]) -> Room:
    """Room to discharge: what the house uses for cars that may not feed in, the export limit, phases, circuits."""
    room = Room(shares={key: [] for key in cars})
    base_kw = site.base_kw
    if site.is_island:
        _add(room, Limit("grid", 0.0, _ISLAND_FOLLOWS), cars)
    elif site.grid == "unknown":
        _add(room, Limit("grid", 0.0, "nothing tells whether the grid is there"), cars)
    _add_return(room, site, cars)
    if site.interconnection == "backup_only":
        reason = "this connection is for backup only: no set-point makes it discharge"
        _add(room, Limit("interconnection", 0.0, reason), cars)
    elif base_kw is None:
        reason = "no fresh meter tells what the house uses"
        _add(room, Limit("stale", 0.0, reason), cars)
    else:
        _add(
            room,
            _house_limit(base_kw),
            [key for key, car in cars.items() if not may_feed_in(site, car)],
        )
        if site.export_limit_kw is not None:
            most_kw = positive(site.export_limit_kw + base_kw)
            reason = f"at most {kw(site.export_limit_kw)} may be fed in"
            _add(room, Limit("export", most_kw, reason), cars)
    if site.fuse_a is not None:
        _add_phases(room, site, site.fuse_a, cars, sign=-1)
    _add_circuits(room, site.circuits, cars)
    return room


def _add_island(room: Room, site: SiteFacts, cars: dict[str, CarFacts]) -> None:
    """Without the grid a car is charged only where somebody asked for it, with what the island's source can spare."""
    asked = [key for key, car in cars.items() if car.island_charge and not car.forms_island]
    others = [key for key in cars if key not in asked]
    _add(room, Limit("grid", 0.0, _ISLAND_BARS), others)
    if asked:
        most_kw = positive(site.island_kw)
        _add(room, Limit("island", most_kw, f"the island's source can spare {kw(most_kw)}"), asked)


def _add_return(room: Room, site: SiteFacts, cars: dict[str, CarFacts]) -> None:
    if site.return_kw is not None:
        most_kw = positive(site.return_kw)
        reason = f"the grid has just come back: {kw(most_kw)} by now, and more little by little"
        _add(room, Limit("return", most_kw, reason), cars)


def may_feed_in(site: SiteFacts, car: CarFacts) -> bool:
    """Whether what the car gives may leave the site."""
    return site.interconnection == "export" and car.may_export


def _house_limit(base_kw: float) -> Limit:
    house = f"the house uses {kw(base_kw)}" if base_kw > 0 else "the sun covers the house"
    return Limit("interconnection", positive(base_kw), f"{house} and nothing may be fed in")


def _import_limit(site: SiteFacts, limit_kw: float) -> Limit:
    if site.base_kw is not None:
        most_kw = limit_kw - site.base_kw
        reason = f"the connection allows {kw(limit_kw)} and the house uses {kw(site.base_kw)}"
    elif site.base_kw_highest > 0:
        most_kw = limit_kw - site.base_kw_highest
        reason = (
            f"the connection allows {kw(limit_kw)}, no fresh meter tells what the house uses, "
            f"and it was up to {kw(site.base_kw_highest)} lately"
        )
    else:
        most_kw = limit_kw * _HALF
        reason = (
            f"nothing tells what the house uses, so half of the connection's {kw(limit_kw)} counts"
        )
    return Limit("import", positive(most_kw), reason)


def _add(room: Room, limit: Limit, keys: Iterable[str], per_kw: float = 1.0) -> None:
    room.limits.append(limit)
    for key in keys:
        room.shares[key].append(Share(limit, per_kw))


def _add_phases(
    room: Room, site: SiteFacts, fuse_a: float, cars: dict[str, CarFacts], *, sign: int
) -> None:
    count = max([site.phase_count, *(max(car.phases, default=0) + 1 for car in cars.values())])
    for phase in range(count):
        used_a = _phase_base_a(site, phase, count)
        if used_a is None:
            most_a = min(fuse_a * _HALF, fuse_a - max(sign * _even_a(site, count), 0.0))
            reason = f"nothing tells the current of phase {phase + 1}, so half of its {fuse_a:.0f} A counts"
        else:
            most_a = fuse_a - sign * used_a
            reason = f"phase {phase + 1} allows {fuse_a:.0f} A and {abs(used_a):.1f} A flow without the cars"
        limit = Limit("phase", positive(most_a), reason)
        room.limits.append(limit)
        for key, car in cars.items():
            if phase in car.phases:
                per_kw = _W_PER_KW / (max(car.voltage_v, 1.0) * len(car.phases))
                room.shares[key].append(Share(limit, per_kw))


def _phase_base_a(site: SiteFacts, phase: int, count: int) -> float | None:
    told = site.phase_base_a
    if told is not None and phase < len(told):
        return told[phase]
    if count == 1 and site.base_kw is not None:
        return site.base_kw * _W_PER_KW / _FUSE_VOLTAGE_V
    return None


def _even_a(site: SiteFacts, count: int) -> float:
    base_kw = site.base_kw_highest if site.base_kw is None else site.base_kw
    return base_kw * _W_PER_KW / (_FUSE_VOLTAGE_V * count)


def _add_circuits(room: Room, circuits: tuple[Circuit, ...], cars: dict[str, CarFacts]) -> None:
    for circuit in circuits:
        keys = [key for key, car in cars.items() if car.circuit == circuit.name]
        if keys:
            reason = f"the circuit {circuit.name} allows {kw(circuit.import_limit_kw)}"
            _add(room, Limit("circuit", positive(circuit.import_limit_kw), reason), keys)
