"""The guards of the table: what is looked at, anew in each step, to decide whether a transition is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.home.grid_code import Qualification
from parkwatt.home.island.facts import Facts
from parkwatt.home.island.settings import IslandSettings
from parkwatt.home.island.state import IslandState

_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandInputs:
    """What one step looks at.

    ``reading``: the gateway's last one. ``source_ready``: the source is there, above its floor, and may feed the home;
    ``source_kept``: in words, what of its energy is not the home's.
    ``test_until_unix_us``: an off-grid test is asked for until then. ``person_asks``: what a person wants, as long as they do.
    """

    reading: GatewayReading | None
    source_ready: bool
    test_until_unix_us: int | None = None
    person_asks: Literal["none", "island", "grid"] = "none"
    source_kept: str = ""


@dataclass(slots=True)
class Look:
    """A step's view of everything: the guards' only argument."""

    state: IslandState
    inputs: IslandInputs
    settings: IslandSettings
    facts: Facts
    qualification: Qualification
    now_unix_us: int

    def lasts(self, since_unix_us: int | None, for_s: float) -> bool:
        """Whether a timer runs and has run so long."""
        return since_unix_us is not None and self.now_unix_us - since_unix_us >= for_s * _US

    def elapsed_s(self, since_unix_us: int | None) -> float:
        """How long a timer has run."""
        return 0.0 if since_unix_us is None else max(self.now_unix_us - since_unix_us, 0) / _US

    @property
    def both_open(self) -> bool:
        """Fresh feedback says that nothing feeds the home."""
        return self.facts.known and self.facts.pole == "open" and self.facts.source == "open"

    @property
    def island(self) -> bool:
        """Fresh feedback says that the source alone feeds the home."""
        return self.facts.known and self.facts.pole == "open" and self.facts.source == "closed"

    @property
    def on_grid_pole(self) -> bool:
        """Fresh feedback says that the grid alone feeds the home."""
        return self.facts.known and self.facts.pole == "closed" and self.facts.source == "open"

    @property
    def present(self) -> bool:
        """The grid is seen."""
        return self.facts.grid == "present"

    @property
    def settled(self) -> bool:
        """The reading was measured after something was asked for in this phase, and it had time to answer."""
        asked = self.state.asked_unix_us
        return (
            asked is not None
            and self.facts.measured_unix_us >= asked + self.settings.settle_s * _US
        )

    @property
    def distrusted(self) -> bool:
        """Twice in a row closing the source seemed to bring the grid back: the pole's contact may lie."""
        return self.state.suspicions > 1

    @property
    def due(self) -> bool:
        """The wait since the last failure is over."""
        state = self.state
        wait_s = self.settings.wait_s(state.failures)
        return not state.failures or self.lasts(state.failed_unix_us, wait_s)

    @property
    def may_start(self) -> bool:
        """Nothing speaks against feeding the home from the source."""
        return self.inputs.source_ready and not self.distrusted

    @property
    def lit(self) -> bool:
        """Fresh feedback says that the source feeds the home."""
        return self.island and self.facts.output_dead is not True

    @property
    def test_runs(self) -> bool:
        """A test is asked for, and not over."""
        until = self.inputs.test_until_unix_us
        wanted = until is not None and self.now_unix_us < until
        return wanted and self.inputs.person_asks != "grid"

    @property
    def person_island(self) -> bool:
        """A person asks for the island, anew, and it can be had: once they are taken at their word, then waits hold again."""
        asks = self.inputs.person_asks == "island" and not self.state.person_heard
        return asks and self.inputs.source_ready

    @property
    def source_lost(self) -> bool:
        """The source fed the home, and does so no longer."""
        if not self.state.lit or not self.facts.known:
            return False
        stopped = self.lasts(self.state.source_dead_unix_us, self.settings.contradiction_s)
        return self.facts.source == "open" or stopped

    @property
    def return_s(self) -> float:
        """How long a transfer back may take."""
        return 3 * self.settings.answer_s + self.settings.dead_s

    def figures(self) -> Mapping[str, object]:
        """What the table's words may tell."""
        state, settings = self.state, self.settings
        until = self.inputs.test_until_unix_us or self.now_unix_us
        kept = self.inputs.source_kept
        return {
            "kept": f" ({kept})" if kept else "",
            "missing": self.facts.missing,
            "gateway_fault": self.facts.gateway_fault,
            "contradiction": self.facts.contradiction,
            "silent_s": self.elapsed_s(state.silent_unix_us),
            "absent_s": self.elapsed_s(state.absent_unix_us),
            "contradicted_s": self.elapsed_s(state.contradicted_unix_us),
            "test_s": (until - self.now_unix_us) / _US,
            "wait_s": settings.wait_s(state.failures + 1),
            "left_s": max(
                settings.wait_s(state.failures) - self.elapsed_s(state.failed_unix_us), 0.0
            ),
            "tries": state.failures + 1,
            "confirm_s": settings.confirm_s,
            "answer_s": settings.answer_s,
            "source_answer_s": settings.source_answer_s,
            "return_s": self.return_s,
            "grid_code": settings.grid_code.name,
        }


def _backfeed(look: Look) -> bool:
    state, settings = look.state, look.settings
    if state.testing or state.energised_unix_us is None or state.returned_unix_us is None:
        return False
    if not look.present or state.returned_unix_us < state.energised_unix_us:
        return False
    lit = state.phase != "islanding"
    return not lit or state.returned_unix_us <= state.since_unix_us + settings.backfeed_s * _US


def _source_stuck(look: Look) -> bool:
    closed = look.facts.known and look.facts.source == "closed"
    return closed and look.lasts(look.state.asked_unix_us, look.settings.answer_s)


def _returned(look: Look) -> bool:
    live = look.facts.output_dead is not True or look.facts.grid == "absent"
    return look.on_grid_pole and live


def _may_return(look: Look) -> bool:
    failed = look.state.return_failed_unix_us
    waited = failed is None or look.lasts(failed, look.settings.return_wait_s)
    wanted = look.inputs.person_asks != "island" or not look.lit
    return look.qualification.qualified and look.facts.known and waited and wanted


def _return_failed(look: Look) -> bool:
    return look.both_open and look.lasts(look.state.since_unix_us, look.return_s)


def _consistent(look: Look) -> bool:
    lasted = look.lasts(look.state.consistent_unix_us, look.settings.contradiction_s)
    return lasted and look.settled and look.facts.source == "open"


def _test_asked(look: Look) -> bool:
    state = look.state
    ready = look.on_grid_pole and look.qualification.qualified and look.may_start
    if not (look.test_runs and ready and look.due):
        return False
    if state.tested_until_unix_us is not None:
        return state.tested_until_unix_us != look.inputs.test_until_unix_us
    began = state.tested_unix_us
    return began is None or look.lasts(began, look.settings.retest_s)


def _source_regained(look: Look) -> bool:
    waited = look.lasts(look.state.since_unix_us, look.settings.restart_first_s)
    return look.state.unready_seen and look.may_start and look.both_open and waited


def _resumed(look: Look) -> bool:
    unwatched = look.state.asked_unix_us is None
    return look.state.lit and unwatched and look.both_open and look.may_start and look.due


def _may_try(look: Look) -> bool:
    gone = look.facts.grid == "absent" or (look.both_open and not look.present)
    return look.facts.known and gone and look.may_start and look.due


GUARDS: Final[dict[str, Callable[[Look], bool]]] = {
    # Anywhere.
    "silent": lambda look: look.lasts(look.state.silent_unix_us, look.settings.silence_s),
    "gateway_fault": lambda look: bool(look.facts.gateway_fault),
    "both_closed": lambda look: look.facts.pole == look.facts.source == "closed",
    "contradicted": lambda look: look.lasts(
        look.state.contradicted_unix_us, look.settings.contradiction_s
    ),
    # The grid.
    "grid_absent": lambda look: look.facts.grid == "absent",
    "grid_not_absent": lambda look: look.facts.fresh and look.facts.grid != "absent",
    "absent_confirmed": lambda look: look.lasts(look.state.absent_unix_us, look.settings.confirm_s),
    "grid_back": lambda look: look.on_grid_pole and look.present,
    "grid_there": lambda look: (
        look.present
        and (look.both_open or look.inputs.person_asks != "island")
        and look.facts.known
    ),
    "grid_gone_lit": lambda look: look.island and not look.present,
    "grid_gone_dark": lambda look: look.both_open and not look.present,
    "grid_in_band": lambda look: look.qualification.in_band and look.present,
    "grid_out_of_band": lambda look: look.facts.known and not look.qualification.in_band,
    "qualified": _may_return,
    "grid_flickered": lambda look: (
        look.facts.known and look.facts.pole == "open" and not look.qualification.in_band
    ),
    # The poles.
    "on_grid_pole": lambda look: look.on_grid_pole,
    "pole_closed": lambda look: look.facts.known and look.facts.pole == "closed",
    "pole_opened": lambda look: look.facts.known and look.facts.pole == "open" and look.settled,
    "pole_stuck": lambda look: (
        look.facts.known and look.lasts(look.state.since_unix_us, look.settings.answer_s)
    ),
    "island_found": lambda look: look.island,
    "open_with_grid": lambda look: look.both_open and look.present,
    "open_without_grid": lambda look: look.both_open and not look.present,
    "returned": _returned,
    "return_failed": lambda look: _return_failed(look) and look.may_start and look.due,
    "return_failed_dark": _return_failed,
    "backfeed": _backfeed,
    # The source.
    "may_try": _may_try,
    "lit_up": lambda look: look.lit and look.state.energised_unix_us is not None,
    "lit_in_test": lambda look: (
        look.state.testing and look.lit and look.state.energised_unix_us is not None
    ),
    "source_unready": lambda look: look.both_open and not look.inputs.source_ready,
    "source_silent": lambda look: (
        look.facts.known and look.lasts(look.state.since_unix_us, look.settings.source_answer_s)
    ),
    "source_spent": lambda look: look.island and not look.inputs.source_ready,
    "source_lost": lambda look: look.source_lost,
    "source_stuck": _source_stuck,
    "source_regained": _source_regained,
    "resumed": _resumed,
    "restart_due": lambda look: look.both_open and look.may_start and look.due,
    # People and tests.
    "test_asked": _test_asked,
    "test_over": lambda look: look.state.testing and not look.test_runs,
    "test_failed": lambda look: (
        look.state.testing
        and (
            not look.inputs.source_ready
            or look.lasts(look.state.since_unix_us, look.settings.source_answer_s)
        )
    ),
    "person_island": lambda look: (
        look.person_island and look.facts.known and look.facts.source == "open"
    ),
    "person_stays": lambda look: look.lit and look.inputs.person_asks == "island",
    # Out of a fault.
    "fault_over_on_grid": lambda look: _consistent(look) and look.facts.pole == "closed",
    "fault_over_with_grid": lambda look: (
        _consistent(look) and look.facts.pole == "open" and look.present
    ),
    "fault_over_dark": lambda look: _consistent(look) and look.facts.pole == "open",
    # A switch that transfers of its own.
    "unheard": lambda look: (
        not look.facts.fresh and look.lasts(look.state.silent_unix_us, look.settings.silence_s)
    ),
    "seen_on_grid": lambda look: look.present and look.facts.pole != "open",
    "seen_cut_off": lambda look: look.facts.grid == "absent" and look.facts.pole == "closed",
    "seen_lit_qualifying": lambda look: look.island and look.qualification.in_band,
    "seen_lit_with_grid": lambda look: look.island and look.present,
    "seen_lit": lambda look: (
        look.island or (look.facts.grid == "absent" and look.facts.pole is None)
    ),
    "seen_open": lambda look: look.both_open,
}
