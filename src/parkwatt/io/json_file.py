"""JSON files."""

from __future__ import annotations

import json
import re
from pathlib import Path

from parkwatt.domain.record import Faults
from parkwatt.io.files import read_text

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path, faults: Faults) -> object | None:
    """The value in a JSON file.

    NaN and Infinity are read as such, so that whoever checks the fields can name the one that
    holds them. None after a fault: no such file, a folder, empty, not UTF-8, not JSON (with line
    and column), nested too deep, a field that occurs twice in one table, or a text with half a
    character in it (a lone surrogate). A file that holds nothing but null is a fault too.
    """
    text = read_text(path, str(path), faults)
    if text is None:
        return None
    doubles: list[str] = []

    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            names = [name for name, _ in pairs]
            doubles.extend(name for name in result if names.count(name) > 1)
        return result

    try:
        value: object = json.loads(text, object_pairs_hook=table)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        faults.add(str(path), f"is not JSON: {error.msg} ({place})")
        return None
    except UnicodeEncodeError:
        faults.add(str(path), r"holds half a character (a lone \ud800 … \udfff)")
        return None
    except ValueError as error:  # a whole number of thousands of digits
        faults.add(str(path), f"is not JSON: {error}")
        return None
    except RecursionError:
        faults.add(str(path), "is nested too deep")
        return None
    for name in doubles:
        faults.add(str(path), "a field must not occur twice in one table", name)
    if value is None:
        faults.add(str(path), "must not be null")
    return None if doubles else value
