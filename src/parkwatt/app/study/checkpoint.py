"""Where an interrupted study stands, on disk, so that the same command goes on from there.

One file for each strategy, written whole or not at all, in a folder named after a fingerprint of everything that decides the
result: changed data, settings or program start afresh.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from parkwatt.app.study.fingerprint import fingerprint
from parkwatt.site.outcome import StrategyName
from parkwatt.site.study.inputs import StudyInputs
from parkwatt.site.study.replay import Departed, ReplayState

FOLDER = ".resume"


class Checkpoints:
    """The checkpoints of one study in ``folder``.

    ``inputs`` as they were loaded: forecasters that have been used hold what they learned, and no longer look the same.
    """

    def __init__(self, folder: Path, inputs: StudyInputs) -> None:
        self._root = folder / FOLDER
        self._folder = self._root / fingerprint(inputs)

    def open(self) -> None:
        """Make room; checkpoints of other inputs are removed."""
        if self._root.is_dir() and not self._root.is_symlink():
            for other in self._root.iterdir():
                if other != self._folder and re.fullmatch("[0-9a-f]{16}", other.name):
                    shutil.rmtree(other, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """The study is finished: nothing is left to resume."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # something else of the user's lies there
            self._root.rmdir()

    def save(self, strategy: StrategyName, state: ReplayState) -> None:
        """Keep ``state``; a reader sees the old file or the new one, never a part."""
        path = self._folder / f"{strategy}.npz"
        partial = path.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.savez(
                stream,
                next_stay=state.next_stay,
                energy_kwh_now=state.energy_kwh_now,
                power_kw=state.power_kw,
                energy_kwh=state.energy_kwh,
                departures=_packed(state.departures),
            )
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)

    def load(self, strategy: StrategyName) -> ReplayState | None:
        """The state that was kept; None where there is none or it cannot be read."""
        try:
            path = self._folder / f"{strategy}.npz"
            with path.open("rb") as stream, np.load(stream) as kept:
                state = ReplayState(
                    int(kept["next_stay"]),
                    float(kept["energy_kwh_now"]),
                    kept["power_kw"],
                    kept["energy_kwh"],
                    _unpacked(kept["departures"]),
                )
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile):
            return None
        return state if len(state.departures) == state.next_stay else None


def _packed(departures: list[Departed]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = [
        (
            item.step,
            np.nan if item.energy_kwh_asked is None else item.energy_kwh_asked,
            item.energy_kwh,
            item.energy_kwh_possible,
            item.public_kwh,
        )
        for item in departures
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 5)


def _unpacked(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Departed]:
    return [
        Departed(int(step), None if np.isnan(asked) else asked, energy, possible, public)
        for step, asked, energy, possible, public in rows.tolist()
    ]
