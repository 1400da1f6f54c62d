"""Chargers of the `ocpp` package live on a real server: charge, discharge, are commanded, outlive its death."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from parkwatt.app.api.client import charger_path
from tests.app.serve.running import RunningServer
from tests.app.serve.stranger_v2 import Stranger21, Stranger201
from tests.app.serve.stranger_v16 import Stranger16
from tests.app.serve.strangers import CARD, Stranger, connected

Start = Callable[[str], RunningServer]
KINDS: dict[str, type[Stranger]] = {"S16": Stranger16, "S201": Stranger201, "S21": Stranger21}
PASSWORD = "known-to-strangers"  # noqa: S105 of nobody

LOOPBACK = """\
[ocpp]
listen = "127.0.0.1:0"
{ocpp}
[api]
listen = "127.0.0.1:0"
[charger_defaults]
discharge = true
power_kw_max = 11.0
"""
KNOWN = LOOPBACK.format(ocpp="")
ANYBODY = LOOPBACK.format(ocpp="admit_unknown = true")
TLS = LOOPBACK.format(ocpp="tls = true")


@asynccontextmanager
async def reporting(*strangers: Stranger) -> AsyncIterator[None]:
    """All of them tell their meters' values meanwhile."""
    tasks = [asyncio.create_task(stranger.reporting()) for stranger in strangers]
    try:
        yield
    finally:
        for stranger, task in zip(strangers, tasks, strict=True):
            async with stranger.quiet:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def wants(server: RunningServer, charger_id: str, power_kw: float) -> None:
    """Ask for a power through the API."""
    path = charger_path(charger_id, "evses", "1", "setpoint")
    await server.asks("PUT", path, {"power_kw": power_kw, "lease_s": 60})


def test_strangers_of_all_versions_charge_as_they_are_told(running_server: Start) -> None:
    server = running_server(KNOWN)
    for charger_id in KINDS:
        said = server.parkwatt("charger add", charger_id, "--password", PASSWORD)
        assert f"{server.ocpp_url}/{charger_id}" in said

    async def charge(charger_id: str, kind: type[Stranger]) -> None:
        with pytest.raises(InvalidStatus, match="401"):
            async with connected(kind, server, charger_id, password="not-that-one"):  # noqa: S106
                pass
        async with connected(kind, server, charger_id, password=PASSWORD) as stranger:
            await stranger.boot()
            await stranger.begin()
            (running,) = await server.transactions(charger_id, lambda found: len(found) == 1)
            assert running["open"]
            assert running["token"] == CARD
            default = await stranger.heard("SetChargingProfile")
            assert profile(default)["chargingProfilePurpose"] == "TxDefaultProfile"
            assert profile(default)["stackLevel"] == 0
            await wants(server, charger_id, 3.0)
            async with reporting(stranger):
                told = await stranger.heard(
                    "SetChargingProfile",
                    lambda body: profile(body)["chargingProfilePurpose"] == "TxProfile",
                )
                shown = await server.charger(charger_id, lambda view: power_kw(view) == 3.0)
            assert set_to_w(told) == 3000.0
            assert scheduled(await composite(server, kind, charger_id)) == set_period(told)
            (evse,) = shown["evses"]
            assert evse["availability"] == "occupied"
            assert evse["transaction_id"] == str(stranger.transaction_id)
            assert shown["protocol"] == kind.protocol
            assert shown["security_profile"] == 1
            await stranger.end()
            (ended,) = await server.transactions(charger_id, lambda found: not found[0]["open"])
            assert ended["imported_kwh"] == pytest.approx(stranger.energy_kwh[0], abs=2e-6)
            assert ended["imported_kwh"] > 0
            assert ended["missing_reports"] == 0
            idle = await server.charger(charger_id, lambda view: not transacting(view))
            assert idle["evses"][0]["availability"] == "available"
            assert idle["deviation_count"] == 0
        await server.charger(charger_id, lambda view: not view["connected"])

    async def all_at_once() -> None:
        await asyncio.gather(*(charge(charger_id, kind) for charger_id, kind in KINDS.items()))

    asyncio.run(all_at_once())


def test_a_stranger_of_2_1_discharges_by_set_point_alone_and_proves_its_rung(
    running_server: Start,
) -> None:
    server = running_server(ANYBODY)

    async def live() -> None:
        async with connected(Stranger21, server, "V2G-1") as stranger:
            await stranger.boot()
            await stranger.begin()
            await wants(server, "V2G-1", -3.0)
            async with reporting(stranger):
                proven = await server.charger("V2G-1", lambda view: rung(view)["proven"])
            assert rung(proven)["level"] == 2
            assert power_kw(proven) == -3.0
            profiles = [body for name, body in stranger.received if name == "SetChargingProfile"]
            first, rest, *then = profiles
            assert profile(first)["chargingProfilePurpose"] == "TxDefaultProfile"
            assert profile(first)["stackLevel"] == 0
            (period,) = profile(first)["chargingSchedule"][0]["chargingSchedulePeriod"]
            assert period == {"startPeriod": 0, "limit": 11000.0}
            (period,) = profile(rest)["chargingSchedule"][0]["chargingSchedulePeriod"]
            assert period == {
                "startPeriod": 0,
                "limit": 0,
            }  # a rung that is not proven is tried from rest
            assert then
            for told in then:
                (period,) = profile(told)["chargingSchedule"][0]["chargingSchedulePeriod"]
                assert period == {
                    "startPeriod": 0,
                    "operationMode": "CentralSetpoint",
                    "setpoint": -3000.0,
                }
                assert profile(told)["stackLevel"] > 0
                assert profile(told)["transactionId"] == stranger.transaction_id
            assert scheduled(await composite(server, Stranger21, "V2G-1")) == period
            await server.asks("DELETE", charger_path("V2G-1", "evses", "1", "setpoint"))
            await stranger.heard("ClearChargingProfile")
            await stranger.report()
            await stranger.end()
            (ended,) = await server.transactions("V2G-1", lambda found: not found[0]["open"])
            imported_kwh, exported_kwh = stranger.energy_kwh
            assert exported_kwh > 0
            assert ended["exported_kwh"] == pytest.approx(exported_kwh, abs=2e-6)
            assert ended["imported_kwh"] == pytest.approx(imported_kwh, abs=2e-6)

    asyncio.run(live())


def test_a_stranger_of_2_0_1_is_never_asked_to_discharge(running_server: Start) -> None:
    server = running_server(ANYBODY)

    async def live() -> None:
        async with connected(Stranger201, server, "V1G-1") as stranger:
            await stranger.boot()
            await stranger.begin()
            await wants(server, "V1G-1", -3.0)
            told = await stranger.heard(
                "SetChargingProfile",
                lambda body: profile(body)["chargingProfilePurpose"] == "TxProfile",
            )
            assert set_to_w(told) == 0.0
            judged = await server.shows(
                "/v1/journal", bool, charger_id="V1G-1", kind="setpoint.judged"
            )
            assert judged[0]["payload"]["verdict"] == "refused"

    asyncio.run(live())


def test_strangers_with_tls_bring_a_password_or_a_certificate_of_their_own(
    running_server: Start,
) -> None:
    server = running_server(TLS)
    server.parkwatt("charger add", "S201", "--password", PASSWORD)
    said = server.parkwatt("charger add", "S21", "--profile", "3")
    server.parkwatt("charger add", "OTHER", "--profile", "3")
    trusting = ssl.create_default_context(cafile=printed(said, "trusted authority"))
    itself = ssl.create_default_context(cafile=printed(said, "trusted authority"))
    itself.load_cert_chain(printed(said, "its certificate"), printed(said, "its private key"))
    assert server.ocpp_url.startswith("wss://")

    async def live() -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connected(
                Stranger201, server, "S201", password=PASSWORD, tls=ssl.create_default_context()
            ):
                pass
        for wrong in (
            connected(Stranger21, server, "S21", password=PASSWORD, tls=trusting),
            connected(Stranger21, server, "OTHER", tls=itself),
            connected(Stranger201, server, "S201", tls=trusting),
        ):
            with pytest.raises(InvalidStatus, match=r"401|403"):
                async with wrong:
                    pass
        async with (
            connected(Stranger201, server, "S201", password=PASSWORD, tls=trusting) as by_password,
            connected(Stranger21, server, "S21", tls=itself) as by_certificate,
        ):
            for stranger, profile_number in ((by_password, 2), (by_certificate, 3)):
                await stranger.boot()
                await stranger.begin()
                await stranger.end()
                view = await server.charger(stranger.id, lambda view: not transacting(view))
                assert view["security_profile"] == profile_number
                (ended,) = await server.transactions(stranger.id, bool)
                assert ended["imported_kwh"] == pytest.approx(stranger.energy_kwh[0], abs=2e-6)

    asyncio.run(live())


def test_nothing_is_lost_or_counted_twice_when_the_server_is_killed(running_server: Start) -> None:
    server = running_server(ANYBODY)

    async def live() -> None:
        before: dict[str, Stranger] = {}
        shown: dict[str, Any] = {}
        async with AsyncExitStack() as links:
            for charger_id, kind in KINDS.items():
                link = connected(kind, server, charger_id)
                stranger = before[charger_id] = await links.enter_async_context(link)
                await stranger.boot()
                for _ in range(2):
                    await stranger.begin()
                    await stranger.report()
                    await stranger.end()
                await stranger.begin()
                await stranger.report()
                shown[charger_id] = await server.transactions(charger_id, bool)
            await asyncio.to_thread(server.kill)
        for stranger in before.values():
            stranger.unsent = at_the_end(stranger)
        await asyncio.to_thread(server.restart)
        for charger_id, kind in KINDS.items():
            assert await server.transactions(charger_id, bool) == shown[charger_id]
            async with connected(kind, server, charger_id) as again:
                again.take_over(before[charger_id])
                # A charger cannot know what of it arrived before the server died.
                again.unsent.insert(1, again.unsent[0])
                await again.deliver()
                *known, last = await server.transactions(
                    charger_id, lambda found: not found[-1]["open"]
                )
                assert known == shown[charger_id][:-1]
                assert last["transaction_id"] == shown[charger_id][-1]["transaction_id"]
                assert last["imported_kwh"] == pytest.approx(again.energy_kwh[0], abs=2e-6)
                assert last["missing_reports"] == 0
                # It did not boot anew, and is still told what it is told in life.
                await again.begin()
                await wants(server, charger_id, 2.0)
                told = await again.heard(
                    "SetChargingProfile",
                    lambda body: profile(body)["chargingProfilePurpose"] == "TxProfile",
                )
                assert set_to_w(told) == 2000.0
                await again.end()
        entries = await server.shows("/v1/journal", bool, limit=1000)
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))

    asyncio.run(live())


def at_the_end(stranger: Stranger) -> list[Any]:
    """What a charger without a link has to tell of the rest of its transaction."""
    if isinstance(stranger, Stranger16):
        values = stranger.values()
        stranger.follow(0.0)
        return [values, stranger.stop()]
    assert isinstance(stranger, Stranger201 | Stranger21)
    update = stranger.event("Updated", "MeterValuePeriodic", "Charging")
    stranger.follow(0.0)
    return [update, stranger.event("Ended", "EVDeparted", "Idle")]


def profile(body: dict[str, Any]) -> dict[str, Any]:
    """The profile in a SetChargingProfile of any version."""
    found = body.get("chargingProfile", body.get("csChargingProfiles"))
    assert isinstance(found, dict)
    return found


def set_period(body: dict[str, Any]) -> dict[str, Any]:
    """The only period in a SetChargingProfile."""
    schedule = profile(body)["chargingSchedule"]
    (period,) = (schedule[0] if isinstance(schedule, list) else schedule)["chargingSchedulePeriod"]
    assert isinstance(period, dict)
    return period


def set_to_w(body: dict[str, Any]) -> float:
    """The power that a SetChargingProfile of one period asks for."""
    period = set_period(body)
    assert ("limit" in period) != ("setpoint" in period)
    return float(period["setpoint"] if "setpoint" in period else period["limit"])


async def composite(server: RunningServer, kind: type[Stranger], charger_id: str) -> dict[str, Any]:
    """What a charger answers when it is asked by hand what it makes of its profiles."""
    place = "connectorId" if kind is Stranger16 else "evseId"
    asked = {"action": "GetCompositeSchedule", "payload": {place: 1, "duration": 60}}
    answer = await server.asks("POST", charger_path(charger_id, "calls"), asked)
    assert answer["status"] == "Accepted", answer
    found: dict[str, Any] = answer["payload"]
    return found


def scheduled(answer: dict[str, Any]) -> dict[str, Any]:
    """The only period of a composite schedule of any version."""
    schedule = answer.get("schedule", answer.get("chargingSchedule"))
    assert isinstance(schedule, dict)
    (period,) = schedule["chargingSchedulePeriod"]
    assert isinstance(period, dict)
    return period


def power_kw(view: dict[str, Any]) -> float | None:
    """Of the only connection point."""
    power = view["evses"][0]["power_kw"] if view["evses"] else None
    return None if power is None else float(power)


def rung(view: dict[str, Any]) -> dict[str, Any]:
    """Of the only connection point."""
    found: dict[str, Any] = view["evses"][0]["rung"]
    return found


def transacting(view: dict[str, Any]) -> bool:
    """Whether the only connection point has a transaction."""
    return view["evses"][0]["transaction_id"] is not None


def printed(said: str, what: str) -> Path:
    """A path that `parkwatt charger add` printed."""
    found = re.search(rf"{what} +(\S+)", said)
    assert found, said
    return Path(found[1])
