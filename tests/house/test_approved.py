"""Only a guard makes commands: what an adapter sends was approved, at a site by its guard, in a pool by the pool's."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from tests.house import source

GUARDS = (source.PACKAGE / "site" / "guard", source.PACKAGE / "fleet" / "guard")
NAME = "Approved"


def makings(module: ast.Module) -> list[int]:
    """Lines in which an approval is made, or could be: by its name or an alias of it, by a subclass, by altering one."""
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
            return _named(first) == NAME.lower()
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


def outside_of_guard() -> Iterator[Path]:
    """The program's modules that are no guard's."""
    for path in source.files_named(".py", under=source.PACKAGE):
        if not any(path.is_relative_to(guard) for guard in GUARDS):
            yield path


def test_only_the_guard_approves() -> None:
    source.assert_none(
        f"{source.name(path)}:{line}: only a guard may make an {NAME}"
        for path in outside_of_guard()
        for line in makings(source.tree(path))
    )


def test_the_guards_do_approve() -> None:
    for guard in GUARDS:
        inside = source.files_named(".py", under=guard)
        assert any(makings(source.tree(path)) for path in inside)


def test_ways_around_are_found() -> None:
    assert makings(ast.parse("Approved('CP-1', command)")) == [1]
    assert makings(ast.parse("command.Approved(x, y)")) == [1]
    assert makings(ast.parse("from a import Approved as Fine\nFine(x, y)")) == [2]
    assert makings(ast.parse("class Mine(Approved): ...")) == [1]
    assert makings(ast.parse("replace(verdict.approved, command=mine)")) == [1]
    assert makings(ast.parse("make = command.Approved")) == [1]
    assert not makings(ast.parse("def send(approved: Approved) -> None: ..."))
