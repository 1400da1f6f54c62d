"""Drivers of a whole year from records of fewer users over shorter times: each driver is a user, each week one of the user's.

A block bootstrap: a driver is one recorded user, drawn at random, and each week of the year is one of that user's recorded
weeks, drawn with replacement, also weeks without any session. So a driver keeps the user's hours, weekdays, energies and
habits; what is lost is what goes on for longer than a week (a season, a holiday of three weeks). The method is that of
Künsch, The Annals of Statistics 17 (1989) 1217, with blocks of a week.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import FloatArray
from parkwatt.plan.batch.cars import IntArray

DAYS_OF_WEEK: Final = 7
MINUTES_OF_DAY: Final = 1440
# A user of fewer whole weeks says too little about a year.
WEEKS_LEAST: Final = 4


class RecordedSessions(NamedTuple):
    """K sessions, each array [K]. ``user``: 0, 1, …; ``day``: local day number (days since a Monday); ``minute``: of that day
    by the local clock, at which it begins; ``minutes``: how long it was plugged in; ``energy_kwh``: charged, at the charger.
    """

    user: IntArray
    day: IntArray
    minute: IntArray
    minutes: IntArray
    energy_kwh: FloatArray


class YearDays(NamedTuple):
    """The days of the year, in steps. ``first_step``: [D + 1] at which each local day begins, and the last one ends (days of 23
    and 25 hours have fewer and more); ``weekday``: [D] 0 on Monday; ``step_minutes``: of each step.
    """

    first_step: IntArray
    weekday: IntArray
    step_minutes: int

    @property
    def day_count(self) -> int:
        """D."""
        return len(self.weekday)

    @property
    def step_count(self) -> int:
        """S, of the whole year."""
        return int(self.first_step[-1])


class DrawnStays(NamedTuple):
    """N stays in order of driver and time, each array [N]: steps [from, to) of the year, ``day`` at which it begins, and what
    the recorded session charged, at the charger.
    """

    driver: IntArray
    day: IntArray
    from_step: IntArray
    to_step: IntArray
    energy_kwh: FloatArray

    def of_drivers(self, first: int, end: int) -> DrawnStays:
        """Those of the drivers [first, end), counted from 0."""
        begin, after = np.searchsorted(self.driver, [first, end])
        part = DrawnStays._make(array[begin:after] for array in self)
        return part._replace(driver=part.driver - first)


class Drawn(NamedTuple):
    """``user_of_driver``: [D]; ``users``: how many could be drawn; ``overlapping``: sessions that were left out since
    the car was still plugged in from an earlier one.
    """

    stays: DrawnStays
    user_of_driver: IntArray
    users: int
    overlapping: int


def draw_drivers(sessions: RecordedSessions, driver_count: int, days: YearDays, seed: int) -> Drawn:
    """Draw ``driver_count`` drivers over all ``days``; the same seed draws the same.

    Users with fewer than `WEEKS_LEAST` whole weeks between their first and their last session are not drawn.
    Raises InputError where there is no other user.
    """
    random = np.random.default_rng(seed)
    first_week, week_count = _whole_weeks(sessions)
    eligible = np.flatnonzero(week_count >= WEEKS_LEAST)
    if not len(eligible):
        rule = f"must have a user with sessions in at least {WEEKS_LEAST} whole weeks"
        raise InputError([InputFault("sessions", rule)])
    user = np.asarray(eligible[random.integers(len(eligible), size=driver_count)], dtype=np.int64)
    weeks = -(-(days.day_count + int(days.weekday[0])) // DAYS_OF_WEEK)
    share = random.random((driver_count, weeks))
    week = first_week[user][:, None] + (share * week_count[user][:, None]).astype(np.int64)
    found = _placed(sessions, user, week, days)
    stays, overlapping = _one_at_a_time(found)
    return Drawn(stays, user, len(eligible), overlapping)


def _whole_weeks(sessions: RecordedSessions) -> tuple[IntArray, IntArray]:
    """[U] the first whole week of each user, and how many there are: from the week after the first session to that before the
    last one. What came before and after is not known to be without sessions.
    """
    count = int(sessions.user.max(initial=-1)) + 1
    week = sessions.day // DAYS_OF_WEEK
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, sessions.user, week)
    np.maximum.at(last, sessions.user, week)
    return first + 1, np.maximum(last - first - 1, 0)


def _placed(
    sessions: RecordedSessions, user: IntArray, week: IntArray, days: YearDays
) -> DrawnStays:
    """All sessions of the drawn weeks, in the weeks of the year, rounded inwards to whole steps."""
    key = sessions.user * (int(week.max()) + 2) + sessions.day // DAYS_OF_WEEK
    in_order = np.argsort(key, kind="stable")
    wanted = user[:, None] * (int(week.max()) + 2) + week
    begin = np.searchsorted(key[in_order], wanted, "left")
    count = np.searchsorted(key[in_order], wanted, "right") - begin
    cell = np.repeat(np.arange(wanted.size), count.ravel())
    place = np.arange(len(cell)) - np.repeat(
        np.cumsum(count.ravel()) - count.ravel(), count.ravel()
    )
    source = in_order[begin.ravel()[cell] + place]
    driver, year_week = cell // week.shape[1], cell % week.shape[1]
    of_week = sessions.day[source] % DAYS_OF_WEEK
    day = year_week * DAYS_OF_WEEK + of_week - int(days.weekday[0])
    keep = (day >= 0) & (day < days.day_count)
    driver, day, source = driver[keep], day[keep], source[keep]
    begins = sessions.minute[source]
    step = days.step_minutes
    origin = days.first_step[day]
    from_step = np.minimum(origin - (-begins // step), days.step_count)
    to_step = np.minimum(origin + (begins + sessions.minutes[source]) // step, days.step_count)
    # One that begins before midnight may do so in the first step of the next day.
    day = np.searchsorted(days.first_step, from_step, "right") - 1
    keep = to_step > from_step
    order = np.lexsort((from_step[keep], driver[keep]))
    columns = (driver, day, from_step, to_step, sessions.energy_kwh[source])
    return DrawnStays._make(column[keep][order] for column in columns)


def _one_at_a_time(found: DrawnStays) -> tuple[DrawnStays, int]:
    """Without those that begin before the same driver's earlier one is over and a step has passed on the road."""
    keep = np.zeros(len(found.driver), dtype=np.bool_)
    of, free = -1, -1
    rows = zip(found.driver.tolist(), found.from_step.tolist(), found.to_step.tolist(), strict=True)
    for row, (driver, begins, ends) in enumerate(rows):
        if driver == of and begins < free:
            continue
        keep[row], of, free = True, driver, ends + 1
    return DrawnStays._make(array[keep] for array in found), int((~keep).sum())
