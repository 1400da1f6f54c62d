"""Every public name of the pure rooms says what it is for."""

import ast
from collections.abc import Iterator

from tests.house import source


def undocumented(module: ast.Module) -> Iterator[str]:
    """The module, public classes, functions and methods that have no docstring."""
    if ast.get_docstring(module) is None:
        yield "1: the module"
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _undocumented(node)
            for child in node.body:
                yield from _undocumented(child, owner=f"{node.name}.")
        else:
            yield from _undocumented(node)


def _undocumented(node: ast.stmt, owner: str = "") -> Iterator[str]:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if not node.name.startswith("_") and ast.get_docstring(node) is None:
        yield f"{node.lineno}: {owner}{node.name}"


def test_public_names_have_docstrings() -> None:
    source.assert_none(
        f"{source.name(path)}:{fault}"
        for path in source.pure_files()
        for fault in undocumented(source.tree(path))
    )


def test_faults_are_found() -> None:
    module = ast.parse("def f(): ...\ndef _g(): ...\nclass A:\n    def h(self): ...\n")
    assert len(list(undocumented(module))) == 4
