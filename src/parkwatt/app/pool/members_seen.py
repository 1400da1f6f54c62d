"""What a pool knows of its cars, in arrays that are kept up as chargers report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from parkwatt.app.pool.members import MemberTable
from parkwatt.domain.charger.state import ChargerState
from parkwatt.domain.site.observation import ChargerSeen, seen
from parkwatt.fleet.guard.approval import Allowed
from parkwatt.fleet.pool import Now

EVSE: Final = 1
# A charger that has not shown yet that it can discharge is brought to rest first, and may be tried in more than one way.
_TRIES_S: Final = 15.0
_MINUTES_OF_DAY: Final = 24 * 60
# A state of charge says nothing after so long without a meter's register to count on from.
_SOC_OLD_US: Final = 30 * 60 * 1_000_000


class MembersSeen:
    """The arrays of `parkwatt.fleet.pool.Now`, a row a member."""

    def __init__(self, table: MemberTable, answer_s: float) -> None:
        self._table = table
        self._answer_known_s = answer_s
        self._rows = {charger_id: row for row, charger_id in enumerate(table.charger_id)}
        count = len(table.charger_id)
        self._present = np.zeros(count, bool)
        self._linked = np.zeros(count, bool)
        self._discharges = np.zeros(count, bool)
        self._power_kw = np.full(count, np.nan, np.float32)
        self._read_s = np.full(count, -np.inf)
        self._answer_s = np.full(count, answer_s)
        self._energy_kwh = np.full(count, np.nan, np.float32)
        self._limit_kw = np.full(count, np.inf, np.float32)
        self._changed: set[str] = set(table.charger_id)
        self._minutes, self._minute_of = np.unique(table.ready_minute, return_inverse=True)

    def heard(self, charger_id: str) -> None:
        """Something happened at a charger: it is looked at with the next step."""
        if charger_id in self._rows:
            self._changed.add(charger_id)

    def now(self, state_of: Callable[[str], ChargerState | None], now_unix_us: int) -> Now:
        """Everything as it is known now."""
        changed, self._changed = self._changed, set()
        for charger_id in changed:
            state = state_of(charger_id)
            if state is not None:
                row = self._rows[charger_id]
                self._take(row, seen(state, EVSE), now_unix_us)
                evse = state.evses.get(EVSE)
                gives = self._table.arrays.discharge_kw_max[row] > 0.0
                proven = (
                    evse is not None and evse.rung_proven and (evse.rung.discharges or not gives)
                )
                self._answer_s[row] = self._answer_known_s if proven else _TRIES_S
        return Now(
            present=self._present.copy(),
            linked=self._linked.copy(),
            discharges=self._discharges.copy(),
            power_kw=self._power_kw.copy(),
            read_s=self._read_s.copy(),
            answer_s=self._answer_s.copy(),
            energy_kwh=self._energy_kwh.copy(),
            ready_s=self._ready_s(now_unix_us),
        )

    def allowed(self, row: int) -> Allowed:
        """What a member may be told, by its settings and its charger alone."""
        arrays = self._table.arrays
        charge_kw = min(float(arrays.charge_kw_max[row]), float(self._limit_kw[row]))
        discharge_kw = float(arrays.discharge_kw_max[row]) if self._discharges[row] else 0.0
        return Allowed(self._table.charger_id[row], EVSE, max(charge_kw, 0.0), discharge_kw)

    def has(self, charger_id: str) -> bool:
        """Whether a charger is a member's."""
        return charger_id in self._rows

    def _take(self, row: int, here: ChargerSeen, now_unix_us: int) -> None:
        present = here.plugged_in
        self._present[row] = present
        # Without a transaction a charger takes no set-point.
        self._linked[row] = here.connected and here.transaction_id is not None and not here.faulted
        self._discharges[row] = here.rung_highest.discharges
        self._limit_kw[row] = np.inf if here.limit_kw is None else here.limit_kw
        known = present and here.power_kw is not None and here.power_unix_us is not None
        self._power_kw[row] = here.power_kw if known else np.nan
        self._read_s[row] = (here.power_unix_us or 0) / 1e6 if known else -np.inf
        self._energy_kwh[row] = self._energy(row, here, now_unix_us) if present else np.nan

    def _energy(self, row: int, here: ChargerSeen, now_unix_us: int) -> float:
        """By the state of charge that the charger told, and what its registers moved since; NaN: unknown."""
        if here.soc is None or here.soc_unix_us is None:
            return float("nan")
        moved_kwh = here.moved_since_soc_kwh
        if moved_kwh is None and now_unix_us - here.soc_unix_us > _SOC_OLD_US:
            return float("nan")
        capacity_kwh = float(self._table.arrays.capacity_kwh[row])
        gained = moved_kwh or 0.0
        into = float(self._table.arrays.charge_efficiency[row])
        out_of = float(self._table.arrays.discharge_efficiency[row])
        gained = gained * into if gained > 0.0 else gained / out_of
        return min(max(here.soc * capacity_kwh + gained, 0.0), capacity_kwh)

    def _ready_s(self, now_unix_us: int) -> np.ndarray:
        """[N] seconds until the next time at which each wants to be ready, by the local clock."""
        found = np.array([self._seconds_to(int(one), now_unix_us) for one in self._minutes])
        return np.asarray(found[self._minute_of], np.float32)

    def _seconds_to(self, minute: int, now_unix_us: int) -> float:
        if minute < 0:
            return float("inf")
        zone = self._table.time_zone
        now = datetime.fromtimestamp(now_unix_us / 1e6, tz=UTC)
        local = now.astimezone(zone)
        for days in (0, 1):
            day = local.date() + timedelta(days=days)
            hour, rest = divmod(minute % _MINUTES_OF_DAY, 60)
            ready = datetime(day.year, day.month, day.day, hour, rest, tzinfo=zone)
            seconds = ready.astimezone(UTC).timestamp() - now.timestamp()
            if seconds > 0.0:
                return seconds
        return float("inf")
