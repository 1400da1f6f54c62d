"""Takes a connection point down the ladder, and tries the next rung at once.

A charger whose meter showed that it opposed a set-point is not trusted with its rung again until it has other firmware. What
its schedule alone said counts for one transaction, and no longer once the meter says otherwise. What it ignored may have been
the car's doing and counts for one transaction; after three in a row it counts like the former.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from parkwatt.domain.charger.event import SetpointJudged
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.drive import drive, judge, refuse, rests_instead, settle
from parkwatt.io.ocpp.ladder.memory import Distrust, EvseMemory, Sent
from parkwatt.io.ocpp.ladder.turn import Turn

Fault = Literal["ignored", "opposed", "refused", "unseen"]
# Transactions in a row that ignore set-points on a rung before it is given up.
_IGNORED_MAX = 3
# A rung that is tried later than this after the set-point would not be judged within 30 s of it.
_CLIMB_US = 20 * SECOND_US


def demote(
    turn: Turn, evse: EvseMemory, sent: Sent, fault: Fault, reason: str, *, for_good: bool
) -> None:
    """Tell the verdict on the rung in use, stop using it, and go on with what is below.

    ``for_good``: until the firmware changes, else for this transaction.
    """
    for_good = distrust(evse, sent.rung, fault, reason, for_good=for_good)
    judge(turn, evse, verdict(evse, sent, fault, reason, for_good=for_good))
    if fault == "opposed" and not for_good:
        evse.doubted = sent.rung
    if sent.power_kw < 0.0 and (fault == "unseen" or out_of_time(turn, evse)):
        give_up(evse, reason)
    evse.check, evse.form = None, None
    evse.tried.clear()
    evse.reinstalled = False
    settle(turn, evse, f"{sent.rung.words} {_DID[fault]}: {reason}")
    drive(turn, evse)


def out_of_time(turn: Turn, evse: EvseMemory) -> bool:
    """Whether another rung could not be judged within 30 s of the set-point any more."""
    began_unix_us = evse.climb_unix_us
    return began_unix_us > 0 and turn.now_unix_us - began_unix_us >= _CLIMB_US


def give_up(evse: EvseMemory, reason: str) -> None:
    """Stay on charging limits for this transaction."""
    bottom = Distrust(Rung.NEGATIVE_LIMIT, reason, True, evse.transaction_id)
    evse.distrusts.append(bottom)


def distrust(evse: EvseMemory, rung: Rung, fault: str, reason: str, *, for_good: bool) -> bool:
    """Stop using a rung; whether for good. A refusal is of that rung alone, what failed at work is no better above it."""
    if rung is Rung.LIMITS_ONLY:
        return False
    if rung in evse.proven and fault != "refused":
        evse.proven.remove(rung)
    if fault in {"ignored", "unseen"}:
        evse.ignored_counts[rung] = evse.ignored_counts.get(rung, 0) + 1
        for_good = for_good or evse.ignored_counts[rung] >= _IGNORED_MAX
    transaction_id = None if for_good else evse.transaction_id
    evse.distrusts.append(Distrust(rung, reason, fault != "refused", transaction_id))
    return for_good


def stay(turn: Turn, evse: EvseMemory, sent: Sent, fault: Fault, reason: str) -> None:
    """Tell that the charger does not do as it is told where no lower rung could help."""
    if evse.resting:
        evse.resting = False
        give_up(evse, reason)
    if not rests_instead(evse):
        judge(turn, evse, verdict(evse, sent, fault, reason))
    elif fault == "ignored" and evse.wanted is not None:
        instead = verdict(evse, sent, fault, f"it was told to rest: {reason}")
        judge(turn, evse, msgspec.structs.replace(instead, power_kw=evse.wanted.power_kw))
    evse.check = None
    evse.checked[sent.direction] = turn.now_unix_us
    if sent.rung in evse.proven and fault != "unseen":
        evse.proven.remove(sent.rung)
    settle(turn, evse, reason)
    if fault == "refused" and rests_instead(evse):
        refuse(turn, evse, f"nor does it rest: {reason}")


def verdict(
    evse: EvseMemory, sent: Sent, fault: Fault, reason: str, *, for_good: bool = False
) -> SetpointJudged:
    """The verdict as an event, with what the check saw."""
    check = evse.check
    return SetpointJudged(
        evse.evse_id,
        sent.power_kw,
        fault,
        reason,
        sent.rung,
        None if check is None else check.power_kw,
        None if check is None else check.scheduled_kw,
        for_good,
    )


_DID: dict[Fault, str] = {
    "ignored": "did nothing",
    "opposed": "did the opposite",
    "refused": "was refused",
    "unseen": "could not be seen to work",
}
