"""An installer may set up what is in the house; who comes in, where secrets go and which files are read is the owner's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parkwatt.app.access.roles import SCOPES, Caller, ForbiddenError, scopes_of
from parkwatt.app.api.owners_settings import check_reach
from parkwatt.app.up.upkeep import SiteFileUpkeep
from tests.app.api.live_served import SITE_TOML, LiveServed, in_live_site
from tests.app.api.signing import api_token, caller, person

INSTALLER = Caller(
    kind="session",
    name="Dora",
    role="installer",
    scopes=scopes_of("installer", backup=False),
    cars=frozenset(),
)
OWNER = Caller(kind="session", name="Anna", role="owner", scopes=SCOPES)
BEFORE: dict[str, Any] = {
    "mqtt": {"host": "broker"},
    "tariff": {"import": {"day_ahead": {"source": "tibber", "token_file": "tibber-token"}}},
    "car": [{"name": "ID.4", "trips": "https://calendar.example/secret.ics"}, {"name": "Zoe"}],
    "connection": {"fuse_a": 35},
}

Change = Callable[[dict[str, Any]], object]
OWNERS: dict[str, Change] = {
    "web": lambda told: told.update(web={"listen": "0.0.0.0:80", "allow_unencrypted": True}),
    "api": lambda told: told.update(api={"listen": "0.0.0.0:81", "allow_unencrypted": True}),
    "store": lambda told: told.update(store={"telemetry_days": 1}),
    "notify": lambda told: told.update(notify={"person": [{"urls": ["json://evil.example"]}]}),
    "home_assistant": lambda told: told.update(home_assistant={}),
    "mqtt": lambda told: told["mqtt"].update({"host": "x", "password_file": "home-data/api-token"}),
    "tariff.import.day_ahead": lambda told: told["tariff"]["import"]["day_ahead"].update(
        url="https://evil.example"
    ),
    "car[0].trips": lambda told: told["car"][0].update(trips="home-data/api-token"),
    "car[1].trips": lambda told: told["car"][1].update(trips="/etc/passwd"),
    "load.file": lambda told: told.update(load={"file": "/etc/passwd.csv"}),
    "ocpp.tls_key": lambda told: told.update(ocpp={"tls_key": "other.key"}),
}
INSTALLERS: tuple[Change, ...] = (
    lambda told: told["connection"].update(fuse_a=25),
    lambda told: told["car"][0].update(battery_kwh=64),
    lambda told: told["car"].pop(),
    lambda told: told.update(charger=[{"id": "GARAGE", "power_kw_max": 11}]),
    lambda told: told.update(meter={"grid": {"source": "http", "url": "http://192.0.2.4"}}),
    lambda told: told.update(ocpp={"listen": "192.0.2.5:9000", "tls": True}),
    lambda told: told["tariff"].update(export={"price_per_kwh": 0.08}),
)


@pytest.mark.parametrize("place", list(OWNERS))
def test_an_installer_changes_nothing_that_is_the_owners(place: str) -> None:
    after = copy.deepcopy(BEFORE)
    OWNERS[place](after)
    with pytest.raises(ForbiddenError) as refused:
        check_reach(INSTALLER, BEFORE, after)
    assert str(refused.value) == f"only an owner may change {place}"
    with pytest.raises(ForbiddenError):  # nor takes it away again
        check_reach(INSTALLER, after, BEFORE)
    check_reach(OWNER, BEFORE, after)


@pytest.mark.parametrize("change", INSTALLERS)
def test_an_installer_changes_the_rest(change: Change) -> None:
    after = copy.deepcopy(BEFORE)
    change(after)
    assert after != BEFORE
    check_reach(INSTALLER, BEFORE, after)


def test_it_is_refused_by_the_api_before_a_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a-secret,that-stands-here\n1,2\n")

    async def test(site: LiveServed) -> None:
        upkeep = SiteFileUpkeep(tmp_path / "site.toml")
        site.application.state.site = replace(site.site, upkeep=upkeep)
        named = SITE_TOML.replace("[meter.grid]", f'[solar]\nfile = "{secret}"\n\n[meter.grid]')
        opened = SITE_TOML + '\n[web]\nlisten = "0.0.0.0:8088"\nallow_unencrypted = true\n'
        less = SITE_TOML.replace("fuse_a = 35", "fuse_a = 25")
        token = await api_token(site, ["settings", "users", "read"])
        async with person(site, "Dora", "installer") as dora, caller(site, token) as clerk:
            shown = (await dora.get("/v1/settings")).json()
            for client in (dora, clerk):
                for text in (named, opened):
                    for only_check in (True, False):
                        body = {
                            "version": shown["version"],
                            "text": text,
                            "only_check": only_check,
                        }
                        answer = await client.put("/v1/settings", json=body)
                        assert answer.status_code == 403, answer.text
                        assert "only an owner may change" in answer.json()["detail"]
                        assert "a-secret" not in answer.text
            assert (tmp_path / "site.toml").read_text() == SITE_TOML
            body = {"version": shown["version"], "text": less}
            answer = await dora.put("/v1/settings", json=body)
            assert (answer.status_code, answer.json()["changed"]) == (200, ["connection.fuse_a"])

    in_live_site(tmp_path, test)
