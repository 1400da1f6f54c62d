"""What a pool remembers is the fold of its journal."""

from __future__ import annotations

from parkwatt.domain.fleet.operation import (
    ChangeProposed,
    LimitsSet,
    PoolEvent,
    PoolMinute,
    PoolResumed,
    PoolStopped,
    TargetAsked,
    TargetCancelled,
    decode,
    encode,
    is_telemetry,
    kind,
)
from parkwatt.fleet.guard.admission import Limits
from parkwatt.fleet.pool import Wanted
from parkwatt.fleet.state import PoolState

LIMITS = Limits(100.0, 100.0, 10.0, 300.0, 1.0, 60.0)
HOUR_US = 3_600_000_000


def asked(
    target_id: str,
    begin: int,
    end: int,
    *,
    power_kw: float | None = None,
    change_kw: float | None = None,
) -> TargetAsked:
    return TargetAsked(target_id, begin * HOUR_US, end * HOUR_US, "api", power_kw, change_kw)


def test_of_what_is_not_over_the_last_that_was_asked_for_holds() -> None:
    state = PoolState(LIMITS)
    state.apply(asked("a", 0, 4, power_kw=-10.0), 0)
    state.apply(asked("b", 1, 2, change_kw=5.0), 0)
    assert state.wanted(0) == Wanted(power_kw=-10.0)
    assert state.wanted(HOUR_US) == Wanted(change_kw=5.0)
    assert state.wanted(2 * HOUR_US) == Wanted(power_kw=-10.0)
    state.apply(TargetCancelled("a", "api"), HOUR_US)
    assert state.wanted(2 * HOUR_US) == Wanted()
    assert state.in_force(HOUR_US) is not None
    # What is asked for again is the newest.
    state.apply(asked("c", 0, 4, power_kw=1.0), HOUR_US)
    state.apply(asked("b", 1, 2, change_kw=7.0), HOUR_US)
    assert state.wanted(HOUR_US) == Wanted(change_kw=7.0)


def test_what_is_long_over_is_forgotten() -> None:
    state = PoolState(LIMITS)
    state.apply(asked("a", 0, 1, power_kw=-10.0), 0)
    state.apply(asked("b", 30, 31, power_kw=-10.0), 30 * HOUR_US)
    assert list(state.targets) == ["b"]


def test_stops_proposals_and_limits_come_back() -> None:
    higher = dict(LIMITS._replace(up_kw_max=200.0)._asdict())
    events: list[PoolEvent] = [
        PoolStopped("Ada"),
        ChangeProposed(1, "Ada", "false alarm", resumes=True),
        ChangeProposed(2, "Bo", "new cars", higher),
        PoolResumed(1, "Ada", "Bo"),
        LimitsSet(higher, "Bo", "Ada", 2),
    ]
    state = PoolState(LIMITS)
    state.apply(events[0], 0)
    assert state.approvals.stopped_by == "Ada"
    for event in events[1:3]:
        state.apply(event, HOUR_US)
    assert [one.proposal_id for one in state.approvals.open] == [1, 2]
    assert state.approvals.next_id == 3
    for event in events[3:]:
        state.apply(event, HOUR_US)
    assert state.approvals.stopped_by == ""
    assert state.approvals.limits.up_kw_max == 200.0
    assert not state.approvals.open
    # A second stop voids what was proposed to end the first.
    state.apply(ChangeProposed(3, "Ada", "again", resumes=True), HOUR_US)
    state.apply(PoolStopped("Cy"), HOUR_US)
    assert not state.approvals.open


def test_events_are_json_and_back() -> None:
    events: list[PoolEvent] = [
        asked("a", 0, 1, power_kw=0.0),
        PoolMinute(1.0, 2.0, None, 3, 4),
        PoolStopped("Ada", "smoke"),
    ]
    for event in events:
        assert decode(encode(event)) == event
    assert kind(PoolStopped("Ada")) == "pool.stopped"
    assert is_telemetry(PoolMinute(1.0, 2.0, None, 3, 4))
    assert not is_telemetry(PoolStopped("Ada"))
