"""Routes about a home's backup: what it does now, and what a person decides on it.

They need a site whose file has a [backup]; others answer 409. What is decided is answered once it is in the journal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.backup_trade_off import (
    TradeOffView,
    consumption_kwh_per_km,
    trade_off_view,
)
from parkwatt.app.api.backup_views import BackupView, backup_view
from parkwatt.app.api.callers import OriginGiven, needs
from parkwatt.app.api.live_backup import BackupSnapshot, LiveBackup
from parkwatt.app.api.site_routes import NOT_RUN, LiveGiven
from parkwatt.domain.home.event import (
    Choice,
    CircuitChosen,
    HomeEvent,
    IslandChargeAsked,
    IslandTestAsked,
    MobilityAsked,
    OutageAnnounced,
    OutageKind,
)
from parkwatt.domain.record import Faults
from parkwatt.home.island_source import energy_kwh_for
from parkwatt.home.observation import HomeCar

router = APIRouter(prefix="/v1/backup", tags=["backup"], responses=NOT_RUN)

_NO_BACKUP: Final = "this site has no backup: its file has no [backup]"
_DECIDES: Final = [needs("backup")]
_US: Final = 1_000_000
_AHEAD_S: Final = 30 * 86_400


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CircuitChoice(_Asked):
    """What a person decides on a circuit; it holds until the outage is over, or until a time."""

    choice: Choice
    until: datetime | None = None


class MobilityRequest(_Asked):
    """What the driver needs in an outage by a time: energy in the car's battery, or a distance. null takes it back."""

    energy_kwh: float | None = Field(None, gt=0.0, le=1000.0)
    distance_km: float | None = Field(
        None, gt=0.0, le=2000.0, description="beyond what stays in the battery anyway"
    )
    ready_at: datetime | None = None


class IslandChargeRequest(_Asked):
    """Whether a car may charge from the island."""

    allowed: bool


class OutageRequest(_Asked):
    """An outage that is planned, or that a storm may bring. It replaces the one with its id."""

    outage: OutageKind
    start: datetime
    end: datetime
    probability: float | None = Field(None, ge=0.0, le=1.0)
    text: str = Field("", max_length=1000)


class TestRequest(_Asked):
    """An off-grid test."""

    duration_s: int = Field(ge=10)
    start: datetime | None = Field(None, description="null: now")


class IslandRequest(_Asked):
    """What a person asks of the gateway, as far as it is safe, for the next ten minutes."""

    ask: Literal["none", "island", "grid"]


def running_backup(live: LiveGiven) -> LiveBackup:
    """The home's backup. Raises HTTPException where there is none."""
    if live.backup is None:
        raise HTTPException(409, _NO_BACKUP)
    return live.backup


BackupGiven = Annotated[LiveBackup, Depends(running_backup)]


async def _told(backup: LiveBackup, event: HomeEvent) -> BackupView:
    await backup.tell(event)
    return backup_view(backup.snapshot())


@router.get("")
async def show_backup(backup: BackupGiven) -> BackupView:
    """The backup now."""
    return backup_view(backup.snapshot())


@router.put("/circuits/{circuit_id}/choice", dependencies=_DECIDES)
async def choose_circuit(
    backup: BackupGiven, origin: OriginGiven, circuit_id: str, choice: CircuitChoice
) -> BackupView:
    """Decide on a circuit: keep it on, keep it off, or leave it to Parkwatt."""
    snapshot = backup.snapshot()
    circuit = snapshot.controller.settings.circuit(circuit_id)
    if circuit is None:
        raise HTTPException(404, f"this home has no circuit {circuit_id!r}")
    faults = Faults()
    if circuit.medical and choice.choice == "keep_off":
        faults.add("choice", "must not be keep_off for a medical circuit", choice.choice)
    until_unix_s = None if choice.until is None else _unix_s("until", choice.until, faults)
    now_unix_s = snapshot.now_unix_us // _US
    if until_unix_s and not now_unix_s < until_unix_s <= now_unix_s + _AHEAD_S:
        faults.add("until", "must be in the next 30 days", str(choice.until))
    faults.raise_if_any()
    return await _told(backup, CircuitChosen(circuit_id, choice.choice, origin, until_unix_s))


@router.put("/mobility/{car_id}", dependencies=_DECIDES)
async def ask_mobility(
    live: LiveGiven, backup: BackupGiven, origin: OriginGiven, car_id: str, wish: MobilityRequest
) -> BackupView:
    """Say what the driver needs in an outage, or take it back."""
    snapshot, faults = backup.snapshot(), Faults()
    car = _check_car(snapshot, car_id)
    energy_kwh = wish.energy_kwh
    if wish.distance_km is not None:
        if energy_kwh is not None:
            faults.add("distance_km", "must be left out with energy_kwh", wish.distance_km)
        consumption = consumption_kwh_per_km(live.snapshot().settings, car_id)
        settings = snapshot.controller.settings
        energy_kwh = energy_kwh_for(settings, car, wish.distance_km, consumption)
    ready_unix_s = None if wish.ready_at is None else _unix_s("ready_at", wish.ready_at, faults)
    if energy_kwh is not None and ready_unix_s is None:
        faults.add("ready_at", "is required with energy_kwh or distance_km", None)
    elif ready_unix_s is not None and not faults.found and wish.ready_at is not None:
        now_unix_s = snapshot.now_unix_us // _US
        if not now_unix_s < ready_unix_s <= now_unix_s + _AHEAD_S:
            faults.add("ready_at", "must be in the next 30 days", wish.ready_at.isoformat())
    faults.raise_if_any()
    return await _told(backup, MobilityAsked(car_id, energy_kwh, ready_unix_s, origin))


@router.put("/cars/{car_id}/island-charge", dependencies=_DECIDES)
async def ask_island_charge(
    backup: BackupGiven, origin: OriginGiven, car_id: str, wish: IslandChargeRequest
) -> BackupView:
    """Let a car charge from the island in this outage, or not."""
    _check_car(backup.snapshot(), car_id)
    if car_id == backup.snapshot().controller.settings.source_car_id and wish.allowed:
        faults = Faults()
        faults.add("allowed", "must be false for the car that carries the house", True)
        faults.raise_if_any()
    return await _told(backup, IslandChargeAsked(car_id, wish.allowed, origin))


@router.put("/outages/{announcement_id}", dependencies=_DECIDES)
async def announce_outage(
    backup: BackupGiven, origin: OriginGiven, announcement_id: str, outage: OutageRequest
) -> BackupView:
    """Announce an outage: energy is held back for it, and charged before."""
    faults = Faults()
    start_unix_s = _unix_s("start", outage.start, faults)
    end_unix_s = _unix_s("end", outage.end, faults)
    now_unix_s = backup.snapshot().now_unix_us // _US
    if not faults.found and end_unix_s <= start_unix_s:
        faults.add("end", "must be after start", outage.end.isoformat())
    if not faults.found and not now_unix_s < end_unix_s <= now_unix_s + _AHEAD_S:
        faults.add("end", "must be in the next 30 days", outage.end.isoformat())
    faults.raise_if_any()
    event = OutageAnnounced(
        announcement_id=announcement_id,
        outage=outage.outage,
        start_unix_s=start_unix_s,
        end_unix_s=end_unix_s,
        origin=origin,
        probability=outage.probability,
        text=outage.text,
    )
    return await _told(backup, event)


@router.delete("/outages/{announcement_id}", dependencies=_DECIDES)
async def withdraw_outage(
    backup: BackupGiven, origin: OriginGiven, announcement_id: str
) -> BackupView:
    """Call an outage off."""
    known = backup.snapshot().controller.state.announced.announcements
    if all(one.announcement_id != announcement_id for one in known):
        raise HTTPException(404, f"no outage {announcement_id!r} is announced")
    found = next(one for one in known if one.announcement_id == announcement_id)
    event = OutageAnnounced(
        announcement_id=announcement_id,
        outage=found.outage,
        start_unix_s=found.start_unix_s,
        end_unix_s=found.end_unix_s,
        origin=origin,
        withdrawn=True,
    )
    return await _told(backup, event)


@router.put("/test", dependencies=_DECIDES)
async def ask_test(backup: BackupGiven, origin: OriginGiven, test: TestRequest) -> BackupView:
    """Leave the grid for some minutes to see whether the backup works. It ends by itself."""
    snapshot, faults = backup.snapshot(), Faults()
    most_s = snapshot.controller.settings.test_s_max
    if test.duration_s > most_s:
        faults.add("duration_s", f"must be at most {most_s} (test_minutes_max)", test.duration_s)
    now_unix_s = snapshot.now_unix_us // _US
    start_unix_s = now_unix_s if test.start is None else _unix_s("start", test.start, faults)
    if not faults.found and not now_unix_s - 60 <= start_unix_s <= now_unix_s + _AHEAD_S:
        faults.add("start", "must be in the next 30 days", str(test.start))
    faults.raise_if_any()
    return await _told(backup, IslandTestAsked(start_unix_s, test.duration_s, origin))


@router.delete("/test", dependencies=_DECIDES)
async def end_test(backup: BackupGiven, origin: OriginGiven) -> BackupView:
    """End the off-grid test, or call it off."""
    return await _told(backup, IslandTestAsked(None, 0, origin))


@router.post("/ask", dependencies=_DECIDES)
async def ask_gateway(backup: BackupGiven, asked: IslandRequest) -> BackupView:
    """Ask for the island or the grid by hand. What is not safe is refused, and the journal says why."""
    backup.ask(asked.ask)
    return backup_view(backup.snapshot())


@router.get("/trade-off")
async def show_trade_off(live: LiveGiven, backup: BackupGiven) -> TradeOffView:
    """Driving against the house: the hours for each distance that the car could be kept ready for."""
    return await trade_off_view(live.snapshot(), backup.snapshot())


def _check_car(snapshot: BackupSnapshot, car_id: str) -> HomeCar:
    car = snapshot.controller.observation.car(car_id)
    if car is None:
        raise HTTPException(404, f"this site has no car {car_id!r}")
    return car


def _unix_s(field: str, time: datetime, faults: Faults) -> int:
    if time.tzinfo is None:
        faults.add(field, "must name its zone, as in 2026-11-22T07:30+01:00", time.isoformat())
        return 0
    return int(time.timestamp())
