"""What a pool's TOML file says: its members, its loop, how far and fast it may be led, and its chargers' back end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parkwatt.app.pool.members import MemberTable, read_members
from parkwatt.app.serve_settings import ServeSettings, read_serve_settings
from parkwatt.domain.record import Faults, Record
from parkwatt.fleet.dispatch.follow import FollowSettings
from parkwatt.fleet.guard.admission import Limits
from parkwatt.io.openadr.settings import OpenadrSettings, read_openadr
from parkwatt.io.toml_file import read_toml

# Without figures of its own a pool may use what its members have, in five seconds at the fastest, and swing by twice that and
# then by as much again in an hour.
_RAMP_S: Final = 5.0
_TRAVEL_TIMES: Final = 2.0
_HOUR_S: Final = 3600.0
_REVERSAL_S: Final = 60.0
_MOST_KW: Final = 1e7


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """The whole file. ``step_s``: of the loop; ``answer_s``: how long a charger may take to do as told; ``early_s``: so long
    before departures cars are to be ready. ``openadr``: the operator's server, None: there is none.
    """

    path: Path
    serve: ServeSettings
    members: MemberTable
    limits: Limits
    follow: FollowSettings
    step_s: float
    early_s: float
    answer_s: float
    openadr: OpenadrSettings | None = None


def load_pool_settings(path: Path) -> PoolSettings:
    """The settings in the TOML file at ``path``. Raises InputError with all faults."""
    faults = Faults()
    settings = read_pool_settings(path, faults)
    faults.raise_if_any()
    assert settings is not None  # noqa: S101 without settings there are faults
    return settings


def read_pool_settings(path: Path, faults: Faults) -> PoolSettings | None:
    """The settings, or None after faults."""
    serve = read_serve_settings(path, faults)
    table = read_toml(path, Faults())
    if serve is None or table is None:
        return None
    record = Record(table, "", faults)
    pool, openadr = record.record("pool"), None
    if record.has("openadr"):
        openadr = read_openadr(record.record("openadr"), path.parent, faults)
    zone = _zone(pool)
    step_s = pool.number("step_s", 1.0, minimum=0.2, maximum=60.0)
    follow = FollowSettings(
        lease_s=float(pool.integer("lease_s", 60, minimum=10, maximum=3600)),
    )
    answer_s = pool.number("answer_s", 5.0, minimum=0.5, maximum=60.0)
    if follow.lease_s < 6.0 * step_s:
        pool.fault("lease_s", "must be at least six steps", follow.lease_s)
    early_s = 60.0 * pool.number("early_minutes", 10.0, minimum=0.0, maximum=240.0)
    cohort_size = pool.integer("cohort_size", 1000, minimum=1, maximum=100_000)
    file, table_of_limits = pool.text("members"), pool.record("limits", required=False)
    pool.finish()
    members = read_members(path.parent / file, cohort_size, zone, faults) if file else None
    limits = _limits(table_of_limits, members)
    if faults.found or members is None:
        return None
    return PoolSettings(
        path,
        _with_members(serve, members),
        members,
        limits,
        follow,
        step_s,
        early_s,
        answer_s,
        openadr,
    )


def _zone(pool: Record) -> ZoneInfo:
    name = pool.text("time_zone", "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        pool.fault("time_zone", "must be a zone such as Europe/Amsterdam", name)
        return ZoneInfo("UTC")


def _limits(record: Record, members: MemberTable | None) -> Limits:
    charge_kw = discharge_kw = 0.0
    if members is not None:
        charge_kw = float(members.arrays.charge_kw_max.sum(dtype=float))
        discharge_kw = float(members.arrays.discharge_kw_max.sum(dtype=float))
    whole_kw = charge_kw + discharge_kw

    def power(name: str, default_kw: float) -> float:
        return record.number(name, default_kw, minimum=0.0, maximum=_MOST_KW)

    limits = Limits(
        up_kw_max=power("up_kw_max", charge_kw),
        down_kw_max=power("down_kw_max", whole_kw),
        ramp_kw_per_s=power("ramp_kw_per_s", whole_kw / _RAMP_S),
        travel_kw=power("travel_kw", _TRAVEL_TIMES * whole_kw),
        travel_kw_per_s=power("travel_kw_per_s", whole_kw / _HOUR_S),
        reversal_s=record.number("reversal_s", _REVERSAL_S, minimum=0.0, maximum=_HOUR_S),
    )
    record.finish()
    return limits


def _with_members(serve: ServeSettings, members: MemberTable) -> ServeSettings:
    """The back end's settings with a charger for each member, by its driver's consent and its powers."""
    chargers = dict(serve.chargers)
    arrays = members.arrays
    for row, charger_id in enumerate(members.charger_id):
        charger = chargers.get(charger_id, serve.defaults)
        power_kw = float(max(arrays.charge_kw_max[row], arrays.discharge_kw_max[row]))
        chargers[charger_id] = replace(
            charger, discharge=bool(arrays.discharge_kw_max[row] > 0.0), power_kw_max=power_kw
        )
    return replace(serve, chargers=chargers)
