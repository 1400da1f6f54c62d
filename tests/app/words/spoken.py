"""What the program's own source can say: the words of each sentence outside of its figures and names."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
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
    "domain/charger/rung.py",
    *(f"io/ocpp/ladder/{what}.py" for what in ("answers", "check", "demote", "drive", "offered")),
    "domain/charger/words.py",
    "app/api/home_words.py",
    "app/api/site_words.py",
    "app/api/site_views.py",
    *(
        f"app/up/doctor_{what}.py"
        for what in ("backup", "chargers", "machine", "notify", "sources")
    ),
)
# Where what is raised, or told of a fault of the input, is for people, too.
REFUSERS = (
    "app/access",
    "app/api",
    "io/alerts/cap.py",
    "io/calendars",
    "io/download.py",
    "io/gateway/modbus_link.py",
    "io/gateway/mqtt_fold.py",
    "io/gateway/mqtt_link.py",
    "io/modbus/link.py",
    "io/modbus/source.py",
    "io/mqtt/connection.py",
    "io/mqtt/fold.py",
    "io/mqtt/payload.py",
    "io/prices",
    "io/store/waiting.py",
    "io/store/writer.py",
)
# Where the rules of a site's file stand.
RULERS = (
    "app/car_settings.py",
    "app/live_settings",
    "app/serve_settings.py",
    "app/set_up",
    "app/web_settings.py",
    "domain/record.py",
    "home/grid_code/custom.py",
    "io/gateway/modbus_settings.py",
    "io/gateway/mqtt_settings.py",
    "io/gateway/points.py",
    "io/meter_settings.py",
    "io/modbus/settings.py",
    "io/mqtt/home_assistant/settings.py",
    "io/mqtt/settings.py",
    "io/prices/settings.py",
    "io/series_source.py",
    "io/tariff_periods.py",
    "io/tariff_toml.py",
)
_RULE = re.compile(r"(must|needs|is required|has no meaning|breaks these) ")
# What is said to nobody: input that breaks rules, the log, the docs' diagram, the fields of the API.
_UNSAID_CALLS = {"Field", "fault", "warning", "error", "info", "check", "require"}
_UNSAID_FILES = {
    "diagram.py",
    "request.py",
    "settings.py",
    "variants.py",
    "what_if.py",
    "trade_off.py",
}
_UNSAID = re.compile(r"must be|must lie|must not|must name|have the same|\w+=|^%|^\W*$")
# Where REFUSERS speak: their errors and faults; and what of it only a programmer reads.
_SAID_CALLS = {"fault", "InputFault", "HTTPException", "ForbiddenError", "UnknownError"}
_FOR_PROGRAMMERS = re.compile(
    r"ApprovedTransfer|read for ever|read together|time of publication|64 bits|at least one note|is no$|TZ\d|T\d\d:"
)
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
# A unit belongs to the figure before it.
_UNIT = re.compile(r"^(?:/?kWh|kW|GB|Hz|A|h|s)\b[ ,:]*")
_EXAMPLE = re.compile(r" such as |, as in ")
_WORDS = re.compile(r"[A-Za-z][a-z']+ [A-Za-z]|[a-z']{3,}")


def chunks() -> Iterator[tuple[str, str]]:
    """Each stretch of words that a sentence holds between figures and names, and where it stands."""
    for path in _files(SPEAKERS):
        for line, text in _texts(source.tree(path)):
            yield from _chunks(f"{source.name(path)}:{line}", text, _UNSAID)
    for name in RULERS:
        place = source.PACKAGE / name
        for path in [place] if place.suffix else sorted(place.rglob("*.py")):
            for line, text in _strings(source.tree(path)):
                if _RULE.match(text):
                    yield from _chunks(f"{source.name(path)}:{line}", text, _FOR_PROGRAMMERS)
    for path in _files(REFUSERS):
        for line, text in _refusals(source.tree(path)):
            yield from _chunks(f"{source.name(path)}:{line}", text, _FOR_PROGRAMMERS)


def _chunks(place: str, text: str, unsaid: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for chunk in _PLACEHOLDER.split(text):
        words = _UNIT.sub("", _EXAMPLE.split(chunk)[0].strip(" ,;:.()+"))
        if " " in words and _WORDS.search(words) and not unsaid.search(words):
            yield place, words


def _files(names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        place = source.PACKAGE / name
        paths = [place] if place.suffix else sorted(place.rglob("*.py"))
        assert paths
        yield from (path for path in paths if path.name not in _UNSAID_FILES)


def _refusals(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Strings and f-strings in what is raised, and in faults of the input."""
    for node in ast.walk(module):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from _strings(node.exc)
        elif isinstance(node, ast.Call) and _called(node) in _SAID_CALLS:
            yield from _strings(node)


def _texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Strings and f-strings, placeholders as `{}`; no docstrings, nothing of an error or a log."""
    docstrings = {id(found) for node in ast.walk(module) if (found := source.docstring_node(node))}
    yield from _strings(module, lambda node: id(node) in docstrings or _is_unsaid(node))


def _strings(
    node: ast.AST, skips: Callable[[ast.AST], bool] = lambda _: False
) -> Iterator[tuple[int, str]]:
    if skips(node):
        return
    if isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        ]
        yield node.lineno, "".join(parts)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _strings(part.value, skips)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        yield from _strings(child, skips)


def _is_unsaid(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Call) and _called(node) in _UNSAID_CALLS
    )


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
