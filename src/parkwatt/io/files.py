"""Reading whole files, with a fault for each thing that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

from parkwatt.domain.record import Faults


def is_readable_file(path: Path, field: str, faults: Faults) -> bool:
    """Whether there is a file at ``path`` that is not empty; else a fault of ``field`` says why."""
    try:
        if path.is_dir():
            faults.add(field, "must be a file, not a folder", str(path))
        elif not path.exists():
            faults.add(field, "there is no such file", str(path))
        elif path.is_file() and path.stat().st_size == 0:
            faults.add(field, "the file is empty", str(path))
        else:
            return True
    except (OSError, ValueError) as error:
        faults.add(field, f"cannot be opened ({_reason(error)})", str(path))
    return False


def read_text(path: Path, field: str, faults: Faults) -> str | None:
    """The text of a UTF-8 file, with or without a BOM; None after a fault of ``field``."""
    if not is_readable_file(path, field, faults):
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        faults.add(field, f"cannot be read ({_reason(error)})", str(path))
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.add(field, f"must be a text in UTF-8; line {line} is not", str(path))
        return None
    if not text.strip():
        faults.add(field, "the file is empty", str(path))
        return None
    return text


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
