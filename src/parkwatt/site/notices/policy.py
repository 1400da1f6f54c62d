"""When a person is told what, pure.

    facts -> causes -> which stand, and since when -> what is told now

Each trouble is told once until it has ended, and its end only where it was told. What comes up within a minute goes out in one
message, what is urgent within seconds. Quiet hours hold back what is not urgent; what has ended by then is never told. So many
messages an hour and no more: what is left waits and is gathered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from parkwatt.site.notices.causes import Cause, causes, departure_key, is_short
from parkwatt.site.notices.facts import Facts
from parkwatt.site.notices.rules import Rules
from parkwatt.site.notices.state import Item, Notice, NoticeState, Over, Standing

_GATHER_S: Final = 60
_GATHER_URGENT_S: Final = 5
# A trouble that is gone for less than this is not over.
_ENDS_S: Final = 60
_HOUR_S: Final = 3600
_URGENT_TIMES: Final = 2


def step(state: NoticeState, facts: Facts, rules: Rules, now_unix_s: int) -> Notice | None:
    """What one person is told now; None: nothing. ``state`` is changed."""
    _note_short(state, facts)
    found: dict[str, Cause] = {}
    for cause in causes(facts, rules, state.short, now_unix_s):
        # Two cars at one charger have its troubles in common: what is urgent for one is urgent.
        known = found.get(cause.key)
        if cause.kind in rules.kinds and (known is None or cause.urgent):
            found[cause.key] = cause
    _begin(state, found, now_unix_s)
    _end(state, found, now_unix_s)
    return _gather(state, rules, now_unix_s)


def _note_short(state: NoticeState, facts: Facts) -> None:
    """Which cars that are plugged in had too little for their departure: of the departures ahead only."""
    ahead = [car for car in facts.cars if car.departs_unix_s is not None]
    known = set(state.short) & {departure_key(car) for car in ahead}
    known |= {departure_key(car) for car in ahead if car.plugged_in and is_short(car)}
    state.short = sorted(known)


def _begin(state: NoticeState, found: Mapping[str, Cause], now_unix_s: int) -> None:
    for key, cause in found.items():
        known = state.standing.get(key)
        if known is None:
            if cause.stands:
                state.standing[key] = Standing(cause, now_unix_s, _is_known(state, cause))
        elif cause.stands is not False:
            known.gone_unix_s = None
            if cause.stands and not known.told:
                known.cause, known.told = cause, cause.silent


def _is_known(state: NoticeState, cause: Cause) -> bool:
    """Whether the person knows of it: by something else, or since it came back before anybody heard that it was over."""
    waits = any(one.cause.key == cause.key for one in state.overs)
    state.overs = [one for one in state.overs if one.cause.key != cause.key]
    return waits or cause.silent


def _end(state: NoticeState, found: Mapping[str, Cause], now_unix_s: int) -> None:
    for key, known in list(state.standing.items()):
        cause = found.get(key)
        if cause is None:
            del state.standing[key]
        elif cause.stands is False:
            gone_unix_s = known.gone_unix_s
            if gone_unix_s is None or gone_unix_s > now_unix_s:
                gone_unix_s = known.gone_unix_s = now_unix_s
            if now_unix_s - gone_unix_s >= _ENDS_S:
                del state.standing[key]
                if cause.ends and known.told:
                    state.overs.append(Over(known.cause, gone_unix_s))


def _gather(state: NoticeState, rules: Rules, now_unix_s: int) -> Notice | None:
    """All that is due, where something has waited long enough, it is not quiet and there was not too much lately."""
    passes = not rules.is_quiet(now_unix_s)

    def goes(cause: Cause) -> bool:
        return passes or (cause.urgent and rules.urgent_passes)

    due = [
        known
        for known in state.standing.values()
        if not known.told
        and known.gone_unix_s is None
        and now_unix_s - known.since_unix_s >= known.cause.settles_s
        and goes(known.cause)
    ]
    overs = [one for one in state.overs if goes(one.cause)]
    urgent = any(known.cause.urgent for known in due) or any(one.cause.urgent for one in overs)
    waited_s = [now_unix_s - known.since_unix_s - known.cause.settles_s for known in due]
    waited_s += [now_unix_s - one.at_unix_s for one in overs]
    if not waited_s or max(waited_s) < (_GATHER_URGENT_S if urgent else _GATHER_S):
        return None
    state.sent_unix_s = [at for at in state.sent_unix_s if 0 <= now_unix_s - at < _HOUR_S]
    if len(state.sent_unix_s) >= rules.per_hour_max * (_URGENT_TIMES if urgent else 1):
        return None
    for known in due:
        known.told = True
    state.overs = [one for one in state.overs if one not in overs]
    state.sent_unix_s.append(now_unix_s)
    items = [Item(one.cause.topic, _ended(one), over=True) for one in overs]
    items += [Item(known.cause.topic, dict(known.cause.figures)) for known in due]
    return Notice(tuple(items), urgent)


def _ended(over: Over) -> dict[str, str | int | float | None]:
    return {**over.cause.figures, "over_unix_s": over.at_unix_s}
