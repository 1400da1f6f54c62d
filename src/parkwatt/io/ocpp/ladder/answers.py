"""What the charger's answers to the ladder's calls mean.

A refusal is answered at once: another stack level or unit where that may be the matter, else the next rung.
"""

from __future__ import annotations

from parkwatt.domain.charger.rung import Rung
from parkwatt.io.ocpp.call import Answer
from parkwatt.io.ocpp.ladder import composite, offered
from parkwatt.io.ocpp.ladder.check import goal
from parkwatt.io.ocpp.ladder.demote import demote, stay
from parkwatt.io.ocpp.ladder.drive import (
    ask_schedule,
    drive,
    refuse,
    rests_instead,
    tell_refusal,
)
from parkwatt.io.ocpp.ladder.memory import EvseMemory, Form, RateUnit, ScheduleView, Sent
from parkwatt.io.ocpp.ladder.turn import Turn
from parkwatt.io.ocpp.ladder.watch import go_on

# The charger has no such message, or no such kind of it: nothing else will make it take the rung.
_INCAPABLE = {
    *("notimplemented", "notsupported", "unsendable", "unsupportedkind", "unsupportedpurpose"),
    *("invalidschedule", "nofreqwattcurve", "nosignalwattcurve"),
}
_NO_MESSAGE = {"notimplemented", "notsupported", "unsendable"}
_NO_TRANSACTION = {"txnotfound", "unknowntransaction"}
_OTHER: dict[RateUnit, RateUnit] = {"W": "A", "A": "W"}


def setpoint_answered(turn: Turn, evse: EvseMemory, kind: str, answer: Answer) -> None:
    """The answer to a profile or its update."""
    sent = evse.sent
    if sent is None or answer.error == "Disconnected":
        return
    if answer.accepted:
        _accepted(turn, evse, sent)
    elif answer.error == "Timeout":
        evse.rested = False
        if rests_instead(evse):
            refuse(turn, evse, "it did not answer when it was told to rest")
        if evse.check is not None:
            evse.check.unanswered = True
            go_on(turn, evse)
    elif kind == "update":
        _update_refused(turn, evse, sent, answer)
    else:
        _refused(turn, evse, sent, answer)


def schedule_answered(turn: Turn, evse: EvseMemory, answer: Answer) -> None:
    """The answer to GetCompositeSchedule; a charger without one is judged by its meter alone."""
    if answer.error.lower() in _NO_MESSAGE:
        turn.memory.no_schedule = True
    check, sent = evse.check, evse.sent
    if check is None or sent is None or not answer.accepted:
        return
    power_kw = composite.scheduled_kw(answer.payload, turn.settings)
    if power_kw is None:
        return
    check.scheduled_kw = power_kw
    check.schedule = _view(sent, power_kw)
    go_on(turn, evse)


def trigger_answered(turn: Turn, evse: EvseMemory, answer: Answer) -> None:
    """The answer to TriggerMessage; a charger without one is judged by the values that it sends of its own."""
    if answer.accepted or answer.error in {"Timeout", "Disconnected"}:
        return
    if answer.error.lower() in _NO_MESSAGE or answer.status == "NotImplemented":
        turn.memory.no_trigger = True
    elif evse.check is not None:
        evse.check.trigger_refused = True


def _view(sent: Sent, scheduled_kw: float) -> ScheduleView:
    aim = goal((sent.power_kw, sent.power_kw), sent.curve, None)
    if aim.discharges and scheduled_kw > aim.tolerance_kw:
        return "opposes"
    return "follows" if aim.allows(scheduled_kw) else "differs"


def _accepted(turn: Turn, evse: EvseMemory, sent: Sent) -> None:
    sent.accepted = True
    evse.rested = evse.rested and sent.power_kw == 0.0
    if sent.rung is not Rung.LOCAL_FREQUENCY:
        turn.memory.form = Form(sent.form.stack_level, sent.form.rate_unit)
    if sent.rung <= Rung.NEGATIVE_LIMIT:
        turn.memory.limit_purpose = sent.form.purpose
    evse.form = None
    evse.tried.clear()
    if evse.check is not None and evse.check.accepted_unix_us is None:
        evse.check.accepted_unix_us = turn.now_unix_us
        ask_schedule(turn, evse)
    tell_refusal(turn, evse)
    if evse.held_unix_us:
        drive(turn, evse)


def _update_refused(turn: Turn, evse: EvseMemory, sent: Sent, answer: Answer) -> None:
    """Without the message the rung is none; a profile that the charger lost is installed once more."""
    incapable = _code(answer) in _INCAPABLE
    if incapable or evse.reinstalled:
        reason = f"UpdateDynamicSchedule was answered with {_words(answer)}"
        demote(turn, evse, sent, "refused", reason, for_good=incapable)
        return
    evse.reinstalled = True
    evse.sent = None
    drive(turn, evse)


def _refused(turn: Turn, evse: EvseMemory, sent: Sent, answer: Answer) -> None:
    code = _code(answer)
    reason = f"SetChargingProfile for {sent.power_kw:+.1f} kW was answered with {_words(answer)}"
    formless = code in _INCAPABLE or code in _NO_TRANSACTION
    formless = formless or sent.form.purpose == "TxDefaultProfile"
    other = None if formless else _other_form(turn, evse, sent, code, answer)
    if other is None and code not in _NO_TRANSACTION:
        other = _default_form(turn, sent, answer, evse.tried)
    if other is not None:
        evse.tried.append(sent.form)
        evse.form = other
        evse.sent = None
        drive(turn, evse)
    elif sent.rung is Rung.LIMITS_ONLY:
        stay(turn, evse, sent, "refused", reason)
    else:
        for_good = code in _INCAPABLE or bool(answer.error)
        demote(turn, evse, sent, "refused", reason, for_good=for_good)


def _other_form(turn: Turn, evse: EvseMemory, sent: Sent, code: str, answer: Answer) -> Form | None:
    """Another way to write the profile that was not tried yet.

    There is none where the charger took this way before, and above the lowest rung none for a fault of the message itself.
    """
    if answer.error and sent.rung is not Rung.LIMITS_ONLY:
        return None
    known, told = sent.form, offered.form(turn.state, turn.version)
    if known == turn.memory.form and "stacklevel" not in code and "rateunit" not in code:
        return None
    other = _OTHER[known.rate_unit]
    candidates = [Form(0, known.rate_unit), Form(told.stack_level, other), Form(0, other)]
    candidates.append(Form(1, known.rate_unit))
    for form in candidates:
        same_level = "stacklevel" in code and form.stack_level == known.stack_level
        same_unit = "rateunit" in code and form.rate_unit == known.rate_unit
        needs_power = sent.rung is Rung.LOCAL_FREQUENCY and form.rate_unit != "W"
        known_bad = form == known or form in evse.tried
        if not (same_level or same_unit or needs_power or known_bad):
            return form
    return None


def _default_form(turn: Turn, sent: Sent, answer: Answer, tried: list[Form]) -> Form | None:
    """A default of the connection point in place of a limit for the transaction, which some chargers do not take.

    Only where the default for all transactions was accepted: so the charger takes such a profile, in one way or another.
    """
    known = sent.form
    if answer.error or sent.rung is not Rung.LIMITS_ONLY or turn.memory.default != "installed":
        return None
    if known.purpose == turn.memory.limit_purpose == "TxDefaultProfile":
        return None
    for rate_unit in (known.rate_unit, _OTHER[known.rate_unit]):
        for stack_level in (1, 0):
            form = Form(stack_level, rate_unit, "TxDefaultProfile")
            if form != known and form not in tried:
                return form
    return None


def _code(answer: Answer) -> str:
    return (answer.reason_code or answer.error or answer.status).lower()


def _words(answer: Answer) -> str:
    words = [answer.status or answer.error, answer.reason_code, answer.description]
    return ", ".join(word for word in words if word) or "nothing"
