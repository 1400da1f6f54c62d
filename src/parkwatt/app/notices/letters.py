"""A notice in a person's words: what happened, the figure, what to do, and where.

The words are in `words/<language>.toml`, a table a topic. A sentence whose figures are not known is left out.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from parkwatt.app.api.site_words import clock
from parkwatt.app.words import figure_text, time_text, translate
from parkwatt.site.notices import Figure, Item, Notice

_FOLDER: Final = Path(__file__).parent / "words"
_FORMATTER: Final = string.Formatter()
_TITLE_CHARACTERS_MAX: Final = 90


@dataclass(frozen=True, slots=True)
class Text:
    """What is sent."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for one person. ``page``: where the pages are, "" for no links."""

    language: str
    zone: ZoneInfo
    page: str = ""

    def write(self, notice: Notice, now_unix_s: int) -> Text:
        """The notice."""
        told = [self._item(item, now_unix_s) for item in notice.items]
        if len(told) == 1:
            return told[0]
        titles = [one.title for one in told]
        title = "; ".join(titles)
        if len(title) > _TITLE_CHARACTERS_MAX:
            title = topics(self.language)["several"]["title"].format(
                first=titles[0], count=len(titles) - 1
            )
        return Text(title, "\n\n".join(f"{one.title}\n{one.body}" for one in told))

    def test(self, name: str) -> Text:
        """What is sent to see whether it arrives."""
        words = topics(self.language)["test"]
        return Text(words["title"], " ".join(words["body"]).format(name=name))

    def _item(self, item: Item, now_unix_s: int) -> Text:
        words = topics(self.language)[f"{item.topic}_over" if item.over else item.topic]
        figures = {
            name: self._figure(name, figure, now_unix_s) for name, figure in item.figures.items()
        }
        lines = [" ".join(_sentences(words.get("body", ()), figures))]
        lines += [f"→ {one}" for one in _sentences(words.get("action", ()), figures)]
        if self.page and "page" in words:
            lines.append(f"{self.page}{words['page']}")
        title = next(iter(_sentences([words["title"]], figures)), item.topic)
        return Text(title, "\n".join(line for line in lines if line))

    def _figure(self, name: str, figure: Figure, now_unix_s: int) -> str | None:
        """A figure as its name's ending says; None where it is not known."""
        if figure is None or figure == "":
            return None
        if isinstance(figure, str):
            return translate(figure, self.language)
        if name.endswith("_unix_s"):
            return time_text(clock(figure, now_unix_s, self.zone), self.language)
        if name.endswith("_soc"):
            return figure_text(f"{figure:.0%}", self.language)
        digits = 0 if figure >= 10 or figure == round(figure) else 1
        return figure_text(f"{figure:.{digits}f}", self.language)


def _sentences(words: Iterable[str], figures: Mapping[str, str | None]) -> list[str]:
    """The sentences whose figures are all known, filled."""
    found = []
    for sentence in words:
        names = [name for _, name, _, _ in _FORMATTER.parse(sentence) if name]
        if all(figures.get(name) is not None for name in names):
            found.append(sentence.format(**figures))
    return found


@cache
def topics(language: str) -> dict[str, dict[str, Any]]:
    """All topics of a language: title, sentences of the body, actions, page."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
