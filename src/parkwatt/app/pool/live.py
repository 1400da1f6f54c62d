"""What the API and the command line see of a running pool: a port that `parkwatt fleet up` implements.

A home's server has it too, without the compiler that a pool's loop needs: nothing here may import that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from parkwatt.app.pool.measured import PoolHistory, PoolSecond
from parkwatt.domain.fleet.operation import Admitted, TargetAsked
from parkwatt.fleet.guard import approvals
from parkwatt.fleet.guard.admission import Limits


@dataclass(frozen=True, slots=True)
class PoolSnapshot:
    """The pool now. ``last``: None before its first step. ``told``: cars that the last step told something."""

    name: str
    now_unix_us: int
    members: int
    here: int
    linked: int
    limits: Limits
    last: PoolSecond | None
    told: int
    missing_kw: float
    target: TargetAsked | None
    admitted: Admitted | None
    stopped_by: str
    proposals: tuple[approvals.Proposal, ...]
    targets: tuple[TargetAsked, ...]
    alarm: str


@runtime_checkable
class LivePool(Protocol):
    """A pool whose loop runs. What changes something is awaited until it is in the journal."""

    @property
    def alarm(self) -> str:
        """What is wrong, in words; empty where all is well."""

    @property
    def history(self) -> PoolHistory:
        """Its seconds and minutes."""

    def snapshot(self) -> PoolSnapshot:
        """The pool now."""

    def leads(self, charger_id: str) -> bool:
        """Whether a charger is a member's."""

    async def ask(self, asked: TargetAsked) -> TargetAsked:
        """Ask the pool for a power. Raises InputError for what cannot be meant, ParkwattError where it cannot be written."""

    async def cancel(self, target_id: str, origin: str) -> bool:
        """Take a target back; False where there is none of that name."""

    async def stop(self, person: str, reason: str) -> None:
        """One person stops the pool."""

    async def propose_resume(self, person: str, reason: str) -> int:
        """Propose to end a stop; returns the proposal's number."""

    async def change_limits(self, person: str, limits: Limits, reason: str) -> int | None:
        """Change limits: None where that holds at once, else the proposal's number."""

    async def approve(self, person: str, proposal_id: int) -> None:
        """A second person agrees. Raises InputError where that may not be."""
