"""Only the island machine makes requests of a gateway: the one thing that a gateway's adapter sends."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from tests.house import source

ISLAND = source.PACKAGE / "home" / "island"
NAME = "ApprovedTransfer"


def makings(module: ast.Module) -> list[int]:
    """Lines in which one is made, or could be: by its name or an alias of it, by a subclass, by altering one."""
    names = {NAME} | {
        alias.asname
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == NAME and alias.asname
    }
    return [node.lineno for node in ast.walk(module) if _makes(node, names)]


def _makes(node: ast.AST, names: set[str]) -> TypeGuard[ast.expr | ast.stmt]:
    match node:
        case ast.Call(func=func, args=[first, *_]) if _named(func) == "replace":
            return _named(first) in ("transfer", "approved_transfer", "request")
        case ast.Call(func=func):
            return _named(func) in names
        case ast.ClassDef(bases=bases):
            return any(_named(base) in names for base in bases)
        case ast.Assign(value=value):
            return _named(value) in names
    return False


def _named(node: ast.expr) -> str | None:
    """The last word of a name or an attribute."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def outside_of_island() -> Iterator[Path]:
    """The program's modules that are not the island machine's."""
    for path in source.files_named(".py", under=source.PACKAGE):
        if not path.is_relative_to(ISLAND):
            yield path


def test_only_the_island_machine_approves() -> None:
    source.assert_none(
        f"{source.name(path)}:{line}: only parkwatt.home.island may make an {NAME}"
        for path in outside_of_island()
        if NAME in path.read_text(encoding="utf-8")
        for line in makings(source.tree(path))
    )


def test_it_does_approve_in_one_place() -> None:
    inside = source.files_named(".py", under=ISLAND)
    made = [source.name(path) for path in inside for _ in makings(source.tree(path))]
    assert made == ["src/parkwatt/home/island/requests.py"]


def test_ways_around_are_found() -> None:
    assert makings(ast.parse("ApprovedTransfer('open_bond', 'why', 15)")) == [1]
    assert makings(ast.parse("gateway.ApprovedTransfer(x, y, 1)")) == [1]
    assert makings(ast.parse("from a import ApprovedTransfer as Fine\nFine(x, y, 1)")) == [2]
    assert makings(ast.parse("class Mine(ApprovedTransfer): ...")) == [1]
    assert makings(ast.parse("replace(step.transfer, action='open_bond')")) == [1]
    assert makings(ast.parse("make = gateway.ApprovedTransfer")) == [1]
    assert not makings(ast.parse("def send(transfer: ApprovedTransfer) -> None: ..."))
