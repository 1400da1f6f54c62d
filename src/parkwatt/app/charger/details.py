"""One charger in words, for `parkwatt charger show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parkwatt.app.printable import printable

_VARIABLES_MAX = 60


def details(view: dict[str, Any]) -> str:
    """The text; ``view`` is what the API shows of the charger."""
    return "\n".join(map(printable, _lines(view)))


def _lines(view: dict[str, Any]) -> Iterator[str]:
    link = "connected" if view["connected"] else f"no link ({view['disconnect_reason'] or 'never'})"
    yield f"{view['charger_id']}: {link}, {view['protocol'] or 'no version yet'}, from {view['peer'] or 'nowhere'}"
    yield f"  {view['vendor']} {view['model']}, firmware {view['firmware_version'] or 'not told'}"
    yield f"  last heard {view['seen_at'] or 'never'}; deviations from the standard: {view['deviation_count']}"
    for evse in view["evses"]:
        yield from _evse_lines(evse)
    if view["variables"]:
        yield "  what it told of itself:"
        for name, value in list(view["variables"].items())[:_VARIABLES_MAX]:
            yield f"    {name} = {value}"
        if len(view["variables"]) > _VARIABLES_MAX:
            yield f"    … and {len(view['variables']) - _VARIABLES_MAX} more (GET /v1/chargers/{view['charger_id']})"
    if view["last_messages"]:
        yield "  last messages (> to the charger, < from it):"
        for message in view["last_messages"]:
            yield f"    {message['at'][11:23]} {'>' if message['sent'] else '<'} {message['frame']}"


def evse_details(evse: dict[str, Any]) -> str:
    """One connection point in words; ``evse`` is what the API shows of it."""
    return "\n".join(map(printable, _evse_lines(evse)))


def _evse_lines(evse: dict[str, Any]) -> Iterator[str]:
    rung = evse["rung"]
    yield f"  connection point {evse['evse_id']}: {evse['availability']} {evse['error']}".rstrip()
    car = {True: "a car is connected", False: "no car", None: "car or not: unknown"}[
        evse["car_connected"]
    ]
    yield f"    {car}; transaction {evse['transaction_id'] or 'none'}; {evse['charging_state']}"
    power = "unknown" if evse["power_kw"] is None else f"{evse['power_kw']:+.2f} kW"
    soc = "unknown" if evse["soc"] is None else f"{evse['soc']:.0%}"
    yield f"    power {power}, charge {soc}, read {evse['read_at'] or 'never'}"
    proven = "proven" if rung["proven"] else "not proven"
    yield f"    rung L{rung['level']} of at most L{rung['highest']}, {proven}: {rung['words']}"
    if rung["reason"]:
        yield f"      {rung['reason']}"
