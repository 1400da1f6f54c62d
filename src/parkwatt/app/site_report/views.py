"""What a report shows: pydantic models, the same for `parkwatt report --format json` and `GET /v1/report`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ByName = Literal["session", "day", "month", "year"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EnergyView(_View):
    """What moved."""

    charged_kwh: float = Field(description="at the charger, into the car")
    discharged_kwh: float = Field(description="at the charger, out of the car")
    from_sun_kwh: float = Field(description="of what was charged: would have been exported")
    to_home_kwh: float = Field(description="of what was discharged: would have been imported")
    to_grid_kwh: float = Field(description="of what was discharged: was exported")
    battery_in_kwh: float = Field(description="into the battery, after charging losses")
    battery_out_kwh: float = Field(description="out of the battery, before discharging losses")
    driven_kwh: float = Field(
        description="what the trips took from the battery, as far as it is known"
    )
    full_cycles: float | None = Field(
        description="all that left the battery over its capacity; null for several cars"
    )


class MoneyView(_View):
    """Money in the report's currency; cost is positive. saving_net = saving_gross − wear."""

    charged: float = Field(description="what the energy charged cost")
    discharged: float = Field(description="what the energy discharged was worth")
    cost: float = Field(description="charged less discharged")
    at_once: float = Field(description="what charging at once would have cost")
    stored: float = Field(
        description="worth of what the battery holds more than with charging at once, as changed"
    )
    saving_gross: float = Field(description="at_once − cost + stored")
    wear: float = Field(description="of the battery, beyond that of charging at once")
    saving_net: float
    smart: float = Field(description="what smart charging with hindsight would have cost")
    smart_stored: float = Field(description="as stored, against it")
    smart_saving_gross: float = Field(description="smart − cost + smart_stored")
    smart_wear: float = Field(description="of the battery, beyond that of smart charging")
    smart_saving_net: float


class QualityView(_View):
    """How sure it is."""

    estimated_kwh: float = Field(description="spread evenly over gaps between readings")
    unmetered_kwh: float = Field(description="valued without a grid meter")
    unpriced_kwh: float = Field(description="valued with a mean in place of an unknown price")
    difference_kwh: float = Field(
        description="the site's own quarters less the charger's registers"
    )


class PromisesView(_View):
    """Departures by what became of them."""

    asked: int = Field(description="all that were asked for")
    kept: int
    broken: int
    not_possible: int = Field(description="full power since it was asked would not have done it")
    left_early: int
    not_known: int = Field(description="nobody told the car's charge")
    nothing_asked: int
    floors_broken: int = Field(
        description="stays in which discharging took the car below its floor"
    )


class StayView(_View):
    """A stay's own facts."""

    stay_id: str
    ended: bool
    energy_kwh_begin: float | None = Field(description="in the battery")
    energy_kwh_end: float | None
    energy_kwh_lowest: float | None = Field(description="while it was discharged")
    floor_kwh: float | None = Field(description="the lowest that held meanwhile")
    floor_broken: bool | None
    promise: str | None = Field(
        description="kept, broken, not_possible, left_early, not_known or nothing_asked; null while it lasts"
    )
    reason: str
    departs_at: datetime | None
    energy_kwh_asked: float | None
    energy_kwh_possible: float | None
    risks: list[str] = Field(description="what the driver was told would not be possible")


class RowView(_View):
    """One car in one session, day, month or year."""

    name: str
    car_id: str
    start: datetime
    end: datetime
    stays: int = Field(description="that ended")
    energy: EnergyView
    money: MoneyView
    promises: PromisesView
    quality: QualityView
    stay: StayView | None = Field(description="by session only")


class TotalView(_View):
    """All rows of a car, or of all cars (car_id null)."""

    car_id: str | None
    stays: int
    energy: EnergyView
    money: MoneyView
    promises: PromisesView
    quality: QualityView


class LimitView(_View):
    """How a limit of the connection was kept, by means of minutes."""

    limit_kw: float | None
    over_s: int = Field(description="above it in all")
    over_s_longest: int = Field(description="above it at a stretch")
    excess_kw: float = Field(description="of the greatest mean of a minute")
    excess_kw_single: float = Field(description="of the greatest single reading")


class OperationView(_View):
    """How the site was run on the days of the report."""

    metered_h: float = Field(description="for how long the grid meter told anything")
    import_limit: LimitView
    export_limit: LimitView
    setpoints: int
    setpoints_following: int = Field(description="of them only followed the meter")
    setpoints_changed: dict[str, int] = Field(description="by the guard, by its rule")
    switchings: int
    switchings_a_day_max: int
    leases_lapsed: int
    plans: int
    program_starts: int


class AccountView(_View):
    """A site's accounts over a span; docs/concepts/accounts.md defines every figure."""

    site: str
    currency: str
    time_zone: str
    start: datetime
    end: datetime
    days: float
    by: ByName
    headline: str
    rows: list[RowView]
    cars: list[TotalView]
    total: TotalView
    operation: OperationView
    notes: list[str] = Field(description="what is less sure, in words")
