"""What notices are made of, taken from a running site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parkwatt.app.api.live import LiveCar, LiveSite, LiveSnapshot
from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.site_views import car_view
from parkwatt.domain.home.event import IslandPhase
from parkwatt.home.controller import HomeController
from parkwatt.home.island.table import PHASES
from parkwatt.site.notices import CarNow, Facts, OutageNow

_US: Final = 1_000_000
# What a circuit's switch told longer ago than this is not known any more.
_FRESH_US: Final = 300 * _US
_CARRIED: Final[frozenset[IslandPhase]] = frozenset(
    {"islanded", "grid_seen", "qualifying", "transferring_back"}
)
GENERATOR_TROUBLE: Final = "the generator was told to start "


def facts_of(site: LiveSite, journal_alarm: str | None) -> Facts:
    """The site now. ``journal_alarm``: why nothing can be written, None where it can."""
    snapshot, backup = site.snapshot(), site.backup
    alarms: Sequence[str] = (*([journal_alarm] if journal_alarm else []), *snapshot.alarms)
    return Facts(
        cars=tuple(_car(car, snapshot) for car in snapshot.cars),
        outage=None if backup is None else _outage(backup.snapshot()),
        journal=alarms[0] if alarms else "",
    )


def _car(car: LiveCar, snapshot: LiveSnapshot) -> CarNow:
    seen, settings = car.view.seen, car.view.settings
    departure = car_view(car, snapshot).departure
    capacity_kwh, energy_kwh = settings.capacity_kwh, _energy_kwh(car)
    known = CarNow(
        car_id=car.view.car_id,
        charger_id=settings.charger_id,
        linked=seen.connected,
        plugged_in=seen.plugged_in,
        faulted=seen.faulted,
        soc=None if energy_kwh is None else energy_kwh / capacity_kwh,
    )
    if departure is None or departure.asked_kwh is None or departure.source == "outage":
        return known
    rate_kw = settings.storage.charge_kw_max * settings.storage.charge_efficiency
    missing_kwh = None if energy_kwh is None else max(departure.asked_kwh - energy_kwh, 0.0)
    return CarNow(
        car_id=known.car_id,
        charger_id=known.charger_id,
        linked=known.linked,
        plugged_in=known.plugged_in,
        faulted=known.faulted,
        soc=known.soc,
        departs_unix_s=round(departure.departs_at.timestamp()),
        asked_soc=departure.asked_soc,
        ready=departure.ready,
        expected_soc=_expected_soc(car, departure.expected_kwh),
        ready_unix_s=_ready_unix_s(car),
        charge_h=None if missing_kwh is None or rate_kw <= 0 else missing_kwh / rate_kw,
    )


def _energy_kwh(car: LiveCar) -> float | None:
    """What is in the battery; of a car that is away, what it left with."""
    if car.view.estimate is not None:
        return car.view.estimate.energy_kwh
    return None if car.view.seen.plugged_in else car.view.state.energy_kwh


def _expected_soc(car: LiveCar, expected_kwh: float | None) -> float | None:
    risk, capacity_kwh = car.view.state.risk, car.view.settings.capacity_kwh
    if risk is not None and risk.departure == car.view.departure:
        return risk.energy_kwh_possible / capacity_kwh
    return None if expected_kwh is None else expected_kwh / capacity_kwh


def _ready_unix_s(car: LiveCar) -> int | None:
    """When there will be enough for a departure that is at risk; None where it is not told."""
    risk = car.view.state.risk
    concerns = risk is not None and risk.departure == car.view.departure
    return risk.ready_unix_s if risk is not None and concerns else None


def _outage(snapshot: BackupSnapshot) -> OutageNow:
    controller = snapshot.controller
    state, runtime = controller.state, None
    if controller.forecast is not None:
        runtime = controller.forecast.runtime
    since_unix_us = state.out_since_unix_us
    return OutageNow(
        since_unix_s=None if since_unix_us is None else since_unix_us // _US,
        carried=state.island.phase in _CARRIED,
        phase=PHASES[state.island.phase],
        hours_p10=None if runtime is None else runtime.hours_p10,
        hours_p50=None if runtime is None else runtime.hours_p50,
        hours_p90=None if runtime is None else runtime.hours_p90,
        medical=_medical(controller, snapshot.now_unix_us),
        generator=next(
            (one for one in controller.troubles if one.startswith(GENERATOR_TROUBLE)), ""
        ),
    )


def _medical(controller: HomeController, now_unix_us: int) -> tuple[tuple[str, bool | None], ...]:
    found = []
    for circuit in controller.settings.circuits:
        if not circuit.medical:
            continue
        reading = controller.observation.circuits.get(circuit.circuit_id)
        fresh = reading is not None and now_unix_us - reading.measured_unix_us <= _FRESH_US
        found.append((circuit.name, reading.on if reading is not None and fresh else None))
    return tuple(found)
