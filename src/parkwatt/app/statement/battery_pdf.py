"""A battery's ledger as a PDF statement: for a warranty, or for whoever buys the car.

The same journal gives the same file, but for the day on which it was issued.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.platypus import KeepTogether, SimpleDocTemplate, Spacer, Table, TableStyle

import parkwatt
from parkwatt.app.statement import pdf_style as style
from parkwatt.app.statement.pdf_plot import MONTHS_MOST, plot
from parkwatt.app.statement.pdf_style import paragraph
from parkwatt.app.statement.views import BatteryUseView, BatteryView
from parkwatt.app.statement.wording import LanguageName, Wording

_HASH_SHOWN: Final = 16
# What ReportLab leaves free within a page's margins.
_FRAME: Final = 6
_DAY_S: Final = 86_400


def battery_pdf(view: BatteryView, issued: datetime, language: LanguageName) -> bytes:
    """The statement. ``issued``: when it was asked for."""
    style.fonts()
    words = Wording(language, ZoneInfo(view.time_zone))
    pages, content = _built(view, issued, words, pages=1)
    return content if pages == 1 else _built(view, issued, words, pages)[1]


def _built(view: BatteryView, issued: datetime, words: Wording, pages: int) -> tuple[int, bytes]:
    """How many pages it has, and the file; its feet say that there are ``pages``."""
    stream = io.BytesIO()
    program = f"Parkwatt {parkwatt.__version__}"
    document = SimpleDocTemplate(
        stream,
        leftMargin=style.MARGIN - _FRAME,
        rightMargin=style.MARGIN - _FRAME,
        topMargin=13 * mm,
        bottomMargin=18 * mm,
        title=f"{words.text('title')} · {view.car_id}",
        author=view.site,
        subject=f"{view.seal.entry} {view.seal.hash}",
        creator=program,
        lang=words.language,
        initialFontName=style.PLAIN,
        invariant=1,
    )
    edges = style.PageEdges(
        f"{program} · {view.car_id} · {view.seal.entry} · {view.seal.hash[:_HASH_SHOWN]}…",
        words.text("page", page="{page}", pages=pages),
    )
    document.build(_story(view, issued, words), onFirstPage=edges, onLaterPages=edges)
    return int(document.page), stream.getvalue()


def _story(view: BatteryView, issued: datetime, words: Wording) -> list[Any]:
    title = "plot_years" if len(view.months) > MONTHS_MOST else "plot"
    return [
        paragraph(words.text("title"), "title"),
        Spacer(1, 3 * mm),
        _facts(view, issued, words),
        Spacer(1, 4 * mm),
        _figures(view, words),
        paragraph(words.text(title), "heading"),
        plot(view.months, words),
        paragraph(words.text("table"), "heading"),
        _table(view, words),
        *_about(view, words),
        KeepTogether(_seal(view, words)),
    ]


def _facts(view: BatteryView, issued: datetime, words: Wording) -> Table:
    period = words.text("nothing_yet")
    if view.start is not None and view.known_until is not None:
        period = words.text("until", start=words.day(view.start), end=words.day(view.known_until))
    facts = (
        ("car", view.car_id),
        ("site", view.site),
        ("period", period),
        ("issued", words.day(issued)),
    )
    cells = [
        [paragraph(words.text(name), "label"), paragraph(value, "body")] for name, value in facts
    ]
    return Table([cells], [style.WIDTH * share for share in (0.24, 0.24, 0.34, 0.18)], style=_BARE)


_BARE: Final = TableStyle(
    [
        style.FONT,
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def _figures(view: BatteryView, words: Wording) -> Table:
    """Four figures at a glance."""
    total, number = view.total, words.number
    used_kwh = total.driving_kwh + total.home_kwh + total.grid_kwh
    days = 0.0
    if view.start is not None and view.known_until is not None:
        days = (view.known_until - view.start).total_seconds() / _DAY_S

    def share(energy_kwh: float) -> str:
        return number(100 * energy_kwh / used_kwh if used_kwh else 0.0)

    figures = (
        (
            words.text("cycles"),
            number(total.cycles.total, 1),
            words.text("cycles_about", capacity=number(view.capacity_kwh, 1), days=number(days)),
        ),
        (
            words.text("energy"),
            f"{number(used_kwh)} kWh",
            words.text(
                "energy_about",
                driving=share(total.driving_kwh),
                home=share(total.home_kwh),
                grid=share(total.grid_kwh),
            ),
        ),
        _capacity_figure(view, words),
        (
            words.text("high"),
            f"{number(total.high_h)} h",
            words.text("high_about", known=number(total.known_h)),
        ),
    )
    cells = [
        [paragraph(name, "label"), paragraph(value, "big"), paragraph(about, "label")]
        for name, value, about in figures
    ]
    return Table(
        [cells],
        [style.WIDTH / 4] * 4,
        style=TableStyle(
            [
                style.FONT,
                ("BACKGROUND", (0, 0), (-1, -1), style.PALE),
                ("LINEAFTER", (0, 0), (-2, -1), 3, style.PALE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 8),
                ("TOPPADDING", (0, 0), (-1, -1), 7),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
                ("ROUNDEDCORNERS", [6, 6, 6, 6]),
            ]
        ),
    )


def _capacity_figure(view: BatteryView, words: Wording) -> tuple[str, str, str]:
    told, number = view.capacity, words.number
    if told.capacity_kwh is None or told.error_kwh is None:
        about = words.text(
            "capacity_unknown_about", sessions=told.sessions, needed=told.sessions_needed
        )
        return words.text("capacity"), words.text("capacity_unknown"), about
    value = f"{number(told.capacity_kwh, 1)} ± {number(told.error_kwh, 1)} kWh"
    return words.text("capacity"), value, words.text("capacity_about", sessions=told.sessions)


def _table(view: BatteryView, words: Wording) -> Table:
    unit = "kWh"
    heads = [
        words.text("month"),
        f"{words.text('charged')}\n{unit}",
        *(f"{words.text(name).capitalize()}\n{unit}" for name in ("driving", "home", "grid")),
        words.text("cycles_short"),
        f"{words.text('high_short')}\nh",
        f"{words.text('highest_short')}\nh",
    ]
    body = [_cells(words.month(month.name), month, words) for month in view.months]
    total = _cells(words.text("total"), view.total, words)
    rows = [[style.shown(cell) for cell in row] for row in (heads, *body, total)]
    widths = [style.WIDTH * share for share in (0.15, 0.15, 0.13, 0.13, 0.13, 0.11, 0.10, 0.10)]
    return Table(rows, widths, repeatRows=1, style=_ROWS)


_ROWS: Final = TableStyle(
    [
        ("FONT", (0, 0), (-1, -1), style.PLAIN, 8, 10),
        ("FONT", (0, -1), (-1, -1), style.BOLD, 8, 10),
        ("TEXTCOLOR", (0, 0), (-1, -1), style.INK),
        ("TEXTCOLOR", (0, 0), (-1, 0), style.SOFT),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, style.INK),
        ("LINEBELOW", (0, 1), (-1, -2), 0.4, style.LINE),
        ("LINEABOVE", (0, -1), (-1, -1), 0.8, style.INK),
        ("TOPPADDING", (0, 0), (-1, -1), 2.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.2),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 2),
    ]
)


def _cells(name: str, use: BatteryUseView, words: Wording) -> list[str]:
    number = words.number
    return [
        name,
        number(use.charged_kwh, 1),
        number(use.driving_kwh, 1),
        number(use.home_kwh, 1),
        number(use.grid_kwh, 1),
        number(use.cycles.total, 2),
        number(use.high_h),
        number(use.highest_h),
    ]


def _about(view: BatteryView, words: Wording) -> list[Any]:
    parts = (
        ("about_capacity", _capacity_words(view, words)),
        ("about_ageing", _ageing_words(view, words)),
        ("about_counting", words.text("counting")),
    )
    return [
        KeepTogether([paragraph(words.text(name), "heading"), paragraph(text, "body")])
        for name, text in parts
    ]


def _capacity_words(view: BatteryView, words: Wording) -> str:
    told, number = view.capacity, words.number
    values = {
        "sessions": told.sessions,
        "charges": number(told.full_charges, 1),
        "settings": number(view.capacity_kwh, 1),
    }
    if told.capacity_kwh is None or told.error_kwh is None:
        return words.text(
            "about_capacity_unknown",
            needed=told.sessions_needed,
            charges_needed=number(told.full_charges_needed),
            **values,
        )
    return words.text(
        "about_capacity_known",
        capacity=number(told.capacity_kwh, 1),
        error=number(told.error_kwh, 1),
        **values,
    )


def _ageing_words(view: BatteryView, words: Wording) -> str:
    ageing, number = view.ageing, words.number
    if ageing is None:
        return words.text("about_ageing_unknown")
    return words.text(
        "about_ageing_known",
        cell=ageing.cell_name,
        temperature=number(ageing.temperature_c),
        days=number(ageing.history_days),
        loss=number(ageing.loss_percent_per_year, 2),
        time=number(ageing.time_percent_per_year, 2),
        driving=number(ageing.driving_percent_per_year, 2),
        grid_use=number(ageing.grid_use_percent_per_year, 2),
        lowest=number(ageing.lowest_percent_per_year, 1),
        highest=number(ageing.highest_percent_per_year, 1),
    )


def _seal(view: BatteryView, words: Wording) -> list[Any]:
    content = [
        paragraph(words.text("seal_text", entry=view.seal.entry), "body"),
        paragraph(view.seal.hash, "hash"),
        paragraph(words.text("seal_check"), "label"),
    ]
    box = Table(
        [[content]],
        [style.WIDTH],
        style=TableStyle(
            [
                style.FONT,
                ("BOX", (0, 0), (-1, -1), 0.8, style.ACCENT),
                ("LEFTPADDING", (0, 0), (-1, -1), 9),
                ("TOPPADDING", (0, 0), (-1, -1), 6),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
                ("ROUNDEDCORNERS", [6, 6, 6, 6]),
            ]
        ),
    )
    return [paragraph(words.text("seal"), "heading"), box]
