"""What the island machine remembers.

The first part is durable: the fold of its own `IslandMoved` events, by `moved`. The rest are timers of what this run of the
program has itself observed. They may be lost at any moment, and start anew after a pause: what nobody watched did not
last.
"""

from __future__ import annotations

import msgspec

from parkwatt.domain.home.event import GridCondition, IslandMoved, IslandPhase
from parkwatt.home.grid_code import EnterServiceState

# In these the home is, or is about to be, cut off from the grid.
APART: frozenset[IslandPhase] = frozenset(
    {
        "opening",
        "islanding",
        "islanded",
        "restart_wait",
        "grid_seen",
        "qualifying",
        "transferring_back",
        "test",
    }
)
# A fault in these is a failed try.
_TRYING: frozenset[IslandPhase] = APART - {"restart_wait"}
_SOURCE_FAILED = frozenset({"source_lost", "source_spent", "source_silent", "source_unready"})


# What the journal tells of a state; all else is lost with the program.
DURABLE: tuple[str, ...] = (
    "phase",
    "since_unix_us",
    "because",
    "reason",
    "testing",
    "lit",
    "failures",
    "failed_unix_us",
    "suspicions",
    "return_failed_unix_us",
    "tested_unix_us",
)


class IslandState(msgspec.Struct, omit_defaults=True):
    """``since_unix_us``: in this phase; ``because``, ``reason``: the move into it.

    ``testing``: what goes on is an off-grid test. ``lit``: the island's source was seen to feed the home, and not seen to fail.
    ``failures``, ``failed_unix_us``: tries in a row that failed, and the last of them.
    ``suspicions``: how often the grid seemed to come back just when the island's source was closed.
    ``return_failed_unix_us``: when the grid's pole last did not close as asked. ``tested_unix_us``: the last test's start.

    Timers, each None where it does not run: ``stepped`` the last step, ``silent`` nothing complete was heard, ``absent`` the
    grid is gone, ``returned`` the grid came back after it was seen absent, ``energised`` the first request to close the source,
    ``contradicted``, ``consistent`` feedback did (not) contradict itself, ``dead`` the source open and the output dead,
    ``source_dead`` the source closed and the output dead, ``asked`` the first request in this phase, ``repeated`` the last one.

    ``unready_seen``: the source was not ready in this phase. ``person_heard``: what a person asks for was tried once.
    ``asked``: what was asked last. ``refused``: what was last refused, and in which phase.
    """

    phase: IslandPhase = "grid"
    since_unix_us: int = 0
    because: str = ""
    reason: str = ""
    testing: bool = False
    lit: bool = False
    failures: int = 0
    failed_unix_us: int = 0
    suspicions: int = 0
    return_failed_unix_us: int | None = None
    tested_unix_us: int | None = None

    stepped_unix_us: int | None = None
    silent_unix_us: int | None = None
    absent_unix_us: int | None = None
    returned_unix_us: int | None = None
    energised_unix_us: int | None = None
    contradicted_unix_us: int | None = None
    consistent_unix_us: int | None = None
    dead_unix_us: int | None = None
    source_dead_unix_us: int | None = None
    asked_unix_us: int | None = None
    repeated_unix_us: int | None = None
    enter_service: EnterServiceState = msgspec.field(default_factory=EnterServiceState)
    grid: GridCondition = "unknown"
    unready_seen: bool = False
    person_heard: bool = False
    tested_until_unix_us: int | None = None
    asked: tuple[str, ...] = ()
    refused: str = ""

    def moved(self, event: IslandMoved, at_unix_us: int, forget_s: float) -> None:
        """Take in a move, as it happens or as the journal tells it. Everything durable follows from these alone."""
        before, self.phase = self.phase, event.to_phase
        self.since_unix_us, self.because, self.reason = at_unix_us, event.because, event.reason
        self.asked_unix_us = self.repeated_unix_us = None
        self.asked, self.unready_seen = (), False
        self._count(before, at_unix_us, forget_s)
        if event.to_phase == "opening":
            self.testing = event.because == "test_asked"
            self.lit = False
        elif event.to_phase in ("islanded", "test"):
            self.lit = True
            self.testing = event.to_phase == "test"
        elif event.to_phase in ("grid", "fault", "restart_wait", "transferring_back"):
            self.lit = False
        if event.because in _SOURCE_FAILED:
            self.lit = False
        if event.to_phase in ("grid", "fault", "restart_wait", "qualifying"):
            self.testing = False
        if event.because == "test_asked":
            self.tested_unix_us = at_unix_us
        if event.to_phase != "islanded":
            self.energised_unix_us = None
        if event.because in ("return_failed", "return_failed_dark"):
            self.return_failed_unix_us = at_unix_us

    def _count(self, before: IslandPhase, at_unix_us: int, forget_s: float) -> None:
        failed = self.because in _SOURCE_FAILED or (self.phase == "fault" and before in _TRYING)
        if failed:
            recent = at_unix_us - self.failed_unix_us < forget_s * 1_000_000
            self.failures = self.failures + 1 if recent else 1
            self.failed_unix_us = at_unix_us
        # With the source open, a grid that is there is not the source's own voltage.
        proven = self.phase == "grid_seen" and not self.lit
        if self.because == "backfeed":
            self.suspicions += 1
        elif proven or self.because == "person_island":
            self.suspicions = 0
        if self.phase == "grid" and self.because != "fault_over_on_grid":
            self.failures = self.suspicions = 0
            self.return_failed_unix_us = None
