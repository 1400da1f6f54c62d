"""A home's backup as the API shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.views import moment
from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.home.event import Choice, GridCondition, IslandPhase, OutageKind
from parkwatt.home.controller import HomeController
from parkwatt.home.island.table import PHASES

_US = 1_000_000


class MoveView(BaseModel):
    """A phase that was entered."""

    at: datetime
    phase: str
    because: str
    reason: str


class CircuitView(BaseModel):
    """A circuit now; null is unknown."""

    circuit_id: str
    name: str
    tier: Tier
    medical: bool
    switchable: bool
    on: bool | None
    power_kw: float | None
    choice: Choice


class AnnouncementView(BaseModel):
    """An outage that was announced."""

    announcement_id: str
    outage: OutageKind
    start: datetime
    end: datetime
    origin: str
    probability: float | None
    text: str


class MobilityView(BaseModel):
    """What a driver needs in an outage."""

    car_id: str
    energy_kwh: float
    ready_at: datetime | None


class TestView(BaseModel):
    """The off-grid test that was asked for."""

    start: datetime
    end: datetime


class BackupView(BaseModel):
    """A home's backup now."""

    at: datetime
    phase: IslandPhase
    words: str = Field(description="what the phase means")
    since: datetime | None
    reason: str = Field(description="why this phase was entered, with what was read then")
    grid: GridCondition
    islanded: bool = Field(description="the grid does not carry the house")
    testing: bool
    outage_since: datetime | None
    grid_qualified: bool | None = Field(description="whether the grid is good enough to return to")
    grid_qualified_in_s: float | None
    source: str = Field(description="what carries the house in an outage: a car, or battery")
    source_ready: bool
    source_energy_kwh: float | None
    source_floor_kwh: float | None
    preparation: str = Field(
        description="what is held back for an announced outage, and why; empty: nothing"
    )
    circuits: list[CircuitView]
    announcements: list[AnnouncementView]
    mobility: list[MobilityView]
    island_charge: list[str] = Field(
        description="cars that a person asked to be charged from the island"
    )
    test: TestView | None
    moves: list[MoveView] = Field(description="the last phases, oldest first")
    alarms: list[str]


def backup_view(snapshot: BackupSnapshot) -> BackupView:
    """The backup as the API shows it."""
    controller, now_unix_us = snapshot.controller, snapshot.now_unix_us
    state, island = controller.state, controller.state.island
    energy_kwh, floor_kwh = _source(controller)
    qualification, preparation = controller.qualification, controller.preparation
    return BackupView(
        at=moment(now_unix_us),
        phase=island.phase,
        words=PHASES[island.phase],
        since=moment(island.since_unix_us) if island.since_unix_us else None,
        reason=island.reason,
        grid=controller.grid.condition,
        islanded=controller.grid.is_island,
        testing=state.in_test,
        outage_since=None if state.out_since_unix_us is None else moment(state.out_since_unix_us),
        grid_qualified=None if qualification is None else qualification.qualified,
        grid_qualified_in_s=None if qualification is None else qualification.remaining_s,
        source=controller.settings.source_car_id or "battery",
        source_ready=controller.source_ready(controller.observation),
        source_energy_kwh=energy_kwh,
        source_floor_kwh=floor_kwh,
        preparation="" if preparation is None else preparation.reason,
        circuits=[_circuit(one, controller, now_unix_us) for one in controller.settings.circuits],
        announcements=[
            AnnouncementView(
                announcement_id=one.announcement_id,
                outage=one.outage,
                start=moment(one.start_unix_s * _US),
                end=moment(one.end_unix_s * _US),
                origin=one.origin,
                probability=one.probability,
                text=one.text,
            )
            for one in state.announced.announcements
        ],
        mobility=[
            MobilityView(
                car_id=one.car_id,
                energy_kwh=one.energy_kwh,
                ready_at=None if one.ready_unix_s is None else moment(one.ready_unix_s * _US),
            )
            for one in state.mobility.values()
            if one.energy_kwh is not None
        ],
        island_charge=list(state.island_charge),
        test=_test(controller),
        moves=[
            MoveView(
                at=moment(one.at_unix_us),
                phase=one.to_phase,
                because=one.because,
                reason=one.reason,
            )
            for one in state.moves
        ],
        alarms=list(snapshot.alarms),
    )


def _source(controller: HomeController) -> tuple[float | None, float | None]:
    """What is in the battery that carries the house, and what stays there."""
    settings, observation = controller.settings, controller.observation
    if settings.source_car_id is None:
        battery, soc = settings.battery, observation.battery_soc
        if battery is None:
            return None, None
        return None if soc is None else soc * battery.capacity_kwh, battery.floor_kwh
    car = observation.car(settings.source_car_id)
    if car is None:
        return None, None
    return car.energy_kwh, controller.floor_kwh(car)


def _circuit(circuit: Circuit, controller: HomeController, now_unix_us: int) -> CircuitView:
    reading = controller.observation.circuits.get(circuit.circuit_id)
    chosen = controller.state.choice(circuit.circuit_id, now_unix_us // _US)
    return CircuitView(
        circuit_id=circuit.circuit_id,
        name=circuit.name,
        tier=circuit.tier,
        medical=circuit.medical,
        switchable=circuit.switchable,
        on=None if reading is None else reading.on,
        power_kw=None if reading is None else reading.power_kw,
        choice="automatic" if chosen is None else chosen.choice,
    )


def _test(controller: HomeController) -> TestView | None:
    test = controller.state.test
    if test is None or test.start_unix_s is None:
        return None
    end_unix_s = test.start_unix_s + test.duration_s
    return TestView(start=moment(test.start_unix_s * _US), end=moment(end_unix_s * _US))
