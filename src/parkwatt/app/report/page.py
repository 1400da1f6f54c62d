"""The study as one HTML page that needs nothing else: no server, no network, no fonts from elsewhere.

The text and the tables are written here, readable without a script. Plots are drawn by plotly.js (the copy that the `nicegui`
package carries, put into the page) from `over_time` and `bars`; assets/report.js
picks the colours, the strategy and the span in sight.
Whatever came from a user is escaped where it enters HTML (`html.escape`) or a script's JSON (`<` as an escape).
A content security policy in the page forbids every request.
"""

from __future__ import annotations

import math
import re
from html import escape
from pathlib import Path
from typing import Any

from parkwatt.app.atomic_file import replacing
from parkwatt.app.report import bars, embed, over_time, words
from parkwatt.app.report.comparison import comparison
from parkwatt.app.report.number_text import MINUS, UNKNOWN, money_text, number_text, percent_text
from parkwatt.app.report.tables import comparison_table, loss_table, month_table
from parkwatt.domain.series import utc
from parkwatt.site.outcome import STRATEGY_TITLES, StrategyResult, StudyResult

_PACKAGE = "parkwatt.app.report"
_MARKER = re.compile(r"\{\{(\w+)\}\}")


def write_report(result: StudyResult, path: Path) -> None:
    """Write the page about ``result`` to ``path``, whole or not at all.

    Raises `InputError` where ``path`` cannot be written.
    """
    with replacing(path) as stream:
        stream.write(page(result))


def page(result: StudyResult) -> str:
    """The page's text."""
    shown = _strategy_shown_first(result)
    parts = {
        "title": f"{escape(result.site_name)} · Parkwatt study",
        "site": escape(result.site_name),
        "span": f"{words.span_text(result)} · {number_text(words.span_days(result))} days",
        "headline": _emphasised(escape(words.headline(result))),
        "others": escape(words.other_choices(result)),
        "cards": _cards(result),
        "table": comparison_table(result, comparison(result), words.best_choice(result)),
        "payback": escape(words.payback(result)),
        "worth_period": _worth_period(result),
        "worth_label": escape(_worth_label(result), quote=True),
        "months_table": month_table(result),
        "wear_words": _wear_words(shown),
        "loss_table": loss_table(result),
        "computed": _how_computed(result),
        "style": embed.style(),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(_data(result, shown)),
        "script": embed.asset(_PACKAGE, "report.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "page.html"))


def _data(result: StudyResult, shown: StrategyResult | None) -> dict[str, Any]:
    offsets = over_time.local_offsets_s(result)
    changes = [0, *(i for i in range(1, len(offsets)) if offsets[i] != offsets[i - 1])]
    return {
        "start_s": result.grid.start_unix_s,
        "step_s": result.grid.step_s,
        "count": result.grid.step_count,
        "offsets": [[index, offsets[index]] for index in changes if index < len(offsets)],
        "energy_kwh_min": result.energy_kwh_min,
        "energy_kwh_max": result.energy_kwh_max,
        "shown": shown.name if shown else None,
        "panels": over_time.panels(result),
        "series": over_time.series(result),
        "week_axis": over_time.week_axis(),
        "worth": bars.worth(result),
        "months": bars.months(result),
        "strategies": [
            {
                "name": strategy.name,
                "title": STRATEGY_TITLES[strategy.name],
                "series": over_time.strategy_series(strategy),
                "week": over_time.week_series(result, strategy),
                "loss": bars.capacity_loss(strategy),
                "loss_words": " ".join(
                    filter(None, (words.wear_range(strategy), words.life_saved(strategy)))
                ),
            }
            for strategy in result.strategies
        ],
    }


def _strategy_shown_first(result: StudyResult) -> StrategyResult | None:
    best = words.best_choice(result)
    strategy = result.strategy(best) if best else None
    return strategy or (result.strategies[0] if result.strategies else None)


def _emphasised(sentence: str) -> str:
    """The amount after "would save" in the page's colour."""
    return re.sub(r"(would (?:have )?save )([\d,.]+\xa0\S+)", r"\1<b>\2</b>", sentence, count=1)


def _cards(result: StudyResult) -> str:
    """Four figures at a glance, of the best choice."""
    name = words.best_choice(result)
    strategy, found = (result.strategy(name), words.saving(result, name)) if name else (None, None)
    if strategy is None or found is None:
        return ""
    currency = result.currency
    cards = [
        (
            "Net saving",
            money_text(found.net, currency),
            found.period,
            "good" if found.net > 0 else "bad",
        ),
        ("Extra battery wear", money_text(found.wear, currency), found.period, ""),
        (
            "Missed",
            f"{strategy.missed_count} of {strategy.departure_count}",
            "departures",
            "bad" if strategy.missed_count else "",
        ),
    ]
    if strategy.self_consumption is not None:
        share = percent_text(strategy.self_consumption)
        cards.append(("Own sun used", share, "of what the roof gave", ""))
    else:
        cards.append(
            (
                "Highest import",
                f"{number_text(strategy.import_peak_kw, 1)}\xa0kW",
                "in one step",
                "",
            )
        )
    return "".join(
        f'<div class="card stat {tone}"><span class="muted">{title}</span>'
        f'<span class="big">{escape(value)}</span><span class="muted">{escape(about)}</span></div>'
        for title, value, about, tone in cards
    )


def _worth_period(result: StudyResult) -> str:
    found = [words.saving(result, strategy.name) for strategy in result.strategies]
    return escape(next((saving.period for saving in found if saving), "over the span"))


def _worth_label(result: StudyResult) -> str:
    texts = []
    for strategy in result.strategies:
        found = words.saving(result, strategy.name)
        if found and strategy.name != "charge_at_once":
            amounts = (
                money_text(value, result.currency) for value in (found.gross, found.wear, found.net)
            )
            texts.append(
                "{}: gross {}, wear {}, net {}".format(STRATEGY_TITLES[strategy.name], *amounts)
            )
    return "Bars of savings against charging at once. " + "; ".join(texts) + "."


def _wear_words(shown: StrategyResult | None) -> str:
    if shown is None:
        return ""
    return escape(" ".join(filter(None, (words.wear_range(shown), words.life_saved(shown)))))


def _how_computed(result: StudyResult) -> str:
    """Assumptions as a list of terms, then the study's own notes."""
    grid, currency = result.grid, result.currency
    prices = result.import_price_per_kwh[: grid.step_count]
    charger = (
        UNKNOWN if result.charger_price is None else money_text(result.charger_price, currency)
    )
    terms = {
        "Span": f"{utc(grid.start_unix_s):%Y-%m-%d %H:%M} to {utc(grid.end_unix_s):%Y-%m-%d %H:%M} UTC",
        "Steps": f"{number_text(grid.step_count)} of {number_text(grid.step_s / 60)} minutes",
        "Time zone": f"{result.time_zone}; every plot shows its local time",
        "Currency": currency,
        "Price to buy": _price_range(prices.tolist(), currency),
        "Battery in use": f"{number_text(result.energy_kwh_min, 1)} to "
        f"{number_text(result.energy_kwh_max, 1)} kWh (floor to full)",
        "Cell": result.cell,
        "Price of a new pack": f"{money_text(result.pack_price_per_kwh, currency)} per kWh",
        "Wear price": f"{money_text(result.wear_price_per_kwh, currency, 3)} per kWh discharged",
        "Bidirectional charger": charger,
    }
    listed = "".join(
        f"<div><dt>{term}</dt><dd>{escape(text)}</dd></div>" for term, text in terms.items()
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    return f"<dl>{listed}</dl>" + (f"<h3>Notes of this study</h3><ul>{notes}</ul>" if notes else "")


def _price_range(prices: list[float], currency: str) -> str:
    known = [price for price in prices if math.isfinite(price)]
    if not known:
        return UNKNOWN
    mean = sum(known) / len(known)
    low, high, middle = (money_text(value, currency, 3) for value in (min(known), max(known), mean))
    return f"{low} to {high} per kWh, mean {middle}".replace(f"{MINUS}0.000", "0.000")
