"""What a pool remembers of what was asked and decided: the fold of its journal."""

from __future__ import annotations

from typing import Final

from parkwatt.domain.fleet.operation import (
    ChangeProposed,
    LimitsSet,
    PoolEvent,
    PoolResumed,
    PoolStopped,
    TargetAsked,
    TargetCancelled,
)
from parkwatt.fleet.guard.admission import Limits
from parkwatt.fleet.guard.approvals import Approvals, Proposal
from parkwatt.fleet.pool import Wanted

_NOTHING: Final = Wanted()
# Targets that are over are forgotten, by then at the latest.
_KEPT_US: Final = 24 * 3600 * 1_000_000


class PoolState:
    """``targets``: by their ids, those that are not over; ``approvals``: limits, stop, and what waits for a second person."""

    def __init__(self, limits: Limits) -> None:
        self.targets: dict[str, TargetAsked] = {}
        self.approvals = Approvals(limits)
        self.target_count = 0

    def apply(self, event: PoolEvent, now_unix_us: int) -> None:
        """Take in an event that was journalled at ``now_unix_us``."""
        now_s = now_unix_us / 1e6
        match event:
            case TargetAsked():
                self.target_count += 1
                self.targets.pop(event.target_id, None)
                self.targets[event.target_id] = event
                self._forget(now_unix_us)
            case TargetCancelled():
                self.targets.pop(event.target_id, None)
            case PoolStopped():
                kept = tuple(one for one in self.approvals.open if not one.resumes)
                self.approvals = self.approvals._replace(stopped_by=event.person, open=kept)
            case PoolResumed():
                self._close(event.proposal_id)
                self.approvals = self.approvals._replace(stopped_by="")
            case LimitsSet():
                self._close(event.proposal_id)
                self.approvals = self.approvals._replace(limits=Limits(**event.limits))
            case ChangeProposed():
                limits = None if event.limits is None else Limits(**event.limits)
                proposal = Proposal(
                    event.proposal_id, event.person, now_s, limits, event.resumes, event.reason
                )
                self.approvals = self.approvals._replace(
                    open=(*self.approvals.open, proposal), next_id=event.proposal_id + 1
                )
            case _:
                pass

    def in_force(self, now_unix_us: int) -> TargetAsked | None:
        """What is asked of the pool now: of what is not over, what was asked for last."""
        asked = [
            one
            for one in self.targets.values()
            if one.from_unix_us <= now_unix_us < one.until_unix_us
        ]
        return asked[-1] if asked else None

    def wanted(self, now_unix_us: int) -> Wanted:
        """The same as powers."""
        asked = self.in_force(now_unix_us)
        return _NOTHING if asked is None else Wanted(asked.power_kw, asked.change_kw)

    def _forget(self, now_unix_us: int) -> None:
        over = [
            key for key, one in self.targets.items() if one.until_unix_us < now_unix_us - _KEPT_US
        ]
        for key in over:
            del self.targets[key]

    def _close(self, proposal_id: int) -> None:
        rest = tuple(one for one in self.approvals.open if one.proposal_id != proposal_id)
        self.approvals = self.approvals._replace(open=rest)
