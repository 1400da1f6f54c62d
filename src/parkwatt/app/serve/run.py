"""The wiring of `parkwatt serve`: journal, back end, chargers' listener, API; started in this order, stopped in the other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvicorn

from parkwatt.app.api.application import create_application
from parkwatt.app.api.site import Site
from parkwatt.app.logs import log_events, set_up_logs
from parkwatt.app.metrics import Metrics
from parkwatt.app.serve_settings import Address, OcppSettings, ServeSettings
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.credentials.office import SiteCertificateOffice
from parkwatt.io.credentials.site import site_authority
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import TRY_AGAIN_LATER, Backend
from parkwatt.io.ocpp.server.link import Closed
from parkwatt.io.ocpp.server.listener import Arrival, Listener, Refusal, listen
from parkwatt.io.ocpp.server.settings import ListenerSettings, TlsFiles
from parkwatt.io.store.retention import thin
from parkwatt.io.store.sqlite_journal import SqliteJournal

SWEEP_S = 0.2
# Files and sockets beside the chargers': the journal, the API, handshakes under way.
SOCKETS_BESIDE = 512
RETENTION_ROUND_S = 6 * 3600.0
# State of many chargers is many objects that live long: the collector need not look at them often.
_GC_THRESHOLDS = (50_000, 20, 50)


class Clock:
    """The wall clock in µs since 1970 UTC, never going back: an entry is never older than the one before."""

    def __init__(self) -> None:
        self._newest_unix_us = 0

    def __call__(self) -> int:
        """Now."""
        self._newest_unix_us = max(self._newest_unix_us, time.time_ns() // 1000)
        return self._newest_unix_us


def serve_until_stopped(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises InputError for what cannot be used, JournalDamaged, OSError.
    """
    set_up_logs(settings.log_format, settings.log_level)
    _allow_sockets(settings.ocpp.links_max)
    try:
        import uvloop
    except ImportError:  # no wheel for this system: the standard loop does the same, slower
        asyncio.run(serve(settings))
    else:
        uvloop.run(serve(settings))


def _allow_sockets(links_max: int) -> None:
    """Let the process open a socket for each charger, as far as the system allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = links_max + SOCKETS_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


async def serve(settings: ServeSettings) -> None:
    """Serve until the process is asked to stop."""
    loop = asyncio.get_running_loop()
    log = structlog.get_logger()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    _private_directory(settings.store.directory)
    clock = Clock()
    now = datetime.now(UTC)

    def alarmed(alarm: str | None) -> None:
        loop.call_soon_threadsafe(_tell_alarm, backend, alarm)

    with contextlib.ExitStack() as stack:
        journal = SqliteJournal(settings.store.journal, on_alarm=alarmed)
        stack.callback(journal.close)
        journal.post_with(loop.call_soon_threadsafe)
        credentials = stack.enter_context(CredentialStore(settings.store.credentials))
        office = None
        if settings.ocpp.tls:
            authority = site_authority(settings.store.authority, settings.name, now)
            office = SiteCertificateOffice(authority, credentials)
        backend = Backend(
            journal=journal,
            settings_of=settings.charger,
            clock=clock,
            office=office,
            listener=log_events,
        )
        count = backend.restore()
        log.info("journal read", entries=count, chargers=len(backend.charger_ids))
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        site = Site(settings, backend, journal, credentials, clock, stopping)
        listener = await listen(
            _listener_settings(settings, now), credentials, attach(backend), _on_refusal
        )
        try:
            await _run(site, listener)
        finally:
            await backend.close()
            await listener.close()
    log.info("stopped")


async def _run(site: Site, listener: Listener) -> None:
    """Sweep, thin and answer the API until asked to stop."""
    token = _token(site.settings.store.token)
    metrics = Metrics(site.backend, site.journal, site.alarms)
    api = _Api(site, token, metrics)
    tasks = [
        asyncio.create_task(_sweep(site.backend)),
        asyncio.create_task(_thin(site)),
    ]
    serving = asyncio.create_task(api.serve(sockets=[api.bound]))
    address = site.settings.ocpp.address
    scheme = "wss" if site.settings.ocpp.tls else "ws"
    print(f"Chargers connect to {scheme}://{_host(address)}:{listener.port}/<identity>")
    print(
        f"The API is at http://{_host(site.settings.api)}:{api.port} (token: {site.settings.store.token})"
    )
    print("Stop with Ctrl-C.", flush=True)
    stop = asyncio.create_task(site.stopping.wait())
    try:
        done, _ = await asyncio.wait([stop, serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stop}:
            task.result()
    finally:
        api.should_exit = True
        for task in (*tasks, stop):
            task.cancel()
        await asyncio.gather(serving, *tasks, stop, return_exceptions=True)


class _Api(uvicorn.Server):
    """The API's server on this loop; the process's signals are not its own."""

    def __init__(self, site: Site, token: str, metrics: Metrics) -> None:
        config = uvicorn.Config(
            create_application(site, token, metrics),
            host=site.settings.api.host,
            port=site.settings.api.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)
        self.bound = _bind(site.settings.api)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.bound.getsockname()[1])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone; uvicorn's own name."""
        yield


def _bind(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
        bound.listen()  # now, so that whoever reads that the API is there finds it
    except OSError as error:
        bound.close()
        place = f"{address.host}:{address.port}"
        fault = InputFault("api.listen", f"cannot be listened on: {error.strerror}", place)
        raise InputError([fault]) from error
    return bound


async def _sweep(backend: Backend) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        backend.sweep()


async def _thin(site: Site) -> None:
    """Thin old readings now and then; the journal does it in slices."""
    while True:
        before_unix_us = site.now_unix_us() - site.settings.store.telemetry_days * 86_400_000_000
        await asyncio.to_thread(thin, site.journal, before_unix_us, now_unix_us=site.now_unix_us())
        await asyncio.sleep(RETENTION_ROUND_S)


def attach(backend: Backend) -> Callable[[Arrival], None]:
    """What to do with a charger that was let in."""

    def on_link(arrival: Arrival) -> None:
        charger_id, link = arrival.charger_id, arrival.link
        if backend.withholding:
            link.listen(lambda _: None, lambda _: None)
            link.close(TRY_AGAIN_LATER, "Parkwatt cannot store what you report")
            return

        def on_frame(frame: bytes) -> None:
            backend.received(charger_id, link, frame)

        def on_closed(closed: Closed) -> None:
            backend.closed(charger_id, link, closed.reason or f"closed with code {closed.code}")

        link.listen(on_frame, on_closed)
        backend.opened(charger_id, link, arrival.version, arrival.security_profile, link.peer())

    return on_link


def _on_refusal(refusal: Refusal) -> None:
    structlog.get_logger().warning(
        "connection refused",
        charger=refusal.charger_id,
        peer=refusal.peer,
        status=refusal.status,
        reason=refusal.reason,
    )


def _tell_alarm(backend: Backend, alarm: str | None) -> None:
    log = structlog.get_logger()
    if alarm is None:
        log.info("the journal can be written again")
    else:
        log.error("ALARM: the journal cannot be written; nothing is acknowledged", reason=alarm)
    backend.alarmed(alarm)


def _listener_settings(settings: ServeSettings, now: datetime) -> ListenerSettings:
    ocpp = settings.ocpp
    authority = ocpp.client_authority
    if ocpp.tls and authority is None:
        authority = settings.store.authority / "authority.pem"
    return ListenerSettings(
        host=ocpp.address.host,
        port=ocpp.address.port,
        tls=_tls_files(settings, ocpp, now),
        client_authority=authority,
        allow_unencrypted=ocpp.allow_unencrypted,
        admit_unknown=ocpp.admit_unknown,
        compression=ocpp.compression,
        connections_max=ocpp.links_max,
        connections_per_s=ocpp.links_per_second,
        frames_per_s=ocpp.frames_per_second,
    )


def _tls_files(settings: ServeSettings, ocpp: OcppSettings, now: datetime) -> tuple[TlsFiles, ...]:
    """The server's certificate: its own, or one that the site's authority issues at each start."""
    if not ocpp.tls:
        return ()
    if ocpp.tls_certificate is not None and ocpp.tls_key is not None:
        return (TlsFiles(certificate=ocpp.tls_certificate, key=ocpp.tls_key),)
    names = ocpp.names or (_host(ocpp.address),)
    authority = site_authority(settings.store.authority, settings.name, now)
    certificate = settings.store.directory / "server.pem"
    key = settings.store.directory / "server.key"
    authority.issue_server_certificate(names, now).write(certificate, key)
    return (TlsFiles(certificate=certificate, key=key),)


def _host(address: Address) -> str:
    return f"[{address.host}]" if ":" in address.host else address.host


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fault = InputFault("store.directory", f"cannot be made: {error.strerror}", str(directory))
        raise InputError([fault]) from error


def _token(path: Path) -> str:
    """The API's token, made at the first start and readable by its owner alone."""
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    token = secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")
    return token
