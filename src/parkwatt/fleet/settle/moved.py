"""Claims of arbitrage: energy that was moved against the schedule declared before, at each step's price."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.fleet.programme import Programme
from parkwatt.fleet.settle.claim import NOUGHT, Claim, by_driver
from parkwatt.fleet.settle.delivery import Delivered, Meters
from parkwatt.fleet.settle.energy import prices, with_schedule
from parkwatt.fleet.settle.members import Member, members
from parkwatt.fleet.settle.state import SettleState


def energy_claims(state: SettleState, programme: Programme, until_unix_s: int) -> list[Claim]:
    """A claim for each local month that has a price: (declared less drawn) times price, over all members.

    A member's piece is its gain in money. A step without reading, schedule or price counts nothing and is told.
    """
    meters, step_s = Meters(state, programme), programme.meter_minutes * 60
    priced = prices(state.priced.get((programme.name,), {}).values(), step_s)
    months: dict[str, list[int]] = defaultdict(list)
    for at in sorted(priced):
        if at + step_s <= until_unix_s:
            local = datetime.fromtimestamp(at, tz=UTC).astimezone(programme.zone)
            months[local.strftime("%Y-%m")].append(at)
    joined = members(state, programme.name)
    sharing = Counter(
        (member.meter, at)
        for member in joined
        for steps in months.values()
        for at in steps
        if member.from_unix_s <= at and at + step_s <= member.until_unix_s
    )
    return [
        _month_claim(meters, joined, month, steps, priced, sharing, until_unix_s)
        for month, steps in sorted(months.items())
    ]


def _month_claim(
    meters: Meters,
    joined: list[Member],
    month: str,
    steps: list[int],
    priced: dict[int, Decimal],
    sharing: Counter[tuple[str, int]],
    until_unix_s: int,
) -> Claim:
    given, rows = [], []
    for member in joined:
        taken = [at for at in steps if sharing[member.meter, at] and _counts(meters, member, at)]
        if taken:
            one, gain = _moved(meters, member, taken, priced, sharing)
            given.append(one)
            rows.append([gain])
    zone = meters.programme.zone
    year, number = map(int, month.split("-"))
    following = date(year + number // 12, number % 12 + 1, 1)
    start, end = (
        local_time_unix_s(day_number(day), 0, zone) for day in (date(year, number, 1), following)
    )

    def pay(totals: Sequence[Fraction]) -> Fraction:
        return sum(totals, NOUGHT)

    notes = tuple(f"{one.member.car}: {one.unknown}" for one in given if one.unknown)
    counted = by_driver(given, rows, 1)
    return Claim(
        month, start, end, tuple(given), counted, pay, final=end <= until_unix_s, notes=notes
    )


def _counts(meters: Meters, member: Member, at: int) -> bool:
    step_s = meters.programme.meter_minutes * 60
    return member.from_unix_s <= at and at + step_s <= member.until_unix_s


def _moved(
    meters: Meters,
    member: Member,
    steps: list[int],
    priced: dict[int, Decimal],
    sharing: Counter[tuple[str, int]],
) -> tuple[Delivered, Fraction]:
    """What a member moved in these steps, and its gain."""
    read = meters.of(member.meter)
    if read is None:
        return Delivered(member, (NOUGHT,), unknown="nothing was metered"), NOUGHT
    readings = with_schedule(meters.state, read.readings, meters.programme.name, member.meter, None)
    declared, told = readings.declared_kwh, readings.declared_known
    gain, moved, exported, missing = NOUGHT, NOUGHT, Decimal(0), 0
    for at in steps:
        place = readings.steps(at, 1)
        step = -1 if place is None else place.start
        known = step >= 0 and bool(readings.known[step])
        if not known or declared is None or told is None or not told[step]:
            missing += 1
            continue
        share = sharing[member.meter, at]
        energy = Fraction(declared[step] - readings.net_kwh[step]) / share
        gain += energy * Fraction(priced[at])
        moved += max(NOUGHT, energy)
        exported += read.export_kwh[step]
    unknown = f"{missing} steps lack a reading or a schedule" if missing else ""
    return Delivered(member, (moved,), exported, unknown), gain
