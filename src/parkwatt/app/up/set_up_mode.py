"""`parkwatt up` for a site without a file: signing in, the set-up's routes, one page, and an ear for chargers that knock.

Nothing runs and nothing is let in. Users and the charger's password lie in the folder where the site's data will be, so that
they are there when the site begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final

from parkwatt.app.access.access import Access
from parkwatt.app.api.setup_application import create_setup_application
from parkwatt.app.logs import set_up_logs
from parkwatt.app.serve.api_server import ApiServer, bind
from parkwatt.app.serve_settings import Address, read_address
from parkwatt.app.set_up.set_up import SetUp, default_addresses
from parkwatt.app.set_up.site_toml import Addresses
from parkwatt.app.site_directory import make_private, make_token
from parkwatt.app.web.process import WebProcess
from parkwatt.domain.errors import InputError, InputFault
from parkwatt.domain.record import Faults, Record
from parkwatt.io.clock.steady_clock import SteadyClock
from parkwatt.io.credentials.store import CredentialStore
from parkwatt.io.ocpp.backend import TRY_AGAIN_LATER
from parkwatt.io.ocpp.server.listener import Arrival, Listener, Refusal, listen
from parkwatt.io.ocpp.server.settings import ListenerSettings

_STOP_S: Final = 1.0


def set_up_addresses(web: str | None, api: str | None, ocpp: str | None) -> Addresses:
    """The addresses as given, else the usual ones. Raises InputError with every fault."""
    usual, faults = default_addresses(), Faults()
    given = {name: text for name, text in (("web", web), ("api", api), ("ocpp", ocpp)) if text}
    record = Record(given, "", faults)
    told = {name: read_address(record, name, "127.0.0.1:0") for name in given}
    faults.raise_if_any()
    own = told.get("ocpp", usual.ocpp)
    return Addresses(
        web=told.get("web", usual.web),
        api=told.get("api", usual.api),
        ocpp=own,
        reached_at=usual.reached_at if own.is_anywhere else own.host,
    )


def set_up_until_stopped(path: Path, addresses: Addresses) -> bool:
    """Serve the set-up until the file at ``path`` is written (True), or SIGINT or SIGTERM (False).

    Raises InputError for what cannot be used, OSError.
    """
    if path.suffix != ".toml" or not path.absolute().parent.is_dir():
        rule = "must be a TOML file, or name one to be set up in a folder that is there"
        raise InputError([InputFault("SITE.toml", rule, str(path))])
    os.umask(0o077)  # what is written is its owner's alone
    set_up_logs("console", "info")
    return asyncio.run(_serve(path, addresses))


async def _serve(path: Path, addresses: Addresses) -> bool:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    set_up = SetUp(path, addresses, SteadyClock())
    make_private(set_up.data_directory)
    token = make_token(set_up.data_directory / "api-token")
    with contextlib.ExitStack() as stack:
        access = stack.enter_context(Access(set_up.data_directory / "access.sqlite", token))
        credentials = stack.enter_context(
            CredentialStore(set_up.data_directory / "credentials.sqlite")
        )
        api_socket = stack.enter_context(bind(addresses.api))
        api_port = int(api_socket.getsockname()[1])
        # What port 0 became goes into the file: the site is found where its set-up was.
        set_up.addresses = replace(addresses, api=Address(addresses.api.host, api_port))
        api = ApiServer(create_setup_application(set_up, access))
        listener = await _hear(set_up, credentials)
        url = f"http://{_host(addresses.api)}:{api_port}"
        stack.enter_context(_page(set_up, url, access))
        print(f"{path} does not exist yet: set the site up in the browser.")
        print(f"The API is at {url} (token: {set_up.data_directory / 'api-token'})")
        print("Stop with Ctrl-C.", flush=True)
        serving = asyncio.create_task(api.serve(sockets=[api_socket]))
        waits = [asyncio.create_task(one.wait()) for one in (stopping, set_up.done)]
        try:
            await asyncio.wait([serving, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            api.stop()
            for task in waits:
                task.cancel()
            await asyncio.gather(serving, *waits, return_exceptions=True)
            with contextlib.suppress(sqlite3.Error):
                await access.note()
            if listener is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(listener.close(), _STOP_S)
    return set_up.finished and not stopping.is_set()


def _page(set_up: SetUp, api_url: str, access: Access) -> WebProcess:
    at = set_up.addresses.web

    def ready(port: int) -> None:
        set_up.addresses = replace(set_up.addresses, web=Address(at.host, port))
        page, code = f"http://{_host(at)}:{port}", access.owner_link()
        print(f"The page is at {page}")
        if code is not None:
            print(f"Its owner signs in by this link, once: {page}/welcome?link={code}")
        print(end="", flush=True)

    return WebProcess(at, api_url, access.service_token({"read"}), ready, set_up=True)


async def _hear(set_up: SetUp, credentials: CredentialStore) -> Listener | None:
    """Hear who knocks. One with the right password is told to come back: the site is not there yet."""

    def refused(refusal: Refusal) -> None:
        set_up.tried.note(refusal, set_up.now_unix_us)

    def came(arrival: Arrival) -> None:
        set_up.tried.forget(arrival.charger_id)
        set_up.listening.connected = arrival.charger_id
        arrival.link.listen(lambda _: None, lambda _: None)
        arrival.link.close(TRY_AGAIN_LATER, "the site is being set up")

    at = set_up.addresses.ocpp
    settings = ListenerSettings(host=at.host, port=at.port, allow_unencrypted=True)
    try:
        listener = await listen(settings, credentials, came, refused)
    except InputError as error:
        set_up.listening.trouble = "; ".join(str(fault) for fault in error.faults)
        return None
    set_up.listening.port = listener.port
    set_up.addresses = replace(set_up.addresses, ocpp=Address(at.host, listener.port))
    return listener


def _host(address: Address) -> str:
    return f"[{address.host}]" if ":" in address.host else address.host
