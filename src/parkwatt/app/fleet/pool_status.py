"""What a running pool does, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parkwatt.app.api.client import Client, load_settings
from parkwatt.app.printable import printable


def tell_status(path: Path, *, as_json: bool) -> None:
    """Print it. Raises InputError, ServerUnreachableError."""
    view = Client(load_settings(path)).get("/v1/pool")
    if as_json:
        print(json.dumps(view, indent=2, ensure_ascii=False))
        return
    for line in status_lines(view):
        print(printable(line))


def status_lines(view: dict[str, Any]) -> Iterator[str]:
    """The pool now, a fact a line."""
    yield (
        f"{view['name']}: {view['plugged_in']:,} of {view['members']:,} cars plugged in, "
        f"{view['linked']:,} of them reached"
    )
    last = view["last"]
    if last is None:
        yield "it has not looked at its cars yet"
        return
    yield (
        f"now {power(last['power_kw'])}; without a target {power(last['planned_kw'])}; "
        f"could be {last['down_kw']:,.0f} kW less or {last['up_kw']:,.0f} kW more"
    )
    yield from _target_lines(view, last)
    if view["stopped_by"]:
        yield f"stopped {view['stopped_by']}"
    for one in view["proposals"]:
        what = "to end the stop" if one["resumes"] else "new limits"
        yield f"waits for a second person: {one['proposal_id']}, {what}, {one['proposed_by']}: {one['reason']}"


def _target_lines(view: dict[str, Any], last: dict[str, Any]) -> Iterator[str]:
    target = view["target"]
    if target is None:
        yield "nothing is asked of it"
    else:
        asked = (
            power(target["power_kw"])
            if target["power_kw"] is not None
            else f"{target['change_kw']:+,.0f} kW from its plan"
        )
        until = target["until"][11:19]
        yield f"asked: {asked} until {until} UTC ({target['target_id']}, {target['origin']}) {target['reason']}".rstrip()
    if last["target_kw"] is not None:
        off_kw = last["power_kw"] - last["target_kw"]
        yield f"let through: {power(last['target_kw'])}, off by {off_kw:+,.0f} kW"
    if abs(view["missing_kw"]) >= 1.0:
        yield f"{abs(view['missing_kw']):,.0f} kW of it are more than its cars can and may do now"
    if view["why"]:
        yield f"held back: {view['why']}"


def power(power_kw: float) -> str:
    """As people say it."""
    if abs(power_kw) < 0.05:
        return "0 kW"
    into = "from" if power_kw > 0 else "into"
    return f"{abs(power_kw):,.0f} kW {into} the grid"
