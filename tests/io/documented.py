"""The examples in a page of the docs."""

import re
from pathlib import Path

from tests.conftest import ROOT

_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    """Title and text of each block of that language in docs/``page``."""
    text = Path(ROOT / "docs" / page).read_text(encoding="utf-8")
    return [(match[2], match[3]) for match in _BLOCK.finditer(text) if match[1] == language]
