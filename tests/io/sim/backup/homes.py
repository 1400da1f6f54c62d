"""Homes to test with, and time that passes as one says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parkwatt.io.sim.backup.build import HomeSettings, build_parts
from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.life import Life
from parkwatt.io.sim.backup.pole import SECOND_US
from parkwatt.io.sim.notes import Note

_MIDNIGHT_S = 1_763_769_600
EVENING_US = (_MIDNIGHT_S + 20 * 3600) * SECOND_US  # no sun
NOON_US = (_MIDNIGHT_S + 12 * 3600) * SECOND_US


@dataclass
class HandClock:
    """A clock that goes on when told."""

    now_us: int = EVENING_US

    def __call__(self) -> int:
        return self.now_us

    def wait(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


def a_home(
    settings: HomeSettings | None = None, at_us: int = EVENING_US
) -> tuple[BackupHome, list[Note]]:
    """A home on the grid, and what it tells."""
    notes: list[Note] = []
    home = BackupHome(at_us, build_parts(settings or HomeSettings(), at_us), on_note=notes.append)
    return home, notes


def a_life(settings: HomeSettings | None = None, at_us: int = EVENING_US) -> tuple[Life, HandClock]:
    clock = HandClock(at_us)
    home, _ = a_home(settings, at_us)
    return Life(home, clock), clock


def wait(home: BackupHome, seconds: float) -> None:
    home.pass_time(home.now_us + round(seconds * SECOND_US))


def go_dark(home: BackupHome, seconds: float = 1e6) -> None:
    """The grid fails now."""
    home.grid.plan(home.grid.outage(home.now_us, seconds))
    home.settle()
    wait(home, 1.0)


def go_islanded(home: BackupHome, *, lease_s: int = 1_000_000) -> None:
    """As a careful person would do it."""
    go_dark(home)
    home.gateway.renew_lease(lease_s)
    for action in ("open_grid_pole", "close_bond", "close_island_source"):
        assert home.command(action).accepted
        wait(home, 0.5)
    wait(home, 10.0)
    assert bus_of(home) == "island"


def bus_of(home: BackupHome) -> str:
    """What the bus is on now."""
    return home.bus


def with_soc(settings: HomeSettings, soc: float) -> HomeSettings:
    assert settings.car is not None
    return replace(settings, car=replace(settings.car, soc=soc))
