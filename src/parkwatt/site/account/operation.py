"""How the site was run over a span: limits, set-points, what the guard changed, switchings, leases."""

from __future__ import annotations

from dataclasses import dataclass, field

from parkwatt.site.account.days import DayFacts, DaysState, LimitFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitKept:
    """How a limit was kept. ``limit_kw`` None: there is none. Times and means are by the minute; ``excess_kw_single``: of
    the greatest single reading.
    """

    limit_kw: float | None
    over_s: int = 0
    over_s_longest: int = 0
    excess_kw: float = 0.0
    excess_kw_single: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``metered_s``: for how long the grid meter told anything. ``setpoints``: decided, of which ``followed`` only followed the
    meter. ``changed``: by rule of the guard, how many set-points it changed. ``switchings_a_day_max``: on the busiest day.
    """

    metered_s: int
    limit_import: LimitKept
    limit_export: LimitKept
    setpoints: int
    followed: int
    changed: dict[str, int] = field(default_factory=dict)
    switchings: int
    switchings_a_day_max: int
    leases_lapsed: int
    plans: int
    starts: int


def operation(
    state: DaysState,
    days: range,
    import_limit_kw: float | None,
    export_limit_kw: float | None,
) -> Operation:
    """The operation over these local days (since 1970-01-01)."""
    found = [state.days[day] for day in days if day in state.days]
    changed: dict[str, int] = {}
    for facts in found:
        for rule, count in facts.changed.items():
            changed[rule] = changed.get(rule, 0) + count
    return Operation(
        metered_s=sum(facts.metered_s for facts in found),
        limit_import=_kept(import_limit_kw, [facts.limit_import for facts in found]),
        limit_export=_kept(export_limit_kw, [facts.limit_export for facts in found]),
        setpoints=_sum(found, "setpoints"),
        followed=_sum(found, "followed"),
        changed=dict(sorted(changed.items())),
        switchings=_sum(found, "switchings"),
        switchings_a_day_max=max((facts.switchings for facts in found), default=0),
        leases_lapsed=_sum(found, "leases_lapsed"),
        plans=_sum(found, "plans"),
        starts=_sum(found, "starts"),
    )


def _sum(days: list[DayFacts], name: str) -> int:
    return sum(getattr(facts, name) for facts in days)


def _kept(limit_kw: float | None, days: list[LimitFacts]) -> LimitKept:
    return LimitKept(
        limit_kw=limit_kw,
        over_s=sum(facts.over_s for facts in days),
        over_s_longest=max((facts.over_s_longest for facts in days), default=0),
        excess_kw=max((facts.excess_kw for facts in days), default=0.0),
        excess_kw_single=max((facts.excess_kw_single for facts in days), default=0.0),
    )
