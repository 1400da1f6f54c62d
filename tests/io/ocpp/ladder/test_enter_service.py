"""A grid code's return to the grid, written to a virtual charger of 2.1 and read back: what it holds, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from parkwatt.domain.charger.event import EnterServiceJudged
from parkwatt.io.ocpp.ladder import Ladder
from parkwatt.io.ocpp.ladder.enter_service import CONTROL_ID
from parkwatt.io.ocpp.session.settings import ChargerSettings, EnterService
from parkwatt.io.ocpp.station import Station
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings
from tests.io.ocpp.ladder.link import Link

RULE_21 = EnterService("california-rule21-2022-sb", 0.917, 1.05, 59.5, 60.1, 15.0, 300.0)
OWN = ChargerSettings(discharge=True, power_kw_max=7.4, phase_count=1, enter_service=RULE_21)
_BY_HAND = {"requestId": 1, "tbc": False}


def linked(own: ChargerSettings = OWN, protocol: Protocol = "2.1", **faults: Any) -> Link:
    """A charger that was looked at; its controls were written, or not."""
    station = StationSettings(
        protocol=protocol,
        phases=1,
        power_kw_max=7.4,
        discharge_kw_max=7.4,
        car=CarSettings(charge_kw_max=7.4, discharge_kw_max=7.4),
    )
    return Link(protocol, station, own, **faults).run(40.0)


def sent(link: Link) -> list[str]:
    return [action for action, _ in link.calls if action.endswith("DERControl")]


def verdicts(link: Link) -> list[str]:
    return [event.verdict for event in link.events if isinstance(event, EnterServiceJudged)]


def held(link: Link) -> dict[str, Any] | None:
    """What the charger has in the end, of ours."""
    controls = link.station.power.der.find(is_default=None, kind=None, control_id=CONTROL_ID)
    return controls[0].body if controls else None


def restarted(link: Link, own: ChargerSettings) -> None:
    """The back end began again, with other settings, and was told by its journal what it knew."""
    link.cut()
    ladder = Ladder(own)
    ladder.restore(link.backend.ladder.export())
    link.backend = Station(link.backend.state, own, ladder=ladder)
    link.join().run(40.0)


def test_a_charger_gets_the_grid_code_and_reads_it_back() -> None:
    link = linked()
    assert sent(link) == ["SetDERControl", "GetDERControl"]
    assert verdicts(link) == ["held"]
    assert held(link) == {
        "priority": 1,
        "highVoltage": 105.0,
        "lowVoltage": 91.7,
        "highFreq": 60.1,
        "lowFreq": 59.5,
        "delay": 15.0,
        "rampRate": 300.0,
    }
    link.run(600.0, step_s=1.0)
    assert sent(link) == ["SetDERControl", "GetDERControl"], "once is enough"


def test_voltages_may_be_told_in_volts() -> None:
    body = held(linked(replace(OWN, enter_service_unit="volt")))
    assert body is not None
    assert (body["lowVoltage"], body["highVoltage"]) == (210.91, 241.5)


@pytest.mark.parametrize(
    ("own", "protocol"),
    [
        (replace(OWN, enter_service=None), "2.1"),
        (replace(OWN, enter_service_unit="off"), "2.1"),
        (OWN, "2.0.1"),
        (OWN, "1.6"),
    ],
)
def test_who_wants_none_or_knows_none_gets_none(own: ChargerSettings, protocol: Protocol) -> None:
    link = linked(own, protocol)
    assert sent(link) == []
    assert verdicts(link) == []


def test_a_charger_without_grid_code_functions_gets_none() -> None:
    station = StationSettings(protocol="2.1", der=False)
    link = Link("2.1", station, OWN).run(40.0)
    assert sent(link) == []


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [
        ("rejects", "refused", "the installer has locked it"),
        ("lies", "differs", "delay 0 instead of 15"),
        ("silent", "unseen", "no report within 30 s"),
    ],
)
def test_what_it_does_not_hold_is_said(fault: str, verdict: str, reason: str) -> None:
    link = linked(der=fault)
    (judged,) = (event for event in link.events if isinstance(event, EnterServiceJudged))
    assert (judged.verdict, judged.grid_code) == (verdict, RULE_21.grid_code)
    assert reason in judged.reason
    assert link.backend.state.enter_service == judged
    count = len(sent(link))
    link.run(900.0, step_s=1.0)
    assert len(sent(link)) == count, "nobody is asked again and again"


def test_it_is_written_again_after_a_boot() -> None:
    link = linked(der="forgets")
    link.station.reboot()
    assert held(link) is None
    link.run(5.0).cut().join().run(60.0)
    assert verdicts(link) == ["held", "held"]
    assert held(link) is not None


def test_a_link_that_drops_on_the_way_is_no_verdict() -> None:
    link = linked(der="silent")
    assert verdicts(link) == ["unseen"]
    link = Link("2.1", None, OWN, der="silent")
    while "GetDERControl" not in sent(link):
        link.run(0.5)
    link.cut().run(60.0)
    assert verdicts(link) == []
    link.station.faults.der = "normal"
    link.join().run(60.0)
    assert verdicts(link) == ["held"]


def test_other_numbers_take_the_place_of_those_before_and_none_takes_ours_away() -> None:
    link = linked()
    assert link.station.power.der.set(_of_somebody_else()) == ("Accepted", [])
    restarted(link, replace(OWN, enter_service=replace(RULE_21, delay_s=60.0)))
    body = held(link)
    assert body is not None
    assert body["delay"] == 60.0
    restarted(link, replace(OWN, enter_service=None))
    assert verdicts(link) == ["held", "held", "cleared"]
    assert held(link) is None
    assert link.backend.state.enter_service is None
    theirs = link.station.power.der.find(is_default=None, kind=None, control_id="utility")
    assert len(theirs) == 1, "nobody else's is touched"


def test_a_report_that_is_asked_for_by_hand_decides_nothing() -> None:
    link = linked(der="silent")
    frame = json.dumps([2, "hand", "ReportDERControl", _BY_HAND])
    link.backend.receive(frame, link.now_us)
    assert verdicts(link) == ["unseen"]


def _of_somebody_else() -> dict[str, Any]:
    droop = {
        "priority": 0,
        "overFreq": 60.05,
        "underFreq": 59.95,
        "overDroop": 0.05,
        "underDroop": 0.05,
        "responseTime": 5.0,
    }
    return {
        "isDefault": True,
        "controlId": "utility",
        "controlType": "FreqDroop",
        "freqDroop": droop,
    }
