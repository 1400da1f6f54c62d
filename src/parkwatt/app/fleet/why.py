"""`parkwatt fleet why`: from the files of a plan to why a car charges when it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from parkwatt.app.fleet.plan import require_extra
from parkwatt.app.fleet.summary import counted
from parkwatt.app.printable import printable
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults
from parkwatt.domain.series import utc
from parkwatt.io.fleet_files.prices import FleetPrices, read_prices
from parkwatt.io.parquet_table import opened_parquet

if TYPE_CHECKING:
    from parkwatt.plan.coordinate.explain import Passed

_PLAN: Final = ("car_id", "node", "price_row", "from_step", "to_step", "charge_kw_max", "power_kw")
_NODES: Final = ("node", "parent", "drawn_kw", "import_limit_kw", "price_per_kwh", "market_per_kwh")
_TOLD_MAX: Final = 6


def why(plan: Path, nodes: Path, prices: Path, car: str) -> int:
    """Tell on standard output; returns 0. Raises InputError where files do not go together, or the car is in none."""
    require_extra()
    faults = Faults()
    known = read_prices(prices, faults)
    stays = _rows(plan, "plan", _PLAN, "ORDER BY row", faults, "WHERE car_id = ?", car)
    found = _rows(nodes, "--nodes", _NODES, "ORDER BY start", faults)
    faults.raise_if_any()
    if known is None or not stays["car_id"].size:
        raise InputError([InputFault("--car", f"must be in {plan.name}", car)])
    steps = len(stays["power_kw"][0])
    if steps % known.grid.step_count:
        rule = f"must be those of the plan, which has {steps} steps"
        raise InputError([InputFault("--prices", rule, known.grid.step_count)])
    known = known.in_steps_of(known.grid.step_s * known.grid.step_count // steps)
    names, counts = np.unique(found["node"].astype(str), return_counts=True)
    named = {*stays["node"].tolist(), *found["parent"].tolist()} - {""}
    if (counts != steps).any() or not named <= set(names.tolist()):
        rule = f"must be the nodes of the plan, {steps} steps each"
        raise InputError([InputFault("--nodes", rule, nodes.name)])
    unknown = set(stays["price_row"].tolist()) - set(known.names)
    if unknown:
        rule = "must be the prices of the plan, with the same names"
        raise InputError([InputFault("--prices", rule, ", ".join(sorted(map(str, unknown))))])
    for index in range(len(stays["car_id"])):
        stay = {name: values[index] for name, values in stays.items()}
        for line in _told(stay, found, known):
            print(printable(line))
    return 0


def _told(
    stay: Mapping[str, Any], nodes: Mapping[str, NDArray[Any]], known: FleetPrices
) -> list[str]:
    from parkwatt.plan.coordinate.explain import PathNode, in_runs, passed_over, sentence

    own = known.import_price_per_kwh[known.names.index(str(stay["price_row"]))]
    path: list[PathNode] = []
    name = str(stay["node"])
    while name and len(path) <= len(set(nodes["node"].tolist())):
        rows = nodes["node"] == name
        drawn, limit, price, market = (nodes[one][rows] for one in _NODES[2:])
        if market.any():  # the pool pays: the market's price is what the car sees as its own
            own = market
        path.append(PathNode(name, drawn, limit, price - market))
        name = str(nodes["parent"][rows][0])
    within = int(stay["from_step"]), int(stay["to_step"])
    power_kw = np.asarray(stay["power_kw"], dtype=np.float64)
    passed = passed_over(power_kw, own, tuple(path), float(stay["charge_kw_max"]), within)
    runs = in_runs(passed)
    starts = known.grid.starts_unix_s().tolist()
    shown = "%H:%M" if len(starts) * known.grid.step_s <= 86_400 else "%Y-%m-%d %H:%M"
    # A run of steps ends where the step after it begins.
    clocks = [utc(one).strftime(shown) for one in [*starts, known.grid.end_unix_s]]
    way = ", ".join(one.name for one in path)
    charged = int((power_kw > 0.01).sum())
    lines = [f"{stay['car_id']} charges in {charged} steps; between it and the market: {way}"]
    lines += [
        sentence(run, (_when(run, clocks), f"{clocks[run[0].cheaper_step]} UTC"))
        for run in runs[:_TOLD_MAX]
    ]
    if not passed:
        lines.append("It charges at its own cheapest times: no cheaper step was left unused.")
    elif len(runs) > _TOLD_MAX:
        more = sum(len(run) for run in runs[_TOLD_MAX:])
        lines.append(f"And so in {counted(more, 'more step')}.")
    return lines


def _when(run: Sequence[Passed], clocks: list[str]) -> str:
    first, last = run[0].charged_step, run[-1].charged_step
    if first == last:
        return f"at {clocks[first]} UTC"
    return f"from {clocks[first]} to {clocks[last + 1]} UTC"


def _rows(
    path: Path,
    field: str,
    columns: tuple[str, ...],
    order: str,
    faults: Faults,
    where: str = "",
    *values: str,
) -> dict[str, NDArray[Any]]:
    """Columns of a file that `fleet plan` wrote; what is not such a file becomes faults."""
    with opened_parquet(path, field, faults) as file:
        if file is None:
            return {}
        missing = [name for name in columns if name not in file.types]
        for name in missing:
            rule = f"{path.name} has no column {name!r}: it must come from `fleet plan --limits`"
            faults.add(field, rule)
        if missing:
            return {}
        query = f"SELECT {', '.join(columns)} FROM read_parquet(?) {where} {order}"  # noqa: S608 - names are known
        try:
            return dict(file.connection.execute(query, [file.pattern, *values]).fetchnumpy())
        except duckdb.Error as error:
            faults.add(field, f"{path.name} cannot be read ({str(error).splitlines()[0]})")
            return {}
