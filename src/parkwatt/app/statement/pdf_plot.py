"""The statement's plot: stacked bars of what left the battery, by month, or by year where there are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib.units import mm

from parkwatt.app.statement import pdf_style as style
from parkwatt.app.statement.views import BatteryUseView
from parkwatt.app.statement.wording import Wording

MONTHS_MOST: Final = 24
_HEIGHT: Final = 46 * mm
_LEFT, _BOTTOM, _TOP = 12 * mm, 6 * mm, 7 * mm
_BAR_MOST: Final = 12 * mm
_NAMES: Final = (
    ("driving", style.DRIVING),
    ("home", style.HOME),
    ("grid", style.GRID),
)

Bar = tuple[str, tuple[float, float, float]]


def bars(months: Sequence[BatteryUseView], words: Wording) -> list[Bar]:
    """A label and the energies for driving, home and grid of each bar."""
    if len(months) <= MONTHS_MOST:
        return [(_label(month.name, words), _energies(month)) for month in months]
    years: dict[str, tuple[float, float, float]] = {}
    for month in months:
        before, more = years.get(month.name[:4], (0.0, 0.0, 0.0)), _energies(month)
        years[month.name[:4]] = (before[0] + more[0], before[1] + more[1], before[2] + more[2])
    return list(years.items())


def plot(months: Sequence[BatteryUseView], words: Wording) -> Drawing:
    """The drawing, as wide as the text."""
    style.fonts()
    drawing = Drawing(style.WIDTH, _HEIGHT)
    stacks = bars(months, words)
    most = max((sum(energies) for _, energies in stacks), default=0.0)
    step = _step(most)
    top = max(step * math.ceil(most / step - 1e-9), step)
    span = _HEIGHT - _BOTTOM - _TOP
    for index in range(round(top / step) + 1):
        y = _BOTTOM + span * index * step / top
        drawing.add(Line(_LEFT, y, style.WIDTH, y, strokeColor=style.LINE, strokeWidth=0.5))
        drawing.add(_text(_LEFT - 4, y - 2.5, words.number(index * step, _digits(step)), "end"))
    room = (style.WIDTH - _LEFT) / max(len(stacks), 1)
    wide = min(room * 0.66, _BAR_MOST)
    for index, (label, energies) in enumerate(stacks):
        middle, y = _LEFT + room * (index + 0.5), _BOTTOM
        for energy_kwh, (_, colour) in zip(energies, _NAMES, strict=True):
            height = span * energy_kwh / top
            drawing.add(
                Rect(middle - wide / 2, y, wide, height, fillColor=colour, strokeColor=None)
            )
            y += height
        drawing.add(_text(middle, 0, label, "middle"))
    _legend(drawing, words)
    return drawing


def _legend(drawing: Drawing, words: Wording) -> None:
    x, y = _LEFT, _HEIGHT - 7
    for name, colour in _NAMES:
        drawing.add(Rect(x, y, 7, 7, fillColor=colour, strokeColor=None))
        text = _text(x + 11, y + 0.6, words.text(name), "start")
        drawing.add(text)
        x = text.getEast() + 14


def _text(x: float, y: float, text: str, anchor: str) -> String:
    return String(
        x,
        y,
        style.shown(text),
        fontName=style.PLAIN,
        fontSize=7,
        fillColor=style.SOFT,
        textAnchor=anchor,
    )


def _energies(use: BatteryUseView) -> tuple[float, float, float]:
    return use.driving_kwh, use.home_kwh, use.grid_kwh


def _label(name: str, words: Wording) -> str:
    """The month; January with its year."""
    year, month = name.split("-")
    short = words.month_short(int(month))
    return f"{short} {year[2:]}" if month == "01" else short


def _step(most: float) -> float:
    """A round number of which three or four make the height."""
    if most <= 0:
        return 1.0
    rough = most / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    return next(scale * one for one in (1, 2, 2.5, 5, 10) if scale * one >= rough - 1e-12)


def _digits(step: float) -> int:
    return 0 if step >= 1 and step == int(step) else 1 if step >= 0.1 else 2
