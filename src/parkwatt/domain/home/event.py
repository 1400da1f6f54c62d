"""Everything that happens to a home's backup, as it is written to the journal. The entry's subject is `SUBJECT`."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from parkwatt.domain.home.gateway import GatewayReading, TransferAction

SUBJECT: Final = "home"
SNAPSHOT: Final = "home.snapshot"

# Whether the utility's grid is there, by its voltage and frequency or the gateway's status. Never by power.
GridCondition = Literal["present", "absent", "unknown"]
IslandPhase = Literal[
    "grid",
    "outage_suspected",
    "outage_confirmed",
    "opening",
    "islanding",
    "islanded",
    "restart_wait",
    "grid_seen",
    "qualifying",
    "transferring_back",
    "fault",
    "test",
]
OutageKind = Literal["planned", "storm"]
Choice = Literal["keep_on", "keep_off", "automatic"]


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """What all events share: a tag, defaults left out."""


class IslandMoved(_Event, frozen=True, tag="island.moved"):
    """The island machine went from one phase to another. ``because``: the transition's name; ``reason``: in words, with what
    was read then.
    """

    from_phase: IslandPhase
    to_phase: IslandPhase
    because: str
    reason: str
    reading: GatewayReading | None = None


class TransferAsked(_Event, frozen=True, tag="island.asked"):
    """The gateway was asked for something. Journalled before it is sent."""

    action: TransferAction
    reason: str


class TransferRefused(_Event, frozen=True, tag="island.refused"):
    """Somebody wanted something that is not safe now, and why it was not done."""

    action: str
    reason: str


class CircuitSwitched(_Event, frozen=True, tag="circuit.switched"):
    """A circuit was told to go on or off. ``because``: the rule's short name; ``reason``: in words with numbers."""

    circuit_id: str
    on: bool
    because: str
    reason: str


class GeneratorSwitched(_Event, frozen=True, tag="generator.switched"):
    """The generator was told to run or to stop. ``because``: the rule's short name; ``reason``: in words with numbers."""

    on: bool
    because: str
    reason: str


class CircuitChosen(_Event, frozen=True, tag="circuit.chosen"):
    """A person decided on a circuit; it holds until the outage is over or ``until_unix_s``. ``origin``: who said so."""

    circuit_id: str
    choice: Choice
    origin: str
    until_unix_s: int | None = None


class CircuitHour(_Event, frozen=True, tag="circuit.hour"):
    """A circuit's energy in an hour, for learning. ``coverage``: the share of the hour that was measured. Kept for good.

    ``could_run``: whether it was on all the time: an hour in which it was shed teaches nothing about its use.
    """

    circuit_id: str
    start_unix_s: int
    energy_kwh: float
    coverage: float = 1.0
    could_run: bool = True


class OutageAnnounced(_Event, frozen=True, tag="outage.announced"):
    """An outage that may come: a planned one (public-safety shut-off, maintenance), or a storm. It replaces that with its id.

    ``probability``: that it comes, where that is told. ``withdrawn``: it is called off.
    """

    announcement_id: str
    outage: OutageKind
    start_unix_s: int
    end_unix_s: int
    origin: str
    probability: float | None = None
    withdrawn: bool = False
    text: str = ""


class MobilityAsked(_Event, frozen=True, tag="mobility.asked"):
    """What the driver needs in an outage: energy in the car's battery by a time; None takes it back."""

    car_id: str
    energy_kwh: float | None
    ready_unix_s: int | None
    origin: str


class IslandChargeAsked(_Event, frozen=True, tag="island.charge_asked"):
    """Whether a car may charge from the island (from the sun or another battery). Without it none does."""

    car_id: str
    allowed: bool
    origin: str


class IslandTestAsked(_Event, frozen=True, tag="island.test_asked"):
    """A person asks for an off-grid test of some length at a time; None ends or cancels it."""

    start_unix_s: int | None
    duration_s: int
    origin: str


class HoldsReleased(_Event, frozen=True, tag="holds.released"):
    """What Parkwatt had written into devices (holds, limits) was taken back. ``because``: why, ``what``: by device."""

    because: str
    what: tuple[str, ...]


class BackupForecast(_Event, frozen=True, tag="backup.forecast"):
    """How long the home would last, or lasts, from ``at_unix_s`` on: hours that 90, 50 and 10 % of courses reach.

    ``islanded``: in an outage, or a guess before one. ``usable_kwh``: at the home's side, after reserve and efficiency.
    """

    at_unix_s: int
    islanded: bool
    usable_kwh: float
    hours_p10: float
    hours_p50: float
    hours_p90: float


class HomeSnapshot(_Event, frozen=True, tag="home.snapshot"):
    """The state after all entries before this one. ``version``: of its format."""

    version: int
    state: msgspec.Raw


HomeEvent = (
    IslandMoved
    | TransferAsked
    | TransferRefused
    | CircuitSwitched
    | GeneratorSwitched
    | CircuitChosen
    | CircuitHour
    | OutageAnnounced
    | MobilityAsked
    | IslandChargeAsked
    | IslandTestAsked
    | HoldsReleased
    | BackupForecast
    | HomeSnapshot
)

# Every kind of entry in the journal that is an event of a home.
KINDS: Final = frozenset(str(member.__struct_config__.tag) for member in HomeEvent.__args__)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[HomeEvent] = msgspec.json.Decoder(HomeEvent)


def kind(event: HomeEvent) -> str:
    """The event's tag, the journal's ``kind``."""
    return str(event.__struct_config__.tag)


def is_telemetry(event: HomeEvent) -> bool:
    """Whether retention may thin the event."""
    return isinstance(event, BackupForecast)


def encode(event: HomeEvent) -> bytes:
    """The event as the journal's JSON."""
    return _encoder.encode(event)


def decode(payload: bytes) -> HomeEvent:
    """An event from the journal's JSON.

    Raises msgspec.ValidationError where it is none.
    """
    return _decoder.decode(payload)
