"""The result of a study in sentences, honest also when the answer is no.

A span of less than `_WHOLE_YEAR_MIN` of a year is never silently scaled up: the season decides too much. Its money is told
for the days studied.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from parkwatt.app.report.number_text import money_digits, money_text, number_text, percent_text
from parkwatt.domain.series import utc
from parkwatt.site.outcome import (
    STRATEGY_TITLES,
    StrategyName,
    StrategyResult,
    StudyResult,
    WearResult,
)

# What an owner can choose, against charging at once.
CHOICES: tuple[StrategyName, ...] = ("smart", "v2h", "v2g")
BIDIRECTIONAL: tuple[StrategyName, ...] = ("v2h", "v2g")

_WHOLE_YEAR_MIN = 0.9
_AS_GOOD = 0.01
_MONEY_THAT_MATTERS = 0.005  # less than half a cent is nothing
_ENERGY_THAT_MATTERS_KWH = 0.05  # nor is what is shown as 0.0 kWh
# Less than this, summed over a span, says nothing about a saving.
_UNDELIVERED_THAT_MATTERS_KWH = 3.0

_DOING: dict[StrategyName, str] = {
    "charge_at_once": "Charging at once",
    "smart": "Charging at the cheap hours",
    "v2h": "Running the house from the car",
    "v2g": "Running the house from the car and selling to the grid",
    "foresight": "Knowing the future",
}


@dataclass(frozen=True, slots=True)
class Saving:
    """What a strategy saves against charging at once: ``net`` = ``gross`` − ``wear`` (wear beyond charging at once).

    ``period`` says over what: "a year", or "in these 31 days" where the span is too short to speak of a year.
    """

    gross: float
    wear: float
    period: str

    @property
    def net(self) -> float:
        """What is left after wear."""
        return self.gross - self.wear


def span_days(result: StudyResult) -> float:
    """Length of the span in days."""
    return result.grid.step_count * result.grid.step_h / 24.0


def speaks_of_a_year(result: StudyResult) -> bool:
    """Whether the span is long enough to give money a year."""
    return result.years >= _WHOLE_YEAR_MIN


def saving(result: StudyResult, name: StrategyName) -> Saving | None:
    """The saving of ``name``; None where it or charging at once was not run."""
    reference, strategy = result.strategy("charge_at_once"), result.strategy(name)
    if reference is None or strategy is None:
        return None
    by_year = speaks_of_a_year(result)
    scale = 1.0 / result.years if by_year else 1.0
    days = round(span_days(result))
    period = "a year" if by_year else f"in {'this 1 day' if days == 1 else f'these {days} days'}"
    return Saving(
        gross=(reference.gross_cost - strategy.gross_cost) * scale,
        wear=(strategy.wear_cost - reference.wear_cost) * scale,
        period=period,
    )


def best_choice(result: StudyResult) -> StrategyName | None:
    """The choice that saves most net; None where none can be compared.

    Of choices that come within a hundredth of the most, the one that asks least: smart charging before running the house, and
    that before selling.
    """
    savings = {name: saving(result, name) for name in CHOICES}
    known = {name: found.net for name, found in savings.items() if found is not None}
    if not known:
        return None
    most = max(known.values())
    good_enough = most - _AS_GOOD * abs(most)
    return next(name for name, net in known.items() if net >= good_enough)


def headline(result: StudyResult) -> str:
    """The answer in one sentence."""
    name = best_choice(result)
    found = saving(result, name) if name else None
    if name is None or found is None:
        cheapest = min(result.strategies, key=lambda strategy: strategy.net_cost)
        cost = money_text(cheapest.net_cost, result.currency)
        return f"{_DOING[cheapest.name]} would cost {cost}, battery wear counted."
    net = money_text(abs(found.net), result.currency)
    if found.net < _MONEY_THAT_MATTERS:
        return (
            f"Charging at once is the cheapest here: {_DOING[name].lower()} "
            f"would cost {net} more {found.period}."
        )
    return f"{_DOING[name]} would save {net} {found.period}{_wear_clause(found, result.currency)}."


def _wear_clause(found: Saving, currency: str) -> str:
    digits = money_digits(found.net, found.wear)
    wear = money_text(abs(found.wear), currency, digits)
    if found.wear >= _MONEY_THAT_MATTERS:
        return f", net of {wear} battery wear"
    if found.wear <= -_MONEY_THAT_MATTERS:
        return f", {wear} of it because the battery wears less"
    return ""


def other_choices(result: StudyResult) -> str:
    """What the other strategies would save, and how near the best comes to perfect foresight."""
    best = best_choice(result)
    parts = []
    for name in CHOICES:
        found = saving(result, name)
        if name != best and found is not None:
            verb = "save" if found.net >= 0 else "lose"
            amount = money_text(abs(found.net), result.currency)
            parts.append(f"{_DOING[name].lower()} would {verb} {amount}")
    sentences = [f"{_capital('; '.join(parts))}."] if parts else []
    bound, found = saving(result, "foresight"), saving(result, best) if best else None
    undelivered_kwh = _undelivered_kwh(result, best) if best else 0.0
    if undelivered_kwh > _UNDELIVERED_THAT_MATTERS_KWH:
        sentences.append(
            f"Part of the saving is energy that was not delivered: {number_text(undelivered_kwh, 1)} kWh more of what was "
            "asked were missing at departures than with charging at once."
        )
    elif bound and found and bound.net > _MONEY_THAT_MATTERS and found.net > 0:
        kept = percent_text(found.net / bound.net)
        most = money_text(bound.net, result.currency)
        sentences.append(f"Perfect foresight could save {most} at most; this keeps {kept} of it.")
    return " ".join(sentences)


def _undelivered_kwh(result: StudyResult, name: StrategyName) -> float:
    """What a strategy left missing at departures beyond charging at once: a saving that is none."""
    strategy, reference = result.strategy(name), result.strategy("charge_at_once")
    if strategy is None or reference is None:
        return 0.0
    return strategy.shortfall_kwh - reference.shortfall_kwh


def departures(result: StudyResult) -> str:
    """Whether the driver always left with the charge asked for, or with all that was possible."""
    choices = [strategy for strategy in result.strategies if strategy.name != "foresight"]
    worst = max(choices, key=lambda s: (s.missed_count, s.shortfall_kwh), default=None)
    if worst is None or worst.departure_count == 0:
        return "No departure falls within the span."
    count, short = worst.departure_count, number_text(worst.shortfall_kwh, 1)
    title = STRATEGY_TITLES[worst.name]
    if worst.missed_count:
        avoidable = number_text(worst.shortfall_kwh_avoidable, 1)
        return (
            f"{title} missed {worst.missed_count} of {count} departures: {short} kWh short in all, "
            f"of which {avoidable} kWh could have been delivered in time."
        )
    if any(strategy.shortfall_kwh > _ENERGY_THAT_MATTERS_KWH for strategy in choices):
        return (
            f"The car left with the charge asked for, or with all that was possible, at all {count} departures; "
            f"{short} kWh were asked for that could not be delivered in time."
        )
    return f"The car left with the charge asked for at all {count} departures."


def payback(result: StudyResult) -> str:
    """Whether a bidirectional charger pays; empty where its price is not known.

    Smart charging needs no bidirectional charger, so what the charger itself earns is the saving beyond smart charging.
    """
    ran = [name for name in BIDIRECTIONAL if result.strategy(name) is not None]
    if result.charger_price is None or not ran:
        return ""
    best = max(ran, key=lambda name: result.saving_per_year(name) or 0.0)
    price = money_text(result.charger_price, result.currency)
    years = result.payback_years(best)
    if years is None:
        return f"The bidirectional charger's {price} would never be paid back."
    text = (
        f"The bidirectional charger's {price} would be paid back in {number_text(years, 1)} years"
    )
    smart = result.saving_per_year("smart")
    total = result.saving_per_year(best)
    if smart is None or smart <= 0 or total is None:
        return f"{text}."
    if total - smart < _MONEY_THAT_MATTERS:
        return f"{text}; but smart charging, which needs no such charger, would save as much."
    beyond = number_text(result.charger_price / (total - smart), 1)
    return (
        f"{text}; counted against smart charging, which needs no such charger, in {beyond} years."
    )


def wear_range(strategy: StrategyResult) -> str:
    """Capacity loss of the chosen cell with and without grid use, and what grid use costs over all cells."""
    if not strategy.wear:
        return ""
    chosen = strategy.wear[0]
    without = chosen.total_percent_per_year - chosen.grid_use_percent_per_year
    text = (
        f"{chosen.cell} cells would lose {_loss(chosen.total_percent_per_year)} of their capacity a year, "
        f"against {_loss(without)} for the same trips charged at once."
    )
    if len(strategy.wear) < 2:
        return text
    shares = [wear.grid_use_percent_per_year for wear in strategy.wear]
    low, high = (number_text(share, 2) for share in (min(shares), max(shares)))
    return (
        f"{text} Over {len(shares)} cells the difference ranges from {low} to {high} "
        "percentage points a year."
    )


def life_saved(strategy: StrategyResult) -> str:
    """The cells for which this strategy makes the battery last longer, and why; empty where there are none."""
    gaining = [wear for wear in strategy.wear if wear.grid_use_percent_per_year < -0.005]
    if not gaining:
        return ""
    names = ", ".join(f"{wear.cell} ({_points(wear)})" for wear in gaining)
    return (
        f"Here it saves battery life for {names}: the car rests at a lower charge, and that "
        "gains more than the extra cycles cost."
    )


def span_text(result: StudyResult) -> str:
    """The span as local dates, both ends included."""
    zone = ZoneInfo(result.time_zone)
    first = utc(result.grid.start_unix_s).astimezone(zone)
    last = utc(result.grid.end_unix_s - 1).astimezone(zone)
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _points(wear: WearResult) -> str:
    return f"{number_text(wear.grid_use_percent_per_year, 2)} points a year"


def _loss(percent: float) -> str:
    return f"{number_text(percent, 2)}\N{NO-BREAK SPACE}%"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
