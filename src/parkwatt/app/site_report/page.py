"""A report as one HTML page that needs nothing else: no server, no network.

Text and tables are readable without a script; plotly.js draws the plots (assets/account.js). It looks as the study's page does,
whose style it shares. Whatever came from a user is escaped; a content security policy forbids every request.
"""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape
from zoneinfo import ZoneInfo

from parkwatt.app.report import embed
from parkwatt.app.report.number_text import money_text, number_text, percent_text
from parkwatt.app.site_report import plots, words
from parkwatt.app.site_report.profile import day_profile
from parkwatt.app.site_report.tables import departures_table, rows_table
from parkwatt.app.site_report.view import account_view
from parkwatt.app.site_report.views import AccountView
from parkwatt.site.account import Accounts

_PACKAGE = "parkwatt.app.site_report"
_MARKER = re.compile(r"\{\{(\w+)\}\}")
_SOME_KWH = 0.05


def page(accounts: Accounts, view: AccountView) -> str:
    """The page's text."""
    start, end = int(view.start.timestamp()), int(view.end.timestamp())
    sessions = view if view.by == "session" else account_view(accounts, start, end, by="session")
    zone = ZoneInfo(view.time_zone)
    first, last = view.start.astimezone(zone), (view.end - timedelta(seconds=1)).astimezone(zone)
    departures = departures_table(sessions)
    parts = {
        "title": f"{escape(view.site)} · Parkwatt report",
        "site": escape(view.site),
        "span": f"{first:%Y-%m-%d} to {last:%Y-%m-%d}",
        "headline": _emphasised(escape(view.headline)),
        "cards": _cards(view),
        "rows": rows_table(view),
        "by": escape(view.by),
        "departures": departures or "<p>No departure with a wish falls into these days.</p>",
        "operation": _list(words.operation_lines(view.operation)),
        "notes": f"<h3>Less sure</h3>{_list(view.notes)}" if view.notes else "",
        "style": embed.style() + embed.asset(_PACKAGE, "account.css"),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(
            {
                "money": plots.money(view),
                "energy": plots.energy(view),
                "day": plots.day(view, day_profile(accounts.ledger, start, end)),
            }
        ),
        "script": embed.asset(_PACKAGE, "account.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "account.html"))


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _emphasised(sentence: str) -> str:
    """The amount after "saved" in the page's colour."""
    return re.sub(r"(saved )([\d,.]+\xa0\S+)", r"\1<b>\2</b>", sentence, count=1)


def _cards(view: AccountView) -> str:
    """Four figures at a glance."""
    total, currency = view.total, view.currency
    money, energy, promises = total.money, total.energy, total.promises
    gross, wear = money_text(money.saving_gross, currency, 2), money_text(money.wear, currency, 2)
    sun = energy.from_sun_kwh / energy.charged_kwh if energy.charged_kwh > _SOME_KWH else 0.0
    given = f"{number_text(energy.to_home_kwh, 1)} to the house, "
    given += f"{number_text(energy.to_grid_kwh, 1)} to the grid"
    kept = f"{promises.kept} of {promises.asked}" if promises.asked else "–"
    bad = promises.broken or promises.floors_broken
    cards = (
        (
            "Net saving",
            money_text(money.saving_net, currency, 2),
            f"gross {gross}, wear {wear}",
            "good" if money.saving_net > 0 else "bad",
        ),
        (
            "Charged",
            f"{number_text(energy.charged_kwh, 1)}\xa0kWh",
            f"{money_text(money.charged, currency, 2)}, {percent_text(sun)} from own sun",
            "",
        ),
        ("Given", f"{number_text(energy.discharged_kwh, 1)}\xa0kWh", given, ""),
        ("Departures kept", kept, _floors(promises.floors_broken), "bad" if bad else ""),
    )
    return "".join(
        f'<div class="card stat {tone}"><span class="muted">{title}</span>'
        f'<span class="big">{escape(value)}</span><span class="muted">{escape(about)}</span></div>'
        for title, value, about, tone in cards
    )


def _floors(broken: int) -> str:
    return f"{broken} floors broken" if broken else "no floor broken"
