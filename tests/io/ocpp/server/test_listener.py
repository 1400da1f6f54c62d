"""The listener against strangers' clients, over real sockets."""

import asyncio
import socket
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.server.listener import listen
from parkwatt.io.ocpp.server.settings import ListenerSettings
from parkwatt.io.ocpp.version import Version
from tests.io.ocpp.server.charging_station import (
    Backend,
    Go,
    backend,
    basic,
    exchange,
    raw,
    request,
    upgraded,
)

FAST_KEEPALIVE = {"ping_interval_s": 0.05, "ping_timeout_s": 0.3, "silence_s_max": 0.6}


async def status_of(
    station: Backend, charger_id: str, password: str | None = None, **options: object
) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with station.connect(charger_id, password, **options):
            pass
    return refused.value.response.status_code


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp1.6"], Version.V16),
        (["ocpp1.6", "ocpp2.0.1"], Version.V201),
        (["ocpp1.6", "ocpp2.0.1", "ocpp2.1", "ocpp9"], Version.V21),
        (["ocpp1.5", "ocpp1.6"], Version.V16),
    ],
)
def test_the_highest_common_version_is_chosen(
    go: Go, tmp_path: Path, offered: list[str], chosen: Version
) -> None:
    async def run() -> None:
        async with (
            backend(tmp_path / "c") as station,
            station.connect("CS001", subprotocols=offered) as client,
        ):
            assert client.subprotocol == chosen.value
            assert await exchange(client, "[2]") == "answer:[2]"
            assert (station.arrivals[0].charger_id, station.arrivals[0].version) == (
                "CS001",
                chosen,
            )
            assert station.listener.connection_count == 1

    go(run())


@pytest.mark.parametrize("offered", [None, ["ocpp1.5"], ["soap"]])
def test_without_a_common_version_the_handshake_ends_and_the_link_is_closed(
    go: Go, tmp_path: Path, offered: list[str] | None
) -> None:
    """OCPP 2.1 Part 4 §3.3, OCPP-J 1.6 §3.2."""

    async def run() -> None:
        async with (
            backend(tmp_path / "c") as station,
            station.connect("CS001", subprotocols=offered) as client,
        ):
            assert client.subprotocol is None
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(client.recv(), 5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1002
            assert station.arrivals == []

    go(run())


@pytest.mark.parametrize("path", ["RDAM%7C123", "deep/er/RDAM|123", "RDAM%7C123/"])
def test_the_identity_is_the_last_segment_decoded(go: Go, tmp_path: Path, path: str) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station, station.connect(path):
            assert station.arrivals[0].charger_id == "RDAM|123"

    go(run())


@pytest.mark.parametrize("path", ["", "a%3Ab", "x" * 49, "%FF%FE", "a%20b", "%2E%2E%2Fetc", "a%00"])
def test_what_cannot_be_an_identity_is_not_found(go: Go, tmp_path: Path, path: str) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            reader, writer = await raw(station.port)
            writer.write(request("").replace(b"/ocpp/", b"/" + path.encode()))
            assert b" 404 " in await asyncio.wait_for(reader.readline(), 5)
            writer.close()
            assert station.faults == []

    go(run())


def test_a_password_lets_its_charger_in_and_nothing_else(go: Go, tmp_path: Path) -> None:
    with CredentialStore(tmp_path / "c") as store:
        right = str(store.add("CS001", 1, 0).password)
        store.add("CS002", 1, 0, "correct-horse-battery")
        disabled = str(store.add("CS003", 1, 0).password)
        store.set_disabled("CS003", disabled=True)

    async def run() -> None:
        async with backend(tmp_path / "c", admit_unknown=False) as station:
            async with station.connect("CS001", right) as client:
                assert await exchange(client, "[2]") == "answer:[2]"
                assert station.arrivals[0].security_profile == 1
            async with station.connect("CS002", "correct-horse-battery"):
                pass
            async with station.connect("CS001", right.encode().hex()):
                pass
            assert await status_of(station, "CS001") == 401
            assert await status_of(station, "CS001", right[:-1]) == 401
            assert await status_of(station, "CS002", "correct-horse-batterz") == 401
            assert await status_of(station, "CS003", disabled) == 401
            assert await status_of(station, "stranger", right) == 401
            assert await status_of(station, "stranger") == 401
            for header in (
                basic("CS002", right),
                "Basic !!!",
                "Bearer " + right,
                "Basic",
                basic("CS001", "ü" * 9),
            ):
                assert await status_of(station, "CS001", headers={"Authorization": header}) == 401
            assert station.faults == []
            assert station.refusals[-1].charger_id == "CS001"

    go(run())


def test_a_stranger_and_a_wrong_password_look_the_same(go: Go, tmp_path: Path) -> None:
    with CredentialStore(tmp_path / "c") as store:
        store.add("CS001", 1, 0)

    async def answer(station: Backend, charger_id: str) -> bytes:
        reader, writer = await raw(station.port)
        writer.write(request(charger_id, "Authorization: " + basic(charger_id, "wrong")))
        text = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return b"\n".join(line for line in text.splitlines() if not line.startswith(b"Date:"))

    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            assert await answer(station, "CS001") == await answer(station, "nobody")

    go(run())


def test_a_credential_made_while_it_runs_counts_at_once(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", admit_unknown=False) as station:
            assert await status_of(station, "CS001", "x") == 401
            with CredentialStore(tmp_path / "c") as store:
                password = str(store.add("CS001", 1, 0).password)
            async with station.connect("CS001", password):
                assert station.listener.connection_count == 1

    go(run())


def test_a_password_must_not_cross_a_network_unencrypted_unless_it_is_said(
    go: Go, tmp_path: Path
) -> None:
    async def run() -> None:
        with CredentialStore(tmp_path / "c") as store:
            with pytest.raises(
                InputError, match=r"host: without TLS must be a loopback address.*0\.0\.0\.0"
            ):
                await listen(ListenerSettings(host="0.0.0.0", port=0), store, print)  # noqa: S104
            told = ListenerSettings(host="0.0.0.0", port=0, allow_unencrypted=True)  # noqa: S104
            await (await listen(told, store, print)).close()

    go(run())


def test_a_charger_that_must_use_tls_is_refused_without(go: Go, tmp_path: Path) -> None:
    with CredentialStore(tmp_path / "c") as store:
        password = str(store.add("CS001", 2, 0).password)

    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            assert await status_of(station, "CS001", password) == 403

    go(run())


def test_every_broken_setting_is_told(tmp_path: Path) -> None:
    settings = ListenerSettings(
        host="",
        port=70_000,
        ping_interval_s=0.0,
        client_authority=tmp_path / "none",
        frame_bytes_max=100,
    )
    with pytest.raises(InputError) as told:
        settings.check()
    fields = [fault.field for fault in told.value.faults]
    assert fields == [
        *(
            "host",
            "port",
            "host",
            "client_authority",
            "frame_bytes_max",
            "ping_interval_s",
            "client_authority",
        )
    ]


def test_a_port_in_use_is_told(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            with (
                CredentialStore(tmp_path / "d") as store,
                pytest.raises(InputError, match="cannot be listened on"),
            ):
                await listen(ListenerSettings(port=station.port), store, print)

    go(run())


def test_a_second_connection_is_refused_while_the_first_lives(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station, station.connect("CS001") as first:
            assert await status_of(station, "CS001") == 409
            assert await exchange(first, "[2]") == "answer:[2]"
            assert station.ends == []

    go(run())


def test_a_second_connection_wins_when_the_first_is_dead(go: Go, tmp_path: Path) -> None:
    """A half-open first connection: it is open, and nobody reads or answers."""

    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            _, dead = await upgraded(station.port, "CS001")
            async with station.connect("CS001") as second:
                assert await exchange(second, "[2]") == "answer:[2]"
                assert [end.reason for end in station.ends] == ["dead when its charger came back"]
                assert station.listener.connection_count == 1
            dead.close()

    go(run())


def test_of_many_that_come_at_once_after_a_dead_one_one_gets_in(go: Go, tmp_path: Path) -> None:
    async def attempt(station: Backend, done: asyncio.Event) -> bool:
        try:
            async with station.connect("CS001"):
                await done.wait()
                return True
        except InvalidStatus as refused:
            return refused.response.status_code != 409

    async def run() -> None:
        async with backend(tmp_path / "c") as station:
            _, dead = await upgraded(station.port, "CS001")
            done = asyncio.Event()
            attempts = [asyncio.create_task(attempt(station, done)) for _ in range(5)]
            await asyncio.wait(attempts, timeout=1.5)
            done.set()
            assert sum(await asyncio.gather(*attempts)) == 1
            dead.close()

    go(run())


def test_a_charger_that_ignores_pings_but_speaks_stays(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", **FAST_KEEPALIVE) as station:
            _, writer = await upgraded(station.port, "CS001")
            for _ in range(8):
                writer.write(b"\x81\x82\0\0\0\0[]")
                await asyncio.sleep(0.2)
            assert station.ends == []
            await asyncio.wait_for(station.until_gone(), 3)
            assert "no sign of life" in station.ends[0].reason
            writer.close()

    go(run())


def test_a_charger_that_answers_pings_stays_without_a_word(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            backend(tmp_path / "c", **FAST_KEEPALIVE) as station,
            station.connect("CS001", ping_interval=None) as client,
        ):
            await asyncio.sleep(1.2)
            assert await exchange(client, "[2]") == "answer:[2]"
            assert station.ends == []

    go(run())


def test_rates_of_connections_are_limited_and_tell_when_to_come_back(
    go: Go, tmp_path: Path
) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", charger_connections_burst=2) as station:
            for _ in range(2):
                async with station.connect("CS001"):
                    pass
                await station.until_gone()
            assert await status_of(station, "CS001") == 429
            async with station.connect("CS002"):
                pass
        async with backend(tmp_path / "c", connections_per_s=0.1, connections_burst=1) as station:
            async with station.connect("CS001"):
                pass
            with pytest.raises(InvalidStatus) as refused:
                async with station.connect("CS002"):
                    pass
            assert refused.value.response.status_code == 503
            assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 10

    go(run())


def test_guesses_are_limited_and_do_not_lock_the_charger_out_elsewhere(
    go: Go, tmp_path: Path
) -> None:
    with CredentialStore(tmp_path / "c") as store:
        store.add("CS001", 1, 0)
        other = str(store.add("CS002", 1, 0).password)

    async def run() -> None:
        async with backend(tmp_path / "c", failures_burst=3) as station:
            assert [await status_of(station, "CS001", "wrong") for _ in range(4)] == [
                401,
                401,
                401,
                429,
            ]
            async with station.connect("CS002", other):
                pass

    go(run())


def test_more_connections_than_allowed_are_turned_away(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c", connections_max=2) as station:
            async with station.connect("CS001"), station.connect("CS002"):
                assert await status_of(station, "CS003") == 503
            await station.until_gone()
            async with station.connect("CS003"):
                pass

    go(run())


def test_close_tells_every_charger(go: Go, tmp_path: Path) -> None:
    async def run() -> None:
        async with backend(tmp_path / "c") as station, station.connect("CS001") as client:
            await station.listener.close("maintenance")
            await client.wait_closed()
            assert (client.close_code, client.close_reason) == (1001, "maintenance")
            assert [end.code for end in station.ends] == [1001]
            assert station.listener.link("CS001") is None

    go(run())


def _loopback_hosts() -> list[str]:
    """This machine's own addresses, of each kind that it has."""
    hosts = ["127.0.0.1"]
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            hosts.append("::1")
    except OSError:
        pass
    return hosts


def test_a_link_names_its_peer(go: Go, tmp_path: Path) -> None:
    """As host:port, so that the host of an IPv6 address can be told from the port."""

    async def run() -> None:
        for host in _loopback_hosts():
            async with (
                backend(tmp_path / "c", host=host) as station,
                station.connect("CS001", host=host) as client,
            ):
                await exchange(client, "[2]")
                shown = f"[{host}]" if ":" in host else host
                assert station.arrivals[0].link.peer().rpartition(":")[0] == shown

    go(run())
