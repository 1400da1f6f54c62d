"""Whether a result can be written, asked before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from parkwatt.domain.record import Faults
from parkwatt.io.tables import PARQUET_SUFFIXES


def check_output(option: str, output: Path, taken: tuple[Path, ...], faults: Faults) -> None:
    """Note a fault of ``option`` where a Parquet file could not be written, or would take the place of one of ``taken``."""
    if output.suffix.lower() not in PARQUET_SUFFIXES:
        faults.add(option, "must end in .parquet or .pq", str(output))
    check_file(option, output, taken, faults)


def check_file(option: str, output: Path, taken: tuple[Path, ...], faults: Faults) -> None:
    """Note a fault of ``option`` where a file could not be written, or would take the place of one of ``taken``."""
    if "\0" in str(output):
        faults.add(option, "must be a path", str(output))
        return
    if any(_absolute(output) == _absolute(path) for path in taken):
        faults.add(option, "must be a file of its own", str(output))
    try:
        if output.is_dir():
            faults.add(option, "must be a file, not a folder", str(output))
        folder = next(path for path in output.absolute().parents if os.path.lexists(path))
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            faults.add(option, "must be in a folder that you may write to", str(folder))
    except OSError as error:
        faults.add(option, f"cannot be written ({error.strerror})", str(output))


def _absolute(path: Path) -> str:
    return os.path.realpath(path)
