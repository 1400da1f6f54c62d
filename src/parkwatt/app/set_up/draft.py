"""What a person answers, step by step: five tables, each with defaults that make a sensible home.

Types and ranges are checked when a draft is read; what the site's own reader finds beyond that is told at the field it came
from (`parkwatt.app.set_up.checking`).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Step = Literal["place", "car", "charger", "home", "wishes"]
STEPS: Final[tuple[Step, ...]] = ("place", "car", "charger", "home", "wishes")
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Price = Annotated[float, Field(ge=-10.0, le=1000.0)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", max_length=5)]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Identity = Annotated[str, Field(min_length=1, max_length=48)]


class _Answers(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Place(_Answers):
    """Where the house is and what power costs there. ``adders_per_kwh``: what the bill adds to the exchange's price."""

    name: Name = "Home"
    tariff: Literal["exchange", "awattar", "octopus", "fixed", "day_night", "file"] = "fixed"
    zone: Annotated[str, Field(max_length=40)] = "DE-LU"
    time_zone: Annotated[str, Field(max_length=60)] = "Europe/Berlin"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    adders_per_kwh: Price = 0.12
    tax: Share = 0.2
    tariff_code: Annotated[str, Field(max_length=60)] = ""
    price_per_kwh: Price = 0.32
    night_price_per_kwh: Price = 0.22
    night_from: Clock = "22:00"
    night_to: Clock = "06:00"
    file: Annotated[str, Field(max_length=400)] = ""
    time_column: Annotated[str, Field(max_length=100)] = "time"
    value_column: Annotated[str, Field(max_length=100)] = "price"
    unit: Annotated[str, Field(max_length=20)] = "EUR/kWh"
    export_price_per_kwh: Price = 0.08
    fuse_a: Annotated[float, Field(ge=6.0, le=1000.0)] = 35.0
    phase_count: Literal[1, 3] = 3


class Car(_Answers):
    """The car. ``id``: of the catalogue, which then gives the figures; empty for another, by its own."""

    id: Annotated[str, Field(max_length=60)] = "vw-id4-77"
    name: Annotated[str, Field(max_length=60)] = ""
    battery_kwh: Annotated[float, Field(gt=0.0, le=500.0)] = 60.0
    ac_kw: Annotated[float, Field(gt=0.0, le=50.0)] = 11.0
    ac_phases: Literal[1, 2, 3] = 3
    kwh_per_100_km: Annotated[float, Field(gt=0.0, le=100.0)] = 18.0
    gives_back: bool = False


class Charger(_Answers):
    """The charger: a virtual one to try things, or a real one by the identity with which it connects.

    ``gives_back``: it is bidirectional. ``encrypted``: it connects with TLS.
    """

    kind: Literal["virtual", "real"] = "virtual"
    id: Identity = "GARAGE"
    power_kw: Annotated[float, Field(ge=1.0, le=400.0)] = 11.0
    phases: Literal[1, 3] = 3
    gives_back: bool = False
    encrypted: bool = False


class House(_Answers):
    """What the house uses and its roof yields. ``kwh_per_year``: 0: guessed by ``persons``. ``solar_kw_peak``: 0: no roof."""

    persons: Annotated[int, Field(ge=1, le=20)] = 3
    kwh_per_year: Annotated[float, Field(ge=0.0, le=100_000.0)] = 0.0
    heat_pump: bool = False
    heat_pump_kwh_per_year: Annotated[float, Field(ge=0.0, le=100_000.0)] = 4000.0
    solar_kw_peak: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    roof_azimuth_deg: Annotated[float, Field(ge=0.0, le=360.0)] = 180.0
    roof_tilt_deg: Annotated[float, Field(ge=0.0, le=90.0)] = 35.0


class WishesDraft(_Answers):
    """What the driver wants: never below the floor, the target at ``ready_at`` on the days."""

    floor_soc: Share = 0.3
    target_soc: Share = 0.8
    ready_at: Clock = "07:00"
    days: Annotated[list[Day], Field(max_length=7)] = list(DAYS[:5])
    runs_house: bool = False


class Draft(_Answers):
    """All five steps."""

    place: Place = Place()
    car: Car = Car()
    charger: Charger = Charger()
    home: House = House()
    wishes: WishesDraft = WishesDraft()


# A rough mean of one-family houses whose water is not heated by electricity; whoever knows their bill types it in.
_KWH_BY_PERSONS: Final = (2300.0, 3000.0, 3500.0, 4000.0, 4700.0)


def usual_kwh(persons: int) -> float:
    """What a household of so many uses in a year, without cars and heating: a rough guess."""
    return _KWH_BY_PERSONS[min(persons, len(_KWH_BY_PERSONS)) - 1]
