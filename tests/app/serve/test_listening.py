"""The listener's settings out of a site's file: limits arrive, faults carry the file's keys, certificates are renewed."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parkwatt.app.api.client import load_settings
from parkwatt.app.serve.listening import Certificates, listener_settings, told_by_key
from parkwatt.app.serve_settings import ServeSettings
from parkwatt.domain.errors import InputError
from parkwatt.io.credentials.authority import create_authority
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.server.listener import Listener, listen

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def site(tmp_path: Path, ocpp: str) -> ServeSettings:
    """A site whose data folder is there."""
    path = tmp_path / "home.toml"
    path.write_text(f"[ocpp]\n{ocpp}\n", encoding="utf-8")
    settings = load_settings(path)
    settings.store.directory.mkdir(exist_ok=True)
    return settings


async def listening(settings: ServeSettings, certificates: Certificates) -> Listener:
    """A listener of the site."""
    store = CredentialStore(settings.store.credentials)
    return await listen(listener_settings(settings, certificates), store, lambda _: None)


def test_every_limit_reaches_the_listener(tmp_path: Path) -> None:
    settings = site(
        tmp_path,
        "links_max = 7\nlinks_per_second = 3.5\nframes_per_second = 2\nframes_in_all_per_second = 9\n"
        "compression = false\nadmit_unknown = true",
    )
    told = listener_settings(settings, Certificates(settings, NOW))
    assert (told.connections_max, told.connections_per_s, told.connections_burst) == (7, 3.5, 7)
    assert (told.frames_per_s, told.frames_in_all_per_s) == (2.0, 9.0)
    assert told.admit_unknown
    assert not told.compression
    assert not told.tls


@pytest.mark.parametrize(
    ("ocpp", "key"),
    [
        ('tls = true\nnames = ["ä ö"]', "ocpp.names"),
        ('tls_certificate = "home.toml"\ntls_key = "home.toml"', "ocpp.tls_certificate"),
        ('tls = true\nclient_authority = "home.toml"', "ocpp.client_authority"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_key(tmp_path: Path, ocpp: str, key: str) -> None:
    settings = site(tmp_path, ocpp)

    async def start() -> None:
        with told_by_key():
            await listening(settings, Certificates(settings, NOW))

    with pytest.raises(InputError) as raised:
        asyncio.run(start())
    assert {fault.field for fault in raised.value.faults} == {key}


def test_a_made_certificate_is_made_anew_before_it_ends(tmp_path: Path) -> None:
    async def run() -> None:
        settings = site(tmp_path, 'listen = "127.0.0.1:0"\ntls = true')
        now = datetime.now(UTC)
        certificates = Certificates(settings, now)
        listener = await listening(settings, certificates)
        file = settings.store.directory / "server.pem"
        first = file.read_text()
        assert not certificates.renew(listener, now + timedelta(days=29))
        assert file.read_text() == first
        assert certificates.renew(listener, now + timedelta(days=31))
        assert file.read_text() != first
        await listener.close()

    asyncio.run(run())


def test_a_given_certificate_is_read_again_when_it_changes_and_kept_while_it_is_broken(
    tmp_path: Path,
) -> None:
    authority = create_authority(tmp_path / "authority", "elsewhere", NOW)
    certificate, key = tmp_path / "c.pem", tmp_path / "c.key"
    authority.issue_server_certificate(["127.0.0.1"], NOW).write(certificate, key)

    async def run() -> None:
        settings = site(
            tmp_path, 'listen = "127.0.0.1:0"\ntls_certificate = "c.pem"\ntls_key = "c.key"'
        )
        certificates = Certificates(settings, NOW)
        listener = await listening(settings, certificates)
        assert not certificates.renew(listener, NOW + timedelta(days=400))
        certificate.write_text("no certificate")
        assert not certificates.renew(listener, NOW)
        authority.issue_server_certificate(["127.0.0.1"], NOW).write(certificate, key)
        os.utime(certificate, ns=(1, 1))
        assert certificates.renew(listener, NOW)
        await listener.close()

    asyncio.run(run())
