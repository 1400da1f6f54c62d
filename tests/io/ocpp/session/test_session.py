"""The conversation over one link: frames that are none of OCPP's, answers that nobody can use, and whose turn it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parkwatt.domain.charger.event import CommandAnswered, CommandSent, DeviationSeen
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp import messages
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.inbound import TEXT_CHARACTERS_MAX
from parkwatt.io.ocpp.session.session import (
    BOOT_PATIENCE_US,
    CALLS_WAITING_MAX,
    HAND_CALLS_WAITING_MAX,
    Session,
)
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.version import Version

NOW_UNIX_US = 1_800_000_000_000_000
BOOTS = {
    Version.V16: {"chargePointVendor": "V", "chargePointModel": "M"},
    Version.V201: {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}},
}
BOOTS[Version.V21] = BOOTS[Version.V201]
RESET = {Version.V16: {"type": "Soft"}, Version.V201: {"type": "Immediate"}}
RESET[Version.V21] = RESET[Version.V201]
EVERY = pytest.mark.parametrize("version", list(Version))


def _session(version: Version, *, boot: bool = True) -> Session:
    session = Session(
        ChargerState("box"), version, ChargerSettings(), now_unix_us=NOW_UNIX_US, prefix="p-"
    )
    if boot:
        session.receive(json.dumps([2, "b", "BootNotification", BOOTS[version]]), NOW_UNIX_US)
    return session


def _reset(version: Version, *, key: str | None = None, reason: str = "a test") -> Call:
    return Call("Reset", RESET[version], "setpoint", reason, key=key)


def _say(session: Session, *frame: Any) -> Step:
    return session.receive(json.dumps(frame), NOW_UNIX_US)


def _frames(step: Step) -> list[list[Any]]:
    return [json.loads(frame) for frame in step.frames]


@EVERY
@pytest.mark.parametrize("frame", [(9, "x", {}), (7, "x", "Heartbeat", {})])
def test_only_201_refuses_a_message_type_that_is_none(
    version: Version, frame: tuple[Any, ...]
) -> None:
    step = _say(_session(version), *frame)
    if version is Version.V201:
        [[number, message_id, code, *_]] = _frames(step)
        assert (number, message_id, code) == (4, "x", "MessageTypeNotSupported")
    else:
        assert not step.frames
    assert isinstance(step.events[0], DeviationSeen)


@EVERY
def test_types_of_21_are_none_of_the_others(version: Version) -> None:
    session = _session(version)
    steps = [
        _say(session, 6, "s", "NotifyPeriodicEventStream", {}),
        _say(session, 5, "e", "FormatViolation", "", {}),
    ]
    codes = [frame[2] for step in steps for frame in _frames(step)]
    assert codes == (["MessageTypeNotSupported"] * 2 if version is Version.V201 else [])


@EVERY
def test_a_frame_whose_id_is_illegible_is_refused_where_there_is_an_id_for_that(
    version: Version,
) -> None:
    step = _session(version).receive("[2, nonsense", NOW_UNIX_US)
    assert [frame[1] for frame in _frames(step)] == (["-1"] if version.is_2 else [])


@EVERY
def test_an_answer_that_cannot_be_read_ends_the_wait_and_is_not_answered(version: Version) -> None:
    session = _session(version)
    [sent] = _frames(session.call(_reset(version), NOW_UNIX_US))
    step = session.receive(f'[3,"{sent[1]}",{{"status"', NOW_UNIX_US)
    assert [answer.accepted for answer in step.answers] == [False]
    assert session.pending is None
    assert not any(frame[0] == 4 for frame in _frames(step))


@EVERY
def test_an_error_without_an_id_is_the_answer_to_what_was_asked(version: Version) -> None:
    session = _session(version)
    session.call(_reset(version), NOW_UNIX_US)
    step = _say(session, 4, "-1", "RpcFrameworkError", "d" * 1000, {})
    [answer] = step.answers
    assert answer.error == "RpcFrameworkError"
    assert len(answer.description) == 255


@EVERY
def test_answers_that_come_late_or_to_nobody_are_nothing(version: Version) -> None:
    session = _session(version)
    [sent] = _frames(session.call(_reset(version), NOW_UNIX_US))
    late = session.tick(NOW_UNIX_US + 31_000_000)
    assert [answer.error for answer in late.answers] == ["Timeout"]
    for number in (3, 4):
        for message_id in (sent[1], "nobody"):
            step = _say(session, number, message_id, {})
            assert step == Step()


@EVERY
def test_one_thing_is_asked_at_a_time_and_a_newer_call_takes_the_place_of_an_older(
    version: Version,
) -> None:
    session = _session(version)
    [first] = _frames(session.call(_reset(version, key="k", reason="first"), NOW_UNIX_US))
    assert not session.call(_reset(version, key="k", reason="second"), NOW_UNIX_US).frames
    replaced = session.call(_reset(version, key="k", reason="third"), NOW_UNIX_US)
    assert [answer.error for answer in replaced.answers] == ["Replaced"]
    assert replaced.events == []
    step = _say(session, 3, first[1], {"status": "Accepted"})
    assert [event.reason for event in step.events if isinstance(event, CommandSent)] == ["third"]


@EVERY
def test_calls_by_hand_never_crowd_out_our_own(version: Version) -> None:
    session = _session(version)
    by_hand = Call("Reset", RESET[version], "hand", "a test")
    steps = [session.call(by_hand, NOW_UNIX_US) for _ in range(HAND_CALLS_WAITING_MAX + 9)]
    errors = [answer.error for step in steps for answer in step.answers]
    assert errors == ["Unsendable"] * 8
    assert not session.call(_reset(version), NOW_UNIX_US).answers


@EVERY
def test_the_queue_is_bounded(version: Version) -> None:
    session = _session(version)
    for _ in range(CALLS_WAITING_MAX + 1):
        assert not session.call(_reset(version), NOW_UNIX_US).answers
    [answer] = session.call(_reset(version), NOW_UNIX_US).answers
    assert answer.error == "Timeout"
    assert len(session.waiting) == CALLS_WAITING_MAX


@EVERY
def test_nothing_is_asked_before_the_boot_was_answered_or_half_a_minute_passed(
    version: Version,
) -> None:
    session = _session(version, boot=False)
    assert not session.call(_reset(version), NOW_UNIX_US).frames
    assert not session.tick(NOW_UNIX_US + BOOT_PATIENCE_US - 1).frames
    assert session.next_tick_unix_us == NOW_UNIX_US + BOOT_PATIENCE_US
    [sent] = _frames(session.tick(NOW_UNIX_US + BOOT_PATIENCE_US))
    assert sent[2] == "Reset"


@EVERY
def test_what_breaks_the_schema_is_not_sent(version: Version) -> None:
    session = _session(version)
    step = session.call(Call("Reset", {"type": "Never"}, "hand", "a test"), NOW_UNIX_US)
    [event] = step.events
    assert isinstance(event, CommandAnswered)
    assert event.message_id == ""
    assert event.error.startswith("Unsendable: type")
    assert not step.frames


def test_a_charger_cannot_fill_the_journal_with_its_own_words() -> None:
    session = _session(Version.V201)
    for number in range(1000):
        step = _say(session, 2, f"m{number}", f"{number}" + "A" * 50_000, {})
        for event in step.events:
            assert isinstance(event, DeviationSeen)
            assert len(event.action) <= TEXT_CHARACTERS_MAX
            assert len(event.rule) <= TEXT_CHARACTERS_MAX
    assert session.state.deviation_count <= 256


def test_a_reply_does_not_repeat_what_breaks_its_schema() -> None:
    step = _say(
        _session(Version.V21), 2, "m", "GetCertificateChainStatus", {"certificateStatusRequests": 7}
    )
    [[number, message_id, payload, *_]] = _frames(step)
    assert message_id == "m"
    if number == 3:
        messages.check_response(Version.V21, "GetCertificateChainStatus", payload)
    else:
        assert (number, payload) == (4, "PropertyConstraintViolation")
