"""A sentence of the API in another language.

The catalogue (`catalogues/<language>/*.toml`) has an English pattern for each sentence, with placeholders, and what it is in
the other language:

    "waits until {t}: {v} cheaper than now" = "wartet bis {t}: dann {v} billiger als jetzt"

`{v}` is a figure with or without a unit and `{t}` a time: both are written as the reader writes them. `{s}` is a sentence of
its own, looked up in turn; `{x}` is a name and stays as it is. A digit tells several apart: `{v2}`. The pattern with the most
words of its own goes first. What no pattern holds as a whole is taken apart where its clauses are joined: at a semicolon,
colon, comma or full stop, and at brackets; each part is looked up alone. What cannot be found stays English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from parkwatt.app.words.figures import FIGURE, TIME, figure_text, time_text

_FOLDER: Final = Path(__file__).parent / "catalogues"
_PLACEHOLDER: Final = re.compile(r"\{([vtsx])(\d?)\}")
_GROUPS: Final = {"v": FIGURE, "t": TIME, "s": r".+?", "x": r".+?"}
_SENTENCES_KEPT: Final = 8192
_JOINTS: Final = ("; ", ": ", ". ", ", ")
# A sentence is nested so deep at most, and so long: beyond, it is something that a device said.
_DEPTH_MAX: Final = 12
_CHARACTERS_MAX: Final = 800
_PARTS_MAX: Final = 200
# The name of a setting or a field: floor_soc, backup.circuit[2].
_FIELD: Final = re.compile(r"[a-z]+(?:[_.\[][\w\].\[]*)")
# A pattern that begins with a placeholder, with fewer letters of its own than this, holds a sentence only where all is known.
_OWN_LETTERS_MIN: Final = 8


@dataclass(frozen=True, slots=True)
class Pattern:
    """``start``: how its sentences begin, ``longest``: the longest of its own words; ``own_count``: letters outside of
    placeholders; ``said``: in the other language.
    """

    english: str
    start: str
    longest: str
    own_count: int
    expression: str
    said: str

    def match(self, sentence: str) -> re.Match[str] | None:
        """The sentence's parts; None where it is another one."""
        return _compiled(self.expression).fullmatch(sentence)


@lru_cache(_SENTENCES_KEPT)
def translate(sentence: str, language: str) -> str:
    """The sentence in ``language``; as it is where it is English that is wanted, or where nothing is known."""
    if language == "en" or not sentence or len(sentence) > _CHARACTERS_MAX:
        return sentence
    found = _Search(language, strict=True).look_up(sentence)
    if found is None:
        found = _Search(language, strict=False).look_up(sentence)
    return sentence if found is None else found


def is_known(sentence: str, language: str) -> bool:
    """Whether the whole sentence, with all that is nested in it, is in the catalogue."""
    return _Search(language, strict=True).look_up(sentence) is not None


@cache
def patterns(language: str) -> tuple[Pattern, ...]:
    """The catalogue, those with most words of their own first; empty where there is none."""
    found = [
        _pattern(english, said)
        for path in sorted((_FOLDER / language).glob("*.toml"))
        for english, said in tomllib.loads(path.read_text(encoding="utf-8")).items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.own_count, one.english)))


def _pattern(english: str, said: str) -> Pattern:
    parts, names = _PLACEHOLDER.split(english), set[str]()
    expression = [re.escape(parts[0])]
    for kind, digit, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        name = kind + digit
        if name in names:
            expression.append(f"(?P={name})")
        else:
            expression.append(f"(?P<{name}>{_GROUPS[kind]})")
        names.add(name)
        expression.append(re.escape(literal))
    own_count = sum(1 for character in "".join(parts[::3]) if character.isalpha())
    longest = max(parts[::3], key=len)
    return Pattern(english, parts[0], longest, own_count, "".join(expression), said)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    """Compiled when it is first needed: of a thousand patterns a site says a few dozen."""
    return re.compile(expression)


class _Search:
    """One search for one sentence. ``strict``: nothing in it may stay unknown. It ends after so many parts were looked at."""

    def __init__(self, language: str, *, strict: bool) -> None:
        self._language, self._strict = language, strict
        self._known: dict[str, str | None] = {}

    def look_up(self, sentence: str, depth: int = 0) -> str | None:
        """The sentence; None where it, or in a strict search anything in it, is not known."""
        if _is_figure(sentence):
            return _value(sentence, self._language)
        if sentence in self._known:
            return self._known[sentence]
        if depth > _DEPTH_MAX or len(self._known) >= _PARTS_MAX:
            return None
        self._known[sentence] = None
        found = self._by_pattern(sentence, depth)
        if found is None and _FIELD.fullmatch(sentence):
            found = sentence
        if found is None:
            found = self._taken_apart(sentence, depth)
        self._known[sentence] = found
        return found

    def _by_pattern(self, sentence: str, depth: int) -> str | None:
        for pattern in patterns(self._language):
            if pattern.longest not in sentence or not sentence.startswith(pattern.start):
                continue
            if not (self._strict or pattern.start or pattern.own_count >= _OWN_LETTERS_MIN):
                continue
            match = pattern.match(sentence)
            if match is None:
                continue
            said = self._fill(pattern, match, depth)
            if said is not None:
                return said
        return None

    def _fill(self, pattern: Pattern, match: re.Match[str], depth: int) -> str | None:
        values: dict[str, str] = {}
        for name, text in match.groupdict().items():
            if name[0] == "v":
                values[name] = figure_text(text, self._language)
            elif name[0] == "t":
                values[name] = time_text(text, self._language)
            elif name[0] == "x":
                values[name] = text
            else:
                nested = self.look_up(text, depth + 1)
                if nested is None and self._strict:
                    return None
                values[name] = text if nested is None else nested
        return _PLACEHOLDER.sub(lambda found: values[found[1] + found[2]], pattern.said)

    def _taken_apart(self, sentence: str, depth: int) -> str | None:
        """The sentence by its clauses; in a strict search each has to be known, else at least one."""
        for before, joint, after, end in _cuts(sentence):
            first = self.look_up(before, depth + 1)
            if first is None and self._strict:
                continue
            second = self.look_up(after, depth + 1) if after else ""
            if (second is None and self._strict) or (first is None and not second):
                continue
            return f"{before if first is None else first}{joint}{after if second is None else second}{end}"
        return None


def _cuts(sentence: str) -> Iterator[tuple[str, str, str, str]]:
    """Where a sentence may be taken apart: before, joint, after, end."""
    if sentence.endswith("."):
        yield sentence[:-1], "", "", "."
    if sentence.endswith(")"):
        at = sentence.rfind(" (")
        while at > 0:
            yield sentence[:at], " (", sentence[at + 2 : -1], ")"
            at = sentence.rfind(" (", 0, at)
    for joint in _JOINTS:
        at = sentence.find(joint)
        while at > 0:
            yield sentence[:at], joint, sentence[at + len(joint) :], ""
            at = sentence.find(joint, at + 1)


_WHOLE_FIGURE: Final = re.compile(FIGURE)
_WHOLE_TIME: Final = re.compile(TIME)


def _is_figure(text: str) -> bool:
    return not text or bool(_WHOLE_FIGURE.fullmatch(text) or _WHOLE_TIME.fullmatch(text))


def _value(text: str, language: str) -> str:
    if _WHOLE_TIME.fullmatch(text):
        return time_text(text, language)
    return figure_text(text, language)
