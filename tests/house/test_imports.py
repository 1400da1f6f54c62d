"""The pure rooms stay pure: few external packages, no files, no sockets, no clock.

The direction between rooms is held by import-linter (`make check`); this holds what comes from
outside.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house import source

# The longest prefix that fits a module decides which external packages it may import.
EXTERNAL = {
    "domain": {"numpy"},
    "domain/charger": {"msgspec"},
    "domain/fleet": {"msgspec"},
    "domain/grid": {"msgspec"},
    "domain/home": {"msgspec"},
    "domain/journal": {"msgspec"},
    "domain/site": {"msgspec"},
    "plan": {"numpy", "highspy"},
    "plan/batch": {"llvmlite", "numba", "numpy"},
    "plan/wear": {"numpy", "rainflow"},
    "plan/check": {"numpy"},
    "forecast": {"numpy"},
    "forecast/solar": {"numpy", "pandas", "pvlib"},
    "site": {"numpy"},
    # A running site's state is a fold over journalled events: typed structs, written down as they are.
    "site/account": {"msgspec", "numpy"},
    "site/guard": {"msgspec", "numpy"},
    "site/live": {"msgspec", "numpy"},
    "site/notices": {"msgspec"},
    "home": {"msgspec", "numpy"},
    "fleet": {"numpy"},
    # Signing is arithmetic: the same bytes and key give the same signature.
    "fleet/guard/orders": {"cryptography", "numpy"},
}
# Extras are imported inside the function that needs them, so that all else works without.
LAZY = {"pandas", "pvlib"}
IMPURE = {
    "asyncio": "io",
    "http": "io",
    "io": "io",
    "logging": "return what happened",
    "os": "io",
    "pathlib": "io",
    "random": "numpy's Generator, passed in",
    "shutil": "io",
    "socket": "io",
    "sqlite3": "io",
    "subprocess": "io",
    "tempfile": "io",
    "time": "`now` as an argument",
    "urllib": "io",
}
CLOCKS = {"now", "utcnow", "today"}


def imports(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import below a node."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def allowed(path: Path) -> set[str]:
    """The external packages that a module of a pure room may import."""
    place = path.relative_to(source.PACKAGE).with_suffix("").as_posix()
    prefixes = [p for p in EXTERNAL if place == p or place.startswith(f"{p}/")]
    return EXTERNAL[max(prefixes, key=len)]


def external_faults(module: ast.Module, packages: set[str]) -> Iterator[str]:
    """Imports of a package that the room does not allow, or that belongs into a function."""
    deferred = {line for _, f in source.functions(module) for line, _ in imports(f)}
    for line, dotted in imports(module):
        top = dotted.split(".")[0]
        if top == "parkwatt" or top in sys.stdlib_module_names:
            continue
        if top not in packages:
            yield f"{line}: {top} is not on this room's list: {sorted(packages)}"
        elif top in LAZY and line not in deferred:
            yield f"{line}: {top} is an extra, import it inside the function that needs it"


def impure_faults(module: ast.Module) -> Iterator[str]:
    """Imports and calls that reach for files, sockets or the clock."""
    for line, dotted in imports(module):
        top = dotted.split(".")[0]
        if top in IMPURE:
            yield f"{line}: {top} is not pure; use instead: {IMPURE[top]}"
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in {"open", "print", "input"}:
            yield f"{node.lineno}: {node.func.id}() belongs to io or app"
        if isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{node.lineno}: the clock is read here; take `now` as an argument"


def test_pure_rooms_import_few_external_packages() -> None:
    source.assert_none(
        f"{source.name(path)}:{fault}"
        for path in source.pure_files()
        for fault in external_faults(source.tree(path), allowed(path))
    )


def test_pure_rooms_touch_no_file_no_socket_no_clock() -> None:
    source.assert_none(
        f"{source.name(path)}:{fault}"
        for path in source.pure_files()
        for fault in impure_faults(source.tree(path))
    )


def test_the_checker_shares_no_code_with_the_solver() -> None:
    checker = [
        path
        for path in source.files_named(".py", under=source.PACKAGE / "plan")
        if path.relative_to(source.PACKAGE / "plan").with_suffix("").parts[0] == "check"
    ]
    assert checker
    source.assert_none(
        f"{source.name(path)}:{line}: {dotted}"
        for path in checker
        for line, dotted in imports(source.tree(path))
        if dotted.startswith("parkwatt.") and not dotted.startswith("parkwatt.domain")
        if not dotted.startswith("parkwatt.plan.check")
    )


def test_faults_are_found() -> None:
    module = ast.parse(
        "import os\nimport requests\nimport pvlib\n"
        "def f():\n    print(datetime.now())\n    open('x')\n"
    )
    assert len(list(external_faults(module, {"pvlib"}))) == 2
    assert len(list(impure_faults(module))) == 4


def test_an_extra_inside_a_function_passes() -> None:
    module = ast.parse("import numpy\ndef f():\n    from pvlib import location\n")
    assert not list(external_faults(module, {"numpy", "pvlib"}))
