"""A home's backup as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.views import moment
from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.home.event import Choice, GridCondition, IslandPhase, OutageKind
from parkwatt.domain.home.gateway import Contact
from parkwatt.home.controller import HomeController
from parkwatt.home.island.table import PHASES
from parkwatt.home.island_source import asked_for_driving
from parkwatt.home.runtime import Gain, Hours
from parkwatt.home.state import Move

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
    shed: bool = Field(description="switched off by Parkwatt")
    because: str = Field(description="the rule by which it was switched last in this outage")
    off_gains_hours: float | None = Field(
        description="by how much longer the house lasts with it off than with it on; null: not reckoned"
    )
    off_gains_at_least: bool = Field(description="it may be more: the forecast ends there")


class QuestionView(BaseModel):
    """Something that a person decides: answer with the circuit's choice."""

    circuit_id: str
    name: str
    text: str
    costs_hours: float | None = Field(
        description="how much shorter what must stay on would have power; null: not reckoned"
    )


class GatewayView(BaseModel):
    """The switch between street and house, by its own feedback; null is unknown, never open."""

    told_at: datetime
    fresh: bool
    grid_pole: Contact | None = Field(description="between street and house")
    island_source: Contact | None = Field(description="between the house and what carries it")
    disconnected: bool = Field(
        description="the contact between street and house says, freshly, that it is open"
    )
    grid_voltage_pu: list[float] | None
    grid_frequency_hz: float | None
    transfers_itself: bool = Field(
        description="it switches of its own; Parkwatt watches and refuses"
    )
    fault: str


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


class TestResultView(BaseModel):
    """What the last off-grid test came to."""

    started_at: datetime
    fed_after_s: float | None = Field(description="dark until then; null: it was never fed")
    back_at: datetime | None = Field(description="on the grid again; null: not yet")
    works: bool | None = Field(description="null: it is not over")


class GainView(BaseModel):
    """By how much longer the house lasts without a circuit."""

    circuit_id: str
    hours: float


class HoursView(BaseModel):
    """Hours that 90, 50 and 10 % of courses reach. ``at_least``: the middle course lasts to the forecast's end."""

    hours_p10: float
    hours_p50: float
    hours_p90: float
    at_least: bool


class TierView(BaseModel):
    """A tier: how long the house lasts with its circuits down to it, and what switching all of it off gains."""

    hours: HoursView
    off_gains_hours: float | None = Field(description="null: none of it is on")
    off_gains_at_least: bool


class RuntimeView(BaseModel):
    """How long the house would last, or lasts: hours that 90, 50 and 10 % of courses reach."""

    at: datetime
    usable_kwh: float = Field(description="at the home's side, after reserve and losses")
    hours_p10: float
    hours_p50: float
    hours_p90: float
    hours_by_tier: dict[Tier, float] = Field(
        description="the middle course, with circuits down to a tier"
    )
    at_least: bool = Field(description="the middle course lasts to the forecast's end")
    tiers: dict[Tier, TierView]
    gains: list[GainView]
    mobility_costs_hours: float | None
    words: list[str]


class GeneratorView(BaseModel):
    """A generator that Parkwatt starts and stops."""

    on: bool = Field(description="as it was told")
    since: datetime | None = Field(description="null: it was never told anything")
    runs: bool | None = Field(description="by its own feedback; null: not told")
    power_kw: float | None


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
    return_delay_s: float = Field(
        description="how long the grid has to be good before it is returned to"
    )
    source: str = Field(description="what carries the house in an outage: a car, or battery")
    source_ready: bool
    source_energy_kwh: float | None
    source_floor_kwh: float | None = Field(
        description="what stays in it, with what is kept for driving"
    )
    source_kept: str = Field(description="what of that is kept for driving; empty: nothing")
    preparation: str = Field(
        description="what is held back for an announced outage, and why; empty: nothing"
    )
    runtime: RuntimeView | None = Field(
        description="null: not reckoned yet, or no battery is there"
    )
    learned: list[str] = Field(description="what is known of the circuits' use, in words")
    circuits: list[CircuitView]
    generator: GeneratorView | None = Field(description="null: none that Parkwatt starts")
    questions: list[QuestionView]
    announcements: list[AnnouncementView]
    mobility: list[MobilityView]
    island_charge: list[str] = Field(
        description="cars that a person asked to be charged from the island"
    )
    gateway: GatewayView | None = Field(description="null: it told nothing yet")
    test: TestView | None
    test_s_max: int = Field(description="the longest off-grid test")
    last_test: TestResultView | None
    moves: list[MoveView] = Field(description="the last phases, oldest first")
    alarms: list[str]


def backup_view(snapshot: BackupSnapshot) -> BackupView:
    """The backup as the API shows it."""
    controller, now_unix_us = snapshot.controller, snapshot.now_unix_us
    state, island = controller.state, controller.state.island
    source = controller.source
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
        return_delay_s=controller.settings.island.grid_code.delay_s,
        source=controller.settings.source_car_id or "battery",
        source_ready=source.ready,
        source_energy_kwh=source.energy_kwh,
        source_floor_kwh=source.floor_kwh,
        source_kept=source.kept,
        preparation="" if preparation is None else preparation.reason,
        circuits=[_circuit(one, controller, now_unix_us) for one in controller.settings.circuits],
        generator=_generator(controller),
        runtime=_runtime(controller),
        learned=[] if controller.forecast is None else list(controller.forecast.use.words()),
        questions=[_question(one.circuit_id, one.text, controller) for one in controller.questions],
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
            for car_id in state.mobility
            if (one := asked_for_driving(state, car_id, now_unix_us // _US)) is not None
            and one.energy_kwh is not None
        ],
        island_charge=list(state.island_charge),
        gateway=_gateway(controller, now_unix_us),
        test=_test(controller),
        test_s_max=controller.settings.test_s_max,
        last_test=last_test(state.moves),
        moves=[
            MoveView(
                at=moment(one.at_unix_us),
                phase=one.to_phase,
                because=one.because,
                reason=one.reason,
            )
            for one in state.moves
        ],
        alarms=[*snapshot.alarms, *controller.troubles],
    )


def _generator(controller: HomeController) -> GeneratorView | None:
    settings, state = controller.settings.generator, controller.state.generator
    if settings is None or not settings.switchable:
        return None
    reading = controller.observation.generator
    return GeneratorView(
        on=state.on,
        since=None if state.since_unix_us is None else moment(state.since_unix_us),
        runs=None if reading is None else reading.on,
        power_kw=None if reading is None else reading.power_kw,
    )


def _runtime(controller: HomeController) -> RuntimeView | None:
    found = None if controller.forecast is None else controller.forecast.runtime
    if found is None:
        return None
    return RuntimeView(
        at=moment(found.at_unix_s * _US),
        usable_kwh=found.usable_kwh,
        hours_p10=found.hours_p10,
        hours_p50=found.hours_p50,
        hours_p90=found.hours_p90,
        hours_by_tier={tier: hours.p50_h for tier, hours in found.by_tier.items()},
        at_least=found.hours.at_least,
        tiers={
            tier: _tier(hours, found.tier_gains.get(tier)) for tier, hours in found.by_tier.items()
        },
        gains=[GainView(circuit_id=one.circuit_id, hours=one.hours_p50) for one in found.gains],
        mobility_costs_hours=found.mobility_costs_hours,
        words=list(found.words),
    )


def hours_view(hours: Hours) -> HoursView:
    """A band of hours."""
    return HoursView(
        hours_p10=hours.p10_h,
        hours_p50=hours.p50_h,
        hours_p90=hours.p90_h,
        at_least=hours.at_least,
    )


def _tier(hours: Hours, gain: Gain | None) -> TierView:
    return TierView(
        hours=hours_view(hours),
        off_gains_hours=None if gain is None else gain.hours_p50,
        off_gains_at_least=gain is not None and gain.at_least,
    )


def _off_gains(circuit_id: str, controller: HomeController) -> Gain | None:
    """What a circuit that is on would gain if it were off, and one that is off would cost if it were on."""
    found = None if controller.forecast is None else controller.forecast.runtime
    if found is None:
        return None
    return next((one for one in (*found.gains, *found.costs) if one.circuit_id == circuit_id), None)


def _question(circuit_id: str, text: str, controller: HomeController) -> QuestionView:
    circuit = controller.settings.circuit(circuit_id)
    verdict = None if controller.forecast is None else controller.forecast.verdicts.get(circuit_id)
    return QuestionView(
        circuit_id=circuit_id,
        name=circuit_id if circuit is None else circuit.name,
        text=text,
        costs_hours=None if verdict is None else verdict.costs_hours,
    )


def _gateway(controller: HomeController, now_unix_us: int) -> GatewayView | None:
    reading, settings = controller.observation.gateway, controller.settings.island
    if reading is None:
        return None
    fresh = now_unix_us - reading.measured_unix_us <= settings.reading_age_s * _US
    voltage = reading.grid_voltage_pu
    return GatewayView(
        told_at=moment(reading.measured_unix_us),
        fresh=fresh,
        grid_pole=reading.grid_pole,
        island_source=reading.island_source,
        disconnected=fresh and reading.grid_pole == "open",
        grid_voltage_pu=None if voltage is None else list(voltage),
        grid_frequency_hz=reading.grid_frequency_hz,
        transfers_itself=settings.abilities.transfers_itself,
        fault=reading.fault,
    )


def last_test(moves: Sequence[Move]) -> TestResultView | None:
    """The last off-grid test among the phases that were entered; None where there was none."""
    begins = [place for place, move in enumerate(moves) if move.because == "test_asked"]
    if not begins:
        return None
    begun, after = moves[begins[-1]], moves[begins[-1] + 1 :]
    fed = next((move for move in after if move.to_phase == "test"), None)
    back = next((move for move in after if move.to_phase == "grid"), None)
    works = None if back is None else fed is not None
    fed_after_s = None if fed is None else (fed.at_unix_us - begun.at_unix_us) / _US
    return TestResultView(
        started_at=moment(begun.at_unix_us),
        fed_after_s=fed_after_s,
        back_at=None if back is None else moment(back.at_unix_us),
        works=works,
    )


def _circuit(circuit: Circuit, controller: HomeController, now_unix_us: int) -> CircuitView:
    reading = controller.observation.circuits.get(circuit.circuit_id)
    chosen = controller.state.choice(circuit.circuit_id, now_unix_us // _US)
    memory = controller.state.shedding.circuits.get(circuit.circuit_id)
    gain = _off_gains(circuit.circuit_id, controller)
    return CircuitView(
        circuit_id=circuit.circuit_id,
        name=circuit.name,
        tier=circuit.tier,
        medical=circuit.medical,
        switchable=circuit.switchable,
        on=None if reading is None else reading.on,
        power_kw=None if reading is None else reading.power_kw,
        choice="automatic" if chosen is None else chosen.choice,
        shed=memory is not None and memory.off,
        because="" if memory is None else memory.because,
        off_gains_hours=None if gain is None else gain.hours_p50,
        off_gains_at_least=gain is not None and gain.at_least,
    )


def _test(controller: HomeController) -> TestView | None:
    test = controller.state.test
    if test is None or test.start_unix_s is None:
        return None
    end_unix_s = test.start_unix_s + test.duration_s
    return TestView(start=moment(test.start_unix_s * _US), end=moment(end_unix_s * _US))
