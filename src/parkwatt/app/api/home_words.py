"""What happens to a home's backup and why, one entry of the journal in a sentence."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from parkwatt.app.api.site_words import clock
from parkwatt.domain.home import event as home_event
from parkwatt.domain.home.event import (
    CircuitChosen,
    CircuitSwitched,
    GeneratorSwitched,
    HoldsReleased,
    HomeEvent,
    IslandChargeAsked,
    IslandMoved,
    IslandTestAsked,
    MobilityAsked,
    OutageAnnounced,
    TransferAsked,
    TransferRefused,
)

_US: Final = 1_000_000
# What says why something was done; hours of use, forecasts and snapshots are not reasons.
KINDS: Final = home_event.KINDS - {"circuit.hour", "backup.forecast", "home.snapshot"}
_CHOICES: Final = {
    "keep_on": "is kept on",
    "keep_off": "is kept off",
    "automatic": "is left to Parkwatt",
}


def home_event_words(event: HomeEvent, recorded_unix_us: int, zone: ZoneInfo) -> str:
    """One entry of the journal in a sentence."""
    if isinstance(event, IslandMoved):
        phase, before = (one.replace("_", " ") for one in (event.to_phase, event.from_phase))
        return f"the home: {phase}, after {before}: {event.reason}"
    if isinstance(event, TransferAsked):
        return f"the gateway was asked to {event.action.replace('_', ' ')}: {event.reason}"
    if isinstance(event, TransferRefused):
        return f"refused: {event.action.replace('_', ' ')}: {event.reason}"
    if isinstance(event, CircuitSwitched):
        return f"{event.circuit_id} was switched {'on' if event.on else 'off'}: {event.reason}"
    if isinstance(event, GeneratorSwitched):
        return f"the generator was told to {'start' if event.on else 'stop'}: {event.reason}"
    if isinstance(event, HoldsReleased):
        return f"released: {', '.join(event.what)}: {event.because}"
    return _said_words(event, recorded_unix_us // _US, zone)


def _said_words(event: HomeEvent, now_unix_s: int, zone: ZoneInfo) -> str:
    """What people and feeds say."""

    def at(unix_s: int) -> str:
        return clock(unix_s, now_unix_s, zone)

    if isinstance(event, CircuitChosen):
        until = "" if event.until_unix_s is None else f" until {at(event.until_unix_s)}"
        return f"{event.circuit_id} {_CHOICES[event.choice]}{until} ({event.origin})"
    if isinstance(event, OutageAnnounced):
        text = f": {event.text}" if event.text else ""
        span = f"from {at(event.start_unix_s)} to {at(event.end_unix_s)} ({event.origin})"
        if event.withdrawn:
            return f"called off: the {event.outage} outage {span}"
        return f"announced: a {event.outage} outage {span}{text}"
    if isinstance(event, MobilityAsked):
        if event.energy_kwh is None or event.ready_unix_s is None:
            return f"{event.car_id}: nothing is kept for driving any more ({event.origin})"
        kept = f"{event.energy_kwh:.1f} kWh are kept for driving until {at(event.ready_unix_s)}"
        return f"{event.car_id}: {kept} ({event.origin})"
    if isinstance(event, IslandChargeAsked):
        may = "may" if event.allowed else "may not"
        return f"{event.car_id} {may} charge from the island ({event.origin})"
    if isinstance(event, IslandTestAsked):
        if event.start_unix_s is None:
            return f"no off-grid test any more ({event.origin})"
        return (
            f"an off-grid test of {event.duration_s} s at {at(event.start_unix_s)} ({event.origin})"
        )
    return "a reading"
