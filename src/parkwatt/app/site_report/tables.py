"""A report's tables in HTML; whatever came from a user is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from parkwatt.app.report.number_text import UNKNOWN, currency_symbol, number_text
from parkwatt.app.site_report import words
from parkwatt.app.site_report.views import AccountView, RowView, TotalView


def rows_table(view: AccountView) -> str:
    """Periods down, figures across, totals at the end."""
    unit = currency_symbol(view.currency)
    several = len(view.cars) > 1
    heads = [
        view.by.capitalize(),
        *(["Car"] if several else []),
        "Charged <small>kWh</small>",
        "Given <small>kWh</small>",
        f"Cost <small>{unit}</small>",
        f"At once <small>{unit}</small>",
        f"Stored <small>{unit}</small>",
        f"Gross <small>{unit}</small>",
        f"Wear <small>{unit}</small>",
        f"Net <small>{unit}</small>",
        "Kept",
    ]
    zone = ZoneInfo(view.time_zone)
    body = [_row(_label(row, zone), row, several) for row in view.rows]
    body += [_row("Total", total, several, strong=True) for total in _totals(view)]
    return _table("Energy, money and wear", heads, body)


def _totals(view: AccountView) -> list[TotalView]:
    return [*(view.cars if len(view.cars) > 1 else ()), view.total]


def _label(row: RowView, zone: ZoneInfo) -> str:
    if row.stay is None:
        return row.name
    end = _moment(row.end, zone) if row.stay.ended else "now"
    return f"{_moment(row.start, zone)} – {end}"


def _moment(time: datetime, zone: ZoneInfo) -> str:
    return f"{time.astimezone(zone):%d %b %H:%M}"


def _row(label: str, row: RowView | TotalView, several: bool, *, strong: bool = False) -> str:
    energy, money = row.energy, row.money
    promises = row.promises
    cells = [
        *([escape(row.car_id or "all")] if several else []),
        number_text(energy.charged_kwh, 1),
        number_text(energy.discharged_kwh, 1),
        number_text(money.cost, 2),
        number_text(money.at_once, 2),
        number_text(money.stored, 2),
        number_text(money.saving_gross, 2),
        number_text(money.wear, 2),
        number_text(money.saving_net, 2),
        f"{promises.kept} of {promises.asked}" if promises.asked else UNKNOWN,
    ]
    data = "".join(
        f'<td class="{"best" if index == len(cells) - 2 else ""}">{cell}</td>'
        for index, cell in enumerate(cells)
    )
    kind = ' class="strong"' if strong else ""
    return f'<tr{kind}><th scope="row">{escape(label)}</th>{data}</tr>'


def departures_table(view: AccountView) -> str:
    """Each stay that ended, with what was asked, what was there, and the reason; ``view`` is by session."""
    zone = ZoneInfo(view.time_zone)
    body = []
    for row in view.rows:
        stay = row.stay
        if stay is None or stay.promise in (None, "nothing_asked"):
            continue
        tone = {"kept": "", "broken": "broken"}.get(stay.promise or "", "unsure")
        wanted = UNKNOWN if stay.departs_at is None else _moment(stay.departs_at, zone)
        cells = (
            escape(row.car_id),
            wanted,
            _energy(stay.energy_kwh_asked),
            _energy(stay.energy_kwh_end),
            f'<span class="{tone}">{escape(words.PROMISE_WORDS[stay.promise or "not_known"])}</span>',
        )
        data = "".join(f"<td>{cell}</td>" for cell in cells)
        reason = f'<td class="words">{escape(stay.reason)}</td>'
        left = escape(_moment(row.end, zone))
        body.append(f'<tr><th scope="row">{left}</th>{data}{reason}</tr>')
    if not body:
        return ""
    heads = (
        "Left",
        "Car",
        "Wanted",
        "Asked <small>kWh</small>",
        "There <small>kWh</small>",
        "",
        "<span class='why'>Why</span>",
    )
    return _table("Departures", heads, body)


def _energy(value_kwh: float | None) -> str:
    return UNKNOWN if value_kwh is None else number_text(value_kwh, 1)


def _table(caption: str, heads: Iterable[str], body: Iterable[str]) -> str:
    label = escape(caption, quote=True)
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
