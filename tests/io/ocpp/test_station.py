"""One charger without a back end: what follows from what, in the order in which the journal has it."""

from __future__ import annotations

import json
from typing import Any

from parkwatt.domain.charger.command import ReleasePower, SetPower
from parkwatt.domain.charger.event import (
    ClockTicked,
    CommandSent,
    Disconnected,
    SetpointAsked,
    SetpointReleased,
)
from parkwatt.domain.charger.state import ChargerState
from parkwatt.io.ocpp.call import Call
from parkwatt.io.ocpp.session.settings import ChargerSettings
from parkwatt.io.ocpp.session.step import Step
from parkwatt.io.ocpp.station import Station
from parkwatt.io.ocpp.version import Version

NOW_UNIX_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


def _station() -> Station:
    station = Station(ChargerState("box"), ChargerSettings())
    station.connect(Version.V16, 1, "peer", NOW_UNIX_US, prefix="p-")
    return station


def _say(station: Station, *frame: Any, at_s: float = 0.0) -> Step:
    return station.receive(json.dumps(frame), NOW_UNIX_US + int(at_s * SECOND_US))


def _boot(station: Station) -> Step:
    payload = {"chargePointVendor": "V", "chargePointModel": "M"}
    return _say(station, 2, "b", "BootNotification", payload)


def test_the_reply_comes_before_what_follows_from_it() -> None:
    step = _boot(_station())
    assert json.loads(step.frames[0])[:2] == [3, "b"]
    assert json.loads(step.frames[1])[2] == "SetChargingProfile"
    kinds = [type(event).__name__ for event in step.events]
    assert kinds == ["Booted", "CommandSent"]


def test_a_charger_without_a_boot_is_asked_after_half_a_minute() -> None:
    station = _station()
    assert station.next_tick_unix_us == NOW_UNIX_US + 30 * SECOND_US
    step = station.tick(NOW_UNIX_US + 30 * SECOND_US)
    assert any(isinstance(event, CommandSent) for event in step.events)


def test_a_lease_lapses_with_a_tick_before_it() -> None:
    station = _station()
    asked = station.set_power(SetPower(1, 6.0, 20, "a test"), NOW_UNIX_US)
    assert [type(event) for event in asked.events] == [SetpointAsked]
    step = station.tick(NOW_UNIX_US + 20 * SECOND_US)
    assert isinstance(step.events[0], ClockTicked)
    assert SetpointReleased(1, "nobody renewed it within 20 s", lapsed=True) in step.events


def test_what_is_not_there_cannot_be_released() -> None:
    station = _station()
    before = station.ladder.export()
    assert station.release_power(ReleasePower(7, "enough"), NOW_UNIX_US) == Step()
    assert station.ladder.export() == before


def test_without_a_link_nothing_is_received_or_sent() -> None:
    station = _station()
    _boot(station)
    step = station.disconnect("gone", NOW_UNIX_US)
    assert step.events[-1] == Disconnected("gone")
    assert station.receive("[]", NOW_UNIX_US) == Step()
    assert station.disconnect("gone", NOW_UNIX_US) == Step()
    sent = station.send(Call("Reset", {"type": "Soft"}, "hand", "a test"), NOW_UNIX_US)
    assert [answer.error for answer in sent.answers] == ["Disconnected"]
    assert not station.set_power(SetPower(1, 6.0, 60, "a test"), NOW_UNIX_US).frames


def test_a_second_link_ends_the_first_conversation() -> None:
    station = _station()
    _boot(station)
    step = station.connect(Version.V16, 1, "peer", NOW_UNIX_US, prefix="q-")
    kinds = [type(event).__name__ for event in step.events]
    assert kinds == ["CommandAnswered", "Disconnected", "Connected"]
