"""A year of many drivers in words, as a table of percentiles, and as columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parkwatt.app.fleet.summary import counted
from parkwatt.domain.record import FloatArray
from parkwatt.fleet.year.drivers import Drawn
from parkwatt.fleet.year.study import DriverYears, YearFound, YearTerms

PERCENTILES: Final = (5, 25, 50, 75, 95)
_TRAITS: Final = (
    ("hours plugged in", "plugged_share"),
    ("evenings plugged in, 16:00 to 21:00", "evening_share"),
    ("number of stays", "stays"),
    ("energy driven", "charged_kwh"),
)


@dataclass(frozen=True, slots=True, eq=False)
class YearShown:
    """All that is told of a year. ``left_out``: recorded sessions that say too little."""

    terms: YearTerms
    drawn: Drawn
    found: YearFound
    left_out: int
    first_day: date


def rows_of(drivers: DriverYears) -> list[tuple[str, FloatArray]]:
    """The amounts of all drivers, by what they are called."""
    return [
        ("charged at once, energy costs", drivers.at_once_cost),
        ("saved on energy", drivers.at_once_cost - drivers.energy_cost),
        ("paid by the programme", drivers.paid),
        ("gross", drivers.gross),
        ("wear added", drivers.added_wear),
        ("net", drivers.net),
        ("  of that by charging when cheap", drivers.smart_net),
        ("  of that by discharging", drivers.both_ways_net),
    ]


def spread(values: FloatArray) -> list[float]:
    """The mean, and then the percentiles."""
    return [float(values.mean()), *(float(one) for one in np.percentile(values, PERCENTILES))]


def trait_rows(drivers: DriverYears) -> list[tuple[str, float, float, float]]:
    """What drivers differ in: name, rank correlation with net, mean net of the lowest and of the highest fifth."""
    net, found = drivers.net, []
    for name, attribute in _TRAITS:
        values: FloatArray = getattr(drivers, attribute)
        order = np.argsort(values, kind="stable")
        fifth = max(len(order) // 5, 1)
        low, high = float(net[order[:fifth]].mean()), float(net[order[-fifth:]].mean())
        found.append((name, rank_correlation(values, net), low, high))
    return found


def rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Spearman's; 0 where one of them does not vary."""
    first, second = (np.argsort(np.argsort(each, kind="stable")) for each in (one, other))
    if len(one) < 2 or np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def summary(shown: YearShown, elapsed_s: float) -> str:
    """What a terminal shows."""
    drivers, terms = shown.found.drivers, shown.terms
    stays = counted(len(shown.drawn.stays.driver), "stay")
    lines = [
        (
            f"played {stays} of {counted(len(drivers.net), 'driver')} in {elapsed_s:.0f} s: "
            f"{terms.days.day_count} days from {shown.first_day}, programme {terms.programme}"
        ),
        (
            f"drivers are weeks of {counted(shown.drawn.users, 'recorded user')}, drawn again; "
            f"{shown.left_out:,} sessions left out, {shown.drawn.overlapping:,} drawn ones overlapped"
        ),
        (
            f"car: {terms.car.energy_kwh_max:g} kWh, {terms.car.power_kw_max:g} kW both ways, {terms.cell.name}, "
            f"a new pack {terms.pack_price_per_kwh:g} per kWh"
        ),
        "",
        _line("per driver, currency of the prices", ["mean", *(f"p{one}" for one in PERCENTILES)]),
        *(
            _line(name, [f"{one:,.0f}" for one in spread(amounts)])
            for name, amounts in rows_of(drivers)
        ),
        "",
        _line("what sets drivers apart", ["rank corr.", "lowest 5th", "highest 5th"]),
        *(
            _line(name, [f"{rank:+.2f}", f"{low:,.0f}", f"{high:,.0f}"])
            for name, rank, low, high in trait_rows(drivers)
        ),
        "",
        *programme_words(shown),
        departures_words(shown),
    ]
    return "\n".join(lines)


def _line(name: str, figures: list[str]) -> str:
    return f"{name:<36}" + "".join(f"{one:>12}" for one in figures)


def programme_words(shown: YearShown) -> list[str]:
    """How the programme went."""
    found, terms = shown.found, shown.terms
    if found.sold is not None and found.free_share is None:
        price = f"{terms.capacity.price_per_mw_h:g} per MW and hour"
        return [f"sold: nothing; at {price} holding back earns less than moving energy does"]
    if found.sold is not None and found.free_share is not None:
        sold, rules = found.sold, terms.capacity
        hours = float(sold.hours.sum())
        bid_kw = float((sold.bid_kw * sold.hours).sum()) / hours
        held_kw = float((sold.held_kw * sold.hours).sum()) / hours
        missed = f"{sold.missed_share * 100:.1f} % of blocks with a bid were missed, and not paid"
        price = f"{rules.price_per_mw_h:g} per MW and hour"
        lots = f"steps of {rules.lot_kw:g} kW (their part of 1 MW)"
        return [
            f"sold: {bid_kw:,.0f} kW in the mean of {held_kw:,.0f} held, at {price}, in {lots}",
            f"cars leave {found.free_share * 100:.0f} % of their power free for it; {missed}",
        ]
    if terms.programme == "elrp":
        days = counted(len(found.event_places), "event")
        beyond = f"{found.event_kwh.sum():,.0f} kWh beyond the baseline"
        price = f"{terms.events.price_per_kwh:g} per kWh"
        return [f"events: {days} of 5 hours on the dearest evenings; {beyond}, at {price}"]
    return []


def departures_words(shown: YearShown) -> str:
    """What was missing, and what was cut."""
    found = shown.found
    short_kwh = float(found.drivers.shortfall_kwh.sum())
    text = f"departures: {counted(found.short_count, 'stay')} too short for what was asked, {short_kwh:,.0f} kWh in all"
    return f"{text}; {counted(found.cut_count, 'stay')} longer than a week, at rest after it"


def columns_of(shown: YearShown) -> dict[str, NDArray[Any]]:
    """One row a driver, for a file."""
    drivers = shown.found.drivers
    own = {name: getattr(drivers, name) for name in DriverYears._fields}
    amounts = {"gross": drivers.gross, "added_wear": drivers.added_wear, "net": drivers.net}
    parts = {"smart_net": drivers.smart_net, "both_ways_net": drivers.both_ways_net}
    number = np.arange(len(drivers.net))
    return {"driver": number, "user": shown.drawn.user_of_driver, **own, **amounts, **parts}
