"""The safe default: a profile of the lowest level that lets a charger charge within its limit and never discharge.

It is there before any set-point: when one lapses, also because Parkwatt is gone, the charger falls back to it. Its limit is
`default_kw`, which a site sets so that what all chargers do of their own stays within the connection; another one in the
settings is installed with the next link. It is tried for all connection points at once, then for each, in W and in A.
"""

from __future__ import annotations

from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.ladder import offered, profiles_v2, profiles_v16
from parkwatt.io.ocpp.ladder.memory import Form, LadderState, RateUnit
from parkwatt.io.ocpp.ladder.rate import wire_rate
from parkwatt.io.ocpp.ladder.turn import Turn, default_profile_id

_OTHER: dict[RateUnit, RateUnit] = {"W": "A", "A": "W"}
# The four ways: for all in the unit that the charger names, in the other; for each, likewise.
_WAYS = 4
_NO_ANSWER = {"Timeout", "Disconnected"}


def install(turn: Turn) -> None:
    """Send the default, unless it is there or on its way."""
    memory = turn.memory
    if memory.default != "none" or not memory.ready or not turn.state.connected:
        return
    memory.default = "asked"
    memory.default_tried = 0
    _send(turn)


def answered(turn: Turn, answer: Answer) -> bool:
    """Take in an answer; True when the matter is settled and set-points may follow."""
    memory = turn.memory
    if memory.default != "asked" or answer.call.tag.rsplit(":", 1)[1] != str(memory.default_tried):
        return False
    if answer.accepted:
        memory.defaults_open -= 1
        if memory.defaults_open > 0:
            return False
        memory.default = "installed"
        return True
    if answer.error == "Disconnected":
        memory.default = "none"
        return False
    memory.default_tried += 1
    if answer.error in _NO_ANSWER or memory.default_tried >= _WAYS:
        memory.default = "refused"
        return True
    _send(turn)
    return False


def is_other(turn: Turn) -> bool:
    """Whether the settings want another default than the one that was sent last."""
    return turn.memory.default_kw != turn.settings.default_limit_kw


def remove(memory: LadderState) -> None:
    """Take the default for gone."""
    memory.default = "none"
    memory.defaults_open = 0


def _send(turn: Turn) -> None:
    memory = turn.memory
    by_evse = memory.default_by_evse or memory.default_tried >= 2
    memory.default_by_evse = by_evse
    rate_unit = _rate_unit(turn)
    evse_ids = sorted(key for key in turn.state.evses if key) or [1]
    targets = evse_ids if by_evse else [0]
    memory.defaults_open = len(targets)
    profiles = profiles_v2 if turn.version.is_2 else profiles_v16
    limit_kw = memory.default_kw = turn.settings.default_limit_kw
    for evse_id in targets:
        payload = profiles.default_profile(
            evse_id,
            default_profile_id(evse_id),
            wire_rate(limit_kw, rate_unit, turn.settings),
            rate_unit,
        )
        reason = (
            f"whenever nobody asks otherwise: charge with up to {limit_kw:.1f} kW, never discharge"
        )
        turn.call(
            "SetChargingProfile",
            payload,
            "default",
            reason,
            f"{evse_id}:default:{memory.default_tried}",
        )


def _rate_unit(turn: Turn) -> RateUnit:
    known: Form = turn.memory.form or offered.form(turn.state, turn.version)
    return known.rate_unit if turn.memory.default_tried % 2 == 0 else _OTHER[known.rate_unit]
