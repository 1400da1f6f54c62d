"""The ledger added up: by stay, local day, month or year, for each car."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.record import FloatArray
from parkwatt.domain.series import utc
from parkwatt.site.account.ledger import Ledger
from parkwatt.site.account.pieces import NO_STAY, IndexArray, summed
from parkwatt.site.account.stays import PromiseName, StayAccount

By = Literal["session", "day", "month", "year"]
_DAY_OF_1970: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Energy, money and wear; docs/concepts/accounts.md defines each.

    Energies in kWh: ``in_kwh``, ``out_kwh`` at the charger; ``battery_*`` in the battery; ``told_kwh`` what the site's
    own quarters told where they told anything, ``checked_kwh`` what the registers moved there; ``guessed_kwh`` spread
    evenly over gaps; ``unmetered_kwh`` without a grid meter; ``unpriced_kwh`` with a mean in place of the price.
    Money: cost is positive. ``stored_worth``: what the battery holds more (+) or less (−) than if it were only charged, as far
    as that changed within this sum. ``smart_*``: of smart charging with hindsight; ``*wear_cost``: beyond that of charging so.
    """

    in_kwh: float = 0.0
    out_kwh: float = 0.0
    battery_in_kwh: float = 0.0
    battery_out_kwh: float = 0.0
    from_sun_kwh: float = 0.0
    to_home_kwh: float = 0.0
    to_grid_kwh: float = 0.0
    driven_kwh: float = 0.0
    cost_charged: float = 0.0
    worth_discharged: float = 0.0
    at_once_cost: float = 0.0
    smart_cost: float = 0.0
    stored_worth: float = 0.0
    smart_stored_worth: float = 0.0
    wear_cost: float = 0.0
    smart_wear_cost: float = 0.0
    told_kwh: float = 0.0
    checked_kwh: float = 0.0
    guessed_kwh: float = 0.0
    unmetered_kwh: float = 0.0
    unpriced_kwh: float = 0.0

    @property
    def cost(self) -> float:
        """What the car's energy cost: charged less discharged."""
        return self.cost_charged - self.worth_discharged

    @property
    def gross_saving(self) -> float:
        """Against charging at once, before wear."""
        return self.at_once_cost - self.cost + self.stored_worth

    @property
    def net_saving(self) -> float:
        """Against charging at once, after wear."""
        return self.gross_saving - self.wear_cost

    @property
    def smart_gross_saving(self) -> float:
        """Against smart charging with hindsight, before wear."""
        return self.smart_cost - self.cost + self.smart_stored_worth

    @property
    def smart_net_saving(self) -> float:
        """Against smart charging with hindsight, after wear."""
        return self.smart_gross_saving - self.smart_wear_cost

    @property
    def used_kwh(self) -> float:
        """All that left the battery: for home, grid and driving."""
        return self.battery_out_kwh + self.driven_kwh

    @property
    def difference_kwh(self) -> float:
        """By how much the site's own quarters differ from the charger's registers."""
        return self.told_kwh - self.checked_kwh


_COLUMNS: Final = tuple(field.name for field in fields(Sums) if field.name != "driven_kwh")
NOTHING: Final = Sums()


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsRow:
    """One car's sums of a stay, a day, a month or a year.

    ``name``: such as 2026-11-22, 2026-11, 2026, or the stay's. ``promises``: of the departures that fall into it, how many
    had each end. ``stay``: by session, the stay; None for what a register moved outside of all stays.
    """

    name: str
    car_id: str
    start_unix_s: int
    end_unix_s: int
    sums: Sums
    stay_count: int = 0
    promises: dict[PromiseName, int]
    floors_broken: int = 0
    stay: StayAccount | None = None


def total(rows: Iterable[Sums]) -> Sums:
    """All of them together."""
    listed = list(rows)
    return Sums(**{f.name: sum(getattr(one, f.name) for one in listed) for f in fields(Sums)})


def period_name(day: int, by: By) -> str:
    """What the period that holds a local day is called; ``by`` is not session."""
    text = (_DAY_OF_1970 + timedelta(days=day)).isoformat()
    return text[: {"day": 10, "month": 7, "year": 4}[by]]


def local_day(unix_s: int, time_zone: ZoneInfo) -> int:
    """The local day of a time, since 1970-01-01."""
    return day_number(utc(unix_s).astimezone(time_zone).date())


def sums_by(ledger: Ledger, by: By, from_unix_s: int, until_unix_s: int) -> list[SumsRow]:
    """The sums of a span, in order of time, then car.

    By day, month or year: of what happened in the span; each stay's promise on the day it ended, what was
    driven on the day the car came. By session: of the stays that ended in the span or go on at its end, each as a whole.
    """
    if by == "session":
        return _by_session(ledger, from_unix_s, until_unix_s)
    return _by_period(ledger, by, from_unix_s, until_unix_s)


def _by_session(ledger: Ledger, from_unix_s: int, until_unix_s: int) -> list[SumsRow]:
    index = ledger.pieces.stay
    sums = _grouped(ledger, index + 1, len(ledger.stays) + 1)
    rows = []
    for number, stay in enumerate(ledger.stays):
        last_unix_s = stay.until_unix_s if stay.ended else ledger.until_unix_s - 1
        if not from_unix_s <= last_unix_s < until_unix_s:
            continue
        rows.append(
            SumsRow(
                name=stay.stay_id,
                car_id=stay.car_id,
                start_unix_s=stay.since_unix_s,
                end_unix_s=stay.until_unix_s,
                sums=Sums(**sums[number + 1], driven_kwh=stay.driven_kwh or 0.0),
                stay_count=1,
                promises={} if stay.promise is None else {stay.promise.name: 1},
                floors_broken=int(stay.floor_broken is True),
                stay=stay,
            )
        )
    return rows + _outside(ledger, from_unix_s, until_unix_s)


def _outside(ledger: Ledger, from_unix_s: int, until_unix_s: int) -> list[SumsRow]:
    """A row for each car whose register moved in the span outside of all stays."""
    pieces, rows = ledger.pieces, []
    within = (pieces.start_unix_s >= from_unix_s) & (pieces.start_unix_s < until_unix_s)
    moved = (pieces.in_kwh + pieces.out_kwh) > _NOTHING_KWH
    found = (pieces.stay == NO_STAY) & within & moved
    for car in np.unique(pieces.car[found]).tolist():
        own = found & (pieces.car == car)
        sums = _grouped(ledger, np.where(own, 0, 1), 2)[0]
        rows.append(
            SumsRow(
                name="outside of stays",
                car_id=ledger.car_ids[car],
                start_unix_s=int(pieces.start_unix_s[own].min()),
                end_unix_s=int(pieces.end_unix_s[own].max()),
                sums=Sums(**sums),
                promises={},
            )
        )
    return rows


_NOTHING_KWH: Final = 0.005


def _by_period(ledger: Ledger, by: By, from_unix_s: int, until_unix_s: int) -> list[SumsRow]:
    pieces, zone = ledger.pieces, ledger.settings.time_zone
    within = (pieces.start_unix_s >= from_unix_s) & (pieces.start_unix_s < until_unix_s)
    days = np.unique(ledger.day[within]).tolist()
    begun = [s for s in ledger.stays if from_unix_s <= s.since_unix_s < until_unix_s]
    ended = [s for s in ledger.stays if s.ended and from_unix_s <= s.until_unix_s < until_unix_s]
    days += [local_day(stay.since_unix_s, zone) for stay in begun]
    days += [local_day(stay.until_unix_s, zone) for stay in ended]
    names = sorted({period_name(day, by) for day in days})
    number = {name: index for index, name in enumerate(names)}
    first, of_day = np.unique(ledger.day, return_inverse=True)
    period_of_day = np.array([number.get(period_name(d, by), -1) for d in first.tolist()] or [0])
    cars = len(ledger.car_ids)
    key = np.where(within, period_of_day[of_day] * cars + pieces.car, len(names) * cars)
    grouped = _grouped(ledger, key, len(names) * cars + 1)

    def of_stays(
        stays: Sequence[StayAccount], when: _When
    ) -> dict[tuple[str, str], list[StayAccount]]:
        found: dict[tuple[str, str], list[StayAccount]] = {}
        for stay in stays:
            name = period_name(local_day(when(stay), zone), by)
            found.setdefault((name, stay.car_id), []).append(stay)
        return found

    came = of_stays(begun, lambda stay: stay.since_unix_s)
    left = of_stays(ended, lambda stay: stay.until_unix_s)
    rows = []
    for name in names:
        start, end = _bounds(name, zone)
        for car, car_id in enumerate(ledger.car_ids):
            here = left.get((name, car_id), [])
            arrived = came.get((name, car_id), [])
            rows.append(
                SumsRow(
                    name=name,
                    car_id=car_id,
                    start_unix_s=max(start, from_unix_s),
                    end_unix_s=min(end, until_unix_s),
                    sums=Sums(
                        **grouped[number[name] * cars + car],
                        driven_kwh=sum(stay.driven_kwh or 0.0 for stay in arrived),
                    ),
                    stay_count=len(here),
                    promises=dict(Counter(s.promise.name for s in here if s.promise is not None)),
                    floors_broken=sum(stay.floor_broken is True for stay in here),
                )
            )
    return rows


_When = Callable[[StayAccount], int]


def _grouped(ledger: Ledger, key: IndexArray, count: int) -> list[dict[str, float]]:
    """The columns' sums by key."""
    sums: list[FloatArray] = [summed(key, ledger.columns[name], count) for name in _COLUMNS]
    return [dict(zip(_COLUMNS, values, strict=True)) for values in np.stack(sums, axis=1).tolist()]


def _bounds(name: str, zone: ZoneInfo) -> tuple[int, int]:
    """When a day, month or year begins and ends."""
    first = date.fromisoformat(name + "-01-01"[len(name) - 4 :])
    if len(name) == 10:
        after = first + timedelta(days=1)
    elif len(name) == 7:
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    else:
        after = date(first.year + 1, 1, 1)
    begin, end = (local_time_unix_s(day_number(day), 0, zone) for day in (first, after))
    return begin, end
