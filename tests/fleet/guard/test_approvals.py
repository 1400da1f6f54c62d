"""One person makes the pool safer, two make it more powerful."""

from __future__ import annotations

import pytest

from parkwatt.domain.errors import InputError
from parkwatt.fleet.guard.admission import Limits
from parkwatt.fleet.guard.approvals import (
    Approvals,
    approve,
    change_limits,
    propose_resume,
    stop,
)

LIMITS = Limits(100.0, 100.0, 10.0, 300.0, 1.0, 60.0)


def test_lowering_is_in_force_at_once() -> None:
    lower = LIMITS._replace(down_kw_max=50.0, reversal_s=120.0)
    state, proposal = change_limits(Approvals(LIMITS), "Ada", lower, "storm", 0.0)
    assert proposal is None
    assert state.limits == lower


@pytest.mark.parametrize(
    "raised",
    [{"up_kw_max": 101.0}, {"ramp_kw_per_s": 11.0}, {"reversal_s": 59.0, "up_kw_max": 1.0}],
)
def test_raising_takes_two(raised: dict[str, float]) -> None:
    higher = LIMITS._replace(**raised)
    state, proposal = change_limits(Approvals(LIMITS), "Ada", higher, "new cars", 0.0)
    assert proposal is not None
    assert state.limits == LIMITS
    with pytest.raises(InputError, match="another one"):
        approve(state, "Ada", proposal.proposal_id, 1.0)
    with pytest.raises(InputError, match="open"):
        approve(state, "Bo", proposal.proposal_id + 1, 1.0)
    with pytest.raises(InputError, match="open"):
        approve(state, "Bo", proposal.proposal_id, 3601.0)
    done, _ = approve(state, "Bo", proposal.proposal_id, 1.0)
    assert done.limits == higher
    # Once.
    with pytest.raises(InputError, match="open"):
        approve(done, "Cy", proposal.proposal_id, 2.0)


def test_one_stops_and_two_resume() -> None:
    state = stop(Approvals(LIMITS), "Ada")
    assert state.stopped_by == "Ada"
    state, proposal = propose_resume(state, "Ada", "false alarm", 0.0)
    # Who stops again voids what was proposed before.
    again = stop(state, "Cy")
    with pytest.raises(InputError, match="open"):
        approve(again, "Bo", proposal.proposal_id, 1.0)
    state, _ = approve(state, "Bo", proposal.proposal_id, 1.0)
    assert state.stopped_by == ""
    with pytest.raises(InputError, match="not stopped"):
        propose_resume(state, "Ada", "again", 2.0)


def test_people_and_reasons_are_named() -> None:
    with pytest.raises(InputError, match="person"):
        stop(Approvals(LIMITS), " ")
    with pytest.raises(InputError, match="reason"):
        change_limits(Approvals(LIMITS), "Ada", LIMITS._replace(up_kw_max=200.0), "", 0.0)
    with pytest.raises(InputError, match="up_kw_max"):
        change_limits(Approvals(LIMITS), "Ada", LIMITS._replace(up_kw_max=-1.0), "x", 0.0)
