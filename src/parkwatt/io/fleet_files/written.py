"""Writing a fleet, its prices and its plan as Parquet, by DuckDB from numpy's arrays as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
from numpy.typing import NDArray

from parkwatt.domain.series import TimeGrid, utc

# Columns of seconds since 1970 that are written as TIMESTAMP WITH TIME ZONE.
_TIMES: Final = {"from_time", "to_time", "start"}
# DuckDB holds a group of rows until it is full: its powers should not be too many.
_GROUP_CELLS: Final = 4_194_304
_GROUP_ROWS_MIN: Final = 2048


def write_columns(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays [N] as a new file, whole or not at all; ``from_time``, ``to_time`` and ``start`` are seconds since 1970.

    Raises OSError where it cannot be written.
    """
    _write(path, columns, [_selected(name) for name in columns], "")


def write_plan(
    path: Path, columns: Mapping[str, NDArray[Any]], power_kw: NDArray[Any], grid: TimeGrid
) -> None:
    """Write arrays [N] and, as the list ``power_kw`` of each row, the powers [N, T] in the steps of ``grid``.

    The file's own key-value metadata tell ``start`` (UTC) and ``step_minutes``. Raises OSError where it cannot be written.
    """
    steps = {f"p{step}": power_kw[:, step] for step in range(power_kw.shape[1])}
    chosen = [_selected(name) for name in columns] + [f"[{', '.join(steps)}] AS power_kw"]
    begins, minutes = f"{utc(grid.start_unix_s):%Y-%m-%dT%H:%M:%SZ}", f"{grid.step_s / 60:g}"
    options = (
        f", KV_METADATA {{start: '{begins}', step_minutes: '{minutes}'}}, "
        f"ROW_GROUP_SIZE {max(_GROUP_CELLS // len(steps), _GROUP_ROWS_MIN)}"
    )
    _write(path, {**columns, **steps}, chosen, options)


def _selected(name: str) -> str:
    return f"make_timestamptz({name} * 1000000) AS {name}" if name in _TIMES else name


def _write(
    path: Path, columns: Mapping[str, NDArray[Any]], chosen: list[str], more_options: str
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = f"FORMAT parquet, COMPRESSION zstd{more_options}"
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        written = Path(folder) / "table.parquet"
        target = str(written).replace("'", "''")
        try:
            with duckdb.connect(
                ":memory:",
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                },
            ) as connection:
                connection.execute("SET enable_progress_bar = false")
                # Several threads would keep finished groups until those before them are written: 3 GB for a week of
                # 421,000 stays, and hardly sooner done.
                connection.execute("SET threads = 1")
                connection.register("arrays", dict(columns))
                connection.execute(
                    f"COPY (SELECT {', '.join(chosen)} FROM arrays) TO '{target}' ({options})"  # noqa: S608 - quoted
                )
        except duckdb.Error as error:
            raise OSError(
                f"{path.name} cannot be written ({str(error).splitlines()[0]})"
            ) from error
        written.replace(path)
