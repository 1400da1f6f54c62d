"""A report in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from parkwatt.app.report.number_text import money_text, number_text
from parkwatt.app.site_report.views import OperationView, PromisesView, TotalView

# Half a cent, and what is shown as 0.0 kWh.
_NO_MONEY: Final = 0.005
_NO_ENERGY_KWH: Final = 0.05
# A difference between registers and quarters that is worth a word.
_APART_SHARE: Final = 0.02
_APART_KWH: Final = 0.5

PROMISE_WORDS: Final = {
    "kept": "kept",
    "broken": "broken",
    "not_possible": "not possible",
    "left_early": "left early",
    "not_known": "not known",
    "nothing_asked": "nothing asked",
}


def headline(total: TotalView, days: float, currency: str, car_count: int) -> str:
    """The answer in one sentence: what was saved against charging at once, what of that wear took, and the departures."""
    money = total.money
    cars = "the cars" if car_count > 1 else "the car"
    span = _span(days)
    if total.energy.charged_kwh + total.energy.discharged_kwh < _NO_ENERGY_KWH:
        return f"In {span} {cars} neither charged nor discharged{_departures(total.promises)}."
    verb = "saved" if money.saving_net > -_NO_MONEY else "lost"
    net = money_text(abs(money.saving_net), currency, 2)
    text = f"In {span} {cars} {verb} {net} against charging at once"
    if abs(money.wear) >= _NO_MONEY:
        gross, wear = (
            money_text(value, currency, 2) for value in (money.saving_gross, abs(money.wear))
        )
        text += f": {gross} {'less' if money.wear > 0 else 'and'} {wear} "
        text += "of battery wear" if money.wear > 0 else "of battery wear saved"
    return f"{text}{_departures(total.promises)}."


def _span(days: float) -> str:
    if days >= 1.5:
        return f"{number_text(days)} days"
    hours = days * 24.0
    return "1 day" if hours >= 23 else f"{number_text(hours)} hours"


def _departures(promises: PromisesView) -> str:
    if not promises.asked:
        return ""
    verb = "was" if promises.asked == 1 else "were"
    text = f"; {promises.kept} of {promises.asked} "
    text += f"{'departure' if promises.asked == 1 else 'departures'} {verb} kept"
    rest = [
        f"{count} {PROMISE_WORDS[name]}"
        for name in ("broken", "not_possible", "left_early", "not_known")
        if (count := getattr(promises, name))
    ]
    return f"{text} ({', '.join(rest)})" if rest else text


def notes(total: TotalView, restart_counts: Mapping[str, int], unreadable_count: int) -> list[str]:
    """What is less sure than the figures look."""
    quality, found = total.quality, []
    moved_kwh = total.energy.charged_kwh + total.energy.discharged_kwh
    if quality.estimated_kwh > _NO_ENERGY_KWH:
        found.append(
            f"{number_text(quality.estimated_kwh, 1)} kWh passed between readings more than a quarter of an hour apart: "
            "they are spread evenly over that time."
        )
    if quality.unmetered_kwh > _NO_ENERGY_KWH:
        found.append(
            f"{number_text(quality.unmetered_kwh, 1)} kWh passed while no meter told the exchange with the grid: charging "
            "counts as bought, discharging as worth the lower of both prices."
        )
    if quality.unpriced_kwh > _NO_ENERGY_KWH:
        found.append(
            f"{number_text(quality.unpriced_kwh, 1)} kWh passed at times without a known price: the day's mean stands in."
        )
    if abs(quality.difference_kwh) > max(_APART_KWH, _APART_SHARE * moved_kwh):
        less = "less" if quality.difference_kwh < 0 else "more"
        found.append(
            f"The site's own quarters tell {number_text(abs(quality.difference_kwh), 1)} kWh {less} than the chargers' "
            "registers, which count."
        )
    for car_id, count in restart_counts.items():
        if count:
            times = "once" if count == 1 else f"{count} times"
            found.append(f"A register of the charger of {car_id} began anew {times}.")
    if total.promises.floors_broken:
        stays = total.promises.floors_broken
        found.append(f"In {stays} {'stay' if stays == 1 else 'stays'} a floor was broken.")
    if unreadable_count:
        found.append(f"{unreadable_count} entries of the journal could not be read.")
    return found


def operation_lines(run: OperationView) -> list[str]:
    """How the site was run."""
    found = []
    for name, limit in (("import", run.import_limit), ("export", run.export_limit)):
        if limit.limit_kw is None:
            continue
        if limit.over_s:
            found.append(
                f"The limit of {limit.limit_kw:g} kW on {name} was exceeded for {limit.over_s} s in all, "
                f"{limit.over_s_longest} s at a stretch, by {limit.excess_kw:.2f} kW at most in the mean of a minute."
            )
        else:
            single = limit.excess_kw_single
            brief = f"; single readings were up to {single:.2f} kW above" if single else ""
            found.append(f"The limit of {limit.limit_kw:g} kW on {name} was kept{brief}.")
    changed = sum(run.setpoints_changed.values())
    rules = ", ".join(
        f"{rule} {count}"
        for rule, count in sorted(run.setpoints_changed.items(), key=lambda item: -item[1])
    )
    found.append(
        f"{number_text(run.setpoints)} set-points, {number_text(run.setpoints_following)} of them after the meter; the guard "
        f"changed {number_text(changed)}{f' ({rules})' if rules else ''}."
    )
    found.append(
        f"{number_text(run.switchings)} switchings, at most {run.switchings_a_day_max} a day; "
        f"{number_text(run.plans)} plans; {run.leases_lapsed} leases lapsed; {run.program_starts} starts of the program."
    )
    return found
