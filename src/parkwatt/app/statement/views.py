"""Money and batteries as the API shows them: pydantic models. Money is decimal, in text such as "4.10"."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PeriodName = Literal["day", "month", "year"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SealView(_View):
    """The journal that all of it was computed from, up to an entry: whoever has the journal can compute it again."""

    entry: int = Field(description="number of the last entry; 0: none yet")
    hash: str = Field(description="SHA-256 of that entry and, through the chain, of all before it")


class SavingView(_View):
    """Against one way of only charging. net = gross − wear."""

    would_cost: Decimal = Field(description="what the same energy would have cost that way")
    stored: Decimal = Field(
        description="worth of what the battery holds more than if it were charged that way, as changed"
    )
    gross: Decimal = Field(description="would_cost − cost + stored")
    wear: Decimal = Field(description="of the battery, beyond that of charging that way")
    net: Decimal


class MoneyRowView(_View):
    """A day, month or year of one car or of all. Cost is positive."""

    name: str = Field(description="such as 2026-11-22, 2026-11 or 2026, by the site's local time")
    start: datetime
    end: datetime
    charged_kwh: float = Field(description="at the charger")
    discharged_kwh: float = Field(description="at the charger")
    charged: Decimal = Field(description="what was paid for what was charged")
    discharged: Decimal = Field(description="what was earned, or not paid, by what was given")
    cost: Decimal = Field(description="charged − discharged")
    at_once: SavingView = Field(description="against charging at once")
    smart: SavingView = Field(
        description="against smart charging with hindsight: no way of only charging could have been cheaper for each stay"
    )


class MoneyView(_View):
    """Money of a span; docs/concepts/accounts.md defines every figure. Rows add up to the total, to the cent."""

    site: str
    currency: str
    time_zone: str
    car_id: str | None = Field(description="null: all cars together")
    by: PeriodName
    start: date = Field(description="the first local day")
    end: date = Field(description="the day after the last")
    known_until: datetime = Field(description="what came later is not accounted yet")
    rows: list[MoneyRowView]
    total: MoneyRowView
    notes: list[str] = Field(description="what is less sure, in words")
    seal: SealView


class MoneyTodayView(_View):
    """Today so far, against charging at once; null where nothing is accounted yet today."""

    day: date
    currency: str
    known_until: datetime | None
    gross: Decimal | None
    wear: Decimal | None
    net: Decimal | None
    smart_net: Decimal | None = Field(description="against smart charging with hindsight")


class CyclesView(_View):
    """Equivalent full cycles: energy out of the battery over its capacity by the settings."""

    driving: float
    home: float
    grid: float
    total: float


class BatteryUseView(_View):
    """A month, or all of it. Energies in kWh."""

    name: str = Field(description="such as 2026-11; empty for all")
    charged_kwh: float = Field(description="at the charger, into the car")
    discharged_kwh: float = Field(description="at the charger, out of the car")
    battery_in_kwh: float = Field(
        description="into the battery at this site, after charging losses"
    )
    driving_kwh: float = Field(description="out of the battery on trips, as far as it is known")
    home_kwh: float = Field(description="out of the battery, for the house")
    grid_kwh: float = Field(description="out of the battery, to the grid")
    cycles: CyclesView
    known_h: float = Field(description="plugged in with a known charge")
    high_h: float = Field(description="of them above 80 %")
    highest_h: float = Field(description="of them above 90 %")
    wear: Decimal = Field(description="of grid and home use, beyond charging at once")


class CapacityView(_View):
    """The capacity from charge sessions of the last year. Null: too little was seen to tell."""

    capacity_kwh: float | None
    error_kwh: float | None = Field(description="it lies within this in 19 of 20 cases")
    sessions: int = Field(description="charge sessions that it stands on")
    sessions_needed: int
    full_charges: float = Field(description="what they charged together, in full charges")
    full_charges_needed: float


class AgeingView(_View):
    """What the wear model says of a new battery used for ten years as this one was in the last: percent of capacity a year."""

    cell: str
    cell_name: str
    temperature_c: float
    history_days: float
    loss_percent_per_year: float
    time_percent_per_year: float = Field(description="by time, charged at once")
    driving_percent_per_year: float
    grid_use_percent_per_year: float = Field(
        description="what home and grid use add; negative where they save life"
    )
    lowest_percent_per_year: float = Field(description="of all cells that the model knows")
    highest_percent_per_year: float


class BatteryView(_View):
    """The ledger of a car's battery, of all that is in the journal."""

    site: str
    currency: str
    time_zone: str
    car_id: str
    capacity_kwh: float = Field(description="by the settings: what a cycle is counted by")
    start: datetime | None = Field(description="of the journal; null where it tells of nothing yet")
    known_until: datetime | None
    months: list[BatteryUseView]
    total: BatteryUseView
    capacity: CapacityView
    ageing: AgeingView | None = Field(
        description="null: not known yet, for less than two weeks of history"
    )
    seal: SealView
