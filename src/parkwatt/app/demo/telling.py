"""What happens in the live demo, one line each, in words: for whoever watches it run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.domain.site.event import (
    PlanAdopted,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SourceChanged,
    StayBegan,
    StayEnded,
)

_US: Final = 1_000_000
# A power below this is none; a change of direction or of the reason is told, others only when they are this much.
_NOTHING_KW: Final = 0.05
_WORTH_KW: Final = 1.5


class Narrator:
    """Tells the site's events as they are written down. ``capacity_kwh``: the car's."""

    def __init__(self, zone: ZoneInfo, capacity_kwh: float, say: Callable[[str], None]) -> None:
        self._zone = zone
        self._capacity_kwh = capacity_kwh
        self._say = say
        self._told: tuple[str, float] | None = None
        self._plan_said = ""

    def tell(self, events: Sequence[SiteEvent], now_unix_us: int) -> None:
        """Say what is worth it."""
        when = datetime.fromtimestamp(now_unix_us / _US, tz=self._zone)
        for event in events:
            line = self._line(event)
            if line:
                self._say(f"{when:%a %H:%M}  {line}")

    def _line(self, event: SiteEvent) -> str:
        if isinstance(event, SetpointDecided):
            return self._setpoint(event)
        if isinstance(event, StayBegan):
            self._told = None
            return f"the car is plugged in{self._with(event.energy_kwh)}"
        if isinstance(event, StayEnded):
            return f"the car leaves{self._with(event.energy_kwh)}: {event.reason}"
        if isinstance(event, PlanAdopted):
            saves = "" if event.gain is None else f", better by {event.gain:.2f} EUR"
            return f"a new plan, because {event.because}{saves}" if event.gain is None else ""
        if isinstance(event, PricesReceived):
            return f"prices for {len(event.price_per_kwh) * event.step_s // 3600} hours are known"
        if isinstance(event, PromiseAtRisk):
            return f"not possible: {event.message}"
        if isinstance(event, SourceChanged):
            return f"{event.source} {'is well again' if event.ok else f'fails: {event.reason}'}"
        return ""

    def _setpoint(self, event: SetpointDecided) -> str:
        doing = _doing(event.power_kw)
        before, self_kw = self._told or ("", 0.0)
        if event.following and doing == before and abs(event.power_kw - self_kw) < _WORTH_KW:
            return ""
        if doing == before and not event.following and abs(event.power_kw - self_kw) < _WORTH_KW:
            return ""
        self._told = (doing, event.power_kw)
        power = f" with {abs(event.power_kw):.1f} kW" if doing != "rests" else ""
        return f"the car {doing}{power}: {event.reason}"

    def _with(self, energy_kwh: float | None) -> str:
        return "" if energy_kwh is None else f" with {energy_kwh / self._capacity_kwh:.0%}"


def _doing(power_kw: float) -> str:
    if power_kw > _NOTHING_KW:
        return "charges"
    return "runs the house" if power_kw < -_NOTHING_KW else "rests"
