"""The docs name what exists, and what exists is in the docs."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

from parkwatt.app.cli import build_parser
from tests.house import source

CLI_PAGE = source.ROOT / "docs" / "reference" / "cli.md"
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


def test_sections_are_found_by_command() -> None:
    page = "# Commands\n\n## `parkwatt plan`\n\nReads PROBLEM.\n\n## parkwatt check\n\nChecks.\n"
    assert section(page, "plan") == "\n\nReads PROBLEM.\n\n"
    assert section(page, "study") is None
