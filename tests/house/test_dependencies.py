"""Every package that a home installs has its reason in the docs."""

import re
import tomllib

from tests.house import source

_ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def named(requirements: list[str]) -> set[str]:
    """The packages that requirements name."""
    return {
        match[0].lower().replace("_", "-") for text in requirements if (match := _NAME.match(text))
    }


def test_every_dependency_is_told_with_its_reason() -> None:
    project = tomllib.loads((source.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = source.ROOT / "docs" / "contributing" / "dependencies.md"
    told = set(_ROW.findall(page.read_text(encoding="utf-8")))
    assert told == named(project["project"]["dependencies"])


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((source.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (source.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = named([line for line in lines if not line.startswith("#")])
    assert named(project["project"]["dependencies"]) <= pinned


def test_names_are_found() -> None:
    assert named(["uvloop>=0.21; sys_platform != 'win32'", "Typing_X==1"]) == {"uvloop", "typing-x"}
