"""A journal's decisions, run again: alike by the same program, and shown where they would differ."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from parkwatt.domain.charger import event as events
from parkwatt.domain.charger.command import Approved, SetPower
from parkwatt.domain.charger.event import CommandSent, RungChanged, SetpointJudged
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.journal import THINNED, Entry
from parkwatt.io.ocpp.replay import Replay
from parkwatt.io.ocpp.session.settings import ChargerSettings
from tests.io.ocpp.made_backend import SETTINGS, START_UNIX_US, Charger, Site


def _entries(directory: Path) -> list[Entry]:
    """A charger that charges by two set-points and loses its link between them."""

    async def story() -> list[Entry]:
        site = Site(directory)
        charger = Charger(site, "C1")
        charger.connect()
        charger.begin()
        for power_kw in (6.0, 3.0):
            site.backend.command(Approved("C1", SetPower(1, power_kw, 600, "a test")))
            for _ in range(40):
                charger.update()
                site.pass_s(1.0)
                while charger.queue or charger.replies:
                    charger.speak()
                    await site.settle()
            charger.drop()
            charger.connect()
        await site.stop()
        site.start()
        entries = site.entries("C1")
        site.journal.close()
        return entries

    return asyncio.run(story())


def _differing(entries: list[Entry], settings: ChargerSettings) -> list[events.ChargerEvent]:
    replay = Replay(lambda _: settings)
    taken = [replay.take(entry) for entry in entries]
    return [one.event for one in taken if one is not None and one.same is False]


def test_the_same_program_decides_the_same(tmp_path: Path) -> None:
    entries = _entries(tmp_path)
    assert not _differing(entries, SETTINGS)
    decided = [entry for entry in entries if entry.kind in {"command.sent", "setpoint.judged"}]
    assert len(decided) > 5


def test_other_settings_decide_otherwise(tmp_path: Path) -> None:
    differing = _differing(_entries(tmp_path), ChargerSettings(power_kw_max=4.0))
    assert any(isinstance(event, CommandSent) for event in differing)


def test_a_decision_that_nobody_would_take_is_shown(tmp_path: Path) -> None:
    entries = _entries(tmp_path)
    made_up: list[events.ChargerEvent] = [
        SetpointJudged(1, 6.0, "opposed", "made up", Rung.CENTRAL_SETPOINT),
        RungChanged(1, Rung.DYNAMIC_SETPOINT, Rung.DYNAMIC_SETPOINT, True, "made up"),
    ]
    seq, at_unix_us = entries[-1].seq, entries[-1].recorded_unix_us
    for event in made_up:
        seq += 1
        payload = events.encode(event)
        entries.append(Entry(seq, at_unix_us, events.kind(event), "C1", payload))
    assert _differing(entries, SETTINGS) == made_up


def test_what_was_thinned_or_is_nobodys_is_passed_over() -> None:
    replay = Replay(lambda _: SETTINGS)
    assert replay.take(Entry(1, START_UNIX_US, "meter.read", "C1", None)) is None
    assert replay.take(Entry(2, START_UNIX_US, THINNED, "", msgspec.json.encode({}))) is None
