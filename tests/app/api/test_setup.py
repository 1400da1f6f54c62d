"""The set-up through the API: from a draft to money and a file; nobody else may, and nothing half is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.live_settings import load_live_settings
from parkwatt.io.ocpp.server.listener import Refusal
from tests.app.api.setting_up import SettingUp, setting_up

NIGHT = {"tariff": "day_night", "price_per_kwh": 0.35, "night_price_per_kwh": 0.15}


def test_five_steps_lead_from_nothing_to_a_site(tmp_path: Path) -> None:
    async def test(site: SettingUp) -> None:
        shown = (await site.client.get("/v1/setup")).json()
        assert not shown["finished"]
        catalogue = (await site.client.get("/v1/setup/catalogue")).json()
        car = next(one for one in catalogue["cars"] if one["id"] == "vw-id3-58")
        assert car["battery_kwh"] == 58
        assert any("github.com" in source for source in car["sources"])
        assert {"DE-LU", "NO1"} <= {zone["id"] for zone in catalogue["zones"]}
        draft = await site.draft(place=NIGHT, car={"id": "vw-id3-58"}, home={"persons": 4})
        for step in ("place", "car", "charger", "home", "wishes", None):
            body = {"draft": draft, "step": step}
            checked = (await site.client.post("/v1/setup/check", json=body)).json()
            assert checked["faults"] == []
        night = (await site.client.post("/v1/setup/preview", json={"draft": draft})).json()
        assert night["saved"] > 1.0
        assert night["example"] is None
        paid = night["cost"] + night["saved"] + night["wear"]
        assert paid == pytest.approx(night["cost_at_once"], abs=0.001)
        assert night["reasons"]
        done = await site.client.post("/v1/setup/finish", json={"draft": draft})
        assert done.status_code == 202
        await site.set_up.done.wait()
        settings = load_live_settings(tmp_path / "site.toml")
        assert settings.site.cars[0].capacity_kwh == 58
        assert (tmp_path / "site.toml").read_text() == checked["site_toml"]
        again = await site.client.post("/v1/setup/finish", json={"draft": draft})
        assert again.status_code == 409

    setting_up(tmp_path, test)


def test_a_fault_is_told_at_its_field_and_nothing_is_written(tmp_path: Path) -> None:
    async def test(site: SettingUp) -> None:
        draft = await site.draft(wishes={"floor_soc": 0.9}, place={"time_zone": "Mars"})
        for path in ("preview", "finish"):
            answer = await site.client.post(f"/v1/setup/{path}", json={"draft": draft})
            assert answer.status_code == 422
            fields = [fault["field"] for fault in answer.json()["faults"]]
            assert fields == ["place.time_zone", "wishes.target_soc"]
        body = {"draft": draft, "step": "wishes"}
        checked = (await site.client.post("/v1/setup/check", json=body)).json()
        assert [fault["field"] for fault in checked["faults"]] == ["wishes.target_soc"]
        draft["place"]["fuse_a"] = "many"
        answer = await site.client.post("/v1/setup/check", json={"draft": draft})
        assert answer.json()["faults"][0]["field"] == "draft.place.fuse_a"
        assert not (tmp_path / "site.toml").exists()

    setting_up(tmp_path, test)


def test_a_charger_that_knocked_is_found_and_invited(tmp_path: Path) -> None:
    async def test(site: SettingUp) -> None:
        refusal = Refusal("CP-7", "192.0.2.7:5000", 401, "no such charger")
        site.set_up.tried.note(refusal, 1_000_000)
        site.set_up.tried.note(refusal, 2_000_000)
        (tried,) = (await site.client.get("/v1/setup")).json()["chargers_tried"]
        assert (tried["charger_id"], tried["tries"]) == ("CP-7", 2)
        charger = {"kind": "real", "id": "CP-7"}
        draft = await site.draft(charger=charger)
        refused = await site.client.post("/v1/setup/finish", json={"draft": draft})
        assert refused.json()["faults"][0]["field"] == "charger.id"
        body = {"charger": draft["charger"]}
        first = (await site.client.post("/v1/setup/charger", json=body)).json()
        assert first["url"].startswith("ws://192.0.2.5:")
        second = (await site.client.post("/v1/setup/charger", json=body)).json()
        assert first["password"] != second["password"]
        bad = {"charger": {**draft["charger"], "id": "a b"}}
        answer = await site.client.post("/v1/setup/charger", json=bad)
        assert answer.json()["faults"][0]["field"] == "charger.id"
        done = await site.client.post("/v1/setup/finish", json={"draft": draft})
        assert done.status_code == 202
        assert sorted(path.name for path in tmp_path.iterdir()) == ["site-data", "site.toml"]

    setting_up(tmp_path, test)


def test_a_load_file_says_what_a_year_is(tmp_path: Path) -> None:
    async def test(site: SettingUp) -> None:
        rows = "\n".join(
            f"2026-01-{day:02}T{hour:02}:00:00,0.5" for day in (5, 6) for hour in range(24)
        )
        answer = await site.client.post(
            "/v1/setup/load-file", json={"text": f"time,Use kWh\n{rows}\n"}
        )
        assert answer.json() == {"kwh_per_year": 4383, "days": 2.0, "column": "Use kWh"}
        german = "Zeit;Leistung W\n" + rows.replace(",0.5", ";500,0")
        answer = await site.client.post("/v1/setup/load-file", json={"text": german})
        assert answer.json()["kwh_per_year"] == 4383
        for text in ("a,b\n1,2\n3,4\n", "time,kWh\n2026-01-05,0.5\n2026-01-05T01:00,x\n"):
            answer = await site.client.post("/v1/setup/load-file", json={"text": text})
            assert answer.status_code == 422
            assert "load_file" in answer.text

    setting_up(tmp_path, test)


def test_only_who_may_change_settings_sets_up(tmp_path: Path) -> None:
    async def test(site: SettingUp) -> None:
        assert (await site.nobody.get("/v1/setup")).status_code == 401
        reader = {"Authorization": f"Bearer {site.access.service_token({'read'})}"}
        assert (await site.nobody.get("/v1/setup", headers=reader)).status_code == 403
        draft = await site.draft()
        for path in ("check", "preview", "finish"):
            answer = await site.nobody.post(
                f"/v1/setup/{path}", json={"draft": draft}, headers=reader
            )
            assert answer.status_code == 403
        code = site.access.owner_link()
        answer = await site.nobody.post("/v1/sessions", json={"link": code})
        owner = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert (await site.nobody.get("/v1/setup", headers=owner)).status_code == 200
        assert (await site.nobody.get("/v1/session", headers=owner)).json()["role"] == "owner"
        assert (await site.nobody.get("/v1/users", headers=owner)).status_code == 404

    setting_up(tmp_path, test)


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "../secret.csv", "site-data/api-token", "sub/prices.csv", ".."]
)
def test_prices_are_read_from_beside_the_site_alone(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    for name in ("../secret.csv", "sub/prices.csv", "prices.csv"):
        (folder / name).write_text("time,price\nsecret,1\n")

    async def test(site: SettingUp) -> None:
        (folder / "site-data" / "api-token").write_text("secret")
        for given in (file, "prices.csv"):
            draft = await site.draft(place={"tariff": "file", "file": given})
            body = {"draft": draft, "step": "place"}
            told = (await site.client.post("/v1/setup/check", json=body)).json()["faults"]
            is_beside = not any("beside" in fault["rule"] for fault in told)
            assert is_beside == (given == "prices.csv")

    setting_up(folder, test)


ODD = ["", "\x00", "a,b\n" * 50, 'time,"' + "x" * 200_000, "time;kWh\n" + "\x00;1\n" * 3, "é" * 50]


@pytest.mark.parametrize("odd", ODD)
def test_odd_input_is_refused_and_no_bug(tmp_path: Path, odd: str) -> None:
    async def test(site: SettingUp) -> None:
        answer = await site.client.post("/v1/setup/load-file", json={"text": odd})
        assert answer.status_code == 422
        for step, field in (("place", "time_zone"), ("place", "file"), ("car", "id")):
            draft = await site.draft(home={"solar_kw_peak": 3}, place={"tariff": "file"})
            draft[step][field] = odd[:40]
            answer = await site.client.post("/v1/setup/check", json={"draft": draft})
            assert answer.status_code in (200, 422)
            answer = await site.client.post("/v1/setup/preview", json={"draft": draft})
            assert answer.status_code == 422

    setting_up(tmp_path, test)
