"""Security profiles 2 and 3 over real TLS, with certificates made here."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus

from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.authority import Authority, Issued, create_authority
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.server.settings import ListenerSettings, TlsFiles
from parkwatt.io.ocpp.server.tls import server_context
from tests.io.ocpp.server.charging_station import Backend, Go, backend, exchange, raw

NOW = datetime.now(UTC)


class Site:
    """A site's files: its authority, its server's certificate, and two chargers' credentials."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = create_authority(folder / "ca", "Depot", NOW)
        self.issue_server_certificate()
        self.store = folder / "credentials.sqlite"
        with CredentialStore(self.store) as store:
            self.password = str(store.add("CS002", 2, 0).password)
            store.add("CS003", 3, 0)
            self.strict_password = str(store.add("CS004", 3, 0, "correct-horse-battery").password)

    def issue_server_certificate(self) -> None:
        issued = self.authority.issue_server_certificate(["localhost", "127.0.0.1"], NOW)
        issued.write(self.folder / "server.pem", self.folder / "server.key")

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "tls": (
                TlsFiles(certificate=self.folder / "server.pem", key=self.folder / "server.key"),
            ),
            "client_authority": self.folder / "ca" / "authority.pem",
            "admit_unknown": False,
        }

    def client(
        self, charger_id: str | None = None, authority: Authority | None = None
    ) -> ssl.SSLContext:
        """A charger's context: it trusts the site, and shows a certificate if it has one."""
        context = ssl.create_default_context(cadata=self.authority.certificate_pem)
        if charger_id is not None:
            show(
                context,
                (authority or self.authority).issue_client_certificate(charger_id, NOW),
                self.folder,
            )
        return context


def show(context: ssl.SSLContext, issued: Issued, folder: Path) -> None:
    issued.write(folder / "client.pem", folder / "client.key")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def status_of(
    station: Backend, charger_id: str, password: str | None, context: ssl.SSLContext
) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with station.connect(charger_id, password, ssl=context):
            pass
    return refused.value.response.status_code


def test_profile_2_is_tls_and_a_password(go: Go, site: Site) -> None:
    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            async with station.connect("CS002", site.password, ssl=site.client()) as client:
                assert await exchange(client, "x" * 100_000) == "answer:" + "x" * 100_000
                assert station.arrivals[0].security_profile == 2
            assert await status_of(station, "CS002", "wrong", site.client()) == 401
            assert await status_of(station, "CS002", None, site.client()) == 401

    go(run())


def test_profile_3_is_the_chargers_own_certificate(go: Go, site: Site) -> None:
    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            async with station.connect("CS003", ssl=site.client("CS003")) as client:
                assert await exchange(client, "[2]") == "answer:[2]"
                assert station.arrivals[0].security_profile == 3
            assert await status_of(station, "CS003", None, site.client("CS002")) == 401
            assert await status_of(station, "CS003", None, site.client()) == 401
            assert await status_of(station, "CS004", site.strict_password, site.client()) == 403
            assert await status_of(station, "CS002", site.password, site.client("CS003")) == 401

    go(run())


def test_a_certificate_of_another_authority_ends_the_handshake(
    go: Go, site: Site, tmp_path: Path
) -> None:
    stranger = create_authority(tmp_path / "stranger", "Elsewhere", NOW)

    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            with pytest.raises((ssl.SSLError, ConnectionError, InvalidMessage)):
                async with station.connect("CS003", ssl=site.client("CS003", stranger)):
                    pass
            assert station.arrivals == []

    go(run())


def test_an_expired_certificate_ends_the_handshake(go: Go, site: Site) -> None:
    long_ago = NOW - timedelta(days=2_000)
    context = site.client()
    show(context, site.authority.issue_client_certificate("CS003", long_ago), site.folder)

    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            with pytest.raises((ssl.SSLError, ConnectionError, InvalidMessage)):
                async with station.connect("CS003", ssl=context):
                    pass
            assert station.arrivals == []

    go(run())


@pytest.mark.parametrize(
    "suite",
    ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"],
)
def test_tls_1_2_with_the_suites_of_ocpp(go: Go, site: Site, suite: str) -> None:
    """OCPP 2.x Part 2 A00.FR.318."""
    context = site.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)

    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            _, writer = await raw(station.port, context)
            assert writer.get_extra_info("cipher")[0] == suite
            writer.close()
            await writer.wait_closed()

    go(run())


@pytest.mark.parametrize(
    ("version", "suite"),
    [
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_and_other_suites_are_refused(
    go: Go, site: Site, version: ssl.TLSVersion, suite: str
) -> None:
    context = site.client()
    context.minimum_version = min(version, context.minimum_version)
    context.maximum_version = version
    context.set_ciphers(suite)

    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await raw(station.port, context)

    go(run())


def test_a_tls_handshake_that_does_not_end_is_cut_off(go: Go, site: Site) -> None:
    async def run() -> None:
        async with backend(site.store, handshake_timeout_s=0.3, **site.settings) as station:
            for begun in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
                reader, writer = await raw(station.port)
                writer.write(begun)
                await asyncio.wait_for(reader.read(), 3)
                writer.close()
            async with station.connect("CS002", site.password, ssl=site.client()) as client:
                assert await exchange(client, "[2]") == "answer:[2]"

    go(run())


def test_a_renewed_certificate_serves_new_connections_and_a_broken_one_changes_nothing(
    go: Go, site: Site
) -> None:
    async def run() -> None:
        async with backend(site.store, **site.settings) as station:
            seen = [await serial(station.port, site)]
            site.issue_server_certificate()
            station.listener.reload_certificates()
            seen.append(await serial(station.port, site))
            assert seen[0] != seen[1]
            (site.folder / "server.key").write_text("broken")
            with pytest.raises(InputError, match=r"tls\[0\]"):
                station.listener.reload_certificates()
            assert await serial(station.port, site) == seen[1]

    go(run())


async def serial(port: int, site: Site) -> str:
    _, writer = await raw(port, site.client())
    number = str(writer.get_extra_info("peercert")["serialNumber"])
    writer.close()
    await writer.wait_closed()
    return number


def test_unusable_files_are_told(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("nothing")
    pair = site.settings["tls"][0]
    with pytest.raises(InputError, match=r"tls\[0\]"):
        server_context(ListenerSettings(tls=(TlsFiles(certificate=other, key=pair.key),)))
    with pytest.raises(InputError, match="client_authority"):
        server_context(ListenerSettings(tls=(pair,), client_authority=other))
    with pytest.raises(InputError, match=r"tls\[0\]\.key: must be a readable file"):
        ListenerSettings(
            tls=(TlsFiles(certificate=pair.certificate, key=tmp_path / "none"),)
        ).check()
