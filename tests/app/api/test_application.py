"""The API without a socket: who gets in, how faults are told, what is bounded, and that OpenAPI describes it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parkwatt.app.api.bounds import BODY_BYTES_MAX
from tests.app.api.served import TOKEN, Served, served


def in_site(
    tmp_path: Path, test: Callable[[Served], Awaitable[None]], charger_ids: tuple[str, ...] = ()
) -> None:
    """Run a test beside a site."""

    async def run() -> None:
        async with served(tmp_path, charger_ids) as site:
            await test(site)

    asyncio.run(run())


def guarded_routes(openapi: dict[str, Any]) -> list[tuple[str, str]]:
    """Method and path of every route but those that are open."""
    return [
        (method, path)
        for path, methods in openapi["paths"].items()
        for method in methods
        if path not in {"/health", "/v1/sessions"}
    ]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"],
)
def test_every_route_but_health_and_sign_in_wants_a_token(
    tmp_path: Path, authorization: str | None
) -> None:
    async def test(site: Served) -> None:
        openapi = (await site.client.get("/openapi.json")).json()
        routes = guarded_routes(openapi)
        assert ("get", "/metrics") in routes
        headers = {"Authorization": authorization or ""}
        for method, path in routes:
            known = path.replace("{charger_id}", "CP-1").replace("{evse_id}", "1")
            target = re.sub(r"\{\w+\}", "any", known)
            answer = await site.client.request(method, target, headers=headers, json={})
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await site.client.get("/health", headers=headers)).status_code == 200

    in_site(tmp_path, test, ("CP-1",))


def test_no_route_answers_with_a_bug_and_all_say_what_is_wrong(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        client = site.client
        known = "/v1/chargers/CP-1"
        for method, path, body, status in (
            ("GET", "/v1/chargers/CP-9", None, 404),
            ("GET", "/v1/chargers/CP-9/transactions", None, 404),
            ("PUT", "/v1/chargers/CP-9/evses/1/setpoint", {"power_kw": 1}, 404),
            ("PUT", f"{known}/evses/0/setpoint", {"power_kw": 1}, 404),
            ("PUT", f"{known}/evses/x/setpoint", {"power_kw": 1}, 422),
            ("PUT", f"{known}/evses/1/setpoint", {}, 422),
            ("PUT", f"{known}/evses/1/setpoint", {"power_kw": "much"}, 422),
            ("PUT", f"{known}/evses/1/setpoint", {"power_kw": 1, "surprise": 2}, 422),
            ("PUT", f"{known}/evses/1/setpoint", [], 422),
            ("POST", f"{known}/calls", {"action": "BootNotification"}, 422),
            ("POST", f"{known}/calls", {"action": "Reset", "payload": {"type": "x"}}, 422),
            ("POST", "/v1/chargers/gone/calls", {"action": "Reset"}, 409),
            ("GET", "/v1/chargers?limit=100000", None, 422),
            ("GET", "/v1/journal?after_seq=-1", None, 422),
            ("POST", "/v1/credentials", {"charger_id": "no spaces"}, 422),
            ("DELETE", "/v1/credentials/CP-9", None, 422),
            ("GET", "/v1/nothing", None, 404),
            ("POST", "/health", None, 405),
        ):
            answer = await client.request(method, path, json=body)
            assert answer.status_code == status, (method, path, answer.text)
            told = answer.json()
            assert told["faults"] if status == 422 else told["detail"], (method, path)
        for fault in (await client.put(f"{known}/evses/1/setpoint", json={})).json()["faults"]:
            assert fault == {"field": "power_kw", "rule": "Field required", "value": None}

    async def with_one_that_left(site: Served) -> None:
        sink = site.connect("gone")
        site.site.backend.closed("gone", sink, "left")
        await test(site)

    in_site(tmp_path, with_one_that_left, ("CP-1",))


@pytest.mark.parametrize("body", [b"{", b"", b'{"power_kw": NaN}', b"\xff\xfe", b"[" * 60_000])
def test_a_body_that_is_no_json_is_a_fault(tmp_path: Path, body: bytes) -> None:
    async def test(site: Served) -> None:
        path = "/v1/chargers/CP-1/evses/1/setpoint"
        headers = {"Content-Type": "application/json"}
        answer = await site.client.put(path, content=body, headers=headers)
        assert answer.status_code in {400, 422}, answer.text

    in_site(tmp_path, test, ("CP-1",))


def test_a_body_is_bounded_whatever_length_it_tells(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    async def test(site: Served) -> None:
        for authorization in (f"Bearer {TOKEN}", "Bearer wrong"):
            for content in (endless(), b" " * (BODY_BYTES_MAX + 1)):
                headers = {"Content-Type": "application/json", "Authorization": authorization}
                answer = await site.client.post("/v1/credentials", content=content, headers=headers)
                assert answer.status_code == 413

    in_site(tmp_path, test)


def test_answers_stay_out_of_caches(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        for path in ("/health", "/v1/chargers", "/v1/nothing"):
            answer = await site.client.get(path)
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"

    in_site(tmp_path, test)


def test_openapi_names_an_answer_for_every_status_that_is_used(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        openapi = (await site.client.get("/openapi.json")).json()
        assert openapi["openapi"].startswith("3.")
        for method, path in guarded_routes(openapi):
            route = openapi["paths"][path][method]
            assert {"200", "201"} & route["responses"].keys()
            assert "401" in route["responses"], path
            assert route["security"], path
            if "{charger_id}" in path and path.startswith("/v1/chargers"):
                assert "404" in route["responses"], path
        assert "HTTPValidationError" not in openapi["components"]["schemas"]

    in_site(tmp_path, test)


def test_a_setpoint_is_kept_and_ended(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        path = "/v1/chargers/CP-1/evses/1/setpoint"
        assert (await site.client.put(path, json={"power_kw": -3.5})).status_code == 200
        assert (await site.client.delete(path)).status_code == 200
        assert (await site.client.delete("/v1/chargers/CP-1/evses/1/rung")).status_code == 200
        await site.durable()
        entries = (await site.client.get("/v1/journal?charger_id=CP-1")).json()
        kinds = [entry["kind"] for entry in entries]
        assert kinds.index("setpoint.asked") < kinds.index("setpoint.released")
        (asked,) = (await site.client.get("/v1/journal?kind=setpoint.asked")).json()
        assert asked["payload"]["command"]["power_kw"] == -3.5

    in_site(tmp_path, test, ("CP-1",))


def test_lists_come_in_pages_that_miss_nothing(tmp_path: Path) -> None:
    charger_ids = tuple(f"CP-{number:03}" for number in range(25))

    async def test(site: Served) -> None:
        found: list[str] = []
        after = ""
        while page := (await site.client.get(f"/v1/chargers?limit=10&after={after}")).json():
            assert len(page) <= 10
            found += [view["charger_id"] for view in page]
            after = found[-1]
        assert tuple(found) == charger_ids
        assert (await site.client.get("/v1/chargers?connected=false")).json() == []
        assert (await site.client.get("/v1/transactions")).json() == []

    in_site(tmp_path, test, charger_ids)


def test_a_list_of_ten_thousand_chargers_leaves_the_loop_to_them(
    tmp_path: Path, time_unit_s: float
) -> None:
    charger_ids = tuple(f"CP-{number:05}" for number in range(10_000))

    async def longest_pause_s(work: Awaitable[httpx.Response]) -> float:
        """The longest that the loop was kept from a task that wants every turn."""
        longest_s = 0.0

        async def watch() -> None:
            nonlocal longest_s
            last_s = time.perf_counter()
            while True:
                await asyncio.sleep(0)
                now_s = time.perf_counter()
                longest_s, last_s = max(longest_s, now_s - last_s), now_s

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        assert (await work).status_code == 200
        await asyncio.sleep(0)  # the watch's turn after the last long one
        watching.cancel()
        return longest_s

    async def test(site: Served) -> None:
        await site.durable()
        for path in (
            "/v1/chargers?limit=500",
            "/v1/chargers?limit=1&after=CP-09998",
            "/v1/transactions",
            "/metrics",
            "/health",
        ):
            best_s = min([await longest_pause_s(site.client.get(path)) for _ in range(3)])
            assert best_s < 0.05 * time_unit_s, path

    in_site(tmp_path, test, charger_ids)


def test_metrics_can_be_parsed_and_count(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        await site.durable()
        answer = await site.client.get("/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(answer.text)}
        assert all(name.startswith("parkwatt_") for name in families)
        assert families["parkwatt_chargers_connected"].samples[0].value == 2
        assert families["parkwatt_alarms"].samples[0].value == 0
        assert families["parkwatt_journal_entries"].samples[0].value >= 2
        assert [s.labels["rung"] for s in families["parkwatt_evses_by_rung"].samples] == list(
            "01234"
        )

    in_site(tmp_path, test, ("CP-1", "CP-2"))


def test_an_alarm_is_told_while_it_lasts(tmp_path: Path, time_unit_s: float) -> None:
    async def health(site: Served, status: str) -> dict[str, Any]:
        deadline_s = time.monotonic() + 20.0 * time_unit_s
        while (shown := (await site.client.get("/health")).json())["status"] != status:
            assert time.monotonic() < deadline_s, shown
            await asyncio.sleep(0.02)
        return dict(shown)

    async def test(site: Served) -> None:
        await site.durable()
        with closing(sqlite3.connect(site.site.journal.path, isolation_level=None)) as locking:
            locking.execute("begin immediate")
            site.connect("CP-2")
            shown = await health(site, "alarm")
            assert shown["alarms"][0].startswith("the journal cannot be written: ")
            assert "parkwatt_alarms 1.0" in (await site.client.get("/metrics")).text
            locking.execute("rollback")
        assert (await health(site, "ok"))["alarms"] == []

    in_site(tmp_path, test, ("CP-1",))


def test_credentials_are_made_changed_and_taken_away(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        client = site.client
        made = await client.post("/v1/credentials", json={"charger_id": "VAN-7"})
        assert made.status_code == 201
        view = made.json()
        assert view["security_profile"] == 1
        assert bytes.fromhex(view["authorization_key"]).decode() == view["password"]
        again = await client.post("/v1/credentials", json={"charger_id": "VAN-7"})
        assert again.status_code == 422
        changed = await client.put("/v1/credentials/VAN-7/secret", json={})
        assert changed.json()["password"] not in {None, view["password"]}
        (listed,) = (await client.get("/v1/credentials")).json()
        assert listed["charger_id"] == "VAN-7"
        assert "password" not in listed
        third = await client.post(
            "/v1/credentials", json={"charger_id": "VAN-8", "security_profile": 3}
        )
        assert third.json()["certificate"].count("BEGIN CERTIFICATE") == 2
        assert "PRIVATE KEY" in third.json()["private_key"]
        assert third.json()["password"] is None
        (second,) = (await client.get("/v1/credentials?after=VAN-7")).json()
        assert second["charger_id"] == "VAN-8"
        assert len((await client.get("/v1/credentials?limit=1")).json()) == 1
        assert (await client.delete("/v1/credentials/VAN-7")).status_code == 200
        assert [v["charger_id"] for v in (await client.get("/v1/credentials")).json()] == ["VAN-8"]

    in_site(tmp_path, test)


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async def test(site: Served) -> None:
        await site.durable()
        site.site.journal.path.rename(tmp_path / "elsewhere")
        answer = await site.client.get("/v1/journal")
        assert answer.status_code == 503
        assert answer.json()["detail"]
        (tmp_path / "elsewhere").rename(site.site.journal.path)

    in_site(tmp_path, test, ("CP-1",))
