"""The chargers' socket as the site's file describes it: certificates, limits, and faults in the file's own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog

from parkwatt.app.serve_settings import ServeSettings
from parkwatt.domain.errors import InputError, InputFault, ParkwattError
from parkwatt.io.credentials.site import site_authority
from parkwatt.io.ocpp.server.listener import Listener
from parkwatt.io.ocpp.server.settings import ListenerSettings, TlsFiles

# A made certificate holds for 825 days; a server that runs on has a fresh one long before.
_RENEWED_AFTER = timedelta(days=30)
# As many connections as two seconds bring may come at once.
_BURST_S = 2.0
_KEYS = {
    "host": "ocpp.listen",
    "port": "ocpp.listen",
    "client_authority": "ocpp.client_authority",
    "names": "ocpp.names",
    "tls": "ocpp.tls_certificate",
}


class Certificates:
    """The server's certificate: given, or issued by the site's authority and renewed while the server runs.

    ``authority``: the site's; None without TLS.
    """

    def __init__(self, settings: ServeSettings, now: datetime) -> None:
        """Make what is to be made. Raises InputError where a name or the authority cannot be used."""
        self._settings = settings
        ocpp, directory = settings.ocpp, settings.store.directory
        self._files = TlsFiles(
            certificate=ocpp.tls_certificate or directory / "server.pem",
            key=ocpp.tls_key or directory / "server.key",
        )
        # Made also where both certificates are given: chargers may ask for one of their own (SignCertificate).
        self.authority = (
            site_authority(settings.store.authority, settings.name, now) if ocpp.tls else None
        )
        if ocpp.issues_certificates:
            self._issue(now)
        self._loaded = self._changed_at() if ocpp.tls else ()

    @property
    def files(self) -> tuple[TlsFiles, ...]:
        """What the listener reads; empty without TLS."""
        return (self._files,) if self._settings.ocpp.tls else ()

    def renew(self, listener: Listener, now: datetime) -> bool:
        """Have the listener use a newer certificate, where there is one or it is time to make one; whether it did.

        One that cannot be used is told in the log, and the old one stays in use.
        """
        if not self._settings.ocpp.tls:
            return False
        try:
            made = datetime.fromtimestamp(self._files.certificate.stat().st_mtime, tz=UTC)
            if self._settings.ocpp.issues_certificates and now - made > _RENEWED_AFTER:
                self._issue(now)
            changed_at = self._changed_at()
            if changed_at == self._loaded:
                return False
            self._loaded = changed_at
            listener.reload_certificates()
        except (OSError, ParkwattError) as error:
            structlog.get_logger().error("certificate not renewed", reason=str(error))
            return False
        structlog.get_logger().info("certificate renewed", file=str(self._files.certificate))
        return True

    def _issue(self, now: datetime) -> None:
        settings = self._settings
        names = settings.ocpp.names or (settings.ocpp.address.host,)
        assert self.authority is not None  # noqa: S101 certificates are issued with TLS alone
        with told_by_key():
            issued = self.authority.issue_server_certificate(names, now)
        issued.write(self._files.certificate, self._files.key)

    def _changed_at(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self._files.certificate, self._files.key))


def listener_settings(settings: ServeSettings, certificates: Certificates) -> ListenerSettings:
    """What the listener is told. Raises InputError, in the names of the site's file, for what cannot be used."""
    ocpp = settings.ocpp
    authority = ocpp.client_authority
    if ocpp.tls and authority is None:
        authority = settings.store.authority / "authority.pem"
    told = ListenerSettings(
        host=ocpp.address.host,
        port=ocpp.address.port,
        tls=certificates.files,
        client_authority=authority,
        allow_unencrypted=ocpp.allow_unencrypted,
        admit_unknown=ocpp.admit_unknown,
        compression=ocpp.compression,
        connections_max=ocpp.links_max,
        connections_per_s=ocpp.links_per_second,
        connections_burst=round(_BURST_S * ocpp.links_per_second),
        frames_per_s=ocpp.frames_per_second,
        frames_in_all_per_s=ocpp.frames_in_all_per_second,
    )
    with told_by_key():
        told.check()
    return told


@contextmanager
def told_by_key() -> Iterator[None]:
    """Name the keys of the site's file in faults of the listener's settings."""
    try:
        yield
    except InputError as error:
        faults = [InputFault(_key(fault.field), fault.rule, fault.value) for fault in error.faults]
        raise InputError(faults) from error


def _key(field: str) -> str:
    return _KEYS.get(field.partition("[")[0], field)
