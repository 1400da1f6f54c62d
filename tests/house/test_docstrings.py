"""Every public name of the pure rooms says what it is for.

A method that a protocol of its package describes need not repeat it.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

from tests.house import source


def undocumented(module: ast.Module, described: set[str]) -> Iterator[str]:
    """The module, public classes, functions and methods that have no docstring."""
    if ast.get_docstring(module) is None:
        yield "1: the module"
    for node in module.body:
        if _lacks_docstring(node):
            yield f"{node.lineno}: {node.name}"
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for child in node.body:
                if _lacks_docstring(child) and child.name not in described:
                    yield f"{child.lineno}: {node.name}.{child.name}"


def _lacks_docstring(
    node: ast.stmt,
) -> TypeGuard[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return not node.name.startswith("_") and ast.get_docstring(node) is None


def described_by_protocols(modules: Iterable[ast.Module]) -> set[str]:
    """The methods that the protocols among the modules' classes describe."""
    return {
        method.name
        for module in modules
        for node in module.body
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    }


def test_public_names_have_docstrings() -> None:
    packages: dict[Path, list[Path]] = {}
    for path in source.pure_files():
        packages.setdefault(path.parent, []).append(path)
    source.assert_none(
        f"{source.name(path)}:{fault}"
        for paths in packages.values()
        for described in [described_by_protocols(source.tree(path) for path in paths)]
        for path in paths
        for fault in undocumented(source.tree(path), described)
    )


def test_faults_are_found() -> None:
    module = ast.parse("def f(): ...\ndef _g(): ...\nclass A:\n    def h(self): ...\n")
    assert len(list(undocumented(module, set()))) == 4
    assert len(list(undocumented(module, {"f", "h"}))) == 3


def test_a_protocol_describes_its_methods() -> None:
    module = ast.parse(
        "class P(Protocol):\n    def h(self):\n        'Does h.'\n    def i(self): ...\n"
    )
    assert described_by_protocols([module]) == {"h"}
