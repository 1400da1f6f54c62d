"""What stands in the way of writing, told once when it begins, changes and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

OnAlarm = Callable[[str | None], None]


class Alarm:
    """The faults of all sources; ``on_change`` is called with `text` whenever that changes, by the thread that changed it."""

    def __init__(self, on_change: OnAlarm) -> None:
        self._on_change = on_change
        self._faults: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def text(self) -> str | None:
        """All faults in one line; None where there is none."""
        return "; ".join(self._faults.values()) or None

    def set(self, source: str, fault: str | None) -> None:
        """``fault`` of a source began or changed; None: it ended."""
        with self._lock:
            if self._faults.get(source) == fault:
                return
            faults = {**self._faults, source: fault or ""}
            self._faults = {name: text for name, text in faults.items() if text}
            self._on_change(self.text)
