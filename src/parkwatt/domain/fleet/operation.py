"""Everything that happens to a pool as a whole, as it is written to the journal beside its chargers' own events.

The entry's subject is `SUBJECT`. `PoolState` is their fold: the same events give the same state, live and after a restart.
"""

from __future__ import annotations

from typing import Final

import msgspec

SUBJECT: Final = "pool"


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """What all events share: a tag, defaults left out."""


class PoolStarted(_Event, frozen=True, tag="pool.started"):
    """The program began to run the pool, also after a crash. ``members``: how many cars it may have."""

    version: str
    members: int


class TargetAsked(_Event, frozen=True, tag="pool.target.asked"):
    """Somebody asks the pool for a power from ``from_unix_us`` until ``until_unix_us``.

    ``power_kw``: what its meter is to show (below 0: into the grid), or ``change_kw``: by how much it is to leave its plan; one
    of both. ``origin``: who asks; ``reason``: in their words. Of several the one that was asked for last counts.
    """

    target_id: str
    from_unix_us: int
    until_unix_us: int
    origin: str
    power_kw: float | None = None
    change_kw: float | None = None
    reason: str = ""


class TargetCancelled(_Event, frozen=True, tag="pool.target.cancelled"):
    """A target that was asked for holds no longer."""

    target_id: str
    origin: str


class Admitted(_Event, frozen=True, tag="pool.admitted"):
    """The gate let a wish pass in another way than before: by other rules, or for another target.

    ``wanted_kw``, ``deviation_kw``: from the plan; ``rules``: what changed it (`parkwatt.fleet.guard.admission`).
    """

    target_id: str
    wanted_kw: float
    deviation_kw: float
    rules: tuple[str, ...] = ()
    reason: str = ""


class Ordered(_Event, frozen=True, tag="pool.ordered"):
    """Set-points left, signed: number ``seq``, for ``told`` cars. ``root``: of the hash tree over them, as hex."""

    seq: int
    target_kw: float | None
    expected_kw: float
    missing_kw: float
    told: int
    root: str


class OrderRefused(_Event, frozen=True, tag="pool.order.refused"):
    """A gateway did not take an order."""

    seq: int
    part: int
    rule: str
    reason: str


class PoolMinute(_Event, frozen=True, tag="pool.minute"):
    """Means of the minute that ended. ``power_kw``: by the chargers' meters; ``planned_kw``: without a target; ``target_kw``:
    of the seconds that had one, None: there was none. ``cars``: plugged in; ``linked``: of these, that could be told something.
    ``up_kw``, ``down_kw``: how far above and below its plan it could have gone; ``energy_kwh``, ``capacity_kwh``: of the
    batteries whose charge was known.
    """

    power_kw: float
    planned_kw: float
    target_kw: float | None
    cars: int
    linked: int
    up_kw: float = 0.0
    down_kw: float = 0.0
    energy_kwh: float = 0.0
    capacity_kwh: float = 0.0


class GridEventTold(_Event, frozen=True, tag="pool.grid_event"):
    """What became of an event of the grid's operator: `new`, `changed`, `cancelled` or `refused`, with the reason.

    ``program``: whose; ``signals``: what it asks for, in words.
    """

    event_id: str
    program: str
    what: str
    name: str = ""
    signals: str = ""
    reason: str = ""


class GridLink(_Event, frozen=True, tag="pool.grid_link"):
    """The operator's server was lost (what it asked holds no more), or found again."""

    lost: bool
    reason: str = ""


class PoolStopped(_Event, frozen=True, tag="pool.stopped"):
    """Somebody stopped the pool: it goes back to its plan, and no target passes."""

    person: str
    reason: str = ""


class LimitsSet(_Event, frozen=True, tag="pool.limits"):
    """Limits of the pool from now on, by name (kW, kW/s, s). ``person``: who set them; ``approved_by``: who agreed to
    raising.
    """

    limits: dict[str, float]
    person: str
    approved_by: str = ""
    proposal_id: int = 0


class ChangeProposed(_Event, frozen=True, tag="pool.proposed"):
    """A change that a second person has to agree to. ``limits``: None: they stay. ``resumes``: it ends a stop."""

    proposal_id: int
    person: str
    reason: str
    limits: dict[str, float] | None = None
    resumes: bool = False


class PoolResumed(_Event, frozen=True, tag="pool.resumed"):
    """A stop ended: one proposed it, another agreed."""

    proposal_id: int
    person: str
    approved_by: str


PoolEvent = (
    PoolStarted
    | TargetAsked
    | TargetCancelled
    | Admitted
    | Ordered
    | OrderRefused
    | PoolMinute
    | GridEventTold
    | GridLink
    | PoolStopped
    | LimitsSet
    | ChangeProposed
    | PoolResumed
)
KINDS: Final = frozenset(str(member.__struct_config__.tag) for member in PoolEvent.__args__)
_TELEMETRY: Final = (Ordered, PoolMinute)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(PoolEvent)


def kind(event: PoolEvent) -> str:
    """The event's tag."""
    return str(event.__struct_config__.tag)


def is_telemetry(event: PoolEvent) -> bool:
    """Whether retention may thin it."""
    return isinstance(event, _TELEMETRY)


def encode(event: PoolEvent) -> bytes:
    """An event as JSON."""
    return _encoder.encode(event)


def decode(payload: bytes) -> PoolEvent:
    """An event from the journal's JSON. Raises msgspec.ValidationError where it is none."""
    event: PoolEvent = _decoder.decode(payload)
    return event
