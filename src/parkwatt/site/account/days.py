"""What is counted by local day: limits, set-points, what the guard changed, switchings, leases that lapsed, plans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from parkwatt.domain.calendar import day_number, local_time_unix_s
from parkwatt.domain.site.event import Measured, SetpointDecided
from parkwatt.site.guard.state import direction, point_key

# What meters round, and a power that is held just at its limit.
_OVER_KW: Final = 0.05
_SAME_KW: Final = 1e-9
# A clock that is put back by more was corrected: what follows counts, although its time is past.
_CORRECTED_S: Final = 3600


class LimitFacts(msgspec.Struct, omit_defaults=True):
    """One limit on one day, by means of minutes. ``over_s``: above it in all; ``over_s_longest``: at a stretch;
    ``excess_kw``: the greatest mean above it; ``excess_kw_single``: the greatest single reading above it.
    """

    over_s: int = 0
    over_s_longest: int = 0
    excess_kw: float = 0.0
    excess_kw_single: float = 0.0


class DayFacts(msgspec.Struct, omit_defaults=True):
    """One local day. ``metered_s``: for how long the grid meter told anything. ``setpoints``: that were decided, of them
    ``followed`` only followed the meter; ``changed``: by the guard's rule, how many it changed; ``switchings``: set-points
    that began, ended or turned what a charger did.
    """

    metered_s: int = 0
    limit_import: LimitFacts = msgspec.field(default_factory=LimitFacts)
    limit_export: LimitFacts = msgspec.field(default_factory=LimitFacts)
    setpoints: int = 0
    followed: int = 0
    changed: dict[str, int] = msgspec.field(default_factory=dict)
    switchings: int = 0
    leases_lapsed: int = 0
    plans: int = 0
    starts: int = 0


class DaysState(msgspec.Struct, omit_defaults=True):
    """Days by their number since 1970, and what goes on from one event to the next.

    ``directions``: by connection point, what its last set-point did. ``over_until_s``: where the running excess of import
    and export ends, with how long it has lasted.
    """

    days: dict[int, DayFacts] = msgspec.field(default_factory=dict)
    directions: dict[str, int] = msgspec.field(default_factory=dict)
    measured_until_unix_s: int = 0
    import_run_s: int = 0
    export_run_s: int = 0


class Days:
    """Counts. ``state`` is changed in place."""

    def __init__(
        self,
        state: DaysState,
        time_zone: ZoneInfo,
        import_limit_kw: float | None,
        export_limit_kw: float | None,
    ) -> None:
        self.state = state
        self._time_zone = time_zone
        self._import_limit_kw = import_limit_kw
        self._export_limit_kw = export_limit_kw
        self._day = 0
        self._day_unix_s = (0, 0)

    def at(self, unix_s: int) -> DayFacts:
        """The local day that holds a time."""
        start, end = self._day_unix_s
        if not start <= unix_s < end:
            local = datetime.fromtimestamp(unix_s, tz=UTC).astimezone(self._time_zone).date()
            self._day = day_number(local)
            self._day_unix_s = (
                local_time_unix_s(self._day, 0, self._time_zone),
                local_time_unix_s(self._day + 1, 0, self._time_zone),
            )
        found = self.state.days.get(self._day)
        if found is None:
            found = self.state.days[self._day] = DayFacts()
        return found

    def measured(self, event: Measured) -> None:
        """A minute."""
        if not self._is_next(event.start_unix_s, event.duration_s) or event.grid_kw is None:
            return
        self._exchange(
            event.start_unix_s,
            event.duration_s,
            event.grid_kw + (event.export_kw or 0.0),
            event.export_kw or 0.0,
            event.grid_kw_max,
            None if event.grid_kw_min is None else -event.grid_kw_min,
        )

    def interval(
        self, start_unix_s: int, duration_s: int, import_kwh: float, export_kwh: float
    ) -> None:
        """A quarter of an hour of which no minute was told."""
        if self._is_next(start_unix_s, duration_s):
            hours = duration_s / 3600.0
            mean_import_kw, mean_export_kw = import_kwh / hours, export_kwh / hours
            self._exchange(start_unix_s, duration_s, mean_import_kw, mean_export_kw, None, None)

    def setpoint(self, event: SetpointDecided, now_unix_s: int) -> None:
        """A set-point was decided."""
        day = self.at(now_unix_s)
        day.setpoints += 1
        day.followed += event.following
        for change in event.changes:
            if abs(change.from_kw - change.to_kw) > _SAME_KW:
                day.changed[change.rule] = day.changed.get(change.rule, 0) + 1
        key, now = point_key(event.charger_id, event.evse_id), direction(event.power_kw)
        day.switchings += self.state.directions.get(key, 0) != now
        self.state.directions[key] = now

    def thinned_setpoint(self, now_unix_s: int) -> None:
        """A set-point that only followed the meter, of which no more is known."""
        day = self.at(now_unix_s)
        day.setpoints += 1
        day.followed += 1

    def _is_next(self, start_unix_s: int, duration_s: int) -> bool:
        """Whether the span comes after all that were counted; runs of excess end where it does not join them."""
        until = self.state.measured_until_unix_s
        if until - _CORRECTED_S < start_unix_s < until:
            return False
        if start_unix_s != until:
            self.state.import_run_s = self.state.export_run_s = 0
        self.state.measured_until_unix_s = start_unix_s + duration_s
        return True

    def _exchange(
        self,
        start_unix_s: int,
        duration_s: int,
        mean_import_kw: float,
        mean_export_kw: float,
        single_import_kw: float | None,
        single_export_kw: float | None,
    ) -> None:
        day, state = self.at(start_unix_s), self.state
        day.metered_s += duration_s
        if self._import_limit_kw is not None:
            over_kw = mean_import_kw - self._import_limit_kw
            single_kw = (single_import_kw or 0.0) - self._import_limit_kw
            state.import_run_s += duration_s
            if not _note(day.limit_import, over_kw, single_kw, duration_s, state.import_run_s):
                state.import_run_s = 0
        if self._export_limit_kw is not None:
            over_kw = mean_export_kw - self._export_limit_kw
            single_kw = (single_export_kw or 0.0) - self._export_limit_kw
            state.export_run_s += duration_s
            if not _note(day.limit_export, over_kw, single_kw, duration_s, state.export_run_s):
                state.export_run_s = 0


def _note(limit: LimitFacts, over_kw: float, single_kw: float, duration_s: int, run_s: int) -> bool:
    """Note how far above a limit a span was; whether it was."""
    if single_kw > _OVER_KW:
        limit.excess_kw_single = max(limit.excess_kw_single, single_kw)
    if over_kw <= _OVER_KW:
        return False
    limit.excess_kw = max(limit.excess_kw, over_kw)
    limit.over_s += duration_s
    limit.over_s_longest = max(limit.over_s_longest, run_s)
    return True
