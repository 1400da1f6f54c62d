"""The routes of a home's backup over a real journal, with a gateway that tells what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.api.home_words import KINDS, home_event_words
from parkwatt.app.api.reasons import read_after
from parkwatt.app.up.home_runner import HomeRunner
from parkwatt.app.up.why import explain_all
from parkwatt.domain.home import event as events
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.home.settings import HomeSettings
from parkwatt.home.state import HomeState
from parkwatt.io.gateway.link import DeviceError
from parkwatt.io.store.reader import JournalReader
from tests.app.api.live_served import LiveServed, live_served
from tests.home.test_controller import CODE, SETTINGS, US


class SayingGateway:
    """A gateway's link that keeps what it is asked for, and does it; ``deaf``: it cannot be told anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pole, self.source = "closed", "open"
        self.deaf = False

    async def run(
        self,
        on_reading: Callable[[GatewayReading], None],  # noqa: ARG002
        on_state: Callable[[SourceChanged], None],  # noqa: ARG002
    ) -> NoReturn:
        """Nothing by itself: the test tells readings."""
        while True:
            await asyncio.sleep(3600)

    async def request(self, transfer: ApprovedTransfer) -> None:
        """Do it at once."""
        if self.deaf:
            raise DeviceError("nobody answers")
        self.asked.append(transfer.action)
        verb, _, what = transfer.action.partition("_")
        done = "open" if verb == "open" else "closed"
        if what == "grid_pole":
            self.pole = done
        elif what == "island_source":
            self.source = done


class Backed:
    """A served site with a backup."""

    def __init__(self, served: LiveServed, settings: HomeSettings = SETTINGS) -> None:
        self.served = served
        self.gateway = SayingGateway()
        self.home = HomeRunner(
            settings, served.runner, served.site.journal, lambda: served.clock[0], self.gateway
        )
        self.tasks = [
            asyncio.create_task(self.home._send_transfers()),
            asyncio.create_task(self.home._send_commands()),
        ]
        self.voltage_pu = 1.0

    async def live(self, seconds: int) -> None:
        """Steps of a second, each with a reading; what is to be sent is sent between them."""
        for _ in range(seconds):
            self.served.clock[0] += US
            self.home.on_gateway(
                GatewayReading(
                    self.served.clock[0],
                    grid_voltage_pu=(self.voltage_pu,),
                    grid_frequency_hz=CODE.nominal_hz if self.voltage_pu else 0.0,
                    grid_pole=self.gateway.pole,  # type: ignore[arg-type]
                    island_source=self.gateway.source,  # type: ignore[arg-type]
                )
            )
            self.home.step()
            await self.served.durable()
            await asyncio.sleep(0)

    async def call(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """Call a route."""
        answer = await self.served.client.request(method, f"/v1/backup{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def folded(self) -> HomeState:
        """What the journal alone tells."""
        again = HomeRunner(
            SETTINGS,
            self.served.runner,
            self.served.site.journal,
            lambda: self.served.clock[0],
            self.gateway,
        )
        again.restore(JournalReader(self.served.site.journal.path))
        self.served.runner.backup = self.home
        return again.controller.state

    def end(self) -> None:
        """Stop sending."""
        for task in self.tasks:
            task.cancel()


def _story(tmp_path: Path, story: Callable[[Backed], Any]) -> None:
    async def run() -> None:
        async with live_served(tmp_path) as served:
            backed = Backed(served)
            try:
                await story(backed)
            finally:
                backed.end()

    asyncio.run(run())


def test_a_site_without_a_backup_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with live_served(tmp_path) as served:
            answer = await served.client.get("/v1/backup")
            assert answer.status_code == 409
            assert "no [backup]" in answer.json()["detail"]

    asyncio.run(run())


def test_what_people_decide_is_shown_and_in_the_journal(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(3)
        start = datetime.fromtimestamp(backed.served.clock[0] / US, tz=UTC) + timedelta(hours=5)
        shown = await backed.call("GET", "")
        assert (shown["phase"], shown["grid"]) == ("grid", "present")
        await backed.call("PUT", "/circuits/fridge/choice", {"choice": "keep_on"})
        await backed.call("PUT", "/circuits/nothing/choice", {"choice": "keep_on"}, 404)
        body = {
            "outage": "planned",
            "start": start.isoformat(),
            "end": (start + timedelta(hours=42)).isoformat(),
        }
        shown = await backed.call("PUT", "/outages/PSPS-1", body)
        assert [one["announcement_id"] for one in shown["announcements"]] == ["PSPS-1"]
        body["end"] = start.isoformat()
        refused = await backed.call("PUT", "/outages/PSPS-2", body, 422)
        assert refused["faults"][0]["field"] == "end"
        await backed.call("PUT", "/test", {"duration_s": 3600}, 422)
        folded, live = backed.folded(), backed.home.controller.state
        assert (folded.choices, folded.announced) == (live.choices, live.announced)
        shown = await backed.call("DELETE", "/outages/PSPS-1")
        assert shown["announcements"] == []

    _story(tmp_path, story)


def test_what_is_kept_for_driving_names_a_time_that_is_to_come(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(2)
        now = datetime.fromtimestamp(backed.served.clock[0] / US, tz=UTC)
        for ready_at in (now - timedelta(hours=1), now + timedelta(days=40)):
            body = {"energy_kwh": 15, "ready_at": ready_at.isoformat()}
            refused = await backed.call("PUT", "/mobility/ID.4", body, 422)
            assert refused["faults"][0]["field"] == "ready_at"
        body = {"energy_kwh": 1e308, "ready_at": (now + timedelta(hours=1)).isoformat()}
        await backed.call("PUT", "/mobility/ID.4", body, 422)
        body = {"energy_kwh": 15, "ready_at": (now + timedelta(hours=1)).isoformat()}
        shown = await backed.call("PUT", "/mobility/ID.4", body)
        assert [one["energy_kwh"] for one in shown["mobility"]] == [15.0]
        backed.served.clock[0] += 3700 * US
        shown = await backed.call("GET", "")
        assert shown["mobility"] == [], "its time has come"

    _story(tmp_path, story)


def test_an_outage_is_journalled_before_anything_closes(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        # No car is here: nothing carries the house, and that is said.
        await backed.live(3)
        backed.voltage_pu = 0.0
        await backed.live(20)
        shown = await backed.call("GET", "")
        assert shown["islanded"]
        assert not shown["source_ready"]
        assert "close_island_source" not in backed.gateway.asked
        kinds = [
            entry.kind
            for entry in JournalReader(backed.served.site.journal.path).read(subject="home")
        ]
        assert "holds.released" in kinds
        assert kinds.count("island.moved") == len(shown["moves"])

    _story(tmp_path, story)


def test_reasons_and_why_tell_of_the_home_among_the_sites_own(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        served = backed.served
        await served.plugged_in(0.5)
        await served.shows("/v1/plan", lambda plan: plan is not None)
        await backed.live(3)
        begins = datetime.fromtimestamp(served.clock[0] / US, tz=UTC) + timedelta(hours=1)
        body = {"outage": "planned", "start": begins.isoformat(), "text": "works on the line"}
        body["end"] = (begins + timedelta(hours=2)).isoformat()
        await backed.call("PUT", "/outages/WORKS-1", body)
        backed.voltage_pu = 0.0
        await backed.live(20)
        await served.client.post("/v1/cars/ID.4/mode", json={"mode": "off"})
        await served.durable()
        reasons = (await served.client.get("/v1/reasons", params={"limit": 500})).json()
        assert [one["seq"] for one in reasons] == sorted(one["seq"] for one in reasons)
        kinds = [one["kind"] for one in reasons]
        for kind in ("setpoint.decided", "outage.announced", "island.moved", "holds.released"):
            assert kind in kinds, kinds
        assert not {"circuit.hour", "backup.forecast", "home.snapshot"} & set(kinds)
        assert kinds.index("outage.announced") < kinds.index("island.moved")
        told = {one["kind"]: one["message"] for one in reasons}
        assert "works on the line" in told["outage.announced"]
        assert "announced: a planned outage from 19:00 to 21:00 (api)" in told["outage.announced"]
        assert "released: " in told["holds.released"]
        one = await served.client.get("/v1/reasons", params={"kind": "island.moved"})
        assert {reason["kind"] for reason in one.json()} == {"island.moved"}
        zone = ZoneInfo("Europe/Berlin")
        journal, cars = served.site.journal.path, served.settings.site.cars
        streamed = read_after(journal, 0, zone, 500)
        assert [one.seq for one in streamed] == [one["seq"] for one in reasons], "the stream's"
        why = list(explain_all(journal, cars, served.clock[0], zone, has_backup=True))
        assert why[0].startswith("the home: ")
        assert " since 18:" in why[0]
        before = why[why.index("  before that:") + 1 :]
        assert any("the home: outage confirmed" in line for line in before), before
        assert any("announced: a planned outage" in line for line in before)
        assert any("ID.4: " in line for line in before), before
        times = [line.split()[0] for line in before]
        assert times == sorted(times, reverse=True)
        without = list(explain_all(journal, cars, served.clock[0], zone))
        assert not any("the home" in line for line in without)

    _story(tmp_path, story)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (events.IslandMoved("opening", "restart_wait", "x", "no energy"), "restart wait, after op"),
        (events.TransferAsked("open_grid_pole", "it is gone"), "asked to open grid pole: it is"),
        (events.TransferRefused("close_grid_pole", "live"), "refused: close grid pole: live"),
        (events.CircuitSwitched("dryer", False, "tier", "shed"), "dryer was switched off: shed"),
        (events.CircuitChosen("dryer", "keep_on", "api", 1800003600), "is kept on until "),
        (events.CircuitChosen("dryer", "automatic", "api"), "dryer is left to Parkwatt (api)"),
        (events.OutageAnnounced("a", "storm", 1, 2, "x", withdrawn=True), "called off: the storm"),
        (events.MobilityAsked("car", 15.0, 1800003600, "api"), "15.0 kWh are kept for driving"),
        (events.MobilityAsked("car", None, None, "api"), "nothing is kept for driving any more"),
        (events.IslandChargeAsked("car", allowed=False, origin="api"), "car may not charge from"),
        (events.IslandTestAsked(None, 0, "api"), "no off-grid test any more (api)"),
        (events.IslandTestAsked(1800003600, 300, "api"), "an off-grid test of 300 s at "),
    ],
)
def test_each_event_is_a_sentence(event: events.HomeEvent, words: str) -> None:
    assert words in home_event_words(event, 1_800_000_000 * US, ZoneInfo("Europe/Berlin"))
    assert events.kind(event) in KINDS


def test_a_gateway_that_cannot_be_told_is_an_alarm(tmp_path: Path) -> None:
    async def story(backed: Backed) -> None:
        await backed.live(3)
        backed.gateway.deaf = True
        transfers = backed.home._transfers
        transfers.put_nowait((ApprovedForTest, backed.served.clock[0]))
        await asyncio.sleep(0.05)
        assert "was not told" in backed.home.snapshot().alarms[0]

    _story(tmp_path, story)


ApprovedForTest = ApprovedTransfer("open_island_source", "because", 15)


@pytest.mark.parametrize(("late_s", "sent"), [(0, True), (3, False)])
def test_a_closing_that_was_held_up_is_not_sent(tmp_path: Path, late_s: int, sent: bool) -> None:
    async def story(backed: Backed) -> None:
        closing = ApprovedTransfer("close_island_source", "because", 15)
        approved_unix_us = backed.served.clock[0] - late_s * US
        backed.home._transfers.put_nowait((closing, approved_unix_us))
        await asyncio.sleep(0.05)
        assert ("close_island_source" in backed.gateway.asked) == sent

    _story(tmp_path, story)
