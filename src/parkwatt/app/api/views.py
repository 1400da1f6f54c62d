"""What the API shows of a charger: pydantic models, made from the state. They are the API's contract (OpenAPI)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.charger.state import ChargerState, EvseState
from parkwatt.domain.charger.transaction import Transaction
from parkwatt.io.credentials.store import Credential


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RungView(_View):
    """How far a charger has proved to follow set-points."""

    level: int = Field(description="0 to 4, of the ladder in docs/concepts/ladder.md")
    words: str
    highest: int = Field(description="what it says it can, or is still trusted with")
    proven: bool
    reason: str


class EvseView(_View):
    """One connection point for a car."""

    evse_id: int
    availability: str
    error: str
    car_connected: bool | None
    charging_state: str
    transaction_id: str | None
    power_kw: float | None = Field(
        description="positive charges, negative discharges; null without a link, since nobody tells it"
    )
    soc: float | None = Field(
        description="fraction; null where unknown, stale or not to be believed"
    )
    energy_import_kwh: float | None = Field(description="the meter's register")
    energy_export_kwh: float | None
    read_at: datetime | None = Field(description="when the last reading came")
    rung: RungView


class EnterServiceView(_View):
    """What became of the settings by which a charger returns to the grid after an outage."""

    grid_code: str
    verdict: str = Field(description="held, refused, differs or unseen")
    reason: str


class ChargerView(_View):
    """A charger and its connection points."""

    charger_id: str
    connected: bool
    protocol: str
    security_profile: int
    peer: str
    vendor: str
    model: str
    firmware_version: str
    seen_at: datetime | None
    connected_at: datetime | None
    disconnect_reason: str
    deviation_count: int
    grid_faults: list[str] = Field(
        description="what it says is wrong with the grid now, in the protocol's words; evidence, and no proof"
    )
    enter_service: EnterServiceView | None = Field(
        description="null where none was written: no backup, or no grid-code functions in it"
    )
    evses: list[EvseView]


class MessageView(_View):
    """A frame as it passed, shortened."""

    at: datetime
    sent: bool
    frame: str


class ChargerDetails(ChargerView):
    """A charger with what it told of itself and its last messages."""

    variables: dict[str, str]
    unknown_variables: list[str]
    last_messages: list[MessageView]


class TransactionView(_View):
    """A transaction; energies are by the meter, null where it reported none."""

    charger_id: str
    transaction_id: str
    evse_id: int
    token: str
    open: bool
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    heard_start: bool
    missing_reports: int
    imported_kwh: float | None
    exported_kwh: float | None


class EntryView(_View):
    """An entry of the journal."""

    seq: int
    recorded_at: datetime
    kind: str
    subject: str
    payload: dict[str, Any] | None = Field(description="null where retention thinned it")


class FrequencyPoint(_View):
    """A point of a response to the grid's frequency; between points it is linear."""

    frequency_hz: float = Field(ge=40.0, le=70.0)
    power_kw: float = Field(
        ge=-4000.0, le=4000.0, description="added to the set-point; negative discharges"
    )


class SetpointRequest(_View):
    """Hold a power."""

    power_kw: float = Field(
        ge=-4000.0, le=4000.0, description="positive charges, negative discharges"
    )
    lease_s: int = Field(
        600,
        ge=5,
        le=86_400,
        description="then the charger charges for its driver, without discharge",
    )
    reason: str = Field("asked through the API", max_length=500)
    frequency_curve: list[FrequencyPoint] | None = Field(
        None,
        min_length=2,
        max_length=20,
        description="what the charger adds of its own, by rising frequency; needs rung 4",
    )


class CallRequest(_View):
    """A message to a charger in the words of its version."""

    action: str = Field(max_length=50)
    payload: dict[str, Any] = Field(default_factory=dict)
    timeout_s: float = Field(30.0, ge=1.0, le=300.0)


class CallAnswer(_View):
    """What the charger answered; ``error`` where it answered with one, or not at all."""

    status: str
    reason_code: str
    error: str
    description: str
    payload: dict[str, Any]


class NewCredential(_View):
    """A charger that gets a credential."""

    charger_id: str
    security_profile: int | None = Field(
        None,
        ge=1,
        le=3,
        description="1 password, 2 TLS and password, 3 TLS and certificate; null: 2 with TLS, else 1",
    )
    password: str | None = Field(None, description="16 to 40 characters; null: one is made")


class NewPassword(_View):
    """Another password."""

    password: str | None = Field(None, description="16 to 40 characters; null: one is made")


class CredentialView(_View):
    """That a charger may connect. Its password is not known, only a hash of it."""

    charger_id: str
    security_profile: int = Field(description="the least that it must reach")
    created_at: datetime


class MadeCredentialView(CredentialView):
    """A credential just made: the only time that its secrets are shown."""

    password: str | None = Field(description="null with profile 3")
    authorization_key: str | None = Field(
        description="the password for chargers of 1.6 that want 40 hexadecimal digits"
    )
    certificate: str | None = Field(description="PEM, with profile 3")
    private_key: str | None = Field(description="PEM, with profile 3")


class HealthView(_View):
    """Whether all is well; ``alarms`` in words."""

    status: str = Field(description="ok or alarm")
    alarms: list[str]
    chargers_connected: int
    journal_seq: int
    version: str


class DetailView(_View):
    """Why the answer is no."""

    detail: str


class FaultView(_View):
    """A broken rule."""

    field: str
    rule: str
    value: str | None


class FaultsView(_View):
    """All broken rules of a request; nothing was changed."""

    faults: list[FaultView]


def moment(unix_us: int) -> datetime:
    """A time, aware."""
    return datetime.fromtimestamp(unix_us / 1e6, tz=UTC)


def at(unix_us: int | None) -> datetime | None:
    """A time of the state, null where it is not known."""
    return None if not unix_us else moment(unix_us)


def evse_view(evse: EvseState, now_unix_us: int, *, connected: bool) -> EvseView:
    """A connection point. ``connected``: whether its charger has a link."""
    reading = evse.reading
    return EvseView(
        evse_id=evse.evse_id,
        availability=evse.availability,
        error=evse.error,
        car_connected=evse.car_connected,
        charging_state=evse.charging_state,
        transaction_id=evse.transaction_id,
        power_kw=None if reading is None or not connected else reading.power_kw,
        soc=evse.soc(now_unix_us),
        energy_import_kwh=None if reading is None else reading.energy_import_kwh,
        energy_export_kwh=None if reading is None else reading.energy_export_kwh,
        read_at=at(evse.reading_received_unix_us),
        rung=RungView(
            level=int(evse.rung),
            words=Rung(evse.rung).words,
            highest=int(evse.rung_highest),
            proven=evse.rung_proven,
            reason=evse.rung_reason,
        ),
    )


def _charger_fields(state: ChargerState, now_unix_us: int) -> dict[str, Any]:
    boot = state.boot
    return {
        "charger_id": state.charger_id,
        "connected": state.connected,
        "protocol": state.protocol,
        "security_profile": state.security_profile,
        "peer": state.peer,
        "vendor": boot.vendor if boot else "",
        "model": boot.model if boot else "",
        "firmware_version": boot.firmware_version if boot else "",
        "seen_at": at(state.seen_unix_us),
        "connected_at": at(state.connected_unix_us),
        "disconnect_reason": state.disconnect_reason,
        "deviation_count": state.deviation_count,
        "grid_faults": list(state.grid_faults(now_unix_us)) if state.connected else [],
        "enter_service": _enter_service(state),
        "evses": [
            evse_view(state.evses[evse_id], now_unix_us, connected=state.connected)
            for evse_id in sorted(state.evses)
            if evse_id
        ],
    }


def _enter_service(state: ChargerState) -> EnterServiceView | None:
    judged = state.enter_service
    if judged is None:
        return None
    return EnterServiceView(
        grid_code=judged.grid_code, verdict=judged.verdict, reason=judged.reason
    )


def charger_view(state: ChargerState, now_unix_us: int) -> ChargerView:
    """A charger in a list."""
    return ChargerView(**_charger_fields(state, now_unix_us))


def charger_details(
    state: ChargerState, messages: list[MessageView], now_unix_us: int
) -> ChargerDetails:
    """A charger by itself."""
    return ChargerDetails(
        **_charger_fields(state, now_unix_us),
        variables=dict(sorted(state.variables.items())),
        unknown_variables=sorted(state.unknown_variables),
        last_messages=messages,
    )


def transaction_view(charger_id: str, transaction: Transaction) -> TransactionView:
    """A transaction."""
    return TransactionView(
        charger_id=charger_id,
        transaction_id=transaction.transaction_id,
        evse_id=transaction.evse_id,
        token=transaction.token,
        open=transaction.open,
        started_at=at(transaction.started_unix_us),
        ended_at=at(transaction.ended_unix_us),
        end_reason=transaction.end_reason,
        heard_start=transaction.heard_start,
        missing_reports=transaction.seen.missing_count,
        imported_kwh=transaction.imported_kwh,
        exported_kwh=transaction.exported_kwh,
    )


def credential_view(credential: Credential) -> CredentialView:
    """A credential, without its hash."""
    return CredentialView(
        charger_id=credential.charger_id,
        security_profile=credential.security_profile,
        created_at=moment(credential.created_unix_us),
    )
