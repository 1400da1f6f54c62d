"""What a page without a network carries in itself: plotly.js, the house's style, and data that cannot end a script."""

from __future__ import annotations

import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def asset(package: str, name: str) -> str:
    """A text file in a package's folder ``assets``."""
    return (resources.files(package) / "assets" / name).read_text("utf-8")


def style() -> str:
    """The style of all pages."""
    return asset("parkwatt.app.report", "report.css")


def plotly_script() -> str:
    """plotly.js as the `nicegui` package carries it: a module, which also makes itself known as `Plotly` to the page's own."""
    script = _package_folder("nicegui") / "elements" / "plotly" / "dist" / "index.js"
    return script.read_text("utf-8").replace("</script", "<\\/script")


def _package_folder(name: str) -> Path:
    """Where a package lies; it is not imported, which would take a second."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {name} is not installed", name=name)
    return Path(found.origin).parent


def script_json(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
