"""The API of a site that runs, fuzzed by its own description (schemathesis): right, nasty and wrong input, and never a 5xx.

Ids in paths are those of the site, or made up.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from parkwatt.app.demo.backup_toml import backup_toml
from parkwatt.app.demo.circuits import CIRCUITS
from tests.app.serve.running import RunningServer, running

SITE = f"""\
name = "Home"

[tariff]
currency = "EUR"
time_zone = "Europe/Berlin"

[tariff.import]
otherwise_per_kwh = 0.35
periods = [{{ price_per_kwh = 0.15, from = "22:00", to = "05:00" }}]

[tariff.export]
price_per_kwh = 0.08

[connection]
fuse_a = 35
household_kw_max = 12.0

[ocpp]
listen = "127.0.0.1:0"
admit_unknown = true

[api]
listen = "127.0.0.1:0"

[web]
enabled = false

[log]
level = "error"

[[charger]]
id = "GARAGE"
discharge = true
power_kw_max = 11

[car]
name = "car"
charger = "GARAGE"
battery_kwh = 77
charge_kw_max = 11
discharge_kw_max = 11
discharge = true
ready_by = {{ weekdays = "07:30" }}
{backup_toml(9)}
"""
# What does not end, and what would end the session that asks.
LEFT_OUT = {("GET", "/v1/stream"), ("DELETE", "/v1/session")}
KNOWN: dict[str, list[Any]] = {
    "car_id": ["car"],
    "charger_id": ["GARAGE"],
    "evse_id": [1],
    "circuit_id": [circuit.circuit_id for circuit in CIRCUITS],
    "name": ["Anna", "Ben"],
    "token_id": [1, 2],
    "announcement_id": ["storm"],
}
# What has broken programs before: the ends of time and of numbers, half a character, other languages' code.
NASTY: list[Any] = [
    *(
        "",
        "0",
        "nan",
        "-1",
        "a\x00b",
        "\ud800",
        "ünïcödé\u202e",
        "' OR 1=1 --",
        "{0}",
        "%s%n",
        "../..",
        "a" * 5000,
    ),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"),
    *(
        "2026-10-25T02:30:00",
        "2027-01-15T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01",
        "9999-12-31",
    ),
    *(
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        2**70,
        1e-320,
        1e308,
        -0.0,
        [],
        {},
        [[]],
        ["car"],
        {"monday": "07:30"},
    ),
]
CASES = 8
# They ask devices or look through a whole day, which takes seconds.
SLOW = {"/v1/devices", "/v1/doctor", "/v1/at", "/v1/at/day"}
_PARKWATT = Path(sys.executable).with_name("parkwatt")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, time_unit_s: float) -> Iterator[RunningServer]:
    """A site with a car at a charger, a home's backup whose gateway does not answer, and two users."""
    with running(SITE, tmp_path_factory.mktemp("site"), 60.0 * time_unit_s, "up") as started:
        command = [str(_PARKWATT), "virtual", "--url", started.ocpp_url, "--id", "GARAGE"]
        charger = subprocess.Popen([*command, "--quiet"])
        try:
            for name, cars in (("Anna", ["car"]), ("Ben", [])):
                wish = {"name": name, "role": "driver", "cars": cars}
                started.api.send("POST", "/v1/users", wish)
            yield started
        finally:
            charger.kill()
            charger.wait()


def ids(operation: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Values for the path: mostly what there is, sometimes not."""
    names = [parameter.name for parameter in operation.path_parameters]
    strange: list[Any] = ["nobody", "..", "%2e%2e", "ü", "0", "a b", "x" * 300]
    return st.fixed_dictionaries(
        {
            name: st.sampled_from(KNOWN.get(name, ["one"])) | st.sampled_from(strange)
            for name in names
        }
    )


def test_no_input_makes_the_api_fail(server: RunningServer) -> None:
    url = server.api._url
    openapi = httpx.get(f"{url}/openapi.json").json()
    headers = dict(server.api._headers)
    failures: list[str] = []
    count = 0
    with httpx.Client(base_url=url, timeout=60.0) as client:
        for found in schemathesis.openapi.from_dict(openapi).get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            if (operation.method.upper(), operation.path) in LEFT_OUT:
                continue
            fields = {
                "json": _fields(openapi, operation.method, operation.path),
                "params": [one.name for one in operation.query],
            }
            modes = ("right", "nasty", "wrong") if any(fields.values()) else ("right", "wrong")
            for mode in modes:
                count += _fuzz(operation, mode, fields, client, headers, failures)
    assert count > 600
    assert not failures, "\n".join(failures)
    log = server.output
    assert headers["Authorization"].removeprefix("Bearer ") not in log


def _fuzz(
    operation: Any,
    mode: str,
    fields: dict[str, list[str]],
    client: httpx.Client,
    headers: dict[str, str],
    failures: list[str],
) -> int:
    """Send some cases; how many."""
    sent = 0

    @settings(
        max_examples=2 if operation.path in SLOW else CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def try_one(data: st.DataObject) -> None:
        nonlocal sent
        made = GenerationMode.NEGATIVE if mode == "wrong" else GenerationMode.POSITIVE
        known = data.draw(ids(operation))
        case = data.draw(operation.as_strategy(made, path_parameters=known))
        request = case.as_transport_kwargs(base_url=str(client.base_url), headers=headers)
        if mode == "nasty":
            _spoil(data, fields, request)
        request.pop("cookies", None)
        answer = _sent(client, _for_httpx(request))
        sent += 1
        if answer.status_code >= 500:
            failures.append(
                f"{answer.status_code} {answer.text[:300]}\n    {case.as_curl_command()}"
            )

    with contextlib.suppress(Unsatisfiable):  # a route without input has no wrong one
        try_one()
    return sent


def _spoil(data: st.DataObject, fields: dict[str, list[str]], request: dict[str, Any]) -> None:
    """Make one value of right input nasty."""
    place = data.draw(st.sampled_from([place for place, names in fields.items() if names]))
    given = request.get(place)
    request[place] = dict(given) if isinstance(given, dict) else {}
    request[place][data.draw(st.sampled_from(fields[place]))] = data.draw(st.sampled_from(NASTY))


def _sent(client: httpx.Client, request: dict[str, Any]) -> httpx.Response:
    """The answer; asked again where the server had just closed a connection that was idle."""
    try:
        return client.request(**request)
    except (httpx.ReadError, httpx.RemoteProtocolError):
        return client.request(**request)


def _fields(openapi: dict[str, Any], method: str, path: str) -> list[str]:
    """The names in the body of a route."""
    content = openapi["paths"][path][method].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return list(openapi["components"]["schemas"].get(name, {}).get("properties", {}))


def _for_httpx(request: dict[str, Any]) -> dict[str, Any]:
    """As httpx takes it. JSON is written as ASCII, so that half a character is sent, too."""
    data = request.pop("data", None)
    headers = dict(request.pop("headers", None) or {})
    if "json" in request:
        data = json.dumps(request.pop("json")).encode()
        headers["Content-Type"] = "application/json"
    given = request.pop("params", None) or {}
    params = {name: str(value).encode("utf-8", "replace").decode() for name, value in given.items()}
    known = {name: value for name, value in request.items() if value is not None}
    body = {"content" if isinstance(data, bytes | str) else "data": data}
    return {**known, **body, "params": params, "headers": headers}
