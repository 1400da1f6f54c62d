"""A running site through the API: what it shows, what its drivers may say, and that what they said is written down."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.app.api.live_served import NOW_UNIX_US, LiveServed, in_live_site, live_served
from tests.app.api.served import served

CAR = "/v1/cars/ID.4"
NOW = datetime.fromtimestamp(NOW_UNIX_US / 1e6, tz=UTC)
LIVE = (
    ("GET", "/v1/site", None),
    ("GET", "/v1/cars", None),
    ("GET", CAR, None),
    ("GET", "/v1/plan", None),
    ("GET", "/v1/prices", None),
    ("GET", "/v1/reasons", None),
    ("GET", "/v1/report", None),
    ("GET", "/v1/stream", None),
    ("GET", f"{CAR}/wishes", None),
    ("PUT", f"{CAR}/wishes", {"mode": "now"}),
    ("POST", f"{CAR}/mode", {"mode": "now"}),
    ("PUT", f"{CAR}/departure", {"departs_at": "2030-01-01T00:00Z"}),
    ("DELETE", f"{CAR}/departure", None),
    ("POST", f"{CAR}/soc", {"soc": 0.5}),
)


def test_a_back_end_without_control_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        async with served(tmp_path) as site:
            for method, path, body in LIVE:
                answer = await site.client.request(method, path, json=body)
                assert answer.status_code == 409, path
                assert "parkwatt up" in answer.json()["detail"]

    asyncio.run(test())


def test_an_unknown_car_is_told(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        for method, path, body in LIVE:
            if path.startswith(CAR):
                answer = await site.client.request(
                    method, path.replace("ID.4", "nobody"), json=body
                )
                assert answer.status_code == 404, path

    in_live_site(tmp_path, test)


def test_a_car_that_comes_is_shown_planned_and_explained(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        away = (await site.client.get(CAR)).json()
        assert (away["doing"], away["plugged_in"], away["soc"]) == ("away", False, None)
        car = await site.plugged_in(0.5)
        assert car["energy_kwh"] == pytest.approx(38.5)
        assert car["why_not"] == "the mode is smart"
        plan = await site.shows("/v1/plan", lambda plan: plan is not None)
        assert plan["steps"][0]["start"] <= plan["made_at"]
        assert [one["end"] for one in plan["steps"][:-1]] == [
            one["start"] for one in plan["steps"][1:]
        ]
        departure = (await site.client.get(CAR)).json()["departure"]
        assert departure["departs_at"] == "2027-01-18T06:30:00Z"
        assert departure["ready"] is True
        assert departure["expected_kwh"] >= departure["asked_kwh"] - 0.01
        shown = (await site.client.get("/v1/site")).json()
        assert [one["car_id"] for one in shown["cars"]] == ["ID.4"]
        assert shown["price_now"]["import_price_per_kwh"] == 0.35
        assert shown["price_next"]["start"] == "2027-01-15T21:00:00Z"

    in_live_site(tmp_path, test)


def test_powers_are_shown_while_they_are_fresh(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        site.measure(1.25)
        assert (await site.client.get("/v1/site")).json()["grid_kw"] == 1.25
        site.clock[0] += 60_000_000
        shown = (await site.client.get("/v1/site")).json()
        assert shown["grid_kw"] is None
        assert shown["meter_read_at"] == "2027-01-15T17:00:00Z"

    in_live_site(tmp_path, test)


def test_prices_are_given_as_far_as_asked(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        prices = (await site.client.get("/v1/prices?hours=8")).json()
        assert (prices["currency"], prices["known_until"], len(prices["steps"])) == (
            "EUR",
            None,
            32,
        )
        bought = [step["import_price_per_kwh"] for step in prices["steps"]]
        assert bought == [0.35] * 16 + [0.15] * 16
        assert (await site.client.get("/v1/prices?hours=0")).status_code == 422

    in_live_site(tmp_path, test)


def test_a_demand_changes_the_set_point_at_once(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        car = (await site.client.post(f"{CAR}/mode", json={"mode": "now"})).json()
        assert car["wishes"]["mode"] == "now"
        assert car["setpoint"]["power_kw"] == pytest.approx(11.0)
        assert "at once" in car["setpoint"]["reason"]

    in_live_site(tmp_path, test)


def test_what_is_left_out_of_a_change_stays(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        before = (await site.client.get(f"{CAR}/wishes")).json()
        change = {"target_soc": 0.9, "ready_by": {"friday": None, "sunday": "18:00"}}
        after = (await site.client.put(f"{CAR}/wishes", json=change)).json()["wishes"]
        week = {**before["ready_by"], "friday": None, "sunday": "18:00"}
        assert after == {**before, "target_soc": 0.9, "ready_by": week}
        assert (await site.client.get(f"{CAR}/wishes")).json() == after

    in_live_site(tmp_path, test)


def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    async def say(site: LiveServed) -> None:
        assert (await site.client.put(f"{CAR}/wishes", json={"floor_soc": 0.33})).status_code == 200
        departs_at = (NOW + timedelta(hours=9)).isoformat()
        await site.client.put(f"{CAR}/departure", json={"departs_at": departs_at})
        # What was answered is in the journal: nothing waits.
        kinds = [reason["kind"] for reason in (await site.client.get("/v1/reasons")).json()]
        assert kinds.count("wish.set") == kinds.count("wish.departure") == 1

    async def look(site: LiveServed) -> None:
        car = (await site.client.get(CAR)).json()
        assert car["wishes"]["floor_soc"] == 0.33
        assert car["departure"]["source"] == "asked"

    in_live_site(tmp_path, say)
    in_live_site(tmp_path, look)


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "wishes", {"mode": "fast"}, "mode"),
        ("PUT", "wishes", {"floor_soc": 1.5}, "floor_soc"),
        ("PUT", "wishes", {"floor_soc": 0.9}, "target_soc"),
        ("PUT", "wishes", {"target_soc": 0.1}, "target_soc"),
        ("PUT", "wishes", {"highest_soc": 0.5}, "target_soc"),
        ("PUT", "wishes", {"mode": "home", "discharge": False}, "mode"),
        ("PUT", "wishes", {"ready_by": {"someday": "07:30"}}, "ready_by"),
        ("PUT", "wishes", {"ready_by": {"monday": "7 o'clock"}}, "ready_by.monday"),
        ("PUT", "wishes", {"ready_by": {"monday": "24:00"}}, "ready_by.monday"),
        ("PUT", "wishes", {"surprise": 1}, "surprise"),
        ("POST", "mode", {}, "mode"),
        ("PUT", "departure", {"departs_at": "2027-01-15T16:59:00Z"}, "departs_at"),
        ("PUT", "departure", {"departs_at": "2027-03-01T07:00:00Z"}, "departs_at"),
        ("PUT", "departure", {"departs_at": "2027-01-16T07:00:00"}, "departs_at"),
        ("PUT", "departure", {"departs_at": "soon"}, "departs_at"),
        ("PUT", "departure", {"departs_at": "2027-01-16T07:00Z", "target_soc": 0.1}, "target_soc"),
        ("POST", "soc", {"soc": 50}, "soc"),
        ("POST", "soc", {"soc": 0.5, "measured_at": "2027-01-15T18:00:00Z"}, "measured_at"),
        ("POST", "soc", {"soc": 0.5, "measured_at": "2027-01-13T18:00:00Z"}, "measured_at"),
        ("POST", "soc", {"soc": 0.5, "measured_at": "2027-01-15T16:00:00"}, "measured_at"),
    ],
)
def test_what_breaks_a_rule_is_told_and_changes_nothing(
    tmp_path: Path, method: str, path: str, body: Any, field: str
) -> None:
    async def test(site: LiveServed) -> None:
        before = (await site.client.get(CAR)).json()
        answer = await site.client.request(method, f"{CAR}/{path}", json=body)
        assert answer.status_code == 422, answer.text
        assert [fault["field"] for fault in answer.json()["faults"]] == [field]
        assert (await site.client.get(CAR)).json() == before

    in_live_site(tmp_path, test)


def test_all_faults_of_a_wish_come_at_once(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        body = {"target_soc": 0.1, "mode": "grid", "discharge": False, "ready_by": {"x": "1"}}
        answer = await site.client.put(f"{CAR}/wishes", json=body)
        assert {fault["field"] for fault in answer.json()["faults"]} == {
            "target_soc",
            "mode",
            "ready_by",
        }

    in_live_site(tmp_path, test)


def test_a_departure_that_is_not_possible_is_told_in_the_answer(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.3)
        wish = {"departs_at": (NOW + timedelta(hours=1)).isoformat(), "target_soc": 1.0}
        departure = (await site.client.put(f"{CAR}/departure", json=wish)).json()["departure"]
        assert departure["source"] == "asked"
        assert departure["ready"] is False
        assert "not possible" in departure["message"]
        after = (await site.client.delete(f"{CAR}/departure")).json()
        assert after["departure"]["source"] == "ready_by"

    in_live_site(tmp_path, test)


def test_a_state_of_charge_may_be_told_by_hand(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        site.clock[0] += 2_000_000
        car = (await site.client.post(f"{CAR}/soc", json={"soc": 0.52})).json()
        assert car["soc"] == pytest.approx(0.52)
        reason = (await site.client.get("/v1/reasons?kind=car.soc")).json()[-1]
        assert reason["message"] == "ID.4: 52% in its battery (api)"

    in_live_site(tmp_path, test)


def test_a_mode_until_departure_ends_with_the_stay(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        body = {"mode": "off", "until_departure": True}
        wishes = (await site.client.post(f"{CAR}/mode", json=body)).json()["wishes"]
        assert (wishes["mode"], wishes["until_departure"]) == ("off", True)
        site.charger.leave()
        await site.durable()
        await site.shows(CAR, lambda car: not car["plugged_in"])
        site.clock[0] += 200_000_000
        site.runner.step()
        car = await site.shows(CAR, lambda car: car["wishes"]["mode"] == "smart")
        assert (car["since"], car["wishes"]["until_departure"]) == (None, False)

    in_live_site(tmp_path, test)


def test_reasons_are_those_that_were_asked_for(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        await site.client.post(f"{CAR}/mode", json={"mode": "now"})
        await site.durable()

        async def reasons(**parameters: Any) -> list[dict[str, Any]]:
            answer = await site.client.get("/v1/reasons", params=parameters)
            assert answer.status_code == 200, answer.text
            return list(answer.json())

        found = await reasons()
        assert [one["seq"] for one in found] == sorted(one["seq"] for one in found)
        assert {"site.started", "stay.began", "setpoint.decided", "wish.set"} <= {
            one["kind"] for one in found
        }
        assert {one["kind"] for one in await reasons(kind="wish.set")} == {"wish.set"}
        assert await reasons(kind="site.measured") == []
        assert {one["car_id"] for one in await reasons(car_id="another")} <= {None}
        assert (await reasons(limit=1))[0] == found[-1]

        def moment(reason: dict[str, Any]) -> datetime:
            return datetime.fromisoformat(reason["at"])

        begun = {"from": found[2]["at"]}
        assert [one["seq"] for one in await reasons(**begun)] == [
            one["seq"] for one in found if moment(one) >= moment(found[2])
        ]
        assert await reasons(until=NOW.isoformat()) == []
        assert (await site.client.get("/v1/reasons?from=2027-01-15T17:00:00")).status_code == 422

    in_live_site(tmp_path, test)


def test_the_report_goes_on_with_what_was_journalled_since(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        await site.durable()
        first = (await site.client.get("/v1/report?by=session")).json()
        assert [row["stay"]["ended"] for row in first["rows"]] == [False]
        assert first["operation"]["program_starts"] == 1
        site.charger.leave()
        await site.shows(CAR, lambda car: not car["plugged_in"])
        site.clock[0] += 200_000_000
        await site.shows(CAR, lambda car: car["since"] is None)
        await site.durable()
        later = (await site.client.get("/v1/report?by=session")).json()
        assert [row["stay"]["ended"] for row in later["rows"]] == [True]
        assert later["total"]["energy"]["charged_kwh"] == 0.0
        for query in ("by=week", "from=2027-01-15T00:00:00", "from=2030-01-01T00:00:00Z"):
            assert (await site.client.get(f"/v1/report?{query}")).status_code == 422, query

    in_live_site(tmp_path, test)


def test_two_sites_of_one_folder_are_one_after_the_other(tmp_path: Path) -> None:
    """The stand-in of these tests begins anew on the same journal, as a server would."""

    async def count() -> int:
        async with live_served(tmp_path) as site:
            await site.durable()
            return len((await site.client.get("/v1/reasons?kind=site.started")).json())

    assert [asyncio.run(count()), asyncio.run(count())] == [1, 2]
