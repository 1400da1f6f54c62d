"""Every reachable state of the island machine and its gateway is seen, and in none is it unsafe or without a way out.

`python -m tests.home.island.explore` looks at one more fault at once.
"""

import dataclasses
from collections.abc import Callable

import pytest

from parkwatt.domain.home.gateway import ApprovedTransfer
from parkwatt.home.island import IslandInputs, IslandSettings, IslandState, IslandStep, step
from parkwatt.home.island.table import TABLE
from tests.home.island.explore import VARIANTS, Explorer, Variant, run


@pytest.fixture(scope="module")
def explored() -> dict[str, Explorer]:
    """What was explored so far, by variant."""
    return {}


@pytest.mark.parametrize("variant", VARIANTS, ids=[variant.name for variant in VARIANTS])
def test_all_states_are_safe_and_have_a_way_out(
    variant: Variant, explored: dict[str, Explorer], capsys: pytest.CaptureFixture[str]
) -> None:
    explored[variant.name], told = run(variant)
    with capsys.disabled():
        print(f"\n{told}")  # noqa: T201
    assert len(explored[variant.name].states) > 10_000


def test_every_row_of_the_table_was_taken(explored: dict[str, Explorer]) -> None:
    taken = {
        row for variant in VARIANTS for row in (explored.get(variant.name) or run(variant)[0]).taken
    }
    assert {(row.phase, row.guard) for row in TABLE} - taken == set()


def broken(change: Callable[[IslandStep, IslandInputs], IslandStep]) -> Callable[..., IslandStep]:
    """The machine with something wrong in it."""

    def stepped(
        state: IslandState, inputs: IslandInputs, settings: IslandSettings, now_unix_us: int
    ) -> IslandStep:
        return change(step(state, inputs, settings, now_unix_us), inputs)

    return stepped


def without(result: IslandStep, action: str) -> IslandStep:
    """A step that does not ask for something."""
    kept = tuple(request for request in result.requests if request.action != action)
    return dataclasses.replace(result, requests=kept)


def hasty(result: IslandStep, inputs: IslandInputs) -> IslandStep:
    """Closes the source with the pole, not after it."""
    if inputs.reading is None or result.state.phase != "opening":
        return result
    both = (
        ApprovedTransfer("open_grid_pole", "", 3),
        ApprovedTransfer("close_island_source", "", 3),
    )
    return dataclasses.replace(result, requests=both)


@pytest.mark.parametrize(
    "change",
    [
        hasty,
        lambda result, _: without(result, "open_grid_pole"),
        lambda result, _: without(result, "close_grid_pole"),
        lambda result, _: without(result, "close_island_source"),
        lambda result, _: without(result, "open_island_source"),
    ],
    ids=["hasty", "never opens", "never returns", "never feeds", "never stops feeding"],
)
def test_a_machine_that_is_wrong_is_found(
    change: Callable[[IslandStep, IslandInputs], IslandStep],
) -> None:
    variant = dataclasses.replace(VARIANTS[0], faults_at_once=0)
    explorer = Explorer(variant, stepped=broken(change))
    with pytest.raises(AssertionError):
        explorer.explore_and_heal()
