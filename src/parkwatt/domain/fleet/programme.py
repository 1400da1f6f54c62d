"""A programme that pays a pool, as data: when it runs, what it asks, what it pays, each rule with its source.

What a programme does not say is None. Local times are clock times in the programme's own zone.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.domain.calendar import day_number, local_time_unix_s

ProgrammeKind = Literal["energy", "event", "capacity", "frequency", "set_point"]
MeterPoint = Literal["charger", "site"]
BaselineName = Literal["ten_of_ten", "meter_before_meter_after", "declared_schedule", "zero"]
SplitRule = Literal["energy", "availability", "marginal"]
Level = Literal["pool", "meter"]

KINDS: Final[tuple[str, ...]] = ("energy", "event", "capacity", "frequency", "set_point")
METER_POINTS: Final[tuple[str, ...]] = ("charger", "site")
BASELINES: Final[tuple[str, ...]] = (
    "ten_of_ten",
    "meter_before_meter_after",
    "declared_schedule",
    "zero",
)
SPLIT_RULES: Final[tuple[str, ...]] = ("energy", "availability", "marginal")
LEVELS: Final[tuple[str, ...]] = ("pool", "meter")
_MINUTE_S: Final = 60
_DAY_MINUTES: Final = 1440
_SATURDAY: Final = 5


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule of `ten_of_ten`: the last ``days`` similar days within ``lookback_days``, at least ``days_min``.

    On weekends and holidays ``weekend_days`` and ``weekend_days_min`` hold. The factor of the same day is that of the hours
    from ``from_minutes_before`` to ``until_minutes_before`` the event, within 1 ± ``cap_fraction``; 0 minutes: no factor.
    """

    days: int = 10
    days_min: int = 5
    weekend_days: int = 4
    weekend_days_min: int = 4
    lookback_days: int = 45
    cap_fraction: Decimal = Decimal("0.2")
    from_minutes_before: int = 240
    until_minutes_before: int = 60


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a programme. Powers in kW, money in ``currency``, frequencies in mHz from nominal.

    ``sources``: where each rule is written, by its field. ``season_from``, ``season_until``: month and day as "05-01", both
    included. ``from_minute``, ``until_minute``: of the local day. ``level``: whether what was delivered counts pool by pool
    or meter by meter where a shortfall of one may not lessen another. ``settle_minutes``: in what pieces it counts.
    ``over_delivery_max``: as a multiple of what was asked. ``baseline_minutes``: of `meter_before_meter_after`, before and
    after. ``performance_factors``: pairs of least score and paid fraction, lowest first; empty: all of it.
    ``droop_points``: pairs of mHz and share of the reserve, outwards; empty: a straight line.
    ``penalty_factor``: of the price, for what was not available. ``simulation_only``: Parkwatt does not serve it live.
    """

    name: str
    title: str
    kind: ProgrammeKind
    time_zone: str
    currency: str
    meter_point: MeterPoint
    baseline: BaselineName = "zero"
    sources: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    season_from: str | None = None
    season_until: str | None = None
    from_minute: int | None = None
    until_minute: int | None = None
    workdays_only: bool = False
    event_minutes_min: int | None = None
    event_minutes_max: int | None = None
    season_hours_max: Decimal | None = None
    price_per_kwh: Decimal | None = None
    price_per_kw_year: Decimal | None = None
    level: Level = "pool"
    settle_minutes: int = 60
    meter_minutes: int = 15
    penalty_factor: Decimal = Decimal(0)
    performance_factors: tuple[tuple[Decimal, Decimal], ...] = ()
    pool_kw_min: Decimal | None = None
    gate_days_before: int | None = None
    gate_minute: int | None = None
    block_hours: int | None = None
    step_kw: Decimal | None = None
    over_delivery_max: Decimal | None = None
    reserve_minutes: int | None = None
    deadband_mhz: int | None = None
    full_activation_mhz: int | None = None
    full_activation_s: int | None = None
    droop_points: tuple[tuple[Decimal, Decimal], ...] = ()
    set_point_interval_s: int | None = None
    export_counts: bool = True
    simulation_only: bool = False
    adjustment: Adjustment = Adjustment()
    baseline_minutes: tuple[int, int] = (60, 0)
    holidays: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its clock."""
        return ZoneInfo(self.time_zone)


def in_season(programme: Programme, day: date) -> bool:
    """Whether a local day lies in the season; one without a season always runs. A season may pass the turn of the year."""
    first, last = programme.season_from, programme.season_until
    if first is None or last is None:
        return True
    told = day.strftime("%m-%d")
    return first <= told <= last if first <= last else told >= first or told <= last


def season_of(programme: Programme, day: date) -> int:
    """The year in which the season of a local day began; the calendar year where the programme has none."""
    first, last = programme.season_from, programme.season_until
    if first is None or last is None or first <= last:
        return day.year
    return day.year if day.strftime("%m-%d") >= first else day.year - 1


def season_end_unix_s(programme: Programme, season: int) -> int:
    """When the season that began in year ``season`` is over: the local midnight after its last day."""
    first, last = programme.season_from or "01-01", programme.season_until or "12-31"
    year = season if first <= last else season + 1
    month, day = map(int, last.split("-"))
    after = date(year, month, 1) + timedelta(days=day)  # 02-29 in a common year: March begins
    if after.month != month:
        after = date(year + month // 12, month % 12 + 1, 1)
    return local_time_unix_s(day_number(after), 0, programme.zone)


def is_workday(programme: Programme, day: date) -> bool:
    """Monday to Friday, and no holiday of the programme."""
    return day.weekday() < _SATURDAY and day.isoformat() not in programme.holidays


def runs_at(programme: Programme, at: datetime) -> bool:
    """Whether the programme may call at an instant: season, kind of day and local hours, the end not included.

    Hours that begin later than they end pass midnight; season and kind of day are then those of the day when they began.
    """
    local = at.astimezone(programme.zone)
    day, minute = local.date(), local.hour * 60 + local.minute
    first, end = programme.from_minute, programme.until_minute
    if first is not None and end is not None:
        if first < end and not first <= minute < end:
            return False
        if first >= end and minute < end:
            day -= timedelta(days=1)
        elif first >= end and minute < first:
            return False
    return in_season(programme, day) and (not programme.workdays_only or is_workday(programme, day))


def event_faults(programme: Programme, start: datetime, end: datetime) -> list[str]:
    """The rules of the programme that an event [start, end) would break, in words; empty where there are none."""
    faults = []
    minutes = Decimal(int((end - start).total_seconds())) / _MINUTE_S
    if minutes <= 0:
        return ["must end after it begins"]
    if programme.event_minutes_min is not None and minutes < programme.event_minutes_min:
        faults.append(f"must last at least {programme.event_minutes_min} minutes")
    if programme.event_minutes_max is not None and minutes > programme.event_minutes_max:
        faults.append(f"must last at most {programme.event_minutes_max} minutes")
    last = end - timedelta(microseconds=1)
    if not runs_at(programme, start) or not runs_at(programme, last):
        faults.append("must lie within the programme's season, days and hours")
    return faults


def gate_closure(programme: Programme, delivery: datetime) -> datetime | None:
    """Until when a bid for delivery at ``delivery`` may be handed in, in UTC; None where the programme has no gate.

    The gate is a clock time so many local days before the local day of delivery: 08:00 stays 08:00 over a change of the
    clock, and is then 23 or 25 hours from the next.
    """
    if programme.gate_days_before is None or programme.gate_minute is None:
        return None
    day = delivery.astimezone(programme.zone).date() - timedelta(days=programme.gate_days_before)
    second = programme.gate_minute * _MINUTE_S
    unix_s = local_time_unix_s(day_number(day), second, programme.zone)
    return datetime.fromtimestamp(unix_s, tz=UTC)


def delivery_blocks(programme: Programme, day: date) -> list[tuple[datetime, datetime]]:
    """The delivery blocks of a local day, in UTC: their borders are clock times, so one lasts an hour less or more on the
    days when the clock changes. Without blocks: the whole day.
    """
    hours = programme.block_hours or 24
    borders = [*range(0, 24, hours), 24]
    times = [
        datetime.fromtimestamp(
            local_time_unix_s(day_number(day), hour * 3600, programme.zone), tz=UTC
        )
        for hour in borders
    ]
    return list(itertools.pairwise(times))


def bid_kw(programme: Programme, power_kw: Decimal) -> Decimal:
    """What may be bid of ``power_kw``: rounded down to the step, nothing below the least of a pool."""
    if power_kw <= 0:
        return Decimal(0)
    step_kw = programme.step_kw
    bid = power_kw
    if step_kw is not None:
        bid = (power_kw / step_kw).to_integral_value(ROUND_FLOOR) * step_kw
    return Decimal(0) if programme.pool_kw_min is not None and bid < programme.pool_kw_min else bid
