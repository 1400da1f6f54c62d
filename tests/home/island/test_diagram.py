"""The docs' diagram and table are those that the machine runs.

`python -m tests.home.island.test_diagram` writes them into the page.
"""

from typing import get_args

from parkwatt.domain.home.event import IslandPhase
from parkwatt.home.island import mermaid, transitions_table
from parkwatt.home.island.guards import GUARDS
from parkwatt.home.island.table import ANYWHERE, PHASES, TABLE, WATCHED
from tests.house import source

PAGE = source.ROOT / "docs" / "modelling" / "island.md"


def with_part(page: str, name: str, text: str) -> str:
    """The page with the text between its two marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def drawn(page: str) -> str:
    """The page as it should be."""
    page = with_part(page, "diagram", f"```mermaid\n{mermaid()}```\n")
    return with_part(page, "table", transitions_table())


def test_the_page_shows_the_table_that_runs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == drawn(page), "run: python -m tests.home.island.test_diagram"


def test_the_table_is_whole() -> None:
    assert set(PHASES) == set(get_args(IslandPhase))
    assert {row.phase for row in TABLE} == set(PHASES)
    reached = {row.to_phase for row in TABLE} | {"fault"}
    assert reached == set(PHASES)
    named = {row.guard for row in TABLE} | {guard for guard, _ in ANYWHERE}
    assert named | {guard for guard, _, _ in WATCHED} == set(GUARDS)


def test_each_transition_is_in_the_diagram() -> None:
    lines = mermaid().splitlines()
    for row in TABLE:
        arrow = f"    {row.phase} --> {row.to_phase}: "
        (line,) = [line for line in lines if line.startswith(arrow)]
        assert row.guard in line.removeprefix(arrow).split(", ")


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
