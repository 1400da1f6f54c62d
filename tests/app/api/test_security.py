"""What an attacker tries at the API, and that it is refused: fixed sessions, more than a scope allows, guessing, forged paths
and headers, another driver's car, and becoming somebody else.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from parkwatt.app.access.access import Access
from parkwatt.app.access.roles import SCOPES
from tests.app.api.live_served import TOKEN, LiveServed, in_live_site
from tests.app.api.signing import (
    PASSWORD,
    add_user,
    api_token,
    caller,
    link_of,
    nobody,
    person,
    session_of,
)
from tests.app.api.test_stream import Reader

CAR = "/v1/cars/ID.4"
REFUSED = {401, 403, 404, 405, 422}


async def sign_in(site: LiveServed, **given: str) -> httpx.Response:
    """Try to sign in, as nobody."""
    async with nobody(site) as client:
        return await client.post("/v1/sessions", json=given)


def test_a_session_is_always_a_new_one_and_ends_the_one_before(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "driver", cars=["ID.4"], password=PASSWORD)
        planted = "a-session-that-the-attacker-knows-000000000"
        async with caller(site, planted) as victim:
            given = {"name": "Anna", "password": PASSWORD}
            first = (await victim.post("/v1/sessions", json=given)).json()["token"]
            assert (await victim.get("/v1/session")).status_code == 401
        async with caller(site, first) as again:
            second = (await again.post("/v1/sessions", json=given)).json()["token"]
            assert (await again.get("/v1/session")).status_code == 401
        assert len({planted, first, second}) == 3
        for token in (first, second):
            assert len(token) >= 43  # 256 bits
        async with caller(site, second) as anna:
            assert (await anna.delete("/v1/session")).json()["name"] == "Anna"
            assert (await anna.get("/v1/session")).status_code == 401

    in_live_site(tmp_path, test)


def test_a_link_lets_one_in_once(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "guest")
        code = await link_of(site, "Anna")
        answers = await asyncio.gather(*(sign_in(site, link=code) for _ in range(8)))
        said = [answer.status_code for answer in answers]
        assert said.count(201) == 1
        assert set(said) <= {201, 401, 429}
        spare = await link_of(site, "Anna")
        assert (await site.client.delete("/v1/users/Anna")).status_code == 200
        assert (await sign_in(site, link=spare)).status_code == 401

    in_live_site(tmp_path, test)


def test_the_first_owner_comes_in_by_a_link_and_later_links_make_no_other(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        code = await link_of(site)
        assert code == await link_of(site)
        made = (await sign_in(site, link=code, name="Anna")).json()
        assert (made["name"], made["role"], made["scopes"]) == ("Anna", "owner", sorted(SCOPES))
        assert (await sign_in(site, link=code)).status_code == 401
        again = await link_of(site)
        assert again != code
        assert (await sign_in(site, link=again)).json()["name"] == "Anna"
        assert len((await site.client.get("/v1/users")).json()) == 1

    in_live_site(tmp_path, test)


def needed(method: str, path: str) -> str | None:
    """The scope that the contract asks for; None: any known caller. A new kind of route has to be told here."""
    if path.startswith("/v1/session"):
        return None
    if path.startswith(("/v1/users", "/v1/tokens", "/v1/links")):
        return "users"
    if path.startswith(("/v1/settings", "/v1/doctor")) or (method, path) == (
        "put",
        "/v1/pool/limits",
    ):
        return "settings"
    if method == "get" or path.endswith("/what-if"):
        return "read"
    first = path.split("/")[2]
    table = {"cars": "drive", "backup": "backup", "chargers": "operate", "credentials": "operate"}
    table |= {"pool": "operate"}
    return table[first]


async def routes(site: LiveServed) -> list[tuple[str, str]]:
    """Every route but those that are open, and the stream, which does not end."""
    openapi: dict[str, Any] = (await site.client.get("/openapi.json")).json()
    return [
        (method, path)
        for path, methods in openapi["paths"].items()
        for method in methods
        if path not in {"/health", "/v1/sessions", "/v1/stream"}
    ]


def test_each_route_is_closed_to_every_scope_but_its_own(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        tokens = {scope: await api_token(site, [scope]) for scope in sorted(SCOPES)}
        found = await routes(site)
        assert len(found) > 35
        for method, path in found:
            scope = needed(method, path)
            known = path.replace("{car_id}", "ID.4").replace("{charger_id}", "GARAGE")
            target = known.replace("{evse_id}", "1").replace("{token_id}", "999")
            target = target.replace("{", "").replace("}", "")
            for held, token in tokens.items():
                async with caller(site, token) as client:
                    answer = await client.request(method, target, json={})
                closed = answer.status_code == 403 and "needs the scope" in answer.text
                assert closed != (scope in (None, held)), (
                    f"{method} {path} with {held}: {answer.status_code} {answer.text}"
                )

    in_live_site(tmp_path, test)


def test_a_stream_needs_read_and_ends_when_its_reader_is_signed_out(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with caller(site, await api_token(site, ["drive", "operate"])) as client:
            assert (await client.get("/v1/stream")).status_code == 403
        await add_user(site, "Guest", "guest")
        token, reader = await session_of(site, "Guest"), Reader()
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/stream",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        reading = asyncio.create_task(site.application(scope, reader.receive, reader.send))
        await reader.until("site", 1)
        await site.client.delete("/v1/users/Guest")
        site.measure(1.0)
        await asyncio.wait_for(reading, 20)
        assert site.streams_count == 0

    in_live_site(tmp_path, test)


def test_guessing_a_password_gets_slow_for_all_names_alike(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner", password=PASSWORD)
        await add_user(site, "Ben", "guest", password=PASSWORD)
        said = []
        for name in ("Anna", "nobody at all"):
            tries = [await sign_in(site, name=name, password=f"guess {n}") for n in range(6)]
            said.append([answer.status_code for answer in tries])
            assert int(tries[-1].headers["Retry-After"]) >= 1
        assert said[0] == said[1] == 5 * [401] + [429]
        # The right password is not even looked at now; a name in capitals is the same account.
        assert (await sign_in(site, name="ANNA", password=PASSWORD)).status_code == 429
        assert (await sign_in(site, name="Ben", password=PASSWORD)).status_code == 201
        assert (await sign_in(site, link=await link_of(site, "Anna"))).status_code == 201
        site.clock[0] += 2_000_000
        wrong = {"name": "Anna", "password": "guess 7"}
        assert (await sign_in(site, **wrong)).status_code == 401
        longer = await sign_in(site, **wrong)
        assert int(longer.headers["Retry-After"]) > 2
        site.clock[0] += 4_000_000
        assert (await sign_in(site, name="Anna", password=PASSWORD)).status_code == 201

    in_live_site(tmp_path, test)


def test_many_guesses_at_once_are_counted_before_they_are_checked(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner", password=PASSWORD)
        token = await session_of(site, "Anna")
        answers = await asyncio.gather(
            *(sign_in(site, name="Anna", password=f"guess {number}") for number in range(30))
        )
        assert sum(answer.status_code == 401 for answer in answers) == 5
        spread = await asyncio.gather(
            *(sign_in(site, name=f"name {number}", password="guess" * 3) for number in range(60))
        )
        assert sum(answer.status_code == 401 for answer in spread) <= 40
        assert {answer.status_code for answer in (*answers, *spread)} == {401, 429}
        assert sum(answer.status_code == 401 for answer in spread) >= 30
        async with caller(site, token) as anna:  # whoever is in stays in
            assert (await anna.get("/v1/session")).status_code == 200
        assert (await sign_in(site, link=await link_of(site, "Anna"))).status_code == 201

    in_live_site(tmp_path, test)


def test_guessing_links_is_bounded_and_holds_nobody_up(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner")
        code = await link_of(site, "Anna")
        said = [(await sign_in(site, link=f"guess-{number}")).status_code for number in range(60)]
        assert set(said) == {401, 429}
        assert (await sign_in(site, link=code)).status_code == 201

    in_live_site(tmp_path, test)


def test_the_current_password_cannot_be_guessed_in_a_stolen_session(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with person(site, "Anna", "guest", password=PASSWORD) as thief:
            body = {"password": "mine from now on", "current": "guess"}
            answers = [await thief.put("/v1/session/password", json=body) for _ in range(6)]
            assert [answer.status_code for answer in answers] == 5 * [401] + [429]

    in_live_site(tmp_path, test)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/..%2f..%2fetc%2fpasswd",
        "/v1/users/%2e%2e%2f%2e%2e%2faccess.sqlite",
        "/v1/credentials/..%2f..%2fapi-token",
        "/v1/cars/..%2f..%2f..%2fapi-token",
        "/v1/chargers/..%5c..%5capi-token",
        "/v1/../api-token",
        "//api-token",
        "/v1/users/%00",
        "/v1/users/%0d%0aSet-Cookie:%20a=b",
        "/v1/cars/ID.4%0aforged/wishes",
        "/v1/users/" + "a" * 9000,
        "/v1/tokens/" + "9" * 400,
    ],
)
def test_a_forged_path_finds_nothing(tmp_path: Path, path: str) -> None:
    async def test(site: LiveServed) -> None:
        before = sorted(tmp_path.rglob("*"))
        for method in ("GET", "DELETE", "PATCH", "PUT"):
            answer = await site.client.request(method, path, json={})
            assert answer.status_code in REFUSED | {400, 414}, (method, answer.text)
            assert TOKEN not in answer.text
            assert "set-cookie" not in answer.headers
        assert sorted(tmp_path.rglob("*")) == before

    in_live_site(tmp_path, test)


def test_a_forged_host_leads_nowhere(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        for path in ("/v1/users/", "/v1/site/", "/health/", "//evil.example/"):
            answer = await site.client.get(path, headers={"Host": "evil.example"})
            assert (answer.status_code, answer.headers.get("location")) == (404, None), path

    in_live_site(tmp_path, test)


@pytest.mark.parametrize(
    "name",
    [
        "Anna\r\nSet-Cookie: a=b",
        "Anna\nforged",
        "a\x00b",
        "\x1b[2J",
        "right\u202eleft",
        "../../evil",
        "a/b",
        "..",
        "",
        " Anna",
        "a" * 49,
        "\ud800",
        "<script>",
        "{0.__class__}",
    ],
)
def test_a_name_that_could_forge_a_line_or_a_path_is_refused(tmp_path: Path, name: str) -> None:
    async def test(site: LiveServed) -> None:
        for path, body in (
            ("/v1/users", {"name": name, "role": "guest"}),
            ("/v1/tokens", {"label": name, "scopes": ["read"]}),
            ("/v1/links", {"name": name, "role": "guest"}),
        ):
            encoded = httpx.Request("POST", "http://site", json=body) if name != "\ud800" else None
            content = b'{"name": "\\ud800"}' if encoded is None else encoded.content
            headers = {"Content-Type": "application/json"}
            answer = await site.client.post(path, content=content, headers=headers)
            assert answer.status_code == 422, (path, answer.text)
            assert not any("forged" in value or "a=b" in value for value in answer.headers.values())
        assert (await site.client.get("/v1/users")).json() == []

    in_live_site(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{CAR}/wishes", {"target_soc": 1.0}),
        ("POST", f"{CAR}/mode", {"mode": "off"}),
        ("PUT", f"{CAR}/departure", {"departs_at": "2027-01-16T06:00:00Z"}),
        ("DELETE", f"{CAR}/departure", None),
        ("POST", f"{CAR}/soc", {"soc": 0.5}),
        ("PUT", "/v1/backup/mobility/ID.4", {"energy_kwh": 50, "ready_at": "2027-01-16T06:00:00Z"}),
        ("PUT", "/v1/backup/cars/ID.4/island-charge", {"allowed": True}),
    ],
)
def test_nobody_speaks_for_another_drivers_car(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    async def test(site: LiveServed) -> None:
        before = (await site.client.get(f"{CAR}/wishes")).json()
        async with person(site, "Ben", "driver", cars=[], backup=True) as ben:
            assert (await ben.get(CAR)).status_code == 200
            answer = await ben.request(method, path, json=body)
            assert answer.status_code == 403
            assert "another's car" in answer.json()["detail"]
        async with caller(site, await api_token(site, ["drive", "backup"], cars=[])) as program:
            assert (await program.request(method, path, json=body)).status_code == 403
        async with person(site, "Anna", "driver", cars=["ID.4"], backup=True) as anna:
            assert (await anna.request(method, path, json=body)).status_code in {200, 409}
            await site.client.patch("/v1/users/Anna", json={"cars": []})
            assert (await anna.request(method, path, json=body)).status_code == 403
        after = (await site.client.get(f"{CAR}/wishes")).json()
        assert path.startswith("/v1/backup") or (after == before) == (
            "departure" in path or "soc" in path
        )

    in_live_site(tmp_path, test)


def test_the_journal_says_who_wished(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with person(site, "Anna", "driver", cars=["ID.4"]) as anna:
            assert (await anna.post(f"{CAR}/mode", json={"mode": "now"})).status_code == 200
        token = await api_token(site, ["drive"], cars=["ID.4"])
        async with caller(site, token) as program:
            assert (await program.post(f"{CAR}/mode", json={"mode": "off"})).status_code == 200
        assert (await site.client.post(f"{CAR}/mode", json={"mode": "smart"})).status_code == 200
        await site.durable()
        entries = (await site.client.get("/v1/journal?kind=wish.set")).json()
        said = [entry["payload"]["origin"] for entry in entries]
        assert said == ["by Anna", "by token a program", "api"]

    in_live_site(tmp_path, test)


def test_nobody_hands_out_more_than_they_have(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner")
        await add_user(site, "Ben", "driver", cars=["ID.4"])
        async with caller(site, await api_token(site, ["users", "read"], cars=[])) as clerk:
            for method, path, body in (
                ("POST", "/v1/users", {"name": "Eve", "role": "owner"}),
                ("POST", "/v1/users", {"name": "Eve", "role": "driver", "cars": ["ID.4"]}),
                ("POST", "/v1/users", {"name": "Eve", "role": "installer"}),
                ("POST", "/v1/links", {"name": "Anna"}),
                ("POST", "/v1/links", {}),
                ("POST", "/v1/links", {"name": "Eve", "role": "owner"}),
                ("PATCH", "/v1/users/Anna", {"password": "now it is mine"}),
                ("PATCH", "/v1/users/Ben", {"role": "owner"}),
                ("DELETE", "/v1/users/Anna", None),
                ("DELETE", "/v1/users/Anna/sessions", None),
                ("POST", "/v1/tokens", {"label": "all", "scopes": sorted(SCOPES)}),
                ("POST", "/v1/tokens", {"label": "cars", "scopes": ["read"], "cars": None}),
            ):
                answer = await clerk.request(method, path, json=body)
                assert answer.status_code == 403, (method, path, body, answer.text)
            guest = await clerk.post("/v1/users", json={"name": "Carl", "role": "guest"})
            assert guest.status_code == 201
        async with person(site, "Dora", "installer") as installer:
            assert (await installer.get("/v1/users")).status_code == 403
        assert [one["name"] for one in (await site.client.get("/v1/users")).json()] == [
            *("Anna", "Ben", "Carl", "Dora")
        ]

    in_live_site(tmp_path, test)


def test_what_a_user_loses_is_lost_at_once(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with person(site, "Anna", "owner") as anna:
            for body in ({"role": "guest"}, {"name": "B", "role": "driver"}):
                answer = await anna.patch("/v1/users/Anna", json=body)
                assert answer.status_code == 422
                assert "no other" in answer.text
            assert (await anna.delete("/v1/users/Anna")).status_code == 422
            await add_user(site, "Ben", "owner")
            assert (await anna.patch("/v1/users/Anna", json={"role": "guest"})).status_code == 200
            assert (await anna.get("/v1/users")).status_code == 403
            assert (await anna.get("/v1/site")).status_code == 200
            await site.client.delete("/v1/users/Anna/sessions")
            assert (await anna.get("/v1/site")).status_code == 401
        token = await api_token(site, ["read"])
        async with caller(site, token) as program:
            (shown,) = (await site.client.get("/v1/tokens")).json()
            assert "token" not in shown
            assert (await program.get("/v1/site")).status_code == 200
            assert (await site.client.delete(f"/v1/tokens/{shown['id']}")).status_code == 200
            assert (await program.get("/v1/site")).status_code == 401

    in_live_site(tmp_path, test)


def test_a_new_password_ends_the_other_sessions(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        async with person(site, "Anna", "guest") as anna:
            async with caller(site, await session_of(site, "Anna")) as lost:
                short = await anna.put("/v1/session/password", json={"password": "short"})
                assert short.status_code == 422
                assert "short" not in short.text.replace("shorter", "")
                body = {"password": PASSWORD}
                assert (await anna.put("/v1/session/password", json=body)).status_code == 200
                assert (await lost.get("/v1/session")).status_code == 401
            assert (await anna.get("/v1/session")).json()["has_password"] is True
        assert (await sign_in(site, name="anna", password=PASSWORD)).status_code == 201

    in_live_site(tmp_path, test)


def test_a_cookie_counts_for_nothing_so_no_other_site_can_use_it(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner", password=PASSWORD)
        token = await session_of(site, "Anna")
        async with nobody(site) as browser:
            headers = {"Cookie": f"parkwatt_session={token}", "Origin": "https://evil.example"}
            assert (await browser.get("/v1/site", headers=headers)).status_code == 401
            answer = await browser.post(f"{CAR}/mode", headers=headers, json={"mode": "off"})
            assert answer.status_code == 401
            form = {"name": "Anna", "password": PASSWORD}
            posted = await browser.post("/v1/sessions", headers=headers, data=form)
            assert posted.status_code == 422  # a form is no JSON
            asked = await browser.options(f"{CAR}/mode", headers=headers)
            assert asked.status_code == 405
            for one in (answer, posted, asked):
                assert not any(name.startswith("access-control") for name in one.headers)
                assert "set-cookie" not in one.headers

    in_live_site(tmp_path, test)


def test_every_answer_has_the_headers_that_keep_it_where_it_belongs(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        for path in ("/health", "/v1/site", "/v1/nothing", "/v1/users/%0a", "/" + "a" * 9000):
            headers = (await site.client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "default-src 'none'" in headers["Content-Security-Policy"]

    in_live_site(tmp_path, test)


def test_no_answer_and_no_file_holds_a_secret(tmp_path: Path) -> None:
    async def test(site: LiveServed) -> None:
        await add_user(site, "Anna", "driver", cars=["ID.4"], password=PASSWORD)
        secrets = [
            PASSWORD,
            await session_of(site, "Anna"),
            await link_of(site, "Anna"),
            await api_token(site, ["read"]),
        ]
        access = site.settings.serve.store.access
        kept = b"".join(path.read_bytes() for path in access.parent.glob("access.sqlite*"))
        assert len(kept) > 1000
        assert not [secret for secret in secrets if secret.encode() in kept]
        assert access.stat().st_mode & 0o077 == 0
        for path in ("/v1/users", "/v1/tokens", "/v1/session", "/v1/journal?limit=1000"):
            shown = (await site.client.get(path)).text
            assert not [secret for secret in secrets if secret in shown]
        wrong = {"name": "Anna", "password": [PASSWORD], "link": {"a": secrets[2]}}
        for path in ("/v1/sessions", "/v1/users"):
            answer = await site.client.post(path, json=wrong)
            assert answer.status_code == 422
            assert not [secret for secret in secrets if secret in answer.text]

    in_live_site(tmp_path, test)


def test_sessions_and_tokens_outlive_a_restart(tmp_path: Path) -> None:
    kept: dict[str, str] = {}

    async def before(site: LiveServed) -> None:
        await add_user(site, "Anna", "owner")
        kept["session"] = await session_of(site, "Anna")
        kept["token"] = await api_token(site, ["read"])
        kept["link"] = await link_of(site, "Anna")
        access: Access = site.application.state.access
        kept["service"] = access.service_token({"read"})

    async def after(site: LiveServed) -> None:
        for name, status in (("session", 200), ("token", 200), ("service", 401)):
            async with caller(site, kept[name]) as client:
                assert (await client.get("/v1/site")).status_code == status, name
        assert (await sign_in(site, link=kept["link"])).status_code == 201
        assert (await sign_in(site, link=kept["link"])).status_code == 401

    in_live_site(tmp_path, before)
    in_live_site(tmp_path, after)
