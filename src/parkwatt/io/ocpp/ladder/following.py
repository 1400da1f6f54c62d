"""Set-points that follow a meter: what was asked for lately, which changes wait, and what is too little to show anything.

A set-point may change every other second, for hours. What a meter shows then is held against all that was asked for in the
last seconds, since a car follows late and meters tell late. A charger that takes an update in place gets each change; any other
gets a whole profile each time, so one that is in no hurry waits until 5 s after the last. Nothing that only follows is sent
while the answer to the last is awaited. Less of what goes on is always in a hurry: it keeps limits.
"""

from __future__ import annotations

from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.memory import EvseMemory, Sent
from parkwatt.io.ocpp.ladder.turn import TIMEOUT_S, Turn

# How long ago a set-point may be that a reading still shows, while it is checked and otherwise.
LATE_US = 6 * SECOND_US
CALM_US = 20 * SECOND_US
# Whole profiles that only follow come no closer than that, unless this much less is asked for.
_APART_US = 5 * SECOND_US
_HURRY_KW = 0.5
# A profile that ends sooner is renewed whatever else waits.
_ENDS_SOON_US = 10 * SECOND_US
# The least current of a car that charges with AC (IEC 61851-1); chargers that discharge have the like.
_CURRENT_A_MIN = 6.0
_PHASE_COUNTS = {"AC_single_phase": 1, "AC_two_phase": 2}
# A power that is the least by its settings may be a bit too little for the charger itself.
_LEAST_SHARE = 1.1


def note_asked(evse: EvseMemory, power_kw: float, now_unix_us: int) -> None:
    """Remember what the charger is told from now on."""
    asked_kw = evse.asked_kw
    if not asked_kw or asked_kw[-1][1] != power_kw:
        asked_kw.append((now_unix_us, power_kw))
    while len(asked_kw) > 1 and asked_kw[1][0] <= now_unix_us - CALM_US:
        del asked_kw[0]


def asked_since(evse: EvseMemory, sent: Sent, since_unix_us: int) -> tuple[float, float]:
    """The lowest and the highest set-point that the charger was told to hold at some time since then."""
    lowest_kw = highest_kw = sent.power_kw
    ended_unix_us = None
    for began_unix_us, power_kw in reversed(evse.asked_kw):
        if ended_unix_us is not None and ended_unix_us <= since_unix_us:
            break
        lowest_kw, highest_kw = min(lowest_kw, power_kw), max(highest_kw, power_kw)
        ended_unix_us = began_unix_us
    return lowest_kw, highest_kw


def waits_until(turn: Turn, evse: EvseMemory, rung: Rung, power_kw: float) -> int:
    """Until when a change of what is held may wait; 0: it is to be sent now."""
    wanted, sent, now_unix_us = evse.wanted, evse.sent, turn.now_unix_us
    if wanted is None or sent is None or not wanted.following:
        return 0
    if sent.rung != rung or sent.transaction_id != evse.transaction_id:
        return 0
    if _less_kw(sent.power_kw, power_kw) > _HURRY_KW:
        return 0
    if sent.ends_unix_us - now_unix_us < _ENDS_SOON_US:
        return 0
    until_unix_us = 0
    if not sent.accepted:
        until_unix_us = sent.sent_unix_us + int(TIMEOUT_S * SECOND_US)
    elif not (sent.dynamic and sent.lease_s == wanted.lease_s):
        until_unix_us = sent.sent_unix_us + _APART_US
    return until_unix_us if until_unix_us > now_unix_us else 0


def sent_power_kw(turn: Turn, power_kw: float) -> float:
    """What is sent for a power: within the charger's, and 0 where it is less than it can do."""
    limit_kw = turn.settings.power_kw_max
    power_kw = max(-limit_kw, min(limit_kw, power_kw))
    return 0.0 if is_too_little(turn, power_kw) else power_kw


def is_too_little(turn: Turn, power_kw: float) -> bool:
    """Whether the charger is known to do nothing for so small a power."""
    return 0.0 < abs(power_kw) < (turn.settings.power_kw_min or 0.0)


def doubtful_kw(turn: Turn, evse: EvseMemory) -> float:
    """A power below which rest, or that power itself, may be the least that the charger can do."""
    settings = turn.settings
    if settings.power_kw_min is not None:
        return _LEAST_SHARE * settings.power_kw_min
    known = turn.state.evses.get(evse.evse_id)
    transfer = "" if known is None or known.needs is None else known.needs.energy_transfer
    phases = 1
    if transfer.startswith("AC"):
        phases = _PHASE_COUNTS.get(transfer, settings.phase_count)
    return _CURRENT_A_MIN * settings.voltage_v * phases / 1000.0


def _less_kw(before_kw: float, power_kw: float) -> float:
    """How much less of what it does the charger is to do."""
    if before_kw < 0.0:
        return min(power_kw, 0.0) - before_kw
    return before_kw - max(power_kw, 0.0)
