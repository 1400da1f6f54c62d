"""A port to the site's own file: read, checked, written, and the site begun again by it. `parkwatt up` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Checked:
    """What the doctor found of one thing. ``remedy``: what to do about it, empty where nothing is to be done."""

    level: Literal["ok", "warning", "error", "skipped"]
    subject: str
    message: str
    remedy: str


class Upkeep(Protocol):
    """The file of a running site. Reading and writing block: call them in a thread."""

    @property
    def shown(self) -> str:
        """Where the file lies."""

    @property
    def trouble(self) -> str | None:
        """Why the last change was taken back: the site could not begin with it. None: it was not."""

    def read(self) -> str:
        """The file as it is. Raises InputError where it cannot be read."""

    def check(self, text: str) -> None:
        """Whether a site could begin with ``text``. Raises InputError with every fault."""

    def write(self, text: str) -> None:
        """Put ``text`` in the file's place. Raises InputError where that cannot be."""

    def examine(self) -> list[Checked]:
        """What the doctor finds. Raises InputError with every fault of the file."""

    def begin_again(self) -> None:
        """Let the site begin again with the file as it is, in a moment."""
