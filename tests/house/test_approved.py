"""What reaches a charger was approved: only the guard makes `Approved`."""

import ast

from tests.house import source

GUARD = source.PACKAGE / "site" / "guard"


def test_only_the_guard_approves() -> None:
    found = [
        (path, node.lineno)
        for path in source.files_named(".py", under=source.PACKAGE)
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "Approved")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "Approved")
        )
    ]
    assert any(path.is_relative_to(GUARD) for path, _ in found)
    source.assert_none(
        f"{source.name(path)}:{line}: only the guard approves a command"
        for path, line in found
        if not path.is_relative_to(GUARD)
    )
