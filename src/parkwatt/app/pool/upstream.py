"""What the grid's operator asks through OpenADR becomes targets and limits of the pool, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from parkwatt.app.pool.runner import PoolRunner
from parkwatt.domain.fleet.operation import (
    GridEventTold,
    GridLink,
    TargetAsked,
    TargetCancelled,
)
from parkwatt.domain.grid.event import FOREVER_US, GridEvent, Held
from parkwatt.io.openadr.known import Change
from parkwatt.io.openadr.settings import OpenadrSettings
from parkwatt.io.openadr.ven import Ven

_STATE: Final = "openadr.json"
_PREFIX: Final = "openadr-"
_LOOK_S: Final = 0.5
# A target without an end is asked for anew before this is over.
_LASTS_US: Final = 3_600_000_000
_RENEW_US: Final = 600_000_000
_SIGNALS_MAX: Final = 5


class Upstream:
    """One operator. ``runner``: the pool that it may lead."""

    def __init__(
        self,
        settings: OpenadrSettings,
        runner: PoolRunner,
        directory: Path,
        clock: Callable[[], int],
    ) -> None:
        self._settings, self._runner, self._clock = settings, runner, clock
        self.ven = Ven(settings, directory / _STATE, clock, runner.history.mean, self._changed)
        self._lost: bool | None = None

    def duties(self) -> Iterable[Coroutine[Any, Any, object]]:
        """Reading, reporting, and leading the pool by what holds."""
        return (*self.ven.duties(), self._lead())

    async def _lead(self) -> NoReturn:
        try:
            while True:
                self.apply()
                await asyncio.sleep(_LOOK_S)
        finally:
            await self.ven.close()

    def apply(self) -> None:
        """Bring the pool's targets and limits to what holds now."""
        lost = self.ven.is_lost()
        if self._lost is not None and lost != self._lost:
            self._runner.note(GridLink(lost, self.ven.trouble))
        self._lost = lost
        held = self.ven.in_force()
        self._runner.grid_kw = self._limits(held, lost)
        self._ask(self._wanted(held))

    def _wanted(self, held: dict[str, Held]) -> tuple[Held, float | None, float | None] | None:
        """The signal that leads, and the power or change that it asks for."""
        for kind in ("power_kw", "change_kw"):
            one = held.get(kind)
            if one is not None and one.value is not None:
                return (one, one.value, None) if kind == "power_kw" else (one, None, one.value)
        simple = held.get("simple_level")
        if simple is None or not simple.value:
            return None
        program = self._settings.program(simple.event.program)
        if program is None or not program.simple_levels_kw:
            return None
        return simple, None, program.simple_levels_kw[int(simple.value) - 1]

    def _ask(self, wanted: tuple[Held, float | None, float | None] | None) -> None:
        """Ask for what leads, and take back what does not any more."""
        now = self._clock()
        targets = self._runner.state.targets
        led = [one for one in targets.values() if one.target_id.startswith(_PREFIX)]
        target_id = "" if wanted is None else f"{_PREFIX}{wanted[0].event.event_id}"
        for one in led:
            if one.target_id != target_id:
                self._runner.note(TargetCancelled(one.target_id, self._origin))
        if wanted is None:
            return
        held, power_kw, change_kw = wanted
        known = targets.get(target_id)
        until = min(held.end_unix_us, now + _LASTS_US)
        if (
            known is not None
            and (known.power_kw, known.change_kw) == (power_kw, change_kw)
            and (known.until_unix_us == held.end_unix_us or known.until_unix_us > now + _RENEW_US)
            and known.until_unix_us <= held.end_unix_us
        ):
            return
        event = held.event
        reason = f"{event.program}: {event.name or event.event_id}"
        asked = TargetAsked(target_id, now, until, self._origin, power_kw, change_kw, reason)
        self._runner.note(asked)

    def _limits(self, held: dict[str, Held], lost: bool) -> tuple[float, float]:
        """What the pool may draw and give, kW."""
        found = []
        fallback = (self._settings.fallback_import_kw, self._settings.fallback_export_kw)
        for way, told in zip(("import", "export"), fallback, strict=True):
            limit_kw = float("inf") if told is None or not lost else told
            for kind in (f"{way}_limit_kw", f"{way}_subscription_kw"):
                one = held.get(kind)
                if one is not None and one.value is not None:
                    limit_kw = min(limit_kw, one.value)
            found.append(limit_kw)
        return found[0], found[1]

    @property
    def _origin(self) -> str:
        return f"openadr {self._settings.ven_name}"

    def _changed(self, changes: list[Change]) -> None:
        for one in changes:
            name, signals = "", ""
            if one.event is not None:
                name, signals = one.event.name, _signals(one.event)
            told = GridEventTold(one.event_id, one.program, one.what, name, signals, one.reason)
            self._runner.note(told)
        self.apply()


def _signals(event: GridEvent) -> str:
    """What an event asks for, in words."""
    found = []
    for interval in event.intervals[:_SIGNALS_MAX]:
        for signal in interval.signals:
            shown = signal.text or ", ".join(f"{one:g}" for one in signal.values[:_SIGNALS_MAX])
            found.append(f"{signal.name} {shown}".strip())
    rest = len(event.intervals) - _SIGNALS_MAX
    more = f" and {rest} more" if rest > 0 else ""
    endless = (
        " without end" if event.intervals and event.intervals[-1].end_unix_us >= FOREVER_US else ""
    )
    return "; ".join(found[:_SIGNALS_MAX]) + more + endless
