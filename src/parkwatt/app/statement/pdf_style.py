"""How a statement looks: its fonts, colours, paragraphs, and the page with its foot. The fonts are embedded."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any, Final

from reportlab.graphics.shapes import STATE_DEFAULTS
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

INK: Final = HexColor("#12202b")
SOFT: Final = HexColor("#5c6b76")
LINE: Final = HexColor("#dfe4e2")
PALE: Final = HexColor("#f4f6f3")
ACCENT: Final = HexColor("#0b7f75")
DRIVING: Final = HexColor("#0c8f84")
HOME: Final = HexColor("#d9603b")
GRID: Final = HexColor("#6b5bd2")

PLAIN: Final = "Statement"
BOLD: Final = "Statement-Bold"
# For every table: ReportLab's own font would not be embedded, even where no letter is of it.
FONT: Final = ("FONT", (0, 0), (-1, -1), PLAIN)
PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN: Final = 18 * mm
WIDTH: Final = PAGE_WIDTH - 2 * MARGIN


@cache
def fonts() -> frozenset[int]:
    """Have the fonts ready; the code points that they show. Bitstream Vera comes with ReportLab."""
    plain = TTFont(PLAIN, "Vera.ttf")
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
    STATE_DEFAULTS["fontName"] = (
        PLAIN  # a drawing names this one, even where it draws no letter of it
    )
    return frozenset(plain.face.charToGlyph)


def shown(text: str) -> str:
    """A text with what the fonts can show: letters that they lack lose their accents, all else becomes a question mark."""
    known = fonts()
    found = []
    for character in text:
        plain = character
        if ord(character) not in known and character != "\n":
            plain = unicodedata.normalize("NFKD", character)[0]
        found.append(plain if plain == "\n" or ord(plain) in known else "?")
    return "".join(found)


_STYLES: Final[dict[str, dict[str, Any]]] = {
    "title": {"fontName": BOLD, "fontSize": 22, "leading": 27},
    "heading": {"fontName": BOLD, "fontSize": 10.5, "leading": 14, "spaceBefore": 7, "spaceAfter": 2},
    "body": {"fontSize": 8, "leading": 11.2},
    "label": {"fontSize": 7.6, "leading": 10, "textColor": SOFT},
    "big": {"fontName": BOLD, "fontSize": 12.5, "leading": 17},
    "hash": {"fontName": BOLD, "fontSize": 7.8, "leading": 12},
}  # fmt: skip


def paragraph(text: str, style: str) -> Paragraph:
    """Text that wraps; nothing in it is markup."""
    fonts()
    given: dict[str, Any] = {"fontName": PLAIN, "textColor": INK, **_STYLES[style]}
    return Paragraph(escape(shown(text)), ParagraphStyle(style, **given))


@dataclass(frozen=True, slots=True)
class PageEdges:
    """The coloured top of each page and its foot. ``foot``: stands at its left; ``page``: at its right, with {page}."""

    foot: str
    page: str

    def __call__(self, canvas: Canvas, document: Any) -> None:
        """Draw them; ReportLab's way to call."""
        canvas.setFillColor(ACCENT)
        canvas.rect(0, PAGE_HEIGHT - 5 * mm, PAGE_WIDTH, 5 * mm, stroke=0, fill=1)
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, 15 * mm, PAGE_WIDTH - MARGIN, 15 * mm)
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 11 * mm, shown(self.foot))
        text = self.page.format(page=document.page)
        canvas.drawRightString(PAGE_WIDTH - MARGIN, 11 * mm, shown(text))
