"""The wiring of `parkwatt serve`: journal, back end, chargers' listener, API; started in this order, stopped in the other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import structlog

from parkwatt.app.access.access import Access
from parkwatt.app.api.application import create_application
from parkwatt.app.api.live import LiveSite
from parkwatt.app.api.site import Site
from parkwatt.app.api.upkeep import Upkeep
from parkwatt.app.logs import log_events, set_up_logs
from parkwatt.app.metrics import Metrics
from parkwatt.app.pool.live import LivePool
from parkwatt.app.serve.api_server import ApiServer, bind
from parkwatt.app.serve.duties import (
    CredentialWatch,
    cut_changed,
    renew_certificates,
    sweep,
    thin_readings,
)
from parkwatt.app.serve.listening import Certificates, listener_settings, told_by_key
from parkwatt.app.serve_settings import Address, ServeSettings
from parkwatt.app.site_directory import make_private, make_token
from parkwatt.app.tried_chargers import TriedChargers
from parkwatt.app.web.process import WebProcess
from parkwatt.app.web_settings import WebSettings
from parkwatt.domain.charger.event import ChargerEvent
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.credentials.office import SiteCertificateOffice
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import TRY_AGAIN_LATER, Backend
from parkwatt.io.ocpp.server.link import Closed
from parkwatt.io.ocpp.server.listener import Arrival, Refusal, listen
from parkwatt.io.store.sqlite_journal import SqliteJournal

# Time passes for the chargers at most and at least so often.
SWEEP_S = 0.2
SWEEP_S_MAX = 5.0
# A duty that does not end is cancelled again after this time.
CANCEL_S = 3.0
# Chargers that do not join in closing their link are cut off then.
STOP_S = 1.0
# Files and sockets beside the chargers': the journal, the API, handshakes under way.
SOCKETS_BESIDE = 512
# State of many chargers is many objects that live long: the collector need not look at them often.
_GC_THRESHOLDS = (50_000, 20, 50)


class Control(Protocol):
    """What runs a site beside its back end: made before the back end is, attached to it before chargers are let in."""

    def attach(
        self, backend: Backend, journal: SqliteJournal, clock: Callable[[], int]
    ) -> LiveSite | LivePool:
        """Take up the site, or the pool, where the journal left it. Raises JournalDamaged."""

    def heard(self, charger_id: str, events: Sequence[ChargerEvent]) -> None:
        """Something happened at a charger."""

    def duties(self) -> Iterable[Coroutine[Any, Any, object]]:
        """What is to be done while the site runs. What ends by itself ends all."""


class Keeper(Upkeep, Protocol):
    """Keeps the site's file, and begins the site again by it."""

    def runs(self, stop: Callable[[], None]) -> None:
        """The site begins; ``stop`` ends it."""

    def began(self) -> None:
        """The site runs with the file as it is."""

    def ends(self) -> None:
        """Somebody wants it to end: it does not begin again."""


def serve_until_stopped(
    settings: ServeSettings,
    control: Control | None = None,
    web: WebSettings | None = None,
    keeper: Keeper | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. ``control``: runs the site, None: the chargers' back end alone. ``web``: serve pages, too.

    ``keeper``: keeps the site's file, and may end this to begin again.

    Raises InputError for what cannot be used, JournalDamaged, OSError.
    """
    os.umask(0o077)  # what the server writes is its owner's alone
    set_up_logs(settings.log_format, settings.log_level)
    _allow_sockets(settings.ocpp.links_max)
    try:
        import uvloop
    except ImportError:  # no wheel for this system: the standard loop does the same, slower
        asyncio.run(_until_signalled(settings, control, web, keeper))
    else:
        uvloop.run(_until_signalled(settings, control, web, keeper))


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


async def _until_signalled(
    settings: ServeSettings,
    control: Control | None,
    web: WebSettings | None,
    keeper: Keeper | None,
) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def end() -> None:
        if keeper is not None:
            keeper.ends()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if keeper is not None:
        keeper.runs(stopping.set)
    await serve(settings, stopping, clock=SteadyClock(), control=control, web=web, keeper=keeper)


async def serve(
    settings: ServeSettings,
    stopping: asyncio.Event,
    *,
    clock: Callable[[], int],
    control: Control | None = None,
    web: WebSettings | None = None,
    keeper: Keeper | None = None,
    on_start: Callable[[int, int], None] | None = None,
    on_pages: Callable[[str], None] | None = None,
) -> None:
    """Serve until ``stopping`` is set. ``clock``: µs since 1970 UTC, never going back.

    ``on_start``: told the chargers' port and the API's, in place of printing them. ``web``: where pages are served, None: none;
    ``on_pages``: told in lines where they are each time they come up, in a thread.
    """
    loop = asyncio.get_running_loop()
    make_private(settings.store.directory)
    file_token = make_token(settings.store.token)

    def alarmed(alarm: str | None) -> None:
        loop.call_soon_threadsafe(_tell_alarm, backend, alarm)

    def heard(charger_id: str, events: Sequence[ChargerEvent], now_unix_us: int) -> None:
        log_events(charger_id, events, now_unix_us)
        if control is not None:
            control.heard(charger_id, events)

    with contextlib.ExitStack() as stack:
        journal = SqliteJournal(settings.store.journal, on_alarm=alarmed)
        stack.callback(journal.close)
        journal.post_with(loop.call_soon_threadsafe)
        credentials = stack.enter_context(CredentialStore(settings.store.credentials))
        access = stack.enter_context(Access(settings.store.access, file_token))
        certificates = Certificates(settings, _utc(clock))
        office = None
        if certificates.authority is not None:
            office = SiteCertificateOffice(certificates.authority, credentials)
        api_socket = stack.enter_context(bind(settings.api))
        backend = Backend(
            journal=journal,
            settings_of=settings.charger,
            clock=clock,
            office=office,
            listener=heard,
        )
        _restore(backend)
        live = None if control is None else control.attach(backend, journal, clock)
        watch, tried = CredentialWatch(credentials), TriedChargers()
        with told_by_key():
            listener = await listen(
                listener_settings(settings, certificates),
                credentials,
                _attach_watched(backend, watch),
                partial(_on_refusal, tried, clock),
            )
        site = Site(settings, backend, journal, credentials, clock, *_led(live), keeper, tried)
        api = ApiServer(create_application(site, access, Metrics(backend, journal, site.alarms)))
        duties = (
            sweep(backend, SWEEP_S, SWEEP_S_MAX),
            thin_readings(site),
            renew_certificates(certificates, listener, clock),
            cut_changed(watch, listener.link),
            access.keep(),
            *(() if control is None else control.duties()),
        )
        if web is not None and web.enabled:
            api_url = f"http://{_host(settings.api)}:{api_socket.getsockname()[1]}"
            pages = _pages(web, api_url, access, on_pages, settings.log_format)
            stack.enter_context(pages)
        try:
            ports = listener.port, int(api_socket.getsockname()[1])
            (partial(_say_where, settings) if on_start is None else on_start)(*ports)
            if keeper is not None:
                keeper.began()
            await _run(api, api_socket, duties, stopping)
        finally:
            await backend.close()
            with contextlib.suppress(sqlite3.Error):
                await access.note()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(listener.close(), STOP_S)
            gc.unfreeze()
    structlog.get_logger().info("stopped")


def _led(attached: LiveSite | LivePool | None) -> tuple[LiveSite | None, LivePool | None]:
    """The site and the pool, of which there is one at most."""
    return (None, attached) if isinstance(attached, LivePool) else (attached, None)


def _pages(
    web: WebSettings,
    api_url: str,
    access: Access,
    on_pages: Callable[[str], None] | None,
    log_format: str,
) -> WebProcess:
    def ready(port: int) -> None:
        page = f"http://{_host(web.address)}:{port}"
        lines, code = [f"The page is at {page}"], access.owner_link()
        if code is not None:
            lines.append(f"Its owner signs in by this link, once: {page}/welcome?link={code}")
        for line in lines:
            if on_pages is None:
                print(line, flush=True)
            else:
                on_pages(line)

    token = access.service_token({"read"})
    return WebProcess(web.address, api_url, token, ready, log_format=log_format)


def _utc(clock: Callable[[], int]) -> datetime:
    return datetime.fromtimestamp(clock() / 1e6, tz=UTC)


def _restore(backend: Backend) -> None:
    """Read the journal, and have the garbage collector leave alone what came of it."""
    count = backend.restore()
    structlog.get_logger().info("journal read", entries=count, chargers=len(backend.charger_ids))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def _run(
    api: ApiServer,
    api_socket: socket.socket,
    duties: Iterable[Coroutine[Any, Any, object]],
    stopping: asyncio.Event,
) -> None:
    """Answer the API and do the duties until asked to stop. What ends by itself ends all, with its error."""
    serving = asyncio.create_task(api.serve(sockets=[api_socket]))
    stop = asyncio.create_task(stopping.wait())
    tasks = [stop, *(asyncio.create_task(duty) for duty in duties)]
    try:
        done, _ = await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        api.stop()
        await _end(tasks)
        await asyncio.gather(serving, *tasks, return_exceptions=True)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended: up to Python 3.11 `asyncio.wait_for`, as in aiomqtt, may swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_S)


def _say_where(settings: ServeSettings, ocpp_port: int, api_port: int) -> None:
    """Where the server is reached, for whoever started it."""
    scheme = "wss" if settings.ocpp.tls else "ws"
    print(f"Chargers connect to {scheme}://{_host(settings.ocpp.address)}:{ocpp_port}/<identity>")
    print(f"The API is at http://{_host(settings.api)}:{api_port} (token: {settings.store.token})")
    print("Stop with Ctrl-C.", flush=True)


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


def _attach_watched(backend: Backend, watch: CredentialWatch) -> Callable[[Arrival], None]:
    attached = attach(backend)

    def on_link(arrival: Arrival) -> None:
        watch.admitted(arrival.charger_id)
        attached(arrival)

    return on_link


def _on_refusal(tried: TriedChargers, clock: Callable[[], int], refusal: Refusal) -> None:
    tried.note(refusal, clock())
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
        log.error("ALARM: nothing is acknowledged", reason=alarm)
    backend.alarmed(alarm)


def _host(address: Address) -> str:
    return f"[{address.host}]" if ":" in address.host else address.host
