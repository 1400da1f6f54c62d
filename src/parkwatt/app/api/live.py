"""What the API and the command line see of a running site: a port that `parkwatt up` implements.

Everything here belongs to the event loop. What changes something is awaited until it is in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from parkwatt.app.api.live_backup import LiveBackup
from parkwatt.domain.site.event import Origin, SetpointDecided, SourceChanged
from parkwatt.domain.site.live_plan import LivePlan
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.domain.tariff import Tariff
from parkwatt.site.guard.facts import Proposal
from parkwatt.site.live.cars import CarView
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.what_if import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCar:
    """One car of the site now, plugged in or away.

    ``power_kw``: at its charger, charging positive, as far as it is known. ``decided``: the last set-point, decided at
    ``decided_unix_us``; it holds until ``lease_until_unix_us``.
    """

    view: CarView
    power_kw: float | None = None
    decided: SetpointDecided | None = None
    decided_unix_us: int = 0
    lease_until_unix_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot:
    """The site at one moment, after so many steps of its control.

    ``grid_kw``, ``solar_kw``, ``load_kw``: by fresh readings, None where nothing fresh tells them; ``reading``: the last
    ones, of whatever age. ``tariff``: with all prices known by now. ``sources``: what each last told of itself, by its name.
    """

    step: int
    now_unix_us: int
    settings: SiteSettings
    reading: SiteReading
    tariff: Tariff
    cars: tuple[LiveCar, ...]
    grid_kw: float | None = None
    solar_kw: float | None = None
    load_kw: float | None = None
    plan: LivePlan | None = None
    plan_because: str = ""
    sources: Mapping[str, SourceChanged] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()

    def car(self, car_id: str) -> LiveCar | None:
        """A car; None where the site has none of that name."""
        return next((car for car in self.cars if car.view.car_id == car_id), None)


class LiveSite(Protocol):
    """A site whose control runs. A car's name is known to be one of the site's before a method is called."""

    @property
    def steps(self) -> Steps:
        """Tells when the control has looked at everything again. What is said to it makes it look at once."""

    @property
    def backup(self) -> LiveBackup | None:
        """The home's backup; None where there is none."""

    def snapshot(self) -> LiveSnapshot:
        """The site now."""

    def question(self, car_id: str, wishes: Wishes, asked: Departure | None) -> Question | None:
        """What to ask the planner for a car by other wishes and another named departure; None where it is away."""

    async def set_wishes(
        self, car_id: str, wishes: Wishes, *, until_departure: bool, origin: Origin
    ) -> None:
        """These wishes hold from now on, or until the car's departure. Returns once that is durable.

        Raises ParkwattError where it cannot be written down.
        """

    async def ask_departure(
        self, car_id: str, departure: Departure | None, *, origin: Origin
    ) -> None:
        """The driver names the next departure, or takes it back (None). As `set_wishes`."""

    async def tell_soc(
        self, car_id: str, soc: float, measured_unix_us: int, *, origin: Origin
    ) -> None:
        """A state of charge from elsewhere than the charger. As `set_wishes`."""

    def drives(self, charger_id: str, evse_id: int) -> bool:
        """Whether the site drives this connection point."""

    def hand_power(self, proposal: Proposal, lease_s: int) -> None:
        """A person sets its power, or takes that back (None): as far as the guard lets it pass."""


class Steps:
    """Counts the steps of the control, and wakes who waits for one. One event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def note(self) -> None:
        """One more is done."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, count: int) -> None:
        """Wait until there were more than ``count``."""
        while self.count <= count:
            await self._next.wait()
