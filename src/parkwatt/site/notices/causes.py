"""What a person should know now, each with its key: the same key is the same trouble, told once until it has ended.

Level-triggered, as the control is: each look says of every trouble whether it stands (True), does not (False) or is not known
(None: then it stays as it was). What is not mentioned any more (a departure that has passed) ends without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from parkwatt.site.notices.facts import CarNow, Facts, OutageNow
from parkwatt.site.notices.rules import Kind, Rules

Figure = str | int | float | None

# A charge this much below what was asked is enough, as the site's control takes it.
_ENOUGH_SOC = 0.01
# Who leaves within this goes already: nobody is asked to plug the car in.
_LEAVES_S = 45 * 60
_SOON_S = 24 * 3600
# Hours left that rise to so much above a bound make falling below it news again.
_RISEN = 1.5


class Cause(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One trouble, or one good thing. ``settles_s``: told once it stood so long. ``ends``: its end is told, too.

    ``silent``: known with what is told instead of it.
    """

    key: str
    kind: Kind
    topic: str
    stands: bool | None
    figures: dict[str, Figure] = {}
    urgent: bool = False
    settles_s: int = 0
    ends: bool = False
    silent: bool = False


def causes(facts: Facts, rules: Rules, short: Sequence[str], now_unix_s: int) -> Iterator[Cause]:
    """Every trouble that this person wants to know of. ``short``: departures for which the car had too little."""
    for car in facts.cars:
        if rules.car_ids is None or car.car_id in rules.car_ids:
            yield from _of_car(car, rules, short, now_unix_s)
    if facts.outage is not None:
        yield from _of_outage(facts.outage, rules)
    yield Cause(
        key="journal",
        kind="journal",
        topic="journal",
        stands=bool(facts.journal),
        figures={"reason": facts.journal},
        settles_s=30,
        ends=True,
    )


def departure_key(car: CarNow) -> str:
    """A car's departure, as a key."""
    return f"{car.car_id}/{car.departs_unix_s}"


def is_short(car: CarNow) -> bool | None:
    """Whether the battery holds less than what was asked for; None: not known, or nothing was asked."""
    if car.soc is None or car.asked_soc is None:
        return None
    return car.soc < car.asked_soc - _ENOUGH_SOC


def _of_car(car: CarNow, rules: Rules, short: Sequence[str], now_unix_s: int) -> Iterator[Cause]:
    yield from _of_charger(car, now_unix_s)
    if car.departs_unix_s is None or car.asked_soc is None or car.departs_unix_s <= now_unix_s:
        return
    figures: dict[str, Figure] = {
        "car": car.car_id,
        "departs_unix_s": car.departs_unix_s,
        "asked_soc": car.asked_soc,
        "soc": car.soc,
    }
    departure, left_s = departure_key(car), car.departs_unix_s - now_unix_s
    lacks = is_short(car)
    yield Cause(
        key=f"at_risk/{departure}",
        kind="at_risk",
        topic="at_risk",
        stands=None if car.ready is None else not car.ready,
        figures={**figures, "expected_soc": car.expected_soc, "ready_unix_s": car.ready_unix_s},
        settles_s=120,
        ends=True,
    )
    yield Cause(
        key=f"ready/{departure}",
        kind="ready",
        topic="ready",
        stands=None if lacks is None or not car.plugged_in else departure in short and not lacks,
        figures=figures,
        settles_s=30,
    )
    plug_in_by = car.departs_unix_s - round((car.charge_h or 0.0) * 3600)
    asked_soon = _LEAVES_S < left_s <= rules.plug_in_h * 3600
    yield Cause(
        key=f"not_plugged_in/{departure}",
        kind="not_plugged_in",
        topic="not_plugged_in",
        stands=(not car.plugged_in and asked_soon and lacks is not False) if car.linked else None,
        figures={**figures, "plug_in_by_unix_s": plug_in_by if plug_in_by > now_unix_s else None},
        settles_s=600,
    )


def _of_charger(car: CarNow, now_unix_s: int) -> Iterator[Cause]:
    """A charger's link and health. A lost one is urgent where its car has yet to be charged for a departure."""
    needed = (
        car.departs_unix_s is not None
        and 0 < car.departs_unix_s - now_unix_s <= _SOON_S
        and car.plugged_in
        and is_short(car) is not False
    )
    figures: dict[str, Figure] = {"charger": car.charger_id, "car": car.car_id}
    if needed:
        figures |= {"departs_unix_s": car.departs_unix_s, "asked_soc": car.asked_soc}
    yield Cause(
        key=f"charger_lost/{car.charger_id}",
        kind="charger",
        topic="charger_lost",
        stands=not car.linked,
        figures=figures,
        urgent=needed,
        settles_s=180,
        ends=True,
    )
    yield Cause(
        key=f"charger_fault/{car.charger_id}",
        kind="charger",
        topic="charger_fault",
        stands=car.faulted if car.linked else None,
        figures=figures,
        urgent=needed,
        settles_s=60,
        ends=True,
    )


def _of_outage(outage: OutageNow, rules: Rules) -> Iterator[Cause]:
    out = outage.since_unix_s is not None
    figures: dict[str, Figure] = {
        "since_unix_s": outage.since_unix_s,
        "hours_p10": outage.hours_p10,
        "hours_p50": outage.hours_p50,
        "hours_p90": outage.hours_p90,
    }
    yield Cause(
        key="outage",
        kind="outage",
        topic="outage",
        stands=out,
        figures=figures,
        urgent=True,
        settles_s=5,
        ends=True,
    )
    yield Cause(
        key="dark",
        kind="outage",
        topic="dark",
        stands=out and not outage.carried,
        figures={"phase": outage.phase},
        urgent=True,
        settles_s=60,
        ends=out,
    )
    for name, on in outage.medical:
        yield Cause(
            key=f"medical/{name}",
            kind="medical",
            topic="medical",
            stands=None if on is None else not on,
            figures={"circuit": name},
            urgent=True,
            settles_s=15,
            ends=True,
        )
    if out:
        yield from _of_hours(outage.hours_p50, figures, rules)
    yield Cause(
        key="generator",
        kind="generator",
        topic="generator",
        stands=bool(outage.generator),
        figures={"reason": outage.generator},
        urgent=True,
        ends=out,
    )


def _of_hours(hours_p50: float | None, figures: dict[str, Figure], rules: Rules) -> Iterator[Cause]:
    """The tightest bound that the hours left fell below is told; the wider ones are known with it."""
    below = [] if hours_p50 is None else [one for one in rules.hours_left if hours_p50 < one]
    for bound_h in rules.hours_left:
        stands: bool | None = bound_h in below
        if hours_p50 is None or bound_h <= hours_p50 < _RISEN * bound_h:
            stands = None
        yield Cause(
            key=f"hours_left/{bound_h:g}",
            kind="hours_left",
            topic="hours_left",
            stands=stands,
            figures={**figures, "bound_h": bound_h},
            urgent=True,
            settles_s=30,
            silent=bool(below) and bound_h != min(below),
        )
