"""A past moment and a past day as the API shows them, and what of them no journal tells."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, Field

from parkwatt.app.api.backup_views import BackupView
from parkwatt.app.api.site_views import SiteView

# By field: why it is null or empty, or what it is instead.
_SITE_UNKNOWN: Final = {
    "site.meter_read_at": "when a meter was read last is not written down",
    "site.alarms": "alarms are not written down, only what led to them",
    "site.cars[].energy_kwh_error": "only what the charger told is shown, without what is made of doubts",
    "site.cars[].setpoint": "one that was older than a day then is not looked for",
}
_BACKUP_UNKNOWN: Final = {
    "site.cars[].departure": "what was held back for an announced outage is not counted",
    "backup.circuits[].on": "what switches say of themselves is not written down, only what they were told",
    "backup.circuits[].off_gains_hours": "not written down",
    "backup.gateway": "its readings are not written down, only those that led to another phase, in their words",
    "backup.grid_qualified": "not written down",
    "backup.grid_qualified_in_s": "not written down",
    "backup.preparation": "not written down",
    "backup.learned": "not written down",
    "backup.questions": "not written down, only what was decided on them",
    "backup.generator.runs": "not written down",
    "backup.runtime": "the last forecast that was written down, each quarter of an hour; the hours alone",
    "backup.alarms": "alarms are not written down, only what led to them",
}
_NO_MINUTE: Final = "nothing was measured then: Parkwatt did not run, or heard nothing"


class UnknownView(BaseModel):
    """A field of which the journal tells nothing, or something else."""

    field: str
    why: str


class SpanView(BaseModel):
    """A span of time, half-open."""

    start: datetime
    end: datetime


class AtView(BaseModel):
    """The site as it was at a moment, with the settings of today."""

    moment: datetime
    site: SiteView
    backup: BackupView | None = Field(description="null: the site has none")
    powers_of: SpanView | None = Field(
        description="the site's and the cars' powers are means over it; null: nothing was measured"
    )
    circuits_of: SpanView | None = Field(description="the circuits' powers are means over it")
    unknown: list[UnknownView]


class DayCarView(BaseModel):
    """A car in a quarter of an hour."""

    power_kw: float
    soc: float | None = Field(description="at its end")


class DayStepView(BaseModel):
    """A quarter of an hour; means in kW, null where not known."""

    start: datetime
    end: datetime
    grid_kw: float | None
    solar_kw: float | None
    load_kw: float | None
    cars: dict[str, DayCarView]


class DayView(BaseModel):
    """A local day by quarters of an hour, as far as it is over."""

    day: date
    start: datetime
    end: datetime
    steps: list[DayStepView]


def unknown(*, measured: bool, has_backup: bool) -> list[UnknownView]:
    """What is not to be taken as it stands."""
    told = dict(_SITE_UNKNOWN)
    if not measured:
        told["site.grid_kw, site.solar_kw, site.load_kw, site.cars[].power_kw"] = _NO_MINUTE
    if has_backup:
        told |= _BACKUP_UNKNOWN
    return [UnknownView(field=field, why=why) for field, why in told.items()]
