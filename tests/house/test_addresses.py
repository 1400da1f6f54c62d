"""Nothing that is installed or committed reaches out, and nothing names a machine."""

import ast
import re
from collections.abc import Iterator

from tests.house import source

# XML namespaces look like addresses and are never fetched.
ADDRESS = re.compile(
    r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+""", re.IGNORECASE
)
REGISTRY = re.compile(
    r"\b(?:test\.)?py[p]i\.org|python[h]osted\.org|registry\.npm[j]s|repo\.ana[c]onda|conda[-]forge\.org"
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:hom[e]/\w|User[s]/\w|roo[t]/|tm[p]/|wor[k]/|op[t]/)")
PAGES = (".html", ".css", ".js", ".svg", ".j2", ".jinja")


def addresses_in_code(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Addresses in string literals. A docstring may cite its source."""
    docstrings = {id(d.value) for node in ast.walk(module) if (d := source.docstring_node(node))}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            found = ADDRESS.search(node.value) if isinstance(node.value, str) else None
            if found:
                yield node.lineno, found[0]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Each line of the repository's text in which the pattern is found."""
    return [
        f"{source.name(path)}:{number}: {found[0]}"
        for path in source.files()
        for number, line in enumerate((source.text(path) or "").splitlines(), start=1)
        if (found := pattern.search(line))
    ]


def test_code_holds_no_network_address() -> None:
    source.assert_none(
        f"{source.name(path)}:{line}: {address}"
        for path in source.files_named(".py", under=source.PACKAGE)
        for line, address in addresses_in_code(source.tree(path))
    )


def test_pages_load_nothing_from_elsewhere() -> None:
    source.assert_none(
        f"{source.name(path)}: {found}"
        for path in source.files_named(*PAGES, under=source.PACKAGE)
        for found in ADDRESS.findall(source.text(path) or "")
    )


def test_no_registry_is_named() -> None:
    source.assert_none(lines_with(REGISTRY))


def test_no_path_of_a_machine_is_named() -> None:
    source.assert_none(lines_with(MACHINE_PATH))


def test_versions_are_pinned_without_addresses() -> None:
    source.assert_none(source.name(path) for path in source.files() if path.suffix == ".lock")
    lines = (source.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    source.assert_none(
        line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!]+", line)
    )


def test_faults_are_found() -> None:
    cited = '"""After https://example.org/paper."""\n'
    assert not list(addresses_in_code(ast.parse(cited)))
    assert list(addresses_in_code(ast.parse(cited + 'A = "https://cdn.example.org/x.js"')))
    assert ADDRESS.search('<script src="//cdn.example.org/x.js">')
    assert not ADDRESS.search('<svg xmlns="http://www.w3.org/2000/svg">')
    assert MACHINE_PATH.search("see /hom" + "e/ada/notes")
    assert not MACHINE_PATH.search("a fraction of power/roo" + "ts")
    assert REGISTRY.search("from py" + "pi.org")
