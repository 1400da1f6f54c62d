"""TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path

from parkwatt.domain.record import Faults
from parkwatt.io.files import read_text


def read_toml(path: Path, faults: Faults) -> dict[str, object] | None:
    """The tables of a TOML file.

    None after a fault: no such file, a folder, empty, not UTF-8, or not TOML (the fault says in
    which line and column).
    """
    text = read_text(path, str(path), faults)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except ValueError as error:  # tomllib's own error, and a number of thousands of digits
        faults.add(str(path), f"is not TOML: {error}")
    except RecursionError:
        faults.add(str(path), "is nested too deep")
    return None
