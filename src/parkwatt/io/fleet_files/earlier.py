"""Reading what `fleet plan --limits` wrote, to begin the next plan with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults, FloatArray
from parkwatt.domain.series import TimeArray, TimeGrid, utc
from parkwatt.io.parquet_table import add_unreadable, opened_parquet

PLAN_FIELD: Final = "--after"
NODES_FIELD: Final = "--after-nodes"
_PLAN: Final = ("car_id", "from_step", "to_step", "power_kw")
_NODES: Final = ("start", "node", "price_per_kwh", "market_per_kwh", "peak_per_kwh")


@dataclass(frozen=True, slots=True, eq=False)
class EarlierPlan:
    """The stays [M] of an earlier plan in the steps of now, and prices of its nodes by name.

    ``from_step``, ``to_step``: [M], may lie before or after the steps of now. ``power_kw``: [M, T], 0 where it said nothing.
    ``node_per_kwh``, ``peak_per_kwh``: [T] each node's price and of that the part for demand charges, 0 where it said nothing;
    the latter is None where one is unknown. ``market_per_kwh``: [T] what the pool paid.
    """

    car_id: NDArray[np.object_]
    from_step: TimeArray
    to_step: TimeArray
    power_kw: NDArray[np.float32]
    node_per_kwh: Mapping[str, FloatArray]
    peak_per_kwh: Mapping[str, FloatArray] | None
    market_per_kwh: FloatArray


def read_earlier(plan: Path, nodes: Path, grid: TimeGrid, faults: Faults) -> EarlierPlan | None:
    """The two files of a plan whose steps are as long as those of ``grid`` and overlap with them; None after a fault."""
    stays = _stays(plan, grid, faults)
    prices = _prices(nodes, grid, faults)
    if stays is None or prices is None:
        return None
    car_id, from_step, to_step, power_kw = stays
    node_per_kwh, peak_per_kwh, market_per_kwh = prices
    return EarlierPlan(
        car_id, from_step, to_step, power_kw, node_per_kwh, peak_per_kwh, market_per_kwh
    )


def _stays(
    path: Path, grid: TimeGrid, faults: Faults
) -> tuple[NDArray[Any], TimeArray, TimeArray, NDArray[np.float32]] | None:
    with opened_parquet(path, PLAN_FIELD, faults) as file:
        if file is None or _lacks(path, PLAN_FIELD, _PLAN, file.types, faults):
            return None
        ask = file.connection.execute
        try:
            told = dict(
                ask(
                    "SELECT decode(key), decode(value) FROM parquet_kv_metadata(?)", [file.pattern]
                ).fetchall()
            )
            found = ask(
                "SELECT car_id, from_step, to_step, len(power_kw) AS steps FROM read_parquet(?)",
                [file.pattern],
            ).fetchnumpy()
            power_kw = ask(
                "SELECT unnest(power_kw)::FLOAT AS kw FROM read_parquet(?)", [file.pattern]
            ).fetchnumpy()["kw"]
        except duckdb.Error as error:
            add_unreadable(path, error, PLAN_FIELD, faults)
            return None
    start = told.get("start")
    minutes = told.get("step_minutes")
    if start is None or minutes is None or len(np.unique(found["steps"])) != 1:
        rule = f"{path.name} must tell start and step_minutes, and powers of as many steps for each stay"
        faults.add(PLAN_FIELD, rule)
        return None
    start_unix_s = int(np.datetime64(start.removesuffix("Z"), "s").astype(np.int64))
    steps = int(found["steps"][0])
    earlier = TimeGrid(start_unix_s, round(float(minutes) * 60), steps)
    shift = _shift(path, PLAN_FIELD, earlier, grid, faults)
    if shift is None:
        return None
    values = np.asarray(np.ma.filled(power_kw, 0.0), np.float32).reshape(-1, steps)
    return (
        np.asarray(found["car_id"]).astype(str).astype(object),
        np.asarray(found["from_step"], np.int64) - shift,
        np.asarray(found["to_step"], np.int64) - shift,
        _shifted(np.nan_to_num(values), shift, grid.step_count),
    )


def _prices(
    path: Path, grid: TimeGrid, faults: Faults
) -> tuple[dict[str, FloatArray], dict[str, FloatArray] | None, FloatArray] | None:
    with opened_parquet(path, NODES_FIELD, faults) as file:
        if file is None or _lacks(path, NODES_FIELD, _NODES, file.types, faults):
            return None
        query = (
            "SELECT epoch(start)::BIGINT AS start, node, price_per_kwh::DOUBLE AS price, "
            "market_per_kwh::DOUBLE AS market, peak_per_kwh::DOUBLE AS peak "
            "FROM read_parquet(?) ORDER BY node, start"
        )
        try:
            found = file.connection.execute(query, [file.pattern]).fetchnumpy()
        except duckdb.Error as error:
            add_unreadable(path, error, NODES_FIELD, faults)
            return None
    starts = np.unique(np.asarray(found["start"], np.int64))
    names, counts = np.unique(found["node"].astype(str), return_counts=True)
    if len(starts) < 2 or (counts != len(starts)).any() or len(set(np.diff(starts).tolist())) != 1:
        faults.add(NODES_FIELD, f"{path.name} must have a row for each node and step")
        return None
    earlier = TimeGrid(int(starts[0]), int(starts[1] - starts[0]), len(starts))
    shift = _shift(path, NODES_FIELD, earlier, grid, faults)
    if shift is None:
        return None
    price, market, peak = (
        _shifted(
            np.ma.filled(found[name].astype(float), np.nan).reshape(len(names), -1),
            shift,
            grid.step_count,
        )
        for name in ("price", "market", "peak")
    )
    if not (np.isfinite(price).all() and np.isfinite(market).all()):
        faults.add(NODES_FIELD, f"{path.name}, price_per_kwh and market_per_kwh must be finite")
        return None
    listed = names.tolist()
    peaks = dict(zip(listed, peak, strict=True)) if np.isfinite(peak).all() else None
    return dict(zip(listed, price, strict=True)), peaks, market.sum(axis=0)


def _lacks(
    path: Path, field: str, names: tuple[str, ...], types: Mapping[str, str], faults: Faults
) -> bool:
    missing = [name for name in names if name not in types]
    for name in missing:
        rule = f"{path.name} has no column {name!r}: it must come from `fleet plan --limits`"
        faults.add(field, rule)
    return bool(missing)


def _shift(path: Path, field: str, earlier: TimeGrid, grid: TimeGrid, faults: Faults) -> int | None:
    """How many steps of the earlier plan are over; None after a fault."""
    if earlier.step_s != grid.step_s:
        rule = f"{path.name} must have steps of {grid.step_s / 60:g} minutes, as the prices"
        faults.add(field, rule, f"{earlier.step_s / 60:g}")
        return None
    shift, off = divmod(grid.start_unix_s - earlier.start_unix_s, grid.step_s)
    begins = f"{utc(earlier.start_unix_s):%Y-%m-%d %H:%M} UTC"
    if off:
        faults.add(field, f"{path.name} must begin whole steps before the prices", begins)
    elif shift >= earlier.step_count or shift <= -grid.step_count:
        faults.add(field, f"{path.name} must share steps with the prices", begins)
    else:
        return int(shift)
    return None


def _shifted(values: NDArray[Any], shift: int, steps: int) -> NDArray[Any]:
    """[M, T] of values by earlier steps; 0 where these say nothing."""
    found = np.zeros((len(values), steps), values.dtype)
    first, end = max(shift, 0), min(values.shape[1], shift + steps)
    found[:, first - shift : end - shift] = values[:, first:end]
    return found
