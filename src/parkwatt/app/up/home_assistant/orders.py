"""What Home Assistant tells an entity, done as the API does it: the same rules, the same calls, the guard after them.

What holds already is not told again, so that a command that comes twice leaves one entry in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from parkwatt.app.api.site_words import local
from parkwatt.app.api.wishes import WishesChange, changed
from parkwatt.app.up.home_assistant.devices import BACKUP, NO_TIME, SITE, car_path, circuit_key
from parkwatt.app.up.runner import SiteRunner
from parkwatt.domain.errors import ParkwattError
from parkwatt.domain.home.event import Choice, CircuitChosen
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.io.mqtt.home_assistant import CommandError
from parkwatt.site.live.cars import CarView

ORIGIN: Final = "Home Assistant"
_US: Final = 1_000_000
_PER_CENT: Final = 100.0
# A journal that stands still must not hold up what is told; what was said counts by then.
_PATIENCE_S: Final = 5.0
_CHOICE: Final = "_choice"
_WEEKLY: Final = "ready_by_"
_FULL: Final[dict[str, Any]] = {"mode": "now", "target_soc": 1.0, "highest_soc": 1.0}


class Orders:
    """Gives a site what was told. ``clock``: µs since 1970."""

    def __init__(self, runner: SiteRunner, clock: Callable[[], int]) -> None:
        self._runner, self._clock = runner, clock
        self._cars = {car_path(car.car_id): car.car_id for car in runner.settings.cars}

    async def obey(self, path: str, key: str, value: float | bool | str) -> None:
        """Do it. ``path``: of the device; ``key``: of its entity. Raises CommandError where it is not possible."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._obey(path, key, value)
        except TimeoutError:
            raise CommandError(
                "it counts, and is not written down yet: the journal waits"
            ) from None
        except ParkwattError as error:
            raise CommandError("; ".join(str(error).splitlines())) from None

    async def _obey(self, path: str, key: str, value: float | bool | str) -> None:
        if path == SITE:
            self._runner.plan_again()
        elif path == BACKUP:
            await self._tell_circuit(key, value)
        else:
            await self._tell_car(self._car(self._cars[path]), key, value)

    def _car(self, car_id: str) -> CarView:
        for car in self._runner.controller.cars:
            if car.car_id == car_id:
                return car
        raise CommandError("the site's control has not looked at its cars yet: say it again")

    # A car.

    async def _tell_car(self, car: CarView, key: str, value: float | bool | str) -> None:
        if key == "ready_by":
            await self._name_departure(car, str(value))
        elif key in ("leave_now", "fill_up_now"):
            if not car.seen.plugged_in:
                raise CommandError(f"{car.car_id} is not plugged in")
            change = {"mode": "now"} if key == "leave_now" else _FULL
            await self._wish(car, car.wishes, change, until_departure=True)
        elif key == "mode":
            # Another mode ends what held until the departure.
            await self._wish(car, _lasting(car), {"mode": value}, until_departure=False)
        else:
            change = _change(car.wishes, key, value)
            await self._wish(car, car.wishes, change, until_departure=car.state.wishes_end)

    async def _wish(
        self, car: CarView, before: Wishes, change: dict[str, Any], *, until_departure: bool
    ) -> None:
        wishes = changed(before, WishesChange.model_validate(change))
        if (wishes, until_departure) == (car.wishes, car.state.wishes_end):
            return
        await self._runner.set_wishes(
            car.car_id, wishes, until_departure=until_departure, origin=ORIGIN
        )

    async def _name_departure(self, car: CarView, clock: str) -> None:
        now_unix_s = self._clock() // _US
        asked = car.state.asked
        if asked is not None and asked.departs_unix_s <= now_unix_s:
            asked = None
        wanted = None
        if clock != NO_TIME:
            wanted = Departure(self._next_unix_s(clock, now_unix_s), "asked")
        if wanted != asked:
            await self._runner.ask_departure(car.car_id, wanted, origin=ORIGIN)

    def _next_unix_s(self, clock: str, now_unix_s: int) -> int:
        """The next time that the local clock shows this."""
        now = local(now_unix_s, self._runner.settings.time_zone)
        hour, minute = (int(part) for part in clock.split(":"))
        for days in range(3):
            day = now.date() + timedelta(days=days)
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=now.tzinfo)
            if at.timestamp() > now_unix_s:
                return int(at.timestamp())
        raise AssertionError("a day has every time of the clock, or one an hour later")

    # What backs up the home.

    async def _tell_circuit(self, key: str, value: float | bool | str) -> None:
        backup = self._runner.backup
        if backup is None:
            raise CommandError("this site has no backup")
        snapshot = backup.snapshot()
        controller = snapshot.controller
        circuit = next(
            one
            for one in controller.settings.circuits
            if circuit_key(one.circuit_id) == key.removesuffix(_CHOICE)
        )
        choices: dict[float | bool | str, Choice] = {
            True: "keep_on",
            False: "keep_off",
            "keep_on": "keep_on",
            "keep_off": "keep_off",
            "automatic": "automatic",
        }
        choice = choices[value]
        chosen = controller.state.choice(circuit.circuit_id, snapshot.now_unix_us // _US)
        if choice == ("automatic" if chosen is None else chosen.choice):
            return
        telling: Awaitable[None] = backup.tell(CircuitChosen(circuit.circuit_id, choice, ORIGIN))
        await telling


def _lasting(car: CarView) -> Wishes:
    """What holds once what was wished until the departure is over."""
    if not car.state.wishes_end:
        return car.wishes
    after = car.state.wishes_after
    return car.settings.wishes if after is None else after


def _change(wishes: Wishes, key: str, value: float | bool | str) -> dict[str, Any]:
    if key in ("floor", "target"):
        return {f"{key}_soc": float(value) / _PER_CENT}
    if key == "discharge":
        # Consent can always be taken back: a mode that needs it gives way.
        gives_way = not value and wishes.mode in ("home", "grid")
        return {"discharge": value, **({"mode": "smart"} if gives_way else {})}
    day = key.removeprefix(_WEEKLY)
    return {"ready_by": {day: None if value == NO_TIME else value}}
