"""What the API and the command line see of a home's backup: a port that `parkwatt up` implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from parkwatt.domain.home.event import HomeEvent
from parkwatt.home.controller import HomeController

PersonAsks = Literal["none", "island", "grid"]


@dataclass(frozen=True, slots=True)
class BackupSnapshot:
    """The backup at one moment. ``controller`` belongs to the event loop: it is read at once and not kept."""

    now_unix_us: int
    controller: HomeController
    alarms: tuple[str, ...] = ()


class LiveBackup(Protocol):
    """A home's backup whose control runs."""

    def snapshot(self) -> BackupSnapshot:
        """The backup now."""

    async def tell(self, event: HomeEvent) -> None:
        """Something that a person decided. Returns once that is in the journal.

        Raises ParkwattError where it cannot be written down.
        """

    def ask(self, what: PersonAsks) -> None:
        """A person wants the home on the island or the grid: as far as that is safe, for ten minutes."""
