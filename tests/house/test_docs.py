"""The docs name what exists, and what exists is in the docs."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

from parkwatt.app.cli import build_parser
from tests.house import source

CLI_PAGE = source.ROOT / "docs" / "reference" / "cli.md"
API_PAGE = source.ROOT / "docs" / "reference" / "api.md"
METRICS_PAGE = source.ROOT / "docs" / "guides" / "deploy.md"
METRIC = re.compile(r"parkwatt_[a-z_]+")
METHODS = {"get", "put", "post", "delete"}
NAMED_PATH = re.compile(r"(?<![\w/.])((?:src|tests|benchmarks|docs|examples|\.ci)/[\w./-]*[\w/])")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def pages() -> Iterator[Path]:
    """Every page of the docs, and the pages at the repository's root."""
    return source.files_named(".md")


def commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every subcommand with its options and arguments, as a user types them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield f"{prefix}{name}", _arguments(child)
                yield from commands(child, f"{prefix}{name} ")


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    shown: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        if action.help == argparse.SUPPRESS:
            continue
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest
        shown.append(action.option_strings[-1] if action.option_strings else metavar)
    return shown


def section(page: str, command: str) -> str | None:
    """The text under the heading that ends with the command; None where there is none."""
    for heading in HEADING.finditer(page):
        if heading[1].replace("`", "").strip().removeprefix("parkwatt ") == command:
            following = HEADING.search(page, heading.end())
            return page[heading.end() : following.start() if following else None]
    return None


def test_every_command_and_option_is_documented() -> None:
    page = CLI_PAGE.read_text(encoding="utf-8")
    listed = list(commands(build_parser()))
    assert listed
    faults = []
    for command, arguments in listed:
        text = section(page, command)
        if text is None:
            faults.append(f"no heading for 'parkwatt {command}'")
            continue
        faults += [f"parkwatt {command}: {a} is not told" for a in arguments if a not in text]
    source.assert_none(faults)


def routes(module: ast.Module) -> Iterator[str]:
    """Every route of a module of the API, as `GET /v1/site`."""
    prefix = ""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "APIRouter":
            prefix = next((_text(k.value) for k in node.keywords if k.arg == "prefix"), "")
    functions = [node for node in ast.walk(module) if isinstance(node, ast.AsyncFunctionDef)]
    calls = [call for f in functions for call in f.decorator_list if isinstance(call, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
            yield f"{call.func.attr.upper()} {prefix}{_text(call.args[0])}"


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_route_is_documented() -> None:
    page = API_PAGE.read_text(encoding="utf-8")
    folder = source.PACKAGE / "app" / "api"
    found = [
        route
        for path in source.files_named(".py", under=folder)
        for route in routes(source.tree(path))
    ]
    assert len(found) > 20
    source.assert_none(f"{route} is not told" for route in found if f"`{route}`" not in page)


def test_every_metric_is_documented() -> None:
    page = METRICS_PAGE.read_text(encoding="utf-8")
    module = source.tree(source.PACKAGE / "app" / "metrics.py")
    found = {
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        if isinstance(node.value, str) and METRIC.fullmatch(node.value)
    }
    assert found
    source.assert_none(f"{name} is not told" for name in sorted(found) if f"`{name}" not in page)


def record_readers() -> set[str]:
    """The methods of `Record` that read one field by its name."""
    module = source.tree(source.PACKAGE / "domain" / "record.py")
    record = next(n for n in module.body if isinstance(n, ast.ClassDef) and n.name == "Record")
    return {
        method.name
        for method in record.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
        if len(method.args.args) > 1 and method.args.args[1].arg == "name"
    }


def fields_read(module: ast.Module, readers: set[str]) -> Iterator[str]:
    """Every field that a module reads from a `Record` by a literal name."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        first = node.args[0] if node.args else None
        name = first.value if isinstance(first, ast.Constant) else None
        if node.func.attr in readers and isinstance(name, str):
            yield name


def test_every_setting_and_field_is_documented() -> None:
    readers = record_readers()
    folders = (source.ROOT / "docs" / "reference", source.ROOT / "docs" / "guides")
    told = "".join(
        page.read_text(encoding="utf-8")
        for folder in folders
        for page in source.files_named(".md", under=folder)
    )
    words = set(re.findall(r"\w+", told))
    fields = {
        (source.name(path), field)
        for path in source.files_named(".py", under=source.PACKAGE)
        if "parkwatt.domain.record" in path.read_text(encoding="utf-8")
        for field in fields_read(source.tree(path), readers)
    }
    assert fields
    source.assert_none(
        f"{path}: {field} is told in no page of docs/reference or docs/guides"
        for path, field in sorted(fields)
        if field not in words
    )


def test_fields_are_found_by_their_reader() -> None:
    module = ast.parse("power = record.number('power_kw', minimum=0)\nrecord.finish()\nf('x')\n")
    assert list(fields_read(module, record_readers())) == ["power_kw"]


def test_routes_are_found_with_their_prefix() -> None:
    module = ast.parse(
        "router = APIRouter(prefix='/v1')\n@router.put('/a/{b}')\nasync def f(): ...\nasync def g(): ...\n"
    )
    assert list(routes(module)) == ["PUT /v1/a/{b}"]


def test_sections_are_found_by_command() -> None:
    page = "# Commands\n\n## `parkwatt plan`\n\nReads PROBLEM.\n\n## parkwatt check\n\nChecks.\n"
    assert section(page, "plan") == "\n\nReads PROBLEM.\n\n"
    assert section(page, "study") is None
