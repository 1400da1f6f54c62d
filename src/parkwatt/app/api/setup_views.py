"""What the API shows and takes while a site is set up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.views import FaultView, moment
from parkwatt.app.set_up.catalogue import CatalogueCar, catalogue
from parkwatt.app.set_up.draft import Charger, Draft, Step, usual_kwh
from parkwatt.app.set_up.preview import Preview
from parkwatt.app.set_up.set_up import SetUp
from parkwatt.app.set_up.zones import zones
from parkwatt.app.tried_chargers import TriedCharger

_US = 1_000_000
_PERSONS = 6


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TriedChargerView(_View):
    """A charger that tried to connect."""

    charger_id: str
    peer: str
    reason: str
    tries: int
    seen_at: datetime


class SetUpView(_View):
    """Where the set-up stands."""

    finished: bool = Field(description="the file is written; the site begins")
    site_file: str
    draft: Draft
    at: datetime
    charger_url: str = Field(description="what to type into a charger, its identity behind it")
    charger_trouble: str | None = Field(description="why chargers cannot be heard, null: they can")
    charger_connected: str | None = Field(description="the charger that came in with its password")
    chargers_tried: list[TriedChargerView] = Field(description="the latest first")


class CatalogueCarView(_View):
    """A car of the catalogue."""

    id: str
    name: str
    battery_kwh: float
    ac_kw: float
    ac_phases: int
    dc_kw: float | None
    kwh_per_100_km: float | None
    v2x: str | None = Field(description="chademo, dc or ac: how it gives energy back to a house")
    sources: list[str]


class ZoneView(_View):
    """A bidding zone."""

    id: str
    name: str
    time_zone: str


class CatalogueView(_View):
    """What can be chosen from."""

    cars: list[CatalogueCarView]
    zones: list[ZoneView]
    usual_kwh_by_persons: list[float]


class DraftRequest(_View):
    """The answers so far."""

    draft: Draft


class CheckRequest(DraftRequest):
    """``step``: the one to check, null: all."""

    step: Step | None = None


class CheckView(_View):
    """``faults`` at the fields of the draft, empty where all is well; ``site_toml``: the file as it would be."""

    faults: list[FaultView]
    site_toml: str


class ChargerRequest(_View):
    """The charger that is to connect."""

    charger: Charger


class ChargerInvitedView(_View):
    """What to type into the charger. The password is shown this once."""

    charger_id: str
    url: str
    password: str | None


class LoadFileRequest(_View):
    """A household's load as CSV: one column of times, one of kWh or kW."""

    text: Annotated[str, Field(min_length=10, max_length=900_000)]


class LoadFileView(_View):
    """What a year of it would be."""

    kwh_per_year: float
    days: float
    column: str


class PreviewStepView(_View):
    """One step of the night."""

    start: datetime
    end: datetime
    import_price_per_kwh: float
    load_kw: float
    solar_kw: float
    car_kw: float
    car_soc: float


class PreviewView(_View):
    """One night of the site, with money: up to the departure, beside charging at once."""

    currency: str
    arrives_at: datetime
    departs_at: datetime
    cost: float
    cost_at_once: float
    wear: float
    saved: float = Field(description="against charging at once, wear taken off")
    start_soc: float
    target_soc: float
    example: str | None = Field(description="why the prices are an example, null: they are real")
    steps: list[PreviewStepView]
    reasons: list[str]


class FinishedView(_View):
    """The site begins in a moment, at the same addresses."""

    site_file: str


def setup_view(set_up: SetUp) -> SetUpView:
    """Where it stands."""
    return SetUpView(
        finished=set_up.finished,
        site_file=str(set_up.path),
        draft=set_up.draft,
        at=moment(set_up.now_unix_us),
        charger_url=set_up.charger_url,
        charger_trouble=set_up.listening.trouble,
        charger_connected=set_up.listening.connected,
        chargers_tried=[tried_view(one) for one in set_up.tried.latest()],
    )


def tried_view(one: TriedCharger) -> TriedChargerView:
    """A charger that was refused."""
    return TriedChargerView(
        charger_id=one.charger_id,
        peer=one.peer,
        reason=one.reason,
        tries=one.tries,
        seen_at=moment(one.seen_unix_us),
    )


def catalogue_view() -> CatalogueView:
    """All cars and zones."""
    return CatalogueView(
        cars=[_car_view(car) for car in catalogue().car],
        zones=[
            ZoneView(id=zone_id, name=zone.name, time_zone=zone.time_zone)
            for zone_id, zone in zones().items()
        ],
        usual_kwh_by_persons=[usual_kwh(persons) for persons in range(1, _PERSONS + 1)],
    )


def _car_view(car: CatalogueCar) -> CatalogueCarView:
    known = catalogue().sources
    return CatalogueCarView(
        id=car.id,
        name=car.name,
        battery_kwh=car.battery_kwh,
        ac_kw=car.ac_kw,
        ac_phases=car.ac_phases,
        dc_kw=car.dc_kw,
        kwh_per_100_km=car.kwh_per_100_km,
        v2x=car.v2x,
        sources=[known[name] for name in car.sources],
    )


def preview_view(found: Preview, capacity_kwh: float) -> PreviewView:
    """A night."""
    plan, car = found.plan, found.plan.cars[0]
    return PreviewView(
        currency=plan.currency,
        arrives_at=moment(plan.made_unix_s * _US),
        departs_at=moment(found.until_unix_s * _US),
        cost=round(found.cost, 4),
        cost_at_once=round(found.cost_at_once, 4),
        wear=round(found.wear, 4),
        saved=round(found.saved, 4),
        start_soc=found.start_kwh / capacity_kwh,
        target_soc=found.target_kwh / capacity_kwh,
        example=found.example,
        steps=[
            PreviewStepView(
                start=moment(plan.edges_unix_s[index] * _US),
                end=moment(plan.edges_unix_s[index + 1] * _US),
                import_price_per_kwh=plan.import_price_per_kwh[index],
                load_kw=plan.load_kw[index],
                solar_kw=plan.solar_kw[index],
                car_kw=car.power_kw[index],
                car_soc=car.energy_kwh[index + 1] / capacity_kwh,
            )
            for index in range(len(plan.grid_kw))
        ],
        reasons=[reason.message for reason in plan.reasons],
    )
