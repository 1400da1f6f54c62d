"""Only the guard makes commands: what an adapter sends was approved, and approval is made in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house import source

GUARD = source.PACKAGE / "site" / "guard"
NAME = "Approved"


def makings(module: ast.Module) -> Iterator[int]:
    """Lines in which an approval is made, or made able to be: called by its name or an alias, subclassed, or copied."""
    names = {NAME} | {
        alias.asname
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == NAME and alias.asname
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _named(node.func) in names:
            yield node.lineno
        elif isinstance(node, ast.ClassDef) and any(_named(base) in names for base in node.bases):
            yield node.lineno
        elif isinstance(node, ast.Assign) and _named(node.value) in names:
            yield node.lineno


def _named(node: ast.expr) -> str | None:
    """The last word of a name or an attribute."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def outside_of_guard() -> Iterator[Path]:
    """The program's modules that are not the guard's."""
    for path in source.files_named(".py", under=source.PACKAGE):
        if not path.is_relative_to(GUARD):
            yield path


def test_only_the_guard_approves() -> None:
    source.assert_none(
        f"{source.name(path)}:{line}: only parkwatt.site.guard may make an {NAME}"
        for path in outside_of_guard()
        for line in makings(source.tree(path))
    )


def test_the_guard_does_approve() -> None:
    inside = source.files_named(".py", under=GUARD)
    assert any(list(makings(source.tree(path))) for path in inside)


def test_ways_around_are_found() -> None:
    assert list(makings(ast.parse("Approved('CP-1', command)"))) == [1]
    assert list(makings(ast.parse("command.Approved(x, y)"))) == [1]
    assert list(makings(ast.parse("from a import Approved as Fine\nFine(x, y)"))) == [2]
    assert list(makings(ast.parse("class Mine(Approved): ..."))) == [1]
    assert list(makings(ast.parse("make = command.Approved"))) == [1]
    assert not list(makings(ast.parse("def send(approved: Approved) -> None: ...")))
