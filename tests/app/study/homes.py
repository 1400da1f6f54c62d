"""Small homes to study: the demo home over a few days, with lines of its settings and files changed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from parkwatt.app.demo.home import make_demo_home

COMMAND = [sys.executable, "-m", "parkwatt.app.cli"]


def make_home(folder: Path, *changes: tuple[str, str], days: int = 4) -> Path:
    """Write a home from 2024-01-08 on; each change replaces a text in its settings. Returns the settings' path."""
    site = make_demo_home(folder, seed=2, start=date(2024, 1, 8), days=days).site
    change(site, ("step_minutes = 15", "step_minutes = 60"), *changes)
    return site


def change(path: Path, *changes: tuple[str, str]) -> None:
    """Replace each first text, which must occur in the file, by the second."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{old!r} does not occur in {path.name}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def study_command(
    *arguments: str | Path, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `parkwatt` in a process of its own, in ``folder``."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
