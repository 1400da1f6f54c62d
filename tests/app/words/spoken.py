"""What the program's own source can say: the words of each sentence outside of its figures and names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house import source

# Where sentences for people are made: a file, or a folder with all in it.
SPEAKERS = (
    "site/live",
    "site/guard",
    "plan/exact/explain.py",
    "plan/exact/violations.py",
    "plan/wear/split.py",
    "home/announced",
    "home/controller.py",
    "home/generator.py",
    "home/grid_code/enter_service.py",
    "home/island",
    "home/island_source.py",
    "home/learning/sentences.py",
    "home/runtime",
    "home/shedding",
    "app/api/home_words.py",
    "app/api/site_words.py",
    "app/api/site_views.py",
)
# What is said to nobody: input that breaks rules, the log, the docs' diagram, the fields of the API.
_UNSAID_CALLS = {"Field", "fault", "warning", "error", "info", "check", "require"}
_UNSAID_FILES = {"diagram.py", "request.py", "variants.py", "what_if.py", "trade_off.py"}
_UNSAID = re.compile(r"must be|must lie|must not|must name|have the same|\w+=|^%|^\W*$")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
# A unit belongs to the figure before it.
_UNIT = re.compile(r"^(?:/?kWh|kW|Hz|A|h|s)\b[ ,:]*")
_WORDS = re.compile(r"[A-Za-z][a-z']+ [A-Za-z]|[a-z']{3,}")


def chunks() -> Iterator[tuple[str, str]]:
    """Each stretch of words that a sentence holds between figures and names, and where it stands."""
    for path in _files():
        for line, text in _texts(source.tree(path)):
            for chunk in _PLACEHOLDER.split(text):
                words = _UNIT.sub("", chunk.strip(" ,;:.()+"))
                if " " in words and _WORDS.search(words) and not _UNSAID.search(words):
                    yield f"{source.name(path)}:{line}", words


def _files() -> Iterator[Path]:
    for name in SPEAKERS:
        place = source.PACKAGE / name
        paths = [place] if place.suffix else sorted(place.rglob("*.py"))
        assert paths
        yield from (path for path in paths if path.name not in _UNSAID_FILES)


def _texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Strings and f-strings, placeholders as `{}`; no docstrings, nothing of an error or a log."""
    docstrings = {id(found) for node in ast.walk(module) if (found := source.docstring_node(node))}

    def visit(node: ast.AST) -> Iterator[tuple[int, str]]:
        if id(node) in docstrings or isinstance(node, ast.Raise) or _is_unsaid(node):
            return
        if isinstance(node, ast.JoinedStr):
            parts = [
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            ]
            yield node.lineno, "".join(parts)
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from visit(part.value)
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return visit(module)


def _is_unsaid(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _UNSAID_CALLS
