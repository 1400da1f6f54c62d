"""The routes of a home's backup over a real journal, with a gateway that tells what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from parkwatt.app.up.home_runner import HomeRunner
from parkwatt.domain.home.gateway import ApprovedTransfer, GatewayReading
from parkwatt.domain.site.event import SourceChanged
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

    def __init__(self, served: LiveServed) -> None:
        self.served = served
        self.gateway = SayingGateway()
        self.home = HomeRunner(
            SETTINGS, served.runner, served.site.journal, lambda: served.clock[0], self.gateway
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
