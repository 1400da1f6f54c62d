"""What a wish would cost is asked over the API, and changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.app.api.live_served import LiveServed, in_live_site

CAR = "/v1/cars/ID.4"


def test_a_wish_is_asked_about_before_it_is_said(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        before = (await site.client.get(f"{CAR}/wishes")).json()
        departs_at = "2027-01-16T06:30:00Z"
        asked = {"target_soc": 0.9, "departs_at": departs_at}
        told = (await site.client.post(f"{CAR}/what-if", json=asked)).json()
        assert told["then"]["departs_at"] == departs_at
        assert round(told["then"]["asked_kwh"], 3) == round(0.9 * 77, 3)
        assert told["then"]["ready"] is True
        assert told["then"]["cost"]["paid"] > told["now"]["cost"]["paid"]
        net = told["then"]["cost"]["net"] - told["now"]["cost"]["net"]
        assert abs(told["difference"] - net) < 1e-3
        assert told["then"]["steps"][-1]["energy_kwh"] == told["then"]["expected_kwh"]
        hurried = (await site.client.post(f"{CAR}/what-if", json={"mode": "now"})).json()
        assert hurried["then"]["steps"][0]["power_kw"] > 10
        assert (await site.client.get(f"{CAR}/wishes")).json() == before
        for wrong in (
            {"target_soc": 0.1, "floor_soc": 0.5},
            {"departs_at": "2020-01-01T00:00:00Z"},
            {"departs_at": "2027-01-16T06:30:00"},
            {"nothing": 1},
        ):
            assert (await site.client.post(f"{CAR}/what-if", json=wrong)).status_code == 422, wrong

    in_live_site(tmp_path, test)


def test_what_each_wish_costs(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await site.plugged_in(0.5)
        told = (await site.client.get(f"{CAR}/wish-costs")).json()
        by_wish = {(one["wish"], one["value"]): one for one in told["wishes"]}
        assert {wish for wish, _ in by_wish} == {"target", "floor", "mode", "earlier"}
        assert by_wish["mode", "now"]["difference"] >= 0
        targets = [one for one in told["wishes"] if one["wish"] == "target"]
        assert targets[0]["paid"] >= targets[-1]["paid"]

    in_live_site(tmp_path, test)


def test_the_plan_beside_charging_at_once(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        assert (await site.client.get("/v1/plan/outlook")).json() is None
        await site.plugged_in(0.5)
        await site.shows("/v1/plan", lambda plan: plan is not None)
        told = (await site.client.get("/v1/plan/outlook")).json()
        assert told["saved"] >= -0.01
        assert abs(told["at_once"]["net"] - told["planned"]["net"] - told["saved"]) < 1e-3
        assert told["bands"]
        again = await asyncio.gather(*(site.client.get("/v1/plan/outlook") for _ in range(12)))
        assert {answer.status_code for answer in again} <= {200, 503}

    in_live_site(tmp_path, test)


def test_a_car_that_is_away_has_no_answer(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        assert (await site.client.post(f"{CAR}/what-if", json={})).status_code == 409
        assert (await site.client.get(f"{CAR}/wish-costs")).status_code == 409
        assert (await site.client.post("/v1/cars/none/what-if", json={})).status_code == 404

    in_live_site(tmp_path, test)
