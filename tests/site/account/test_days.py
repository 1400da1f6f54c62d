"""Limits by the minute, switchings, what the guard changed, leases, and the days they fall into."""

from __future__ import annotations

import msgspec

from parkwatt.domain.charger.event import SetpointReleased
from parkwatt.domain.site.event import GuardChange, Measured, SetpointDecided, SiteStarted
from parkwatt.site.account import Accounts, Operation, operation
from parkwatt.site.account.sums import local_day
from tests.site.account.made import BERLIN, MONDAY_UNIX_S, QUARTER_S, Made, folded, settings

LIMITED = settings(import_limit_kw=10.0, export_limit_kw=5.0)


def run_of(accounts: Accounts, days: int = 1) -> Operation:
    """The operation of the first days."""
    first = local_day(MONDAY_UNIX_S, BERLIN)
    return operation(accounts.days, range(first, first + days), 10.0, 5.0)


def minutes(made: Made, start_unix_s: int, grid_kw: list[float]) -> None:
    """Means of minutes; single readings go 0.2 kW further."""
    for index, kw in enumerate(grid_kw):
        at = start_unix_s + 60 * index
        export_kw = max(-kw, 0.0)
        event = Measured(at, 60, kw, export_kw, grid_kw_max=kw + 0.2, grid_kw_min=kw - 0.2)
        made.site(event, at + 60)


def test_the_longest_stretch_and_the_greatest_excess_are_told() -> None:
    made = Made()
    minutes(made, MONDAY_UNIX_S, [9.0, 10.5, 11.0, 9.0, 10.02, 10.4, -5.5, -4.9])
    kept = run_of(folded(made.entries, LIMITED))
    assert (kept.limit_import.over_s, kept.limit_import.over_s_longest) == (180, 120)
    assert round(kept.limit_import.excess_kw, 6) == 1.0
    assert round(kept.limit_import.excess_kw_single, 6) == 1.2
    assert (kept.limit_export.over_s, round(kept.limit_export.excess_kw, 6)) == (60, 0.5)
    assert round(kept.limit_export.excess_kw_single, 6) == 0.7
    assert kept.metered_s == 480


def test_minutes_that_are_told_twice_count_once_and_a_corrected_clock_goes_on() -> None:
    made = Made()
    minutes(made, MONDAY_UNIX_S + 7200, [11.0] * 3)
    minutes(made, MONDAY_UNIX_S + 7260, [11.0] * 2)  # a clock that was put back by two minutes
    minutes(made, MONDAY_UNIX_S, [11.0])  # by two hours: it had been wrong
    assert run_of(folded(made.entries, LIMITED)).limit_import.over_s == 240


def test_quarters_stand_in_where_minutes_are_gone() -> None:
    made = Made()
    made.quarter(MONDAY_UNIX_S, buy=0.3, import_kwh=3.0, export_kwh=0.0)
    minutes(made, MONDAY_UNIX_S + QUARTER_S, [8.0] * 15)
    made.quarter(MONDAY_UNIX_S + QUARTER_S, buy=0.3, import_kwh=2.0, export_kwh=0.0)
    kept = run_of(folded(made.entries, LIMITED))
    assert (kept.limit_import.over_s, kept.limit_import.excess_kw) == (QUARTER_S, 2.0)
    assert kept.metered_s == 2 * QUARTER_S


def setpoint(kw: float, *rules: str, following: bool = False) -> SetpointDecided:
    """A set-point that the guard changed by these rules."""
    changes = tuple(GuardChange(rule, kw + 1.0, kw, "why") for rule in rules)
    same = (GuardChange("curve", kw, kw, "only told"),)
    return SetpointDecided("CP-1", 1, "car", kw, kw, 120, "why", changes + same, following)


def test_setpoints_switchings_and_changes_are_counted_by_local_day() -> None:
    made, midnight = Made(), MONDAY_UNIX_S + 86_400
    for index, event in enumerate(
        (
            setpoint(7.0, "ramp"),
            setpoint(5.0, "limit", "ramp"),
            setpoint(0.0),
            setpoint(-2.0, following=True),
        )
    ):
        made.site(event, midnight - 4 + index)
    made.site(setpoint(3.0), midnight)
    accounts = folded(made.entries, LIMITED)
    first, both = run_of(accounts), run_of(accounts, 2)
    assert (first.setpoints, first.followed, first.switchings) == (4, 1, 3)
    assert first.changed == {"limit": 1, "ramp": 2}
    assert (both.setpoints, both.switchings, both.switchings_a_day_max) == (5, 4, 3)


def test_setpoints_that_were_thinned_still_count() -> None:
    made = Made()
    made.site(setpoint(-2.0, following=True), MONDAY_UNIX_S)
    thinned = [msgspec.structs.replace(entry, payload=None) for entry in made.entries]
    found = run_of(folded(thinned, LIMITED))
    assert (found.setpoints, found.followed, found.switchings) == (1, 1, 0)


def test_leases_that_lapsed_and_starts_are_counted() -> None:
    made = Made()
    made.site(SiteStarted("1"), MONDAY_UNIX_S)
    made.charger(SetpointReleased(1, "nobody renewed it", lapsed=True), MONDAY_UNIX_S + 1)
    made.charger(SetpointReleased(1, "asked for"), MONDAY_UNIX_S + 2)
    found = run_of(folded(made.entries, LIMITED))
    assert (found.leases_lapsed, found.starts) == (1, 1)
