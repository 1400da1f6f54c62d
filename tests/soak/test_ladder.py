"""Chargers that do as they please, asked to discharge over real sockets: each ends on the rung that it deserves, in time.

Half of them rest at 0 kW first and go wrong with the request, so that what they charge afterwards they charge because of it.
The others charge and are wrong from the start. The true power is sampled in the charger itself.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from parkwatt.io.sim.faults import Disobedience, Faults
from parkwatt.io.sim.run import run_station
from parkwatt.io.sim.settings import CarSettings, Protocol, StationSettings
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.store.reader import JournalReader
from tests.app.serve.running import RunningServer, running
from tests.soak.kill import JOURNAL
from tests.soak.ledger import Kept, read_journal

POWER_KW = -3.0
# Of the ladder: the search for a rung ends then in any case.
SEARCH_S = 30.0
# A check of one rung, by the ladder at most 10 s with a reading every 2 s, and the way down from it.
CHECK_S = 14.0
SAMPLE_S = 0.02
# More than a charger's own consumption.
CHARGING_KW = 0.3
TOLERANCE_WH = 1.0


@dataclass
class Case:
    """A charger, the rung it deserves, and what it did. ``rests``: at 0 kW, obediently, until it is asked to discharge.

    ``always_charges``: whatever it is asked, or for longer than the search lasts.
    """

    id: str
    level: int
    disobey: Disobedience = "none"
    protocol: Protocol = "2.1"
    rests: bool = True
    dynamic_profiles: bool = True
    always_charges: bool = False
    station: VirtualStation | None = None
    lines: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    samples: list[tuple[float, float]] = field(default_factory=list)

    @property
    def settings(self) -> StationSettings:
        """One phase: on three, less than 4.1 kW is a pause."""
        return StationSettings(
            id=self.id,
            protocol=self.protocol,
            car=CarSettings(charge_kw_max=7.4, discharge_kw_max=7.4),
            power_kw_max=7.4,
            discharge_kw_max=7.4,
            phases=1,
            dynamic_profiles=self.dynamic_profiles,
            negative_limit="discharge" if self.protocol == "1.6" else "reject",
            meter_interval_s=10,
        )

    @property
    def wrong_from_start(self) -> bool:
        """Whether it never obeys; a slow one would take minutes to begin to charge."""
        return not self.rests and self.disobey != "slow_ramp"

    @property
    def live(self) -> VirtualStation:
        """The station, once it runs."""
        assert self.station is not None
        return self.station

    def take(self, station: VirtualStation) -> None:
        """Keep the station."""
        self.station = station

    def spells_s(self) -> list[float]:
        """For how long it charged each time, by the samples."""
        spells: list[float] = []
        charged_before = False
        for (earlier_s, power_kw), (later_s, _) in pairwise(self.samples):
            charges = power_kw > CHARGING_KW
            if charges:
                spells = [*spells, 0.0] if not charged_before else spells
                spells[-1] += later_s - earlier_s
            charged_before = charges
        return spells


def chargers() -> list[Case]:
    """Every way to disobey, and two that do not."""
    return [
        Case("good", 3),
        Case("no-dynamic", 2, dynamic_profiles=False),
        Case("slow-ramp", 3, "slow_ramp"),
        Case("full-power", 0, "full_power"),
        Case("nothing", 0, "nothing"),
        Case("not-implemented", 0, "not_implemented"),
        Case("unsupported-kind", 2, "unsupported_kind"),
        Case("ignores-limits", 0, "ignores_limits", always_charges=True),
        Case("negative-as-zero", 0, "negative_as_zero", "1.6"),
        Case("negative-as-maximum", 0, "negative_as_maximum", "1.6"),
        Case("good-16", 1, protocol="1.6"),
        Case("good-from-charging", 3, rests=False),
        Case("full-power-from-charging", 0, "full_power", rests=False),
        Case("nothing-from-charging", 0, "nothing", rests=False),
        Case("slow-ramp-from-charging", 0, "slow_ramp", rests=False, always_charges=True),
        Case("unsupported-from-charging", 2, "unsupported_kind", rests=False),
        Case("not-implemented-ever", 0, "not_implemented", rests=False, always_charges=True),
        Case("zero-from-charging", 0, "negative_as_zero", "1.6", rests=False),
        Case("maximum-from-charging", 0, "negative_as_maximum", "1.6", rests=False),
    ]


def site(cases: Sequence[Case]) -> str:
    """The site's file: every driver agreed, and the models of 1.6 are known to take negative limits."""
    text = """\
[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true
[api]
listen = "127.0.0.1:0"
[charger_defaults]
discharge = true
"""
    for case in cases:
        if case.protocol == "1.6":
            text += f'[[charger]]\nid = "{case.id}"\nnegative_limit = true\n'
    return text


async def _sample(cases: Sequence[Case], stop: asyncio.Event) -> None:
    while not stop.is_set():
        now_s = time.monotonic()
        for case in cases:
            case.samples.append((now_s, case.live.power_kw))
        await asyncio.sleep(SAMPLE_S)


async def _ask(server: RunningServer, case: Case, power_kw: float) -> None:
    path = f"/v1/chargers/{case.id}/evses/1/setpoint"
    await server.asks("PUT", path, {"power_kw": power_kw, "lease_s": 600})


async def _wait_for_power(case: Case, power_kw: float, timeout_s: float) -> None:
    until_s = time.monotonic() + timeout_s
    while abs(case.live.power_kw - power_kw) > CHARGING_KW:
        assert time.monotonic() < until_s, f"{case.id} is at {case.live.power_kw} kW"
        await asyncio.sleep(SAMPLE_S)


async def _live(server: RunningServer, cases: list[Case], time_unit_s: float) -> None:
    """Rest, then be asked to discharge, for as long as a search may take and some more; then leave."""
    stop, sampled = asyncio.Event(), asyncio.Event()
    running_cases = [
        asyncio.create_task(
            run_station(
                server.ocpp_url,
                case.settings,
                stop=stop,
                faults=Faults(disobey=case.disobey if case.wrong_from_start else "none"),
                control=case.lines,
                on_start=case.take,
            )
        )
        for case in cases
    ]
    for case in cases:
        await server.transactions(case.id, lambda shown: any(known["open"] for known in shown))
        if case.rests:
            await _ask(server, case, 0.0)
    for case in cases:
        await _wait_for_power(case, 0.0 if case.rests else 7.4, 30 * time_unit_s)
    for case in cases:
        case.live.faults.disobey = case.disobey
        case.live.power.changed()
    sampling = asyncio.create_task(_sample(cases, sampled))
    await asyncio.gather(*(_ask(server, case, POWER_KW) for case in cases))
    await asyncio.sleep(SEARCH_S + 2.0)
    for case in cases:
        shown = await server.charger(case.id, lambda _: True)
        assert shown["evses"][0]["rung"]["level"] == case.level, (case.id, shown["evses"][0])
    sampled.set()
    await sampling
    for case in cases:
        case.lines.put_nowait("unplug")
        await server.transactions(case.id, lambda shown: not any(known["open"] for known in shown))
    stop.set()
    await asyncio.gather(*running_cases)


def test_each_ends_on_its_rung_in_time(tmp_path: Path, time_unit_s: float) -> None:
    cases = chargers()
    with running(site(cases), tmp_path, 30 * time_unit_s) as server:
        asyncio.run(_live(server, cases, time_unit_s))
        assert server.stop() == 0
    journal = tmp_path / JOURNAL
    kept = read_journal(journal)
    for case in cases:
        settled_s = settled_after_s(journal, case.id)
        spells_s = case.spells_s()
        sys.stdout.write(
            f"{case.id}: L{case.level} after {settled_s:.1f} s, charged {sum(spells_s):.1f} s, at most "
            f"{max(spells_s, default=0.0):.1f} s at once, then {case.samples[-1][1]:.2f} kW\n"
        )
        assert settled_s <= SEARCH_S, case.id
        assert case.always_charges or max(spells_s, default=0.0) <= CHECK_S * time_unit_s, case.id
        if case.level > 0:
            assert case.samples[-1][1] == pytest.approx(POWER_KW, abs=CHARGING_KW) or (
                case.disobey == "slow_ramp" and case.samples[-1][1] < -CHARGING_KW
            )
        _assert_counted(case, kept)


def settled_after_s(journal: Path, charger_id: str) -> float:
    """From the request to the last verdict or change of the rung."""
    asked_unix_us = settled_unix_us = 0
    for entry in JournalReader(journal).read(subject=charger_id):
        if entry.kind == "setpoint.asked":
            asked_unix_us = settled_unix_us = entry.recorded_unix_us
        elif entry.kind in ("setpoint.judged", "charger.rung"):
            settled_unix_us = entry.recorded_unix_us
        elif entry.kind == "setpoint.released":
            break
    return (settled_unix_us - asked_unix_us) / 1e6


def _assert_counted(case: Case, kept: Kept) -> None:
    """What was counted is what the meter showed, to a watt-hour; nothing where nothing was discharged."""
    [truth] = case.live.transactions
    name = truth.id if truth.csms_id is None else str(truth.csms_id)
    counted = kept.transactions[case.id, name]
    assert counted.imported_kwh is not None
    assert counted.exported_kwh is not None
    assert counted.imported_kwh * 1000 == pytest.approx(truth.import_wh, abs=TOLERANCE_WH)
    assert counted.exported_kwh * 1000 == pytest.approx(truth.export_wh, abs=TOLERANCE_WH)
    assert (truth.export_wh > TOLERANCE_WH) == (case.level > 0), case.id
