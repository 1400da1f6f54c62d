"""The words and numbers of a statement, in its reader's language."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

LanguageName = Literal["en", "de"]
LANGUAGES: Final[tuple[LanguageName, ...]] = ("en", "de")
# A number and its unit stay on one line.
_UNIT: Final = re.compile(r"(?<=\d) (?=kWh|%|°C|h\b)|(?<=\d) (?=±)|(?<=±) ")
_FOLDER: Final = Path(__file__).parent / "words"
_MONTHS: Final = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
}  # fmt: skip


@cache
def texts(language: LanguageName) -> dict[str, str]:
    """All texts of a language by their name."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Wording:
    """One language at one site. ``zone``: of the site."""

    language: LanguageName
    zone: ZoneInfo

    def text(self, name: str, **values: object) -> str:
        """A text with its placeholders filled. Raises KeyError for a name that there is not."""
        told = texts(self.language)[name].format(**values)
        return _UNIT.sub("\N{NO-BREAK SPACE}", told)

    def number(self, value: float, digits: int = 0) -> str:
        """1,234.5; in German 1.234,5. What rounds to nothing has no sign."""
        shown = f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")
        return shown.translate(str.maketrans(",.", ".,")) if self.language == "de" else shown

    def day(self, at: datetime) -> str:
        """22 Nov 2026; in German 22. Nov. 2026."""
        local = at.astimezone(self.zone)
        dot = "." if self.language == "de" else ""
        return f"{local.day}{dot} {self.month_short(local.month)} {local.year}"

    def month(self, name: str) -> str:
        """Nov 2026, of 2026-11."""
        year, month = name.split("-")
        return f"{self.month_short(int(month))} {year}"

    def month_short(self, month: int) -> str:
        """Nov, of 11."""
        return _MONTHS[self.language][month - 1]
