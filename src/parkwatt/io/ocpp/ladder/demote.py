"""Takes a connection point down the ladder, and tries the next rung at once.

A charger that opposed a set-point is not trusted with its rung again until it has other firmware. What it ignored may have been
the car's doing and counts for one transaction; after three in a row it counts like the former.
"""

from __future__ import annotations

from typing import Literal

from parkwatt.domain.charger.event import SetpointJudged
from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.ladder.check import SECOND_US
from parkwatt.io.ocpp.ladder.drive import drive, judge, settle
from parkwatt.io.ocpp.ladder.memory import Distrust, EvseMemory, Sent
from parkwatt.io.ocpp.ladder.turn import Turn

Fault = Literal["ignored", "opposed", "refused", "unseen"]
# Transactions in a row that ignore set-points on a rung before it is given up.
_IGNORED_MAX = 3
# After a charger charged where it was to discharge, it has to come to rest before the next rung is tried.
_REST_US = SECOND_US
# A rung that is tried later than this after the set-point would not be judged within 30 s of it.
_CLIMB_US = 20 * SECOND_US


def demote(
    turn: Turn, evse: EvseMemory, sent: Sent, fault: Fault, reason: str, *, for_good: bool
) -> None:
    """Tell the verdict on the rung in use, stop using it, and go on with what is below.

    ``for_good``: until the firmware changes, else for this transaction.
    """
    judge(turn, evse, verdict(evse, sent, fault, reason))
    distrust(evse, sent.rung, fault, reason, for_good=for_good)
    if sent.power_kw < 0.0 and (fault == "unseen" or out_of_time(turn, evse)):
        give_up(evse, reason)
    evse.check, evse.form = None, None
    evse.tried.clear()
    evse.reinstalled = False
    rung = settle(turn, evse, f"{sent.rung.words} {_DID[fault]}: {reason}")
    if fault == "opposed" and rung.discharges:
        evse.rest_until_unix_us = turn.now_unix_us + _REST_US
    drive(turn, evse)


def out_of_time(turn: Turn, evse: EvseMemory) -> bool:
    """Whether another rung could not be judged within 30 s of the set-point any more."""
    began_unix_us = evse.climb_unix_us
    return began_unix_us > 0 and turn.now_unix_us - began_unix_us >= _CLIMB_US


def give_up(evse: EvseMemory, reason: str) -> None:
    """Stay on charging limits for this transaction."""
    bottom = Distrust(Rung.NEGATIVE_LIMIT, reason, True, evse.transaction_id)
    evse.distrusts.append(bottom)


def distrust(evse: EvseMemory, rung: Rung, fault: str, reason: str, *, for_good: bool) -> None:
    """Stop using a rung. A refusal is of that rung alone, what failed at work is no better on those above."""
    if rung is Rung.LIMITS_ONLY:
        return
    if rung in evse.proven and fault != "refused":
        evse.proven.remove(rung)
    if fault in {"ignored", "unseen"}:
        evse.ignored_counts[rung] = evse.ignored_counts.get(rung, 0) + 1
        for_good = for_good or evse.ignored_counts[rung] >= _IGNORED_MAX
    transaction_id = None if for_good else evse.transaction_id
    evse.distrusts.append(Distrust(rung, reason, fault != "refused", transaction_id))


def stay(turn: Turn, evse: EvseMemory, sent: Sent, fault: Fault, reason: str) -> None:
    """Tell that the charger does not do as it is told where no lower rung could help."""
    judge(turn, evse, verdict(evse, sent, fault, reason))
    evse.check = None
    if sent.rung in evse.proven and fault != "unseen":
        evse.proven.remove(sent.rung)
    settle(turn, evse, reason)


def verdict(evse: EvseMemory, sent: Sent, fault: Fault, reason: str) -> SetpointJudged:
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
    )


_DID: dict[Fault, str] = {
    "ignored": "did nothing",
    "opposed": "did the opposite",
    "refused": "was refused",
    "unseen": "could not be seen to work",
}
