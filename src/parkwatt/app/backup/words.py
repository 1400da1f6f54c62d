"""A home's backup in words, made from what the API shows of it (`GET /v1/backup`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

_TIERS: Final = {
    "must_have": "must have",
    "nice_to_have": "nice to have",
    "not_needed": "not needed",
}
_CHOICES: Final = {"keep_on": ", you keep it on", "keep_off": ", you keep it off", "automatic": ""}


def backup_lines(view: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """The lines of `parkwatt backup`."""
    yield f"{_where(view)}: {view['words']}"
    if view["since"] is not None and view["reason"]:
        yield f"  since    {_clock(view['since'], zone)}: {view['reason']}"
    yield f"  source   {_source_words(view)}"
    yield from _hours_lines(view)
    if view["islanded"] and view["grid_qualified_in_s"]:
        yield f"  grid     good enough to return to in {view['grid_qualified_in_s']:.0f} s, if it stays"
    if view["generator"] is not None:
        yield f"  generator {_generator_words(view['generator'], zone)}"
    for circuit in view["circuits"]:
        yield f"  {circuit['name']:20} {_circuit_words(circuit)}"
    for question in view["questions"]:
        yield f"  ? {question['text']} (parkwatt backup SITE.toml keep-on {question['circuit_id']})"
    for one in view["announcements"]:
        start, end = _clock(one["start"], zone), _clock(one["end"], zone)
        yield f"  ahead    {one['outage']} outage from {start} to {end} ({one['origin']})"
    if view["preparation"]:
        yield f"  reserve  {view['preparation']}"
    for one in view["mobility"]:
        by = "" if one["ready_at"] is None else f" by {_clock(one['ready_at'], zone)}"
        yield f"  driving  {one['car_id']} keeps {one['energy_kwh']:.1f} kWh{by}"
    for alarm in view["alarms"]:
        yield f"  ! ALARM: {alarm}"


def short_lines(view: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """The lines of `parkwatt status`: what the backup does, how long it lasts, what is wrong."""
    since = "" if view["since"] is None else f" since {_clock(view['since'], zone)}"
    yield f"  backup   {_where(view)}{since}: {view['words']}"
    runtime = view["runtime"]
    if runtime is not None:
        yield f"           would last {runtime['hours_p10']:.1f} to {runtime['hours_p90']:.1f} h"
    for alarm in view["alarms"]:
        yield f"  ! ALARM: {alarm}"


def report_lines(
    view: dict[str, Any], since: str, refused: Sequence[str], zone: ZoneInfo
) -> Iterator[str]:
    """What an off-grid test came to: each phase with when it was entered and why; the last line is the answer.

    ``refused``: what the island machine refused meanwhile, in words.
    """
    begun_at = datetime.fromisoformat(since)
    moves = [move for move in view["moves"] if datetime.fromisoformat(move["at"]) >= begun_at]
    before: datetime | None = None
    for move in moves:
        at = datetime.fromisoformat(move["at"])
        passed = "" if before is None else f" (+{(at - before).total_seconds():.1f} s)"
        yield f"  {at.astimezone(zone):%H:%M:%S}{passed}  {move['phase']}: {move['reason']}"
        before = at
    phases = [move["phase"] for move in moves]
    if "test" not in phases:
        for words in refused:
            yield f"  {words}"
        yield "the test failed: the home was not fed by its own source"
        return
    begun = next(move for move in moves if move["phase"] == "opening")
    fed = next(move for move in moves if move["phase"] == "test")
    dark_s = (
        datetime.fromisoformat(fed["at"]) - datetime.fromisoformat(begun["at"])
    ).total_seconds()
    if view["phase"] == "grid":
        yield f"the backup works: fed by its own source {dark_s:.1f} s after the grid was left, and back on the grid"
    else:
        yield f"fed by its own source after {dark_s:.1f} s; the way back is not over: {view['words']}"


def _where(view: dict[str, Any]) -> str:
    if view["testing"]:
        return "Off-grid test"
    if view["outage_since"] is not None:
        hours = (
            datetime.fromisoformat(view["at"]) - datetime.fromisoformat(view["outage_since"])
        ).total_seconds() / 3600
        return f"Outage, for {hours:.1f} h"
    return {"present": "Grid", "absent": "No grid", "unknown": "Grid unknown"}[view["grid"]]


def _source_words(view: dict[str, Any]) -> str:
    energy_kwh, floor_kwh = view["source_energy_kwh"], view["source_floor_kwh"]
    if energy_kwh is None:
        words = f"{view['source']}: nobody tells what is in it"
    else:
        words = f"{view['source']}: {energy_kwh:.1f} kWh, of which {floor_kwh:.1f} kWh stay"
    if view["source_kept"]:
        words = f"{words} ({view['source_kept']})"
    return words if view["source_ready"] else f"{words}; NOT READY to carry the house"


def _hours_lines(view: dict[str, Any]) -> Iterator[str]:
    runtime = view["runtime"]
    if runtime is None:
        return
    yield f"  lasts    {runtime['hours_p10']:.1f} to {runtime['hours_p90']:.1f} h, about {runtime['hours_p50']:.1f} h"
    for line in runtime["words"]:
        yield f"           {line}"


def _generator_words(generator: dict[str, Any], zone: ZoneInfo) -> str:
    if generator["since"] is None:
        told = "was never needed"
    else:
        told = f"told to {'run' if generator['on'] else 'stop'} since {_clock(generator['since'], zone)}"
    runs = {True: ", runs", False: ", does not run", None: ""}[generator["runs"]]
    power = "" if generator["power_kw"] is None else f", {generator['power_kw']:.2f} kW"
    return f"{told}{runs}{power}"


def _circuit_words(circuit: dict[str, Any]) -> str:
    on = {True: "on", False: "off", None: "on or off, not told"}[circuit["on"]]
    power = "" if circuit["power_kw"] is None else f", {circuit['power_kw']:.2f} kW"
    shed = f", switched off by Parkwatt ({circuit['because']})" if circuit["shed"] else ""
    medical = ", medical" if circuit["medical"] else ""
    choice = _CHOICES[circuit["choice"]]
    return f"{_TIERS[circuit['tier']]}{medical}: {on}{power}{shed}{choice}"


def _clock(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%a %H:%M}"
