"""Reading what cars share: a tree of nodes with limits (TOML), and what changes over time at them (Parquet or CSV)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from parkwatt.domain.record import Faults, FloatArray, Record
from parkwatt.domain.series import TimeArray, TimeGrid, utc
from parkwatt.io.tables import ColumnKind, column_names, read_table
from parkwatt.io.toml_file import read_toml

_SERIES: Final = "--node-series"
_RESERVE: Final = ("reserve_up_kw", "reserve_down_kw")
_OF_POOL: Final = ("position_kw", *_RESERVE)
_SERIES_NUMBERS: Final = ("base_kw", "import_limit_kw", "export_limit_kw", *_OF_POOL)
_LIMITS: Final = ("import_limit_kw", "export_limit_kw")
_FAULTS_MAX: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class PoolReserve:
    """What the cars hold back together: ``up_kw``, ``down_kw`` [T] for ``hours_h``; each kWh less costs ``short_per_kwh``."""

    up_kw: FloatArray
    down_kw: FloatArray
    hours_h: float
    short_per_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class NodeTree:
    """K nodes over T steps; node 0 is the pool, and each stands after its parent.

    ``parent``: [K], -1 for the pool. ``base_kw``, ``import_limit_kw``, ``export_limit_kw``: [K, T], infinite where there is no
    limit. ``demand_charge_per_kw``, ``peak_so_far_kw``: [K]. ``position_kw``: [T] what the pool bought ahead, NaN: nothing.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    parent: TimeArray
    base_kw: FloatArray
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray
    demand_charge_per_kw: FloatArray
    peak_so_far_kw: FloatArray
    pool_pays: bool
    position_kw: FloatArray
    position_more_per_kwh: float
    position_less_per_kwh: float
    reserve: PoolReserve | None


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    kind: str
    parent: str | None
    import_limit_kw: float
    export_limit_kw: float
    demand_charge_per_kw: float
    peak_so_far_kw: float


def read_limits(path: Path, series: Path | None, grid: TimeGrid, faults: Faults) -> NodeTree | None:
    """The nodes in ``path``, with what ``series`` says of them in the steps of ``grid``; None after a fault."""
    before = len(faults.found)
    tables = read_toml(path, faults)
    if tables is None:
        return None
    found = Faults()
    root = Record(tables, "", found)
    listed, market_table = root.value("node"), root.value("market")
    reserve = _reserve(root, found)
    market = Record(market_table if root.has("market") else {}, "market", found)
    root.finish()
    pays = market.text("pays", "car", choices=("car", "pool"))
    more = market.number("position_more_per_kwh", 0.0, minimum=0.0)
    less = market.number("position_less_per_kwh", 0.0, minimum=0.0)
    market.finish()
    if not isinstance(listed, list) or not listed:
        found.add("node", "must be at least one [[node]] table")
        listed = []
    nodes = [_node(Record(one, f"node[{i}]", found)) for i, one in enumerate(listed)]
    order = _ordered(nodes, found) if not found.found else []
    for fault in found.found:
        faults.add(f"{path.name}, {fault.field}", fault.rule, fault.value)
    if len(faults.found) > before:
        return None
    nodes = [nodes[one] for one in order]
    place = {node.name: index for index, node in enumerate(nodes)}
    steps, count = grid.step_count, len(nodes)
    over_time = {
        "base_kw": np.zeros((count, steps)),
        "import_limit_kw": np.tile([[one.import_limit_kw] for one in nodes], (1, steps)),
        "export_limit_kw": np.tile([[one.export_limit_kw] for one in nodes], (1, steps)),
        "position_kw": np.full((count, steps), np.nan),
        "reserve_up_kw": np.full((count, steps), reserve["up_kw"] if reserve else 0.0),
        "reserve_down_kw": np.full((count, steps), reserve["down_kw"] if reserve else 0.0),
    }
    if series is not None and not _read_series(series, place, grid, over_time, faults):
        return None
    up_kw, down_kw = (over_time[name][0] for name in _RESERVE)
    if reserve is None and (up_kw.any() or down_kw.any()):
        faults.add(f"{path.name}, reserve", f"is required where {_SERIES} asks for a reserve")
        return None
    return NodeTree(
        names=tuple(place),
        kinds=tuple(one.kind for one in nodes),
        parent=np.array([-1 if one.parent is None else place[one.parent] for one in nodes]),
        base_kw=over_time["base_kw"],
        import_limit_kw=over_time["import_limit_kw"],
        export_limit_kw=over_time["export_limit_kw"],
        demand_charge_per_kw=np.array([one.demand_charge_per_kw for one in nodes]),
        peak_so_far_kw=np.array([one.peak_so_far_kw for one in nodes]),
        pool_pays=pays == "pool",
        position_kw=over_time["position_kw"][0],
        position_more_per_kwh=more,
        position_less_per_kwh=less,
        reserve=None
        if reserve is None
        else PoolReserve(up_kw, down_kw, reserve["hours"], reserve["short_per_kwh"]),
    )


def _reserve(root: Record, faults: Faults) -> dict[str, float] | None:
    """The table `[reserve]`, None where there is none."""
    table = root.value("reserve")
    if not root.has("reserve"):
        return None
    record = Record(table, "reserve", faults)
    found = {name: record.number(name, 0.0, minimum=0.0) for name in ("up_kw", "down_kw")}
    found["hours"] = record.number("hours", above=0.0)
    found["short_per_kwh"] = record.number("short_per_kwh", above=0.0)
    record.finish()
    return found


def _node(record: Record) -> _Node:
    import_kw, export_kw = (record.optional_number(name, minimum=0.0) for name in _LIMITS)
    node = _Node(
        record.text("name"),
        record.text("kind", "node"),
        record.optional_text("parent"),
        np.inf if import_kw is None else import_kw,
        np.inf if export_kw is None else export_kw,
        record.number("demand_charge_per_kw", 0.0, minimum=0.0),
        record.number("peak_so_far_kw", 0.0, minimum=0.0),
    )
    record.finish()
    return node


def _ordered(nodes: list[_Node], faults: Faults) -> list[int]:
    """Places of the nodes, the pool first and each after its parent; what is wrong with the tree becomes faults."""
    names = [node.name for node in nodes]
    for index, node in enumerate(nodes):
        if node.name in names[:index]:
            faults.add(f"node[{index}].name", "must occur once", node.name)
        if node.parent is not None and node.parent not in names:
            faults.add(f"node[{index}].parent", "must be the name of a node", node.parent)
    pools = [index for index, node in enumerate(nodes) if node.parent is None]
    if len(pools) != 1:
        told = ", ".join(names[index] for index in pools) or "none"
        faults.add("node", "must have exactly one node without parent, the pool", told)
    if faults.found:
        return []
    below: dict[str | None, list[int]] = {}
    for index, node in enumerate(nodes):
        below.setdefault(node.parent, []).append(index)
    order = list(pools)
    for index in order:  # grows on the way
        order += below.get(names[index], [])
    for index in sorted(set(range(len(nodes))) - set(order)):
        faults.add(f"node[{index}].parent", "must lead to the pool, not in a circle", names[index])
    return order


def _read_series(
    path: Path,
    place: dict[str, int],
    grid: TimeGrid,
    over_time: dict[str, FloatArray],
    faults: Faults,
) -> bool:
    """Puts the file's values into ``over_time``: each holds until its node's next row. False after a fault."""
    found = column_names(path, _SERIES, faults)
    if found is None:
        return False
    before = len(faults.found)
    columns: dict[str, ColumnKind] = {"start": "time", "node": "text"}
    columns |= {name: "number" for name in _SERIES_NUMBERS if name in found}
    for name in found:
        if name not in columns:
            faults.add(_SERIES, f"{path.name} has a column {name!r} that is not known")
    table = read_table(path, columns, faults, field=_SERIES, time_zone=ZoneInfo("UTC"))
    if table is None or len(faults.found) > before:
        return False
    step, off = np.divmod(table["start"] - grid.start_unix_s, grid.step_s)
    node = np.array([place.get(name, -1) for name in table["node"].tolist()])
    _check_rows(path.name, table, (off != 0) | (step < 0) | (step >= grid.step_count), node, faults)
    if len(faults.found) > before:
        return False
    given = {name: values.copy() for name, values in over_time.items()}
    for row in np.lexsort((step, node)).tolist():
        for name in columns:
            if name in _SERIES_NUMBERS:
                value, rest = table[name][row], (node[row], slice(int(step[row]), None))
                over_time[name][rest] = given[name][rest] if np.isnan(value) else value
    return True


def _check_rows(
    file_name: str,
    table: dict[str, NDArray[Any]],
    odd: NDArray[Any],
    node: NDArray[Any],
    faults: Faults,
) -> None:
    def add(column: str, rule: str, wrong: NDArray[Any], values: NDArray[Any]) -> None:
        rows = np.flatnonzero(wrong).tolist()
        for row in rows[:_FAULTS_MAX]:
            shown = values[row]
            value = shown.item() if isinstance(shown, np.generic) else shown
            faults.add(_SERIES, f"{file_name}, row {row + 1}, {column} {rule}", value)
        if len(rows) > _FAULTS_MAX:
            more = len(rows) - _FAULTS_MAX
            faults.add(_SERIES, f"{file_name}, {column} {rule}: so are {more:,} more rows")

    when = np.array([f"{utc(one):%Y-%m-%dT%H:%M:%SZ}" for one in table["start"].tolist()])
    add("start", "must be the beginning of a step of the prices", odd, when)
    add("node", "must be the name of a node", node < 0, table["node"])
    keys = np.stack([node, table["start"]])
    _, first = np.unique(keys, axis=1, return_index=True)
    again = np.ones(len(node), dtype=np.bool_)
    again[first] = False
    add("start", "must occur once for each node", again & (node >= 0), when)
    for name in _SERIES_NUMBERS:
        if name not in table:
            continue
        values = table[name]
        add(name, "must be finite", np.isinf(values), values)
        if name in _LIMITS or name in _RESERVE:
            add(name, "must be at least 0", values < 0.0, values)
        if name in _OF_POOL:
            add(name, "must be of the pool", ~np.isnan(values) & (node > 0), values)
