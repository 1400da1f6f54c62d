"""The island machine's states and transitions, as data: the machine runs them, the docs' diagram is drawn from them.

Of a phase's rows the first whose guard holds is taken, after the rows of `ANYWHERE`. Guards are in `guards`, by name; a
row's name is its guard's unless ``because`` says otherwise, and is the ``because`` in the journal. ``words`` may hold the
figures that `guards.Look.figures` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parkwatt.domain.home.event import IslandPhase


@dataclass(frozen=True, slots=True)
class Transition:
    """From a phase to another when a guard holds."""

    phase: IslandPhase
    guard: str
    to_phase: IslandPhase
    words: str


_Row = tuple[str, IslandPhase, str]


def _rows(phase: IslandPhase, *rows: _Row) -> tuple[Transition, ...]:
    return tuple(Transition(phase, guard, to_phase, words) for guard, to_phase, words in rows)


PHASES: Final[dict[IslandPhase, str]] = {
    "grid": "the home is on the grid",
    "outage_suspected": "the grid is gone, perhaps only for a moment",
    "outage_confirmed": "the grid is gone; waits until the source is ready",
    "opening": "the grid pole is to open",
    "islanding": "the bond is to be made and the island's source to be closed",
    "islanded": "the island's source feeds the home",
    "restart_wait": "the source is open: it failed or is spent; waits to try again",
    "grid_seen": "the grid is there again, out of the grid code's band",
    "qualifying": "the grid is in the band; waits for the grid code's delay",
    "transferring_back": "source off, home dead, grid pole to be closed",
    "fault": "feedback is stale or contradicts itself: source to be open, alarm",
    "test": "an off-grid test: the source feeds the home although the grid is there",
}

# Tried first in every phase but fault: (guard, words). They lead to fault.
ANYWHERE: Final[tuple[tuple[str, str], ...]] = (
    ("silent", "{missing}, for {silent_s:.0f} s"),
    ("gateway_fault", "the gateway tells a fault: {gateway_fault}"),
    ("both_closed", "both poles are said to be closed at once"),
    ("contradicted", "{contradiction}, for {contradicted_s:.0f} s"),
)

_POLE_CLOSED: Final[_Row] = (
    "on_grid_pole",
    "grid",
    "the grid pole was found closed and the source open",
)
_SOURCE_GONE: Final[_Row] = (
    "source_lost",
    "restart_wait",
    "the island's source stopped; next try in {wait_s:.0f} s",
)
_SOURCE_SPENT: Final[_Row] = (
    "source_spent",
    "restart_wait",
    "the island's source has no energy to give{kept}; next try when it has, or in {wait_s:.0f} s",
)
_RESUMED: Final[_Row] = (
    "resumed",
    "opening",
    "the source opened while nobody watched, and is ready",
)
_LIT_STAYS: Final[_Row] = (
    "grid_gone_lit",
    "islanded",
    "the grid is gone again; the island goes on",
)
_DARK_WAITS: Final[_Row] = (
    "grid_gone_dark",
    "restart_wait",
    "the grid is gone again; the source is open",
)
_RETRY: Final[_Row] = (
    "restart_due",
    "opening",
    "the source is ready and the wait is over: try number {tries}",
)
_PERSON: Final[_Row] = ("person_island", "opening", "a person asks for the island now")

TABLE: Final[tuple[Transition, ...]] = (
    *_rows(
        "grid",
        ("island_found", "islanded", "the grid pole was found open and the island's source closed"),
        ("open_with_grid", "grid_seen", "the grid pole was found open, the grid is there"),
        ("open_without_grid", "outage_confirmed", "the grid pole was found open, without a grid"),
        ("grid_absent", "outage_suspected", "the grid is gone"),
        ("test_asked", "opening", "an off-grid test is asked for, for {test_s:.0f} s"),
        ("person_island", "opening", "a person asks for the island"),
    ),
    *_rows(
        "outage_suspected",
        (
            "grid_not_absent",
            "grid",
            "it was a dip: the grid was gone for less than {confirm_s:.1f} s",
        ),
        ("absent_confirmed", "outage_confirmed", "the grid has been gone for {absent_s:.1f} s"),
    ),
    *_rows(
        "outage_confirmed",
        ("island_found", "islanded", "the grid pole was found open and the island's source closed"),
        ("grid_back", "grid", "the grid is back before the home was cut off"),
        ("open_with_grid", "grid_seen", "the grid is back, the grid pole is open"),
        (
            "may_try",
            "opening",
            "the grid has been gone for {absent_s:.1f} s and the source is ready",
        ),
        _PERSON,
    ),
    *_rows(
        "opening",
        ("pole_opened", "islanding", "the grid pole is open"),
        ("pole_stuck", "fault", "the grid pole did not open within {answer_s:.0f} s"),
    ),
    *_rows(
        "islanding",
        ("pole_closed", "fault", "the grid pole closed by itself"),
        (
            "backfeed",
            "fault",
            "the grid came back just when the source was closed: is the pole open?",
        ),
        ("lit_in_test", "test", "the source feeds the home: the test runs"),
        ("lit_up", "islanded", "the source feeds the home"),
        ("test_over", "qualifying", "the test is over before the island stood"),
        ("test_failed", "qualifying", "the island of the test did not come about"),
        ("source_unready", "restart_wait", "the source is not ready any more{kept}"),
        (
            "source_silent",
            "restart_wait",
            "the source did not feed the home within {source_answer_s:.0f} s",
        ),
    ),
    *_rows(
        "islanded",
        _POLE_CLOSED,
        (
            "backfeed",
            "fault",
            "the grid came back just when the source was closed: is the pole open?",
        ),
        _SOURCE_SPENT,
        _RESUMED,
        _SOURCE_GONE,
        ("grid_there", "grid_seen", "the grid is there again"),
    ),
    *_rows(
        "restart_wait",
        _POLE_CLOSED,
        ("source_stuck", "fault", "the source did not open within {answer_s:.0f} s"),
        ("open_with_grid", "grid_seen", "the grid is there again"),
        _PERSON,
        _RETRY,
        ("source_regained", "opening", "the source has energy again"),
    ),
    *_rows(
        "grid_seen",
        _POLE_CLOSED,
        _SOURCE_SPENT,
        _RESUMED,
        _SOURCE_GONE,
        _LIT_STAYS,
        _DARK_WAITS,
        ("grid_in_band", "qualifying", "voltage and frequency are in the band of {grid_code}"),
        _PERSON,
        _RETRY,
    ),
    *_rows(
        "qualifying",
        _POLE_CLOSED,
        ("person_stays", "islanded", "a person asks to stay on the island"),
        (
            "qualified",
            "transferring_back",
            "the grid has kept the band for the delay of {grid_code}",
        ),
        _SOURCE_SPENT,
        _RESUMED,
        _SOURCE_GONE,
        _LIT_STAYS,
        _DARK_WAITS,
        ("grid_out_of_band", "grid_seen", "voltage or frequency left the band of {grid_code}"),
        _PERSON,
        _RETRY,
    ),
    *_rows(
        "transferring_back",
        ("returned", "grid", "the grid pole is closed and the source open"),
        ("grid_flickered", "opening", "the grid left the band again during the transfer"),
        ("source_stuck", "fault", "the source did not open within {answer_s:.0f} s"),
        (
            "return_failed",
            "opening",
            "the grid pole did not close within {return_s:.0f} s: to the island",
        ),
        ("return_failed_dark", "grid_seen", "the grid pole did not close within {return_s:.0f} s"),
    ),
    *_rows(
        "fault",
        ("fault_over_on_grid", "grid", "feedback is consistent: the home is on the grid's pole"),
        (
            "fault_over_with_grid",
            "grid_seen",
            "feedback is consistent: all open, the grid is there",
        ),
        (
            "fault_over_dark",
            "restart_wait",
            "feedback is consistent: all open; next try in {left_s:.0f} s",
        ),
    ),
    *_rows(
        "test",
        ("grid_absent", "islanded", "the grid really failed during the test"),
        ("source_lost", "qualifying", "the island failed: the test ends"),
        ("source_spent", "qualifying", "the source has no energy to give{kept}: the test ends"),
        ("test_over", "qualifying", "the test is over"),
    ),
)

# With a switch that transfers of its own: phases follow the reading from everywhere, and nothing is asked.
WATCHED: Final[tuple[tuple[str, IslandPhase, str], ...]] = (
    ("unheard", "fault", "{missing}, for {silent_s:.0f} s"),
    ("gateway_fault", "fault", "the gateway tells a fault: {gateway_fault}"),
    ("both_closed", "fault", "both poles are said to be closed at once"),
    ("seen_on_grid", "grid", "the switch is on the grid, and it is there"),
    ("seen_cut_off", "outage_confirmed", "the switch is on the grid, and it is gone"),
    (
        "seen_lit_qualifying",
        "qualifying",
        "the switch is on the island, the grid is back in the band",
    ),
    ("seen_lit_with_grid", "grid_seen", "the switch is on the island, the grid is there"),
    ("seen_lit", "islanded", "the switch is on the island"),
    ("seen_open", "islanding", "the switch has opened both poles"),
)
