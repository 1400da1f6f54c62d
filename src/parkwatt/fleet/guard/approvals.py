"""Who may change what the pool may be asked for: one person makes it safer, two make it more powerful.

A change that lowers limits, or stops the pool, is in force at once. One that raises a limit, adds a programme or ends a stop is
proposed by one person and approved by another, within an hour. Dual authorization as of NIST SP 800-53 AC-3(2), which leaves
it out where an answer is needed at once: here that is every change to the safe side.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.fleet.guard.admission import Limits

_OPEN_S: Final = 3600.0
_OPEN_MAX: Final = 20


class Proposal(NamedTuple):
    """A change that waits for a second person. ``limits``: None: they stay; ``resumes``: it ends a stop."""

    proposal_id: int
    proposed_by: str
    proposed_s: float
    limits: Limits | None
    resumes: bool
    reason: str


class Approvals(NamedTuple):
    """``limits``: in force. ``stopped_by``: who stopped the pool, empty: it is not stopped. ``open``: what waits."""

    limits: Limits
    stopped_by: str = ""
    open: tuple[Proposal, ...] = ()
    next_id: int = 1


def stop(state: Approvals, person: str) -> Approvals:
    """Stop the pool, at once. A proposal to end an earlier stop is void: it did not know of this one."""
    _raise_if_nobody(person)
    return state._replace(
        stopped_by=person, open=tuple(one for one in state.open if not one.resumes)
    )


def change_limits(
    state: Approvals, person: str, limits: Limits, reason: str, now_s: float
) -> tuple[Approvals, Proposal | None]:
    """Change limits: at once (None) where none rises, else a proposal for a second person."""
    _raise_if_nobody(person)
    limits.raise_if_wrong()
    if _as_safe(limits, state.limits):
        return state._replace(limits=limits), None
    return _propose(state, person, limits, False, reason, now_s)


def propose_resume(
    state: Approvals, person: str, reason: str, now_s: float
) -> tuple[Approvals, Proposal]:
    """Propose to end a stop. Raises InputError where there is none."""
    _raise_if_nobody(person)
    if not state.stopped_by:
        raise InputError([InputFault("resume", "the pool is not stopped")])
    return _propose(state, person, None, True, reason, now_s)


def approve(
    state: Approvals, person: str, proposal_id: int, now_s: float
) -> tuple[Approvals, Proposal]:
    """Put a proposal of somebody else in force. Raises InputError where it is one's own, too old or not there."""
    _raise_if_nobody(person)
    state = _without_old(state, now_s)
    found = [one for one in state.open if one.proposal_id == proposal_id]
    if not found:
        raise InputError([InputFault("proposal", "must be open, for an hour at most", proposal_id)])
    proposal = found[0]
    if proposal.proposed_by == person:
        raise InputError([InputFault("person", "must be another one than who proposed it", person)])
    rest = tuple(one for one in state.open if one is not proposal)
    state = state._replace(open=rest)
    if proposal.limits is not None:
        state = state._replace(limits=proposal.limits)
    if proposal.resumes:
        state = state._replace(stopped_by="")
    return state, proposal


def _propose(
    state: Approvals, person: str, limits: Limits | None, resumes: bool, reason: str, now_s: float
) -> tuple[Approvals, Proposal]:
    state = _without_old(state, now_s)
    if not reason.strip():
        raise InputError([InputFault("reason", "must be told")])
    if len(state.open) >= _OPEN_MAX:
        raise InputError([InputFault("proposal", f"at most {_OPEN_MAX} may be open")])
    proposal = Proposal(state.next_id, person, now_s, limits, resumes, reason)
    return state._replace(open=(*state.open, proposal), next_id=state.next_id + 1), proposal


def _without_old(state: Approvals, now_s: float) -> Approvals:
    return state._replace(
        open=tuple(one for one in state.open if now_s - one.proposed_s <= _OPEN_S)
    )


def _as_safe(limits: Limits, before: Limits) -> bool:
    """Whether no limit allows more than before. A longer wait is safer, of the others the smaller."""
    return all(
        new >= old if name == "reversal_s" else new <= old
        for name, new, old in zip(Limits._fields, limits, before, strict=True)
    )


def _raise_if_nobody(person: str) -> None:
    if not person.strip():
        raise InputError([InputFault("person", "must be named", person)])
