"""The words of the pages, by language: `words/<language>/<page>.toml`, one line a text, with `{placeholders}`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
_FOLDER: Final = Path(__file__).parent / "words"


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language, as `page.name`."""
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        found.update({f"{path.stem}.{name}": text for name, text in table.items()})
    return found


def text(language: str, key: str, **values: object) -> str:
    """One text with its placeholders filled. Raises KeyError for a key that no catalogue has."""
    return texts(language)[key].format(**values)


def chosen(cookie: str | None, accept_language: str) -> str:
    """The language of a browser: what was chosen on a page, else the first of its own that there is, else English."""
    if cookie in LANGUAGES:
        return cookie
    for part in accept_language.split(","):
        code = part.partition(";")[0].strip()[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"
