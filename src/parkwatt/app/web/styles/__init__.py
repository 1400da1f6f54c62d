"""The pages' style: one file of tokens and parts, and a file for what a page alone has."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def style() -> str:
    """All of it, the common part first."""
    paths = [_FOLDER / "common.css", *sorted(_FOLDER.glob("page_*.css"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)
