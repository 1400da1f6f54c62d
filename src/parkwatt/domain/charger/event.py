"""Everything that happens at a charger, as it is written to the journal.

Each event is a struct with a tag, its ``kind`` in the journal; the entry around it says which charger and when it was
received (``now``). Times inside are the charger's own clock, which may be wrong: both are kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.charger.rung import Rung

Availability = Literal["available", "occupied", "reserved", "unavailable", "faulted", "unknown"]
ChargingState = Literal[
    "charging", "car_connected", "suspended_by_car", "suspended_by_charger", "idle", "unknown"
]


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """What all events share: a tag, defaults left out. Events are trees: the cycle collector need not look at them."""


class Connected(_Event, frozen=True, tag="charger.connected"):
    """A socket was opened and let in. ``protocol``: the sub-protocol agreed on; ``peer``: the address it came from."""

    protocol: str
    security_profile: int
    peer: str


class Disconnected(_Event, frozen=True, tag="charger.disconnected"):
    """The socket is gone. ``reason``: in words."""

    reason: str


class Booted(_Event, frozen=True, tag="charger.booted"):
    """The charger said who it is. ``accepted``: False while it has to wait."""

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    reason: str = ""
    accepted: bool = True


class StatusChanged(_Event, frozen=True, tag="charger.status"):
    """A connector's state; ``evse_id`` 0: the charger as a whole. ``error``: in the charger's words, empty for none."""

    evse_id: int
    connector_id: int
    availability: Availability
    measured_unix_us: int | None = None
    error: str = ""
    car_connected: bool | None = None


class TokenPresented(_Event, frozen=True, tag="charger.token"):
    """Somebody asked to charge. ``energy_transfer``: what was allowed, in the protocol's names; empty: not said."""

    token: str
    token_type: str
    accepted: bool
    energy_transfer: tuple[str, ...] = ()


class TransactionReported(_Event, frozen=True, tag="transaction.reported"):
    """A transaction began, went on or ended. What a charger repeats is journalled once.

    ``seq_no``: the charger's own count, None where the protocol has none. ``phase``: of the report. ``offline``: it was
    queued while the charger had no link. ``late``: it came after a later one, or so long after it was measured that it is
    history, no state of now. ``periodic``: sent by the clock for its meter values alone. ``token``: who started it.
    ``reason``: why it ended.
    """

    transaction_id: str
    phase: Literal["started", "updated", "ended"]
    evse_id: int
    connector_id: int | None = None
    seq_no: int | None = None
    trigger: str = ""
    measured_unix_us: int | None = None
    offline: bool = False
    late: bool = False
    periodic: bool = False
    token: str = ""
    charging_state: ChargingState = "unknown"
    reason: str = ""
    readings: tuple[MeterReading, ...] = ()


class MeterRead(_Event, frozen=True, tag="meter.read"):
    """Meter values outside a transaction's own reports. ``transaction_id`` where the charger named one."""

    evse_id: int
    readings: tuple[MeterReading, ...]
    transaction_id: str | None = None


class CarNeeds(_Event, frozen=True, tag="car.needs"):
    """What the car asks for, by ISO 15118. Powers are magnitudes, in kW; energies kWh, signed as the car gave them.

    ``bidirectional``: the car and charger agreed on a transfer that can discharge.
    """

    evse_id: int
    energy_transfer: str
    bidirectional: bool
    dynamic: bool
    departure_unix_us: int | None = None
    charge_kw_max: float | None = None
    discharge_kw_max: float | None = None
    energy_target_kwh: float | None = None
    energy_min_kwh: float | None = None
    energy_max_kwh: float | None = None
    energy_capacity_kwh: float | None = None
    soc: float | None = None
    answer: str = ""


class ExternalLimit(_Event, frozen=True, tag="charger.external_limit"):
    """Somebody else limits the charger (``source``), or no longer does (``power_kw_max`` None)."""

    evse_id: int
    source: str
    power_kw_max: float | None = None


class Variable(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One setting or fact of the device model. ``component`` is empty for OCPP 1.6 keys."""

    name: str
    value: str
    component: str = ""
    component_instance: str = ""
    instance: str = ""
    evse_id: int = 0
    connector_id: int = 0
    attribute: str = "Actual"
    read_only: bool = False


class VariablesReported(_Event, frozen=True, tag="charger.variables"):
    """Settings and facts that the charger told of itself; ``unknown``: those it said it does not have, as component.name."""

    variables: tuple[Variable, ...]
    unknown: tuple[str, ...] = ()


class NoticeReceived(_Event, frozen=True, tag="charger.notice"):
    """A message that is kept as it came: firmware and log status, security events, DER alarms, streams and the like."""

    action: str
    payload: msgspec.Raw
    critical: bool = False


class DeviationSeen(_Event, frozen=True, tag="charger.deviation"):
    """The charger broke the standard and was understood all the same."""

    action: str
    field: str
    rule: str
    value: str


class CommandSent(_Event, frozen=True, tag="command.sent"):
    """A message to the charger. ``purpose``: setpoint, default, check, grid_code, commissioning, hand; ``reason``: in words.

    ``following``: a set-point for which only the meter moved, which makes it and its answer telemetry.
    """

    message_id: str
    action: str
    payload: msgspec.Raw
    purpose: str
    reason: str
    following: bool = False


class CommandAnswered(_Event, frozen=True, tag="command.answered"):
    """What the charger said to it: ``status`` in its words, ``error`` where it answered with one or not at all."""

    message_id: str
    action: str
    status: str = ""
    reason_code: str = ""
    error: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"{}")
    following: bool = False


class SetpointAsked(_Event, frozen=True, tag="setpoint.asked"):
    """A set-point was asked for; what came of it follows in `CommandSent` and `SetpointJudged`.

    The reason of one that follows the meter is left out where it is that of the one before.
    """

    command: SetPower


class SetpointReleased(_Event, frozen=True, tag="setpoint.released"):
    """The set-point ended. ``lapsed``: nobody renewed its lease."""

    evse_id: int
    reason: str
    lapsed: bool = False


class SetpointJudged(_Event, frozen=True, tag="setpoint.judged"):
    """What a check of a set-point showed. ``measured_kw``: by the meter; ``scheduled_kw``: by the composite schedule.

    ``for_good``: the charger is not driven like that again before its firmware changes, else before another transaction.
    """

    evse_id: int
    power_kw: float
    verdict: Literal["followed", "ignored", "opposed", "refused", "unseen"]
    reason: str
    rung: Rung
    measured_kw: float | None = None
    scheduled_kw: float | None = None
    for_good: bool = False


class RungChanged(_Event, frozen=True, tag="charger.rung"):
    """The charger is driven on another rung. ``highest``: what it says it can, or is still trusted with."""

    evse_id: int
    rung: Rung
    highest: Rung
    proven: bool
    reason: str


class RungForgotten(_Event, frozen=True, tag="charger.rung_forgotten"):
    """Somebody asked by hand to forget what a connection point had proved or failed to."""

    evse_id: int


class GridAlarmTold(_Event, frozen=True, tag="charger.grid_alarm"):
    """The charger says that the grid left its bounds, or (``ended``) came back into them; it is evidence and no proof.

    ``control``: the grid-code function that tells it; ``fault``: what it saw, both in the protocol's names, empty where it
    did not say. ``late``: it had waited for a link and is history.
    """

    control: str
    fault: str = ""
    ended: bool = False
    measured_unix_us: int | None = None
    late: bool = False


class EnterServiceJudged(_Event, frozen=True, tag="charger.enter_service"):
    """What became of the settings by which the charger returns to the grid. ``grid_code``: whose numbers they are.

    ``verdict``: held, it read them back; refused; differs, it accepted them and holds others or none; unseen, it accepted them
    and does not tell what it holds; cleared, they were taken out again.
    """

    grid_code: str
    verdict: Literal["held", "refused", "differs", "unseen", "cleared"]
    reason: str


class ClockTicked(_Event, frozen=True, tag="clock.ticked"):
    """Time passed and something was decided because of it: journalled only then, so that a replay decides the same."""


ChargerEvent = (
    Connected
    | Disconnected
    | Booted
    | StatusChanged
    | TokenPresented
    | TransactionReported
    | MeterRead
    | CarNeeds
    | ExternalLimit
    | VariablesReported
    | NoticeReceived
    | DeviationSeen
    | CommandSent
    | CommandAnswered
    | SetpointAsked
    | SetpointReleased
    | SetpointJudged
    | RungChanged
    | RungForgotten
    | GridAlarmTold
    | EnterServiceJudged
    | ClockTicked
)

# Every kind of entry in the journal that is an event of a charger.
KINDS = frozenset(str(member.__struct_config__.tag) for member in ChargerEvent.__args__)

_TELEMETRY = (MeterRead,)
# Notices that come by the clock: what a periodic event stream of 2.1 carries.
_STREAMS = frozenset({"NotifyPeriodicEventStream"})
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[ChargerEvent] = msgspec.json.Decoder(ChargerEvent)


def kind(event: ChargerEvent) -> str:
    """The event's tag, the journal's ``kind``."""
    return str(event.__struct_config__.tag)


def is_telemetry(event: ChargerEvent) -> bool:
    """Whether retention may thin the event: readings in the middle of things, and set-points that only follow the meter.

    Nothing that began, ended, was decided anew or was refused.
    """
    if isinstance(event, TransactionReported):
        return event.phase == "updated" and event.periodic
    if isinstance(event, NoticeReceived):
        return event.action in _STREAMS and not event.critical
    if isinstance(event, SetpointAsked):
        return event.command.following
    if isinstance(event, CommandSent):
        return event.following
    if isinstance(event, CommandAnswered):
        return event.following and not event.error and event.status in {"", "Accepted"}
    return isinstance(event, _TELEMETRY)


def encode(event: ChargerEvent) -> bytes:
    """The event as the journal's JSON."""
    return _encoder.encode(event)


def decode(payload: bytes) -> ChargerEvent:
    """An event from the journal's JSON.

    Raises msgspec.ValidationError where it is none.
    """
    return _decoder.decode(payload)
